"""A table out of a file of any form: its heading found, its rows as text with what is wrong with them."""

from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path

from django.utils.translation import gettext as _

from shuren.intake.data import FileForm, Finding, Row, Table
from shuren.intake.rules.cells import is_worn_number, text_of
from shuren.intake.rules.errors import UnreadableFile
from shuren.intake.rules.limits import MAX_COLUMNS
from shuren.intake.selectors.forms import form_of
from shuren.intake.selectors.sheet_rows import sheet_names, sheet_rows
from shuren.intake.selectors.text_rows import RawRow, text_rows

_HEADING_SEARCHED = 20


def open_table(
    path: Path, *, sheet: str | None = None, expected: Collection[str] = (), file_name: str = "", is_optional: bool = False
) -> Table:
    """Open a CSV, or one sheet of a workbook (the first visible one unless named), for reading once.

    The heading is the one of the first 20 rows that has most of the `expected` names, or the first row with text.
    Raises `UnreadableFile` when there is nothing to read; with `is_optional` a table without any row is empty instead.
    """
    name = file_name or path.name
    raw, sheet_name = _raw_rows_of(path, sheet)
    waiting: list[RawRow] = []
    for row in raw:
        waiting.append(row)
        if len(waiting) >= _HEADING_SEARCHED:
            break
    heading = _heading_among(waiting, expected)
    if heading is None:
        if is_optional:
            return Table(file=name, sheet=sheet_name, header=[], header_row=0, rows=iter(()))
        raise UnreadableFile(_("表中没有内容。"), remedy=_("请按模板填写后再上传。"), file=name, sheet=sheet_name)
    header = _header_texts(heading, name, sheet_name)
    table = Table(
        file=name,
        sheet=sheet_name,
        header=header,
        header_row=heading.number,
        rows=iter(()),
        findings=list(_header_findings(heading, header, name, sheet_name)),
    )
    after = (row for row in chain(waiting, raw) if row.number > heading.number)
    table.rows = _rows(table, after)
    return table


def raw_rows(path: Path, sheet: str | None = None) -> Iterator[RawRow]:
    """All rows as they stand, for copying."""
    return _raw_rows_of(path, sheet)[0]


def _raw_rows_of(path: Path, sheet: str | None) -> tuple[Iterator[RawRow], str]:
    form = form_of(path)
    if form == FileForm.TEXT:
        return text_rows(path), ""
    if form == FileForm.ZIP:
        raise UnreadableFile(_("这是压缩包，不是表格。"), remedy=_("请解压后上传其中的表格。"), file=path.name)
    names = sheet_names(path)
    if sheet is None and names:
        sheet = names[0]
    if sheet is None or sheet not in names:
        raise UnreadableFile(
            _("没有名为“%(sheet)s”的工作表。") % {"sheet": sheet or ""},
            remedy=_("请使用模板，不要改动工作表名。"),
            file=path.name,
        )
    return sheet_rows(path, sheet), sheet


def _heading_among(rows: list[RawRow], expected: Collection[str]) -> RawRow | None:
    filled = [row for row in rows if any(text_of(value) for value in row.values)]
    if not filled:
        return None
    wanted = set(expected)
    return max(filled, key=lambda row: sum(text_of(value) in wanted for value in row.values)) if wanted else filled[0]


def _header_texts(heading: RawRow, file: str, sheet: str) -> list[str]:
    header = [" ".join(text_of(value).split()).removeprefix("﻿") for value in heading.values]
    while header and not header[-1]:
        header.pop()
    if len(header) > MAX_COLUMNS:
        raise UnreadableFile(_("列数超过 2000。"), remedy=_("请删除多余的列。"), file=file, sheet=sheet)
    return header


def _header_findings(heading: RawRow, header: list[str], file: str, sheet: str) -> Iterator[Finding]:
    if heading.fault:
        yield Finding(file, sheet, heading.number, "", "", *heading.fault)
    seen: set[str] = set()
    for text in header:
        if text and text in seen:
            yield Finding(file, sheet, heading.number, text, text, _("列名重复"), _("请删除或改名其中一列。"))
        seen.add(text)


def _rows(table: Table, raw: Iterator[RawRow]) -> Iterator[Row]:
    width = len(table.header)
    is_text = not table.sheet
    for row in raw:
        if row.fault is None and is_text:
            values = [value.strip() for value in row.values]  # type: ignore[attr-defined]  # text rows hold text
        else:
            values = [text_of(value) for value in row.values]
        if row.fault is None and not any(values):
            continue
        if len(values) == width and row.fault is None and is_text:
            yield Row(row.number, values)
            continue
        findings = tuple(_row_findings(table, row, values))
        yield Row(row.number, (values + [""] * (width - len(values)))[:width], findings)


def _row_findings(table: Table, row: RawRow, values: list[str]) -> Iterator[Finding]:
    if row.fault is not None:
        yield Finding(table.file, table.sheet, row.number, "", " ".join(values)[:200], *row.fault)
        if not values:
            return
    width = len(table.header)
    if any(values[width:]):
        extra = next(value for value in values[width:] if value)
        remedy = _("请检查是否多了逗号，或补上列名。")
        yield Finding(table.file, table.sheet, row.number, "", extra, _("此行比表头多出内容"), remedy)
    if len(values) < width and not table.sheet:
        remedy = _("请检查是否少了逗号，或此行被断成了两行。")
        yield Finding(table.file, table.sheet, row.number, "", values[-1], _("此行比表头少列"), remedy)
    if table.sheet:
        yield from _cell_findings(table, row)


def _cell_findings(table: Table, row: RawRow) -> Iterator[Finding]:
    for heading, value in zip(table.header, row.values, strict=False):
        if is_worn_number(value):
            reason = _("长号码被 Excel 存成了数字，末几位已丢失")
            remedy = _("请先把该列设为“文本”格式，再重新填写号码。")
            yield Finding(table.file, table.sheet, row.number, heading, text_of(value), reason, remedy)
