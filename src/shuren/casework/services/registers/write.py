"""One entry at a time: added, changed, moved through its life, removed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Definition, Entry
from shuren.casework.rules.registers import changes_between, first_state, state_of
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.selectors.definitions import definition_named, spec_of
from shuren.casework.selectors.entries import count_naming
from shuren.casework.services.form_refused import FormRefused
from shuren.casework.services.registers.check import (
    check_may_write,
    check_move,
    check_once,
    checked_data,
    fill_in,
    org_for,
)
from shuren.casework.services.registers.keep import RESTORED, Why, put_anew, put_down, take_down
from shuren.casework.services.registers.one_source import refuse_competing
from shuren.directory import api as directory
from shuren.kernel import audit, events, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound


@transaction.atomic
def add_entry(
    *,
    actor: Actor,
    register: str,
    org_id: int,
    data: Mapping[str, Any],
    state: str = "",
    subject_person_id: int | None = None,
    reason: str = "",
    case_id: int | None = None,
    now: datetime,
) -> Entry:
    """Write a new thing into a register; publishes `casework.entry_added`.

    Raises `FormRefused` with every fault, `CompetingWrite` for what another source produces, and `EntryDuplicate` where the
    thing stands there already. With `case_id` a flow writes what it decided, whoever acts.
    """
    definition = definition_named(DefinitionKind.REGISTER, register)
    spec: RegisterSpec = spec_of(definition)
    org = org_for(org_id, spec, definition)
    check_may_write(actor=actor, definition=definition, spec=spec, path=org.path, case_id=case_id, now=now)
    if state:
        _check_state(spec, state)
    entry = Entry(
        register=definition,
        org_id=org.id,
        org_path=org.path,
        subject_id=_known_person(subject_person_id),
        state=state or first_state(spec),
        made_at=now,
        changed_at=now,
    )
    kept = checked_data(spec, data, now=now, asks_files=False)
    refuse_competing(actor=actor, spec=spec, org=org, before={}, kept=kept, case_id=case_id, now=now)
    fill_in(entry, spec, kept, now=now)
    check_once(entry, spec, actor=actor, now=now)
    why = Why(actor, now, reason, case_id)
    _written(entry, spec, why, is_new=True)
    _tell("casework.entry_added", entry, why, {})
    return entry


@transaction.atomic
def change_entry(
    *,
    actor: Actor,
    entry_id: int,
    data: Mapping[str, Any],
    state: str | None = None,
    org_id: int | None = None,
    base_revision: int | None,
    reason: str = "",
    case_id: int | None = None,
    now: datetime,
) -> Entry:
    """Change what `data` names and leave the rest; nothing changed writes nothing. Publishes `casework.entry_changed`.

    `base_revision` is what the writer saw: `Conflict` where the entry has moved on since (None does not ask). A value of
    None clears a field. A new `state` must be one that may follow, unless a case says so. `org_id` moves it to another org.
    """
    entry, spec = _held(entry_id)
    check_may_write(actor=actor, definition=entry.register, spec=spec, path=entry.org_path, case_id=case_id, now=now)
    _check_revision(entry, base_revision)
    if state is not None and state != entry.state:
        _check_state(spec, state) if case_id is not None else check_move(spec, entry.state, state)
    kept = checked_data(spec, {**entry.data, **data}, now=now)
    home = directory.orgs_by_ids([entry.org_id])[entry.org_id]
    refuse_competing(actor=actor, spec=spec, org=home, before=entry.data, kept=kept, case_id=case_id, now=now)
    changes = changes_between(spec, entry.data, kept)
    moved_from = entry.state if state is not None and state != entry.state else None
    org_before = entry.org_id
    if org_id is not None and org_id != org_before:
        org = org_for(org_id, spec, entry.register)
        check_may_write(actor=actor, definition=entry.register, spec=spec, path=org.path, case_id=case_id, now=now)
        entry.org_id, entry.org_path = org.id, org.path
    if not changes and moved_from is None and entry.org_id == org_before:
        return entry
    entry.state = state if state is not None else entry.state
    entry.import_id = None
    fill_in(entry, spec, kept, now=now)
    check_once(entry, spec, actor=actor, now=now)
    why = Why(actor, now, reason, case_id)
    _written(entry, spec, why, is_new=False)
    if changes or entry.org_id != org_before:
        fields = {"fields": [change.field.key for change in changes]}
        _tell("casework.entry_changed", entry, why, fields | ({"org_before": org_before} if entry.org_id != org_before else {}))
    if moved_from is not None:
        _tell("casework.entry_moved", entry, why, {"before": moved_from})
    return entry


@transaction.atomic
def move_entry(
    *,
    actor: Actor,
    entry_id: int,
    state: str,
    base_revision: int | None = None,
    reason: str = "",
    case_id: int | None = None,
    now: datetime,
) -> Entry:
    """Take a thing to the next state of its life; publishes `casework.entry_moved`. Its data is not asked again."""
    entry, spec = _held(entry_id)
    check_may_write(actor=actor, definition=entry.register, spec=spec, path=entry.org_path, case_id=case_id, now=now)
    _check_revision(entry, base_revision)
    if state == entry.state:
        return entry
    _check_state(spec, state) if case_id is not None else check_move(spec, entry.state, state)
    before, entry.state, entry.import_id = entry.state, state, None
    why = Why(actor, now, reason, case_id)
    put_anew([entry], spec, why)
    _tell("casework.entry_moved", entry, why, {"before": before})
    return entry


@transaction.atomic
def remove_entry(
    *, actor: Actor, entry_id: int, base_revision: int | None = None, reason: str, case_id: int | None = None, now: datetime
) -> Entry:
    """Take a thing off its register; publishes `casework.entry_removed`. Its history stays. Refused while others name it."""
    entry, spec = _held(entry_id)
    check_may_write(actor=actor, definition=entry.register, spec=spec, path=entry.org_path, case_id=case_id, now=now)
    _check_revision(entry, base_revision)
    if not reason.strip():
        raise Invalid(_("请写明删除的原因。"))
    if naming := count_naming(entry):
        raise Conflict(
            _("还有 %(count)d 条台账引用这一条，不能删除。") % {"count": naming},
            remedy=_("请先在那些记录里换掉它，再来删除。"),
        )
    why = Why(actor, now, reason.strip(), case_id)
    take_down([entry], why)
    _tell("casework.entry_removed", entry, why, {})
    return entry


@transaction.atomic
def restore_entry(*, actor: Actor, entry_id: int, base_revision: int | None = None, reason: str, now: datetime) -> Entry:
    """Put a removed thing back on its register as it was; publishes `casework.entry_restored`.

    Raises `EntryDuplicate` where it was written anew meanwhile, `FormRefused` where its data is no longer what the register
    asks for or names what was removed too, `Invalid` where its state or its org is no longer one of the register's.
    """
    entry, spec = _held(entry_id, is_removed=True)
    check_may_write(actor=actor, definition=entry.register, spec=spec, path=entry.org_path, case_id=None, now=now)
    _check_revision(entry, base_revision)
    if not reason.strip():
        raise Invalid(_("请写明恢复的原因。"))
    _check_place(entry, spec)
    fill_in(entry, spec, _data_of_today(entry, spec, now), now=now)
    check_once(entry, spec, actor=actor, now=now)
    entry.removed_at = entry.import_id = None
    why = Why(actor, now, reason.strip(), act=RESTORED)
    _written(entry, spec, why, is_new=False)
    _tell("casework.entry_restored", entry, why, {})
    return entry


def _held(entry_id: int, *, is_removed: bool = False) -> tuple[Entry, RegisterSpec]:
    """The entry, locked for this transaction, and what its register says now."""
    Entry.objects.select_for_update().filter(pk=entry_id).values_list("pk", flat=True).first()
    entry = (
        Entry.objects.select_related("register").filter(pk=entry_id, removed_at__isnull=not is_removed, revision__gt=0).first()
    )
    if entry is None:
        raise NotFound(_("没有找到这条台账。"))
    return entry, spec_of(entry.register)


def _written(entry: Entry, spec: RegisterSpec, why: Why, *, is_new: bool) -> None:
    try:
        with transaction.atomic():
            (put_down if is_new else put_anew)([entry], spec, why)
    except IntegrityError:
        # Somebody else wrote the same thing between our look and our write.
        check_once(entry, spec, actor=why.actor, now=why.now)
        raise


def _check_state(spec: RegisterSpec, state: str) -> None:
    if state not in {one.key for one in spec.states}:
        raise Invalid(_("这个台账没有“%(state)s”这种状态。") % {"state": state})


def _check_place(entry: Entry, spec: RegisterSpec) -> None:
    """Whether the register still knows the state and the org that a removed thing had."""
    remedy = _("请按台账现在的规定重新登记一条。")
    if entry.state and state_of(spec, entry.state) is None:
        raise Invalid(_("它的状态“%(state)s”已经不在这个台账里，不能恢复。") % {"state": entry.state}, remedy=remedy)
    try:
        org_for(entry.org_id, spec, entry.register)
    except (Invalid, NotFound) as refused:
        raise Invalid(_("它所在的机构已经不登记这个台账，不能恢复。"), remedy=remedy) from refused


def _data_of_today(entry: Entry, spec: RegisterSpec, now: datetime) -> dict[str, Any]:
    try:
        return checked_data(spec, entry.data, now=now, asks_files=False)
    except FormRefused as refused:
        # A thing that is removed cannot be mended where it lies.
        remedy = _("请先恢复它引用的记录；内容已不符合规定的，请重新登记一条。")
        raise FormRefused([replace(fault, remedy=remedy) for fault in refused.faults]) from refused


def _check_revision(entry: Entry, base: int | None) -> None:
    if base is not None and base != entry.revision:
        # Without its label, which not everybody who writes may read.
        raise Conflict(_("这条台账刚刚被别人改过。"), remedy=_("请刷新页面，看过新的内容再改。"))


def _known_person(person_id: int | None) -> int | None:
    if person_id is None:
        return None
    if person_id not in directory.people_by_ids([person_id]):
        raise NotFound(_("没有找到这个人。"))
    return person_id


def _tell(name: str, entry: Entry, why: Why, details: Mapping[str, object]) -> None:
    told = {"register": entry.register.key, "state": entry.state, "reason": why.reason, "case_id": why.case_id, **details}
    audit.record(actor=why.actor, action=name, target=f"entry:{entry.pk}", details=told, now=why.now)
    events.publish(name, {**news_of(entry), **details}, now=why.now)


def news_of(entry: Entry, definition: Definition | None = None) -> dict[str, object]:
    """What an event tells of an entry: where and what it is, never what it holds."""
    return {
        "entry_id": entry.pk,
        "public_id": ids.encode("entry", entry.pk),
        "register": (definition or entry.register).key,
        "state": entry.state,
        "org_id": entry.org_id,
        "org_path": entry.org_path,
    }
