"""What a case leaves in registers when it ends: the decision, not the decider, is what may write."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Case, Entry
from shuren.casework.rules.expressions import compile_expression
from shuren.casework.rules.specs.flow import EntrySpec
from shuren.casework.rules.specs.form import FieldSpec, FieldType
from shuren.casework.rules.stages import values_of
from shuren.casework.selectors.assignees import id_named, line_of
from shuren.casework.selectors.definitions import definition_named, flow_of, form_of, spec_of
from shuren.casework.services.registers.write import add_entry, change_entry
from shuren.directory import api as directory
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid


def keep_entries(case: Case, entries: Sequence[EntrySpec], now: datetime) -> None:
    """Make or change every entry that the end says, in its order."""
    values = values_of(case.data, case.written)
    for spec in entries:
        for row in _rows(case, spec, values):
            if not spec.when or _answer(spec.when, {**values, **row}, now) is True:
                _keep_entry(case, spec, values, row, now)


def _rows(case: Case, spec: EntrySpec, values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The rows of the table that the entries are of, every column in them; without a table a single empty row."""
    if not spec.each:
        yield {}
        return
    columns = [column.key for column in _fields(case, spec)]
    yield from ({key: row.get(key) for key in columns} for row in values.get(spec.each) or ())


def _keep_entry(case: Case, spec: EntrySpec, values: Mapping[str, Any], row: Mapping[str, Any], now: datetime) -> None:
    told = {field: _plain(_answer(text, {**values, **row}, now)) for field, text in spec.set.items()}
    reason = _("办件 %(number)s") % {"number": case.number}
    entry = _entry_named(case, spec, row)
    org_id = _org_named(spec, {**values, **row})
    home = "" if case.definition.pack_id else case.definition.org_path
    _check_within(home, case.org_path if org_id is None else _path_of(org_id))
    if entry is not None:
        _check_within(home, entry.org_path)
    if entry is None:
        add_entry(
            actor=SYSTEM,
            register=spec.register_key,
            org_id=_kept_at(spec, org_id or case.org_id),
            data={key: value for key, value in told.items() if value is not None},
            state=spec.state,
            subject_person_id=None if spec.each else case.subject_id,
            reason=reason,
            case_id=case.pk,
            now=now,
        )
        return
    change_entry(
        actor=SYSTEM,
        entry_id=entry.pk,
        data={**entry.data, **told},
        state=spec.state or None,
        org_id=_kept_at(spec, org_id) if org_id is not None else None,
        base_revision=entry.revision,
        reason=reason,
        case_id=case.pk,
        now=now,
    )


def _check_within(home: str, path: str) -> None:
    """What somebody built writes in the branch of their org alone."""
    if not path.startswith(home):
        raise Invalid(_("这个流程只能登记本单位范围内的条目。"), remedy=_("请退回给申请人改选，或请上级单位办理。"))


def _path_of(org_id: int) -> str:
    found = directory.orgs_by_ids([org_id]).get(org_id)
    return found.path if found else ""


def _kept_at(spec: EntrySpec, org_id: int) -> int:
    """The org, or the nearest one above it that the register is kept at: a teacher files for a class."""
    at = spec_of(definition_named(DefinitionKind.REGISTER, spec.register_key)).at
    return next((one.id for one in line_of(org_id) if one.type in at), org_id)


def _org_named(spec: EntrySpec, values: Mapping[str, Any]) -> int | None:
    """Where the entry is to lie, if the case says so."""
    return id_named("org", values.get(spec.org)) if spec.org else None


def _entry_named(case: Case, spec: EntrySpec, row: Mapping[str, Any]) -> Entry | None:
    """The entry that a field (a column, where it is of a row) names; refused where it is no more."""
    values = row if spec.each else case.data
    for field in _fields(case, spec):
        entry_id = id_named("entry", values.get(field.key))
        if field.type is FieldType.ENTRY and field.register_key == spec.register_key and entry_id is not None:
            entries = Entry.objects.filter(register__key=spec.register_key, register__kind=DefinitionKind.REGISTER.value)
            entry = entries.filter(pk=entry_id, removed_at__isnull=True).first()
            if entry is None:
                name = values[field.key].get("name", "")
                raise Invalid(_("“%(name)s”已经不在台账里。") % {"name": name}, remedy=_("请退回给申请人重新选择。"))
            return entry
    return None


def _fields(case: Case, spec: EntrySpec) -> tuple[FieldSpec, ...]:
    """Those that may name the entry: the form's, or the columns of the table, which may be a stage's."""
    fields = form_of(case.form_version_id).fields
    if not spec.each:
        return fields
    stages = flow_of(case.flow_version_id or 0).stages
    tables = [*(field for stage in reversed(stages) for field in stage.fields), *fields]
    return next((table.columns for table in tables if table.key == spec.each), ())


def _answer(text: str, values: Mapping[str, Any], now: datetime) -> Any:
    return compile_expression(text).value(values, today=day_of(now))


def _plain(value: Any) -> Any:
    """An answer as values are kept: whole numbers whole, others as JSON writes them."""
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    return int(value) if value == int(value) else float(value)
