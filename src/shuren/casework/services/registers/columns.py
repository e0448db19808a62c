"""The columns of a register in a file: the same in the template, in what comes in and in what goes out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Entry
from shuren.casework.rules.codes import offered
from shuren.casework.rules.identity import LABEL_FIELD, folded_label
from shuren.casework.rules.specs.form import FieldSpec, FieldType
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.rules.workbook import cell_value, sheet_name
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.kernel import ids
from shuren.kernel.data import Actor

# What a cell of a sheet cannot hold.
_NOT_IN_FILES = frozenset({FieldType.TABLE, FieldType.FILE, FieldType.SIGNATURE})
# Excel offers at most 255 signs of choices.
_CHOICES_LENGTH = 240


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column: `key` is its field, empty for the org and the state."""

    title: str
    key: str = ""
    field: FieldSpec | None = None
    is_needed: bool = False


def org_title() -> str:
    return _("机构代码")


def state_title() -> str:
    return _("状态")


def file_columns(spec: RegisterSpec) -> list[FileColumn]:
    """The org, the state where there are states, and every field that fits into a cell and is asked."""
    leading = [FileColumn(org_title()), *([FileColumn(state_title())] if spec.states else [])]
    return leading + _field_columns(spec.fields, {org_title(), state_title()}, spec.identity)


@dataclass(frozen=True, slots=True)
class TableSheet:
    """A table on a sheet of its own: every row begins with what identifies the entry that it belongs to."""

    title: str
    table: FieldSpec
    keys: tuple[FileColumn, ...]
    columns: tuple[FileColumn, ...]


def table_sheets(spec: RegisterSpec) -> list[TableSheet]:
    """The tables of a register; none where a file cannot say to which entry a row belongs."""
    known = {column.key: column for column in file_columns(spec) if column.key}
    if not spec.identity or not set(spec.identity) <= set(known):
        return []
    keys = (*(() if spec.is_identity_global else (FileColumn(org_title()),)), *(known[key] for key in spec.identity))
    sheets: list[TableSheet] = []
    for table in (one for one in spec.fields if one.type is FieldType.TABLE):
        title = sheet_name(str(table.title), [main_title(spec), *(sheet.title for sheet in sheets)])
        columns = _field_columns(table.columns, {column.title for column in keys}, ())
        sheets.append(TableSheet(title, table, keys, tuple(columns)))
    return sheets


def main_title(spec: RegisterSpec) -> str:
    """The name of the sheet of the entries themselves, which is the first one."""
    return sheet_name(str(spec.title), [])


def only_on_pages(spec: RegisterSpec) -> list[str]:
    """Titles of what no file brings: an entry keeps it as it is."""
    left_out = _NOT_IN_FILES - ({FieldType.TABLE} if table_sheets(spec) else set())
    return [str(one.title) for one in spec.fields if one.type in left_out]


def _field_columns(fields: Sequence[FieldSpec], taken: Collection[str], needed: Collection[str]) -> list[FileColumn]:
    fields = [one for one in fields if one.type not in _NOT_IN_FILES and not one.calculated]
    titles = [str(one.title) for one in fields]
    columns = []
    for one, title in zip(fields, titles, strict=True):
        is_double = titles.count(title) > 1 or title in taken
        is_needed = one.required is True or one.key in needed
        columns.append(FileColumn(f"{title} ({one.key})" if is_double else title, one.key, one, is_needed))
    return columns


def column_choices(spec: RegisterSpec, column: FileColumn) -> tuple[str, ...]:
    """What may be chosen in a cell, where Excel can offer it."""
    names: tuple[str, ...] = ()
    if column.field is None:
        names = tuple(str(state.title) for state in spec.states) if column.title == state_title() else ()
    elif column.field.type is FieldType.BOOLEAN:
        names = (_("是"), _("否"))
    elif column.field.type is FieldType.CODE:
        names = tuple(str(title) for title in offered(column.field).values())
    return names if len(",".join(names)) <= _CHOICES_LENGTH and not any("," in name or '"' in name for name in names) else ()


def told_value(field: FieldSpec, text: str, *, actor: Actor, now: datetime) -> object:
    """What a cell says, for `check_form`: orgs by their code, people by their number, entries by their name."""
    if not text or field.type not in (FieldType.ORG, FieldType.PERSON, FieldType.ENTRY):
        return text
    if field.type is FieldType.ORG:
        return _org(text) or text
    if field.type is FieldType.PERSON:
        return _person(text, actor, now) or {"id": ""}
    return _entry(text, field.register_key) or {"id": text}


def _org(code: str) -> dict[str, str] | None:
    found = directory.orgs_by_ids(directory.org_ids_by_code([code]).values())
    return next(({"id": org.public_id, "name": org.name} for org in found.values()), None)


def _person(number: str, actor: Actor, now: datetime) -> dict[str, str] | None:
    found = list(directory.person_ids_by_number([number]).values())
    within = directory.people_within(actor=actor, person_ids=found, permission=Permission.VIEW_PEOPLE, now=now)
    people = directory.people_by_ids(within)
    return next(({"id": person.public_id, "name": person.name} for person in people.values()), None)


def _entry(label: str, register: str) -> dict[str, str] | None:
    """The one entry of the register that is called so; two of a name are none."""
    rows = Entry.objects.filter(
        register__kind=DefinitionKind.REGISTER.value,
        register__key=register,
        removed_at__isnull=True,
        values__field=LABEL_FIELD,
        values__text=folded_label(label),
        values__register__key=register,
    )
    found = list(rows[:2])
    return {"id": ids.encode("entry", found[0].pk), "name": found[0].label} if len(found) == 1 else None


def told_cell(field: FieldSpec, value: Any, known: dict[str, str]) -> Any:
    """The cell that `told_value` reads the value from; `known` keeps what was looked up."""
    if field.type not in (FieldType.ORG, FieldType.PERSON) or not isinstance(value, Mapping):
        return cell_value(field, value, language())
    public_id = str(value["id"])
    if public_id not in known:
        known[public_id] = _code(public_id) if field.type is FieldType.ORG else _number(public_id)
    return known[public_id]


def _code(public_id: str) -> str:
    return next((org_code(org) for org in directory.orgs_by_ids([ids.decode("org", public_id)]).values()), "")


def _number(public_id: str) -> str:
    people = directory.people_by_ids([ids.decode("person", public_id)])
    return next((person.number for person in people.values()), "")


def org_code(org: OrgData | None) -> str:
    return (org.code or org.sourced_id) if org is not None else ""


def language() -> str:
    return get_language() or "zh-hans"
