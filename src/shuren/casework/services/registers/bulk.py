"""One field or one state for many entries at once: counted before, done entry by entry, each refusal told."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.models import Entry
from shuren.casework.rules.registers import moves_from
from shuren.casework.rules.specs.form import FieldSpec, FieldType
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.rules.values import read_value
from shuren.casework.selectors.entries import Register
from shuren.casework.services.form_refused import FormRefused
from shuren.casework.services.registers.write import change_entry, move_entry
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, ShurenError
from shuren.standards import api as standards
from shuren.work import api as work

# Beyond so many a person does not wait for it.
AT_ONCE = 200
_EXAMPLES = 20
_CHUNK = 500
STATE = "state"
_FIELD = "field:"
_NOT_FOR_MANY = frozenset({FieldType.TABLE, FieldType.FILE, FieldType.SIGNATURE, FieldType.PLACE})


@dataclass(frozen=True, slots=True)
class Edit:
    """`what` is `state` or `field:<key>`; `value` a state or a canonical value of the field."""

    what: str
    value: Any


@dataclass(slots=True)
class BulkCounts:
    """How many would change (or did), stay as they are, or may not; `refused` gives some of the last with the reason."""

    changed: int = 0
    unchanged: int = 0
    refused_count: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)

    def refuse(self, label: str, reason: str) -> None:
        self.refused_count += 1
        if len(self.refused) < _EXAMPLES:
            self.refused.append((label, reason))


def editable_fields(spec: RegisterSpec) -> tuple[FieldSpec, ...]:
    """Fields that may be one and the same for many: not what identifies, not what is worked out or has parts."""
    return tuple(
        one
        for one in spec.fields
        if one.type not in _NOT_FOR_MANY and not one.calculated and one.key not in spec.identity and not one.shown_if
    )


def read_edit(spec: RegisterSpec, what: str, told: object) -> Edit:
    """What is to be done, read and checked; raises `Invalid` or `FormRefused`."""
    if what == STATE:
        if str(told) not in {state.key for state in spec.states}:
            raise Invalid(_("请选择要改成的状态。"))
        return Edit(STATE, str(told))
    one = next((one for one in editable_fields(spec) if f"{_FIELD}{one.key}" == what), None)
    if one is None:
        raise Invalid(_("请选择要修改的栏目。"))
    value, faults = read_value(one, told)
    if faults:
        raise FormRefused(faults)
    return Edit(what, value)


def preview_edit(register: Register, entry_ids: Iterable[int], edit: Edit) -> BulkCounts:
    """How many of the entries the edit would change, without writing."""
    counts = BulkCounts()
    for entry in _entries(register, entry_ids):
        reason = _refusal(register, entry, edit)
        if reason:
            counts.refuse(entry.label, reason)
        elif _stays(entry, edit):
            counts.unchanged += 1
        else:
            counts.changed += 1
    return counts


def edit_entries(
    *,
    actor: Actor,
    register: Register,
    entry_ids: Iterable[int],
    edit: Edit,
    reason: str,
    now: datetime,
    on_done: Callable[[int], None] = lambda done: None,
) -> BulkCounts:
    """Change every entry that may be changed, each in its own transaction with its own revision; the rest is told why not."""
    counts = BulkCounts()
    for done, entry in enumerate(_entries(register, entry_ids), 1):
        refusal = _refusal(register, entry, edit)
        if refusal:
            counts.refuse(entry.label, refusal)
        elif _stays(entry, edit):
            counts.unchanged += 1
        else:
            try:
                _apply(actor, entry, edit, reason, now)
                counts.changed += 1
            except ShurenError as error:
                counts.refuse(entry.label, str(error))
        on_done(done)
    standards.keep_refusals(now=now)
    return counts


def enqueue_edit(*, actor: Actor, register: Register, entry_ids: Sequence[int], edit: Edit, reason: str) -> int:
    """The same as a job that its owner finds again under 任务; returns the id of the job."""
    args = {
        "register": register.key,
        "entry_ids": list(entry_ids),
        "what": edit.what,
        "value": edit.value,
        "reason": reason,
        "actor": {"person_id": actor.person_id, "account_id": actor.account_id, "name": actor.name, "role": actor.role},
    }
    title = _("批量修改“%(register)s”") % {"register": register.title}
    return work.enqueue("shuren.casework.jobs.registers.edit_entries", args, title=title, actor=actor)


def _apply(actor: Actor, entry: Entry, edit: Edit, reason: str, now: datetime) -> None:
    if edit.what == STATE:
        move_entry(actor=actor, entry_id=entry.pk, state=edit.value, base_revision=entry.revision, reason=reason, now=now)
        return
    data = {edit.what.removeprefix(_FIELD): edit.value}
    change_entry(actor=actor, entry_id=entry.pk, data=data, base_revision=entry.revision, reason=reason, now=now)


def _refusal(register: Register, entry: Entry, edit: Edit) -> str:
    if not register.access.may_write(entry.org_path):
        return _("不归您管理")
    if edit.what != STATE or entry.state == edit.value:
        return ""
    allowed = {state.key for state in moves_from(register.spec, entry.state)}
    return "" if edit.value in allowed else _("现在的状态不能这样改")


def _stays(entry: Entry, edit: Edit) -> bool:
    if edit.what == STATE:
        return entry.state == str(edit.value)
    return bool(entry.data.get(edit.what.removeprefix(_FIELD)) == edit.value)


def _entries(register: Register, entry_ids: Iterable[int]) -> Iterator[Entry]:
    """The entries that the reader reaches, in the order of their ids; others are as if they did not exist."""
    waiting = iter(entry_ids)
    while some := list(islice(waiting, _CHUNK)):
        rows = Entry.objects.filter(register=register.definition, removed_at__isnull=True, pk__in=some).order_by("pk")
        yield from (entry for entry in rows if register.access.may_read(entry.org_path))
