"""Which sheet and column of a workbook holds which field, and what is written over a column."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.rules.codes import offered
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.casework.rules.values import choice_words, longest_of, range_words, value_text

LONGEST_SHEET_NAME = 31
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\']")
# What a cell cannot hold.
_ONLY_ON_PAGES = (FieldType.FILE, FieldType.SIGNATURE)


def main_sheet() -> str:
    return _("填报")


def number_heading() -> str:
    return _("行号")


def name_heading() -> str:
    return _("填报单位")


@dataclass(frozen=True, slots=True)
class SheetColumn:
    field: FieldSpec
    heading: str

    @property
    def choices(self) -> tuple[str, ...]:
        """What may be chosen in a cell; several codes at once are typed."""
        if self.field.type == FieldType.BOOLEAN:
            return (_("是"), _("否"))
        if self.field.type == FieldType.CODE:
            return tuple(str(title) for title in offered(self.field).values())
        return ()

    @property
    def is_text(self) -> bool:
        return self.field.type not in (FieldType.INTEGER, FieldType.DECIMAL)

    @property
    def note(self) -> str:
        """The rule of the column, as its comment."""
        lines = [_("必填。") if self.field.required is True else _("有的情况下必填。") if self.field.required else _("可不填。")]
        if self.field.help:
            lines.append(str(self.field.help))
        return "\n".join([*lines, _how_to_fill(self.field)]).strip()


@dataclass(frozen=True, slots=True)
class FormSheet:
    """A sheet: the form itself, or one of its tables."""

    title: str
    table: FieldSpec | None
    columns: tuple[SheetColumn, ...]

    def heading_of(self, key: str) -> str:
        return next((column.heading for column in self.columns if column.field.key == key), "")


def _how_to_fill(field: FieldSpec) -> str:
    if field.type in (FieldType.INTEGER, FieldType.DECIMAL):
        return range_words(field)
    if field.type in (FieldType.TEXT, FieldType.PARAGRAPH):
        told = str(field.pattern_help) if field.pattern_help else ""
        return told + _("不超过 %(count)d 个字。") % {"count": longest_of(field)}
    if field.type == FieldType.DATE:
        return _("写成 2026-09-01 的样子。")
    if field.type == FieldType.CODE:
        return choice_words(field)
    if field.type == FieldType.CODES:
        return choice_words(field) + _("选几项时用分号隔开。")
    if field.type == FieldType.BOOLEAN:
        return _("请填“是”或“否”。")
    if field.type == FieldType.PLACE:
        return _("经度和纬度，用逗号隔开，如 116.40,39.90。")
    return _("请填完整的名称，要与平台里的一致。")


def form_sheets(form: FormSpec) -> list[FormSheet]:
    """The sheet of the form first, then one for every table."""
    own = [field for field in form.fields if field.type != FieldType.TABLE and is_in_workbook(field)]
    sheets = [FormSheet(main_sheet(), None, _columns(own))]
    for field in form.fields:
        if field.type == FieldType.TABLE:
            columns = _columns([column for column in field.columns if is_in_workbook(column)])
            sheets.append(FormSheet(sheet_name(str(field.title), [sheet.title for sheet in sheets]), field, columns))
    return sheets


def is_in_workbook(field: FieldSpec) -> bool:
    return not field.calculated and field.type not in _ONLY_ON_PAGES


def left_out(form: FormSpec) -> list[str]:
    """Titles of what is asked and can only be filled in on the page."""
    return [str(field.title) for field in form.fields if field.type in _ONLY_ON_PAGES]


def _columns(fields: Sequence[FieldSpec]) -> tuple[SheetColumn, ...]:
    taken = {number_heading(), name_heading()}
    found = []
    for field in fields:
        wanted = " ".join(str(field.title).split())
        wanted += _("（%(unit)s）") % {"unit": field.unit} if field.unit else ""
        heading, count = wanted, 2
        while heading in taken:
            heading, count = f"{wanted} {count}", count + 1
        taken.add(heading)
        found.append(SheetColumn(field, heading))
    return tuple(found)


def sheet_name(title: str, taken: Sequence[str]) -> str:
    """A name that Excel takes for a sheet, and that none of `taken` is called by."""
    plain = _NOT_IN_SHEET_NAMES.sub(" ", title).strip()[:LONGEST_SHEET_NAME] or "表"
    name, count = plain, 2
    while name.casefold() in [one.casefold() for one in taken]:
        ending = f" {count}"
        name, count = plain[: LONGEST_SHEET_NAME - len(ending)] + ending, count + 1
    return name


def cell_value(field: FieldSpec, value: Any, language: str) -> Any:
    """What a cell holds of a value: numbers as numbers, everything else in the words that are read back."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    if field.type == FieldType.CODES and isinstance(value, list):
        return "；".join(value_text(field.model_copy(update={"type": FieldType.CODE}), code, language) for code in value)
    if field.type == FieldType.PLACE and isinstance(value, Mapping):
        return f"{value.get('lon')},{value.get('lat')}"
    return value_text(field, value, language)
