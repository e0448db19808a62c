"""Registers over HTTP: which there are, how their entries are made up, and the entries themselves, to read and to write."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from ninja import Field, Query, Router, Schema, Status

from shuren.casework.models import Entry
from shuren.casework.rules.registers import HIDDEN, has_sensitive, is_personal, is_sortable
from shuren.casework.rules.schema import json_schema
from shuren.casework.selectors.entries import (
    Register,
    access_entry,
    access_register,
    access_removed_entry,
    is_own,
    near_duplicates,
    register_of_entry,
    registers_open_to,
    shown_data,
)
from shuren.casework.selectors.entry_lists import EntryQuery, askable_fields, entries_page, is_label_shown
from shuren.casework.services.registers.read import record_sensitive_read
from shuren.casework.services.registers.write import add_entry, change_entry, remove_entry, restore_entry
from shuren.directory import api as directory
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.errors import Refused
from shuren.kernel.paging import SIZES

router = Router(tags=["registers"])
# A list in the address is one only where ninja is told so.
_WHERE: Any = Query([], description="`field:value`, several at once.")  # type: ignore[type-arg]  # ninja tells it from the field


class RegisterOut(Schema):
    """A register that the caller reads somewhere; `may_write` somewhere, unless only a flow writes it (`change_by`)."""

    key: str
    title: str
    may_write: bool
    change_by: str
    filters: list[str] = Field(description="Fields for `where`; numbers and days also with `_from` and `_to`.")
    sorts: list[str]


class EntryOut(Schema):
    """An entry. `data` has the form of the register's schema; what the caller may not see is masked."""

    id: str
    register_key: str
    label: str
    state: str
    org_id: str
    org_name: str
    revision: int
    changed_at: datetime
    data: dict[str, Any]


class EntryPage(Schema):
    """One page of entries; `total` is a lower bound where `is_exact` is false."""

    rows: list[EntryOut]
    total: int
    is_exact: bool
    page: int


class WrittenOut(EntryOut):
    """An entry as written; `near` are others whose name differs by nothing but width, case, spaces and signs."""

    near: list[str] = []


class NewEntry(Schema):
    """A new entry at an org; `state` is the register's first unless said."""

    org_id: str
    data: dict[str, Any]
    state: str = ""
    reason: str = ""


class EntryChange(Schema):
    """Fields to be changed, of the revision that the caller read; what is not named stays, null clears."""

    revision: int
    data: dict[str, Any] = {}
    state: str | None = None
    reason: str = ""


@router.get("/registers", response=list[RegisterOut], operation_id="list_registers", summary="Registers the caller reads")
def list_registers(request: HttpRequest) -> list[RegisterOut]:
    return [_register_out(one) for one in registers_open_to(actor=actor_of(request), now=clock.now())]


@router.get("/registers/{key}/schema", response=dict[str, Any], operation_id="register_schema", summary="JSON Schema of entries")
def register_schema(request: HttpRequest, key: str) -> Mapping[str, Any]:
    """JSON Schema 2020-12 of `data`, with hints of layout."""
    register = access_register(actor=actor_of(request), key=key, now=clock.now())
    return json_schema(register.spec, language=get_language() or "zh-hans")


class Reason(Schema):
    """Why, and of which revision the caller asks it."""

    revision: int
    reason: str


@router.get("/registers/{key}/entries", response=EntryPage, operation_id="list_entries", summary="Entries of a register")
def list_entries(
    request: HttpRequest,
    key: str,
    search: str = "",
    state: str = "",
    sort: str = "org",
    page: int = 1,
    size: int = 50,
    where: list[str] = _WHERE,
    removed: bool = False,
) -> EntryPage:
    """What is graded L4 is always masked in lists. `removed` asks for removed entries, where the caller may write."""
    register = access_register(actor=actor_of(request), key=key, now=clock.now())
    filters = dict(one.split(":", 1) for one in where if ":" in one)
    asked = EntryQuery(
        search=search[:200],
        state=state,
        filters=filters,
        sort=sort,
        is_removed=removed,
        number=max(1, page),
        size=min(max(1, size), SIZES[-1]),
    )
    found = entries_page(register, asked)
    rows = [_entry_out(row.entry, register, row.data, row.org_name) for row in found.rows]
    return EntryPage(rows=rows, total=found.total, is_exact=found.is_exact, page=found.number)


@router.post("/registers/{key}/entries", response={201: WrittenOut}, operation_id="add_entry", summary="Add an entry")
def add_register_entry(request: HttpRequest, key: str, told: NewEntry) -> Status[WrittenOut]:
    """Answers 409 where the same thing stands there already."""
    actor, now = actor_of(request), clock.now()
    register = access_register(actor=actor, key=key, now=now)
    org_id = ids.decode("org", told.org_id)
    entry = add_entry(actor=actor, register=key, org_id=org_id, data=told.data, state=told.state, reason=told.reason, now=now)
    is_told = is_label_shown(register)
    near = near_duplicates(register=register, label=entry.label, except_id=entry.pk) if is_told else []
    return Status(201, _written(entry, register, [ids.encode("entry", one.pk) for one in near]))


@router.get("/entries/{entry_id}", response=EntryOut, operation_id="get_entry", summary="One entry")
def read_entry(request: HttpRequest, entry_id: str) -> EntryOut:
    """Reading what is graded L4 is written into the audit trail."""
    actor, now = actor_of(request), clock.now()
    entry = access_entry(actor=actor, id=ids.decode("entry", entry_id), now=now)
    register = register_of_entry(actor=actor, entry=entry, now=now)
    own = is_own(actor, entry)
    if (own or register.access.sees_sensitive(entry.org_path)) and has_sensitive(register.spec, entry.data):
        record_sensitive_read(actor=actor, entry=entry, now=now)
    data = shown_data(register, entry, is_own=own, may_reveal=True)
    return _entry_out(entry, register, data, _org_name(entry))


@router.patch("/entries/{entry_id}", response=EntryOut, operation_id="change_entry", summary="Change an entry")
def change_register_entry(request: HttpRequest, entry_id: str, told: EntryChange) -> EntryOut:
    """Answers 409 where the entry has moved on since the revision. What the caller sees masked cannot be changed."""
    actor, now = actor_of(request), clock.now()
    entry = access_entry(actor=actor, id=ids.decode("entry", entry_id), now=now)
    register = register_of_entry(actor=actor, entry=entry, now=now)
    _check_seen(register, entry, told.data)
    shown = shown_data(register, entry)
    changed = change_entry(
        actor=actor,
        entry_id=entry.pk,
        # What comes back as it was read may lack what the caller does not see.
        data={key: value for key, value in told.data.items() if key not in shown or value != shown[key]},
        state=told.state,
        base_revision=told.revision,
        reason=told.reason,
        now=now,
    )
    return _entry_out(changed, register, shown_data(register, changed), _org_name(changed))


@router.post("/entries/{entry_id}/remove", response=EntryOut, operation_id="remove_entry", summary="Remove an entry")
def remove_register_entry(request: HttpRequest, entry_id: str, told: Reason) -> EntryOut:
    """Answers 409 while other entries name this one. What was removed can be restored, by the revision that is answered."""
    actor, now = actor_of(request), clock.now()
    entry = access_entry(actor=actor, id=ids.decode("entry", entry_id), now=now)
    register = register_of_entry(actor=actor, entry=entry, now=now)
    removed = remove_entry(actor=actor, entry_id=entry.pk, base_revision=told.revision, reason=told.reason, now=now)
    return _entry_out(removed, register, shown_data(register, removed), _org_name(removed))


@router.post("/entries/{entry_id}/restore", response=EntryOut, operation_id="restore_entry", summary="Restore a removed entry")
def restore_register_entry(request: HttpRequest, entry_id: str, told: Reason) -> EntryOut:
    """Answers 409 where the same thing was written anew meanwhile."""
    actor, now = actor_of(request), clock.now()
    entry = access_removed_entry(actor=actor, id=ids.decode("entry", entry_id), now=now)
    restored = restore_entry(actor=actor, entry_id=entry.pk, base_revision=told.revision, reason=told.reason, now=now)
    register = register_of_entry(actor=actor, entry=restored, now=now)
    return _entry_out(restored, register, shown_data(register, restored), _org_name(restored))


def _register_out(register: Register) -> RegisterOut:
    fields = askable_fields(register)
    plain = ("org", "label", "changed") if is_label_shown(register) else ("org", "changed")
    return RegisterOut(
        key=register.key,
        title=register.title,
        may_write=bool(register.access.write_paths) and not register.spec.change_by,
        change_by=register.spec.change_by,
        filters=[one.key for one in fields],
        sorts=[*plain, *(one.key for one in fields if is_sortable(one))],
    )


def _entry_out(entry: Entry, register: Register, data: Mapping[str, Any], org_name: str) -> EntryOut:
    return EntryOut(
        id=ids.encode("entry", entry.pk),
        register_key=register.key,
        label=entry.label if is_label_shown(register) else HIDDEN,
        state=entry.state,
        org_id=ids.encode("org", entry.org_id),
        org_name=org_name,
        revision=entry.revision,
        changed_at=entry.changed_at,
        data=dict(data),
    )


def _check_seen(register: Register, entry: Entry, told: Mapping[str, Any]) -> None:
    """A star that was read must not come back as the value."""
    if register.access.sees_sensitive(entry.org_path):
        return
    hidden = [str(one.title) for one in register.spec.fields if one.key in told and is_personal(one)]
    if hidden:
        words = {"fields": "、".join(hidden)}
        raise Refused(_("您看不到“%(fields)s”的内容，不能修改。") % words, remedy=_("请去掉这些栏目再提交。"))


def _written(entry: Entry, register: Register, near: list[str]) -> WrittenOut:
    told = _entry_out(entry, register, shown_data(register, entry), _org_name(entry))
    return WrittenOut(**told.dict(), near=near)


def _org_name(entry: Entry) -> str:
    org = directory.orgs_by_ids([entry.org_id]).get(entry.org_id)
    return org.name if org else ""
