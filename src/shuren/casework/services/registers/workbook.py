"""A register as a workbook that can be sent in again: the entries on the first sheet, every table on one of its own."""

import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import IO, Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from shuren.casework.rules.registers import form_without, is_personal, is_sensitive, state_of
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.selectors.entries import Register
from shuren.casework.selectors.entry_lists import EntryRow
from shuren.casework.services.registers.columns import (
    FileColumn,
    TableSheet,
    column_choices,
    file_columns,
    main_title,
    only_on_pages,
    org_code,
    org_title,
    table_sheets,
    told_cell,
)
from shuren.kernel.errors import Invalid

MOST_ROWS = 200_000
_REQUIRED, _OPTIONAL = "B42318", "1B2A30"
_ROWS_OFFERED = 5_000


def seen_whole(register: Register) -> RegisterSpec:
    """The register without what its reader sees hidden: a star that came back would be taken for the value."""
    access = register.access
    sees = bool(access.read_paths) and all(access.sees_sensitive(path) for path in access.read_paths)
    return form_without(register.spec, is_sensitive if sees else is_personal)


def register_workbook(spec: RegisterSpec, rows: Iterable[EntryRow] = ()) -> IO[bytes]:
    """The template, or filled with entries, in a temporary file; rows go to the disk as they come."""
    book = Workbook(write_only=True)
    columns, sheets = file_columns(spec), table_sheets(spec)
    main = _sheet(book, main_title(spec), spec, columns)
    tables = [_sheet(book, sheet.title, spec, [*sheet.keys, *sheet.columns]) for sheet in sheets]
    known: dict[str, str] = {}
    for number, row in enumerate(rows):
        if number >= MOST_ROWS:
            raise Invalid(_("超过 20 万行，Excel 放不下。"), remedy=_("请先筛选，或下载 Parquet。"))
        main.append([_text(main, _cell(spec, column, row, known)) for column in columns])
        for target, sheet in zip(tables, sheets, strict=True):
            for line in _lines(sheet, row):
                keys = [_cell(spec, column, row, known) for column in sheet.keys]
                cells = [told_cell(column.field, line.get(column.key), known) for column in sheet.columns if column.field]
                target.append([_text(target, cell) for cell in (*keys, *cells)])
    _guide(book, spec, sheets)
    with ExitStack() as held:
        target = held.enter_context(tempfile.TemporaryFile())
        book.save(target)
        target.seek(0)
        held.pop_all()
    return target


def _sheet(book: Workbook, title: str, spec: RegisterSpec, columns: Sequence[FileColumn]) -> Any:
    sheet: Any = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    heading = []
    for place, column in enumerate(columns, start=1):
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = max(12, 2 * len(column.title) + 4)
        if choices := column_choices(spec, column):
            rule = DataValidation(type="list", formula1=f'"{",".join(choices)}"', allow_blank=True)
            rule.add(f"{letter}2:{letter}{_ROWS_OFFERED + 1}")
            sheet.data_validations.append(rule)
        cell = WriteOnlyCell(sheet, column.title)
        cell.font = Font(bold=True, color=_REQUIRED if column.is_needed else _OPTIONAL)
        heading.append(cell)
    sheet.append(heading)
    return sheet


def _cell(spec: RegisterSpec, column: FileColumn, row: EntryRow, known: dict[str, str]) -> Any:
    if column.field is not None:
        return told_cell(column.field, row.data.get(column.key), known)
    if column.title == org_title():
        return org_code(row.org)
    state = state_of(spec, row.entry.state)
    return str(state.title) if state is not None else ""


def _lines(sheet: TableSheet, row: EntryRow) -> list[Any]:
    told = row.data.get(sheet.table.key)
    return told if isinstance(told, list) else []


def _text(sheet: Any, value: Any) -> Any:
    """A text that begins with = is a text here, and a number written as text stays one."""
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.data_type, cell.number_format = "s", "@"
    return cell


def _guide(book: Workbook, spec: RegisterSpec, sheets: Sequence[TableSheet]) -> None:
    lines = [str(spec.title), _("列名是红色的必须填。请不要改动工作表名和列名。")]
    for sheet in sheets:
        keys = "、".join(column.title for column in sheet.keys)
        lines.append(_("“%(sheet)s”一行是一条明细，%(keys)s写明属于哪一条记录。") % {"sheet": sheet.title, "keys": keys})
    if sheets:
        lines.append(_("一条记录写了明细，就以表中的为准；没有写的保持不变。"))
    if titles := only_on_pages(spec):
        lines.append(_("这些内容只能在网页上补充，导入时保持不变：%(titles)s。") % {"titles": "、".join(titles)})
    page: Any = book.create_sheet(_("说明"))
    page.column_dimensions["A"].width = 90
    for line in lines:
        page.append([_text(page, line)])
