"""What a register says of an entry before it is written: where it may lie, what it must hold, that it stands once."""

from collections.abc import Mapping
from datetime import datetime
from secrets import token_hex
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.models import Definition, Entry
from shuren.casework.rules.forms import check_form
from shuren.casework.rules.functions import function_named, is_registered
from shuren.casework.rules.identity import identity_of, shown_identity
from shuren.casework.rules.labels import label_of
from shuren.casework.rules.registers import moves_from, place_of, state_of
from shuren.casework.rules.specs.form import FieldType
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.selectors.entries import register_access
from shuren.casework.services.form_refused import FormRefused
from shuren.casework.services.registers.name_entries import named_entries
from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused


class EntryDuplicate(Conflict):
    """The thing stands in the register already; `public_id` and `label` name the entry for whoever may read it."""

    def __init__(self, message: str, *, remedy: str, existing: Entry | None) -> None:
        super().__init__(message, remedy=remedy)
        self.public_id = ids.encode("entry", existing.pk) if existing is not None else ""
        self.label = existing.label if existing is not None else ""


def check_may_write(
    *, actor: Actor, definition: Definition, spec: RegisterSpec, path: str, case_id: int | None, now: datetime
) -> None:
    """A case writes what its flow decided; a person only where they keep the register, and only where no flow must decide."""
    if case_id is not None or actor.is_system:
        return
    access = register_access(actor, definition, now)
    if not access.may_read(path):
        raise NotFound(_("没有找到这条台账。"))
    if not access.may_write(path):
        raise Refused(_("您只能查看这个台账，不能修改。"), remedy=_("请联系本单位管理这个台账的人。"))
    if spec.change_by:
        raise Refused(_("这个台账只能通过申请来变更。"), remedy=_("请打开这条记录，点“申请变更”。"))


def org_for(org_id: int, spec: RegisterSpec, definition: Definition) -> OrgData:
    """The org an entry will belong to, of a type that the register is kept at."""
    org = directory.orgs_by_ids([org_id]).get(org_id)
    if org is None or not org.path.startswith(definition.org_path):
        raise NotFound(_("没有找到这个机构。"))
    if org.type not in spec.at:
        raise Invalid(_("“%(org)s”不是登记这个台账的机构类型。") % {"org": org.name}, remedy=_("请换一个机构，再登记。"))
    return org


def check_move(spec: RegisterSpec, before: str, after: str) -> None:
    """Raises `Invalid` where a thing does not go from one state to the other, and says where it may go."""
    if state_of(spec, after) is None:
        raise Invalid(_("这个台账没有“%(state)s”这种状态。") % {"state": after})
    allowed = moves_from(spec, before)
    if after not in {state.key for state in allowed}:
        here, there = state_of(spec, before), state_of(spec, after)
        words = {"before": str(here.title) if here else before, "after": str(there.title) if there else after}
        remedy = _("现在可以改为：%(states)s。") % {"states": "、".join(str(state.title) for state in allowed)}
        raise Invalid(_("不能从“%(before)s”改为“%(after)s”。") % words, remedy=remedy if allowed else _("这已经是最后的状态。"))


def checked_data(spec: RegisterSpec, data: Mapping[str, Any], *, now: datetime, asks_files: bool = True) -> dict[str, Any]:
    """The data as it is kept; raises `FormRefused` with every fault. Files come to what stands: of a new thing none is asked."""
    functions = {rule.function: function_named(rule.function) for rule in spec.functions if is_registered(rule.function)}
    checked = check_form(spec, data, today=day_of(now), functions=functions)
    named, faults = named_entries(spec, checked.data)
    files = set() if asks_files else {one.key for one in spec.fields if one.type is FieldType.FILE}
    if refused := tuple(fault for fault in (*checked.errors, *faults) if fault.path not in files):
        raise FormRefused(refused)
    return named


def fill_in(entry: Entry, spec: RegisterSpec, data: dict[str, Any], *, now: datetime) -> None:
    """Give an entry its data and all that follows from it: label, identity, place."""
    entry.data = data
    entry.label = label_of(spec, data, today=day_of(now)) or str(spec.title)
    # What nothing identifies keeps the token it was given.
    found = identity_of(spec, data, org_id=entry.org_id)
    entry.identity = found or (entry.identity if entry.pk and not spec.identity else token_hex(32))
    entry.longitude, entry.latitude = place_of(spec, data)


def check_once(entry: Entry, spec: RegisterSpec, *, actor: Actor, now: datetime) -> None:
    """Raises `EntryDuplicate` where another entry has the same identity, naming it to whoever may read it."""
    rows = Entry.objects.filter(register_id=entry.register_id, identity=entry.identity, removed_at__isnull=True)
    other = rows.exclude(pk=entry.pk).select_related("register").first()
    if other is None:
        return
    may_read = actor.is_system or register_access(actor, other.register, now).may_read(other.org_path)
    titles = [str(field.title) for field in spec.fields if field.key in spec.identity]
    is_told = may_read and actor.app is None
    words = {"fields": "、".join(titles), "values": "、".join(shown_identity(spec, other.data)) if is_told else "…"}
    raise EntryDuplicate(
        _("台账里已经有%(fields)s相同的记录（%(values)s）。") % words,
        remedy=_("请打开已有的那一条修改，不要重复登记。") if may_read else _("它由别的单位登记，请与上级联系。"),
        existing=other if may_read else None,
    )
