"""A form as a workbook: one row for every submission, one sheet for every table of it; out empty or filled, and back in.

What comes back goes through the same check as the page, and is told by sheet, row and column.
"""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from shuren.casework.data import FieldFault
from shuren.casework.rules.forms import Checked, check_form, with_parties
from shuren.casework.rules.specs.form import FieldSpec, FormSpec
from shuren.casework.rules.workbook import (
    FormSheet,
    SheetColumn,
    cell_value,
    form_sheets,
    left_out,
    main_sheet,
    name_heading,
    number_heading,
)
from shuren.intake import api as intake
from shuren.intake.data import Finding, Row, Table

MOST_ROWS = 20_000
_REQUIRED, _OPTIONAL = "B42318", "1B2A30"
_LONGEST_LIST = 250
_ROWS_PREPARED = 2_000
_CELL = re.compile(r"([a-z][a-z0-9_]*)\[([0-9]+)\]\.([a-z][a-z0-9_]*)")
Find = Callable[[FieldSpec, object], Mapping[str, str] | None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A row given out: whose submission it is, and what is already known of it."""

    name: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Submission:
    """A row that came back: `row` as Excel numbers it, `name` whose it is, `checked` what the rules say of it."""

    row: int
    name: str
    checked: Checked


@dataclass(frozen=True, slots=True)
class ReadBack:
    submissions: tuple[Submission, ...]
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        return not any(finding.is_error for finding in self.findings)


def form_template(form: FormSpec, *, rows: Sequence[Prepared] = ()) -> bytes:
    """An .xlsx with drop-downs and the rule of every column as its comment; with `rows` one line for each of them."""
    language = get_language() or "zh-hans"
    book = Workbook()
    choices = _Choices(book)
    for place, spec in enumerate(form_sheets(form)):
        sheet = book.worksheets[0] if place == 0 else book.create_sheet(spec.title)
        sheet.title = spec.title
        leads = _leads(spec, with_names=bool(rows))
        _write_heading(sheet, leads, spec.columns, choices, rows=max(_ROWS_PREPARED, len(rows)))
        for number, row in enumerate(rows, start=1):
            for line in _lines(spec, row.data):
                lead = [number, row.name] if spec.table is None else [number]
                values = [cell_value(column.field, line.get(column.field.key), language) for column in spec.columns]
                _write_row(sheet, [*lead, *values])
    _write_guide(book, form)
    choices.close()
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _leads(spec: FormSheet, *, with_names: bool) -> list[str]:
    return [number_heading(), name_heading()] if with_names and spec.table is None else [number_heading()]


def _lines(spec: FormSheet, data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if spec.table is None:
        return [data]
    told = data.get(spec.table.key)
    return [row for row in told if isinstance(row, Mapping)] if isinstance(told, list) else []


def _write_heading(
    sheet: Worksheet, leads: Sequence[str], columns: Sequence[SheetColumn], choices: "_Choices", *, rows: int
) -> None:
    sheet.append([*leads, *(column.heading for column in columns)])
    for place in range(1, len(leads) + 1):
        sheet.cell(1, place).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(place)].width = 8 if place == 1 else 28
    sheet.cell(1, 1).comment = _comment(_lead_note(sheet.title))
    for place, column in enumerate(columns, start=len(leads) + 1):
        letter, cell = get_column_letter(place), sheet.cell(1, place)
        cell.font = Font(bold=True, color=_REQUIRED if column.field.required is True else _OPTIONAL)
        cell.comment = _comment(column.note)
        sheet.column_dimensions[letter].width = min(40, max(12, 2 * len(column.heading) + 4))
        if column.is_text:
            sheet.column_dimensions[letter].number_format = "@"
        if column.choices:
            rule = DataValidation(type="list", formula1=choices.formula(column.choices), allow_blank=True)
            rule.error, rule.errorTitle, rule.showErrorMessage = _("请从下拉列表中选择。"), column.heading[:30], True
            rule.add(f"{letter}2:{letter}{rows + 1}")
            sheet.add_data_validation(rule)
    # As an address: asking for the cell would make it, and the first row would be written below it.
    sheet.freeze_panes = f"{get_column_letter(len(leads) + 1)}2"


def _lead_note(title: str) -> str:
    if title == main_sheet():
        return _("一行是一份填报，行号从 1 起编。")
    return _("填这一行属于“填报”表的哪一行，写那一行的行号。")


def _comment(text: str) -> Comment:
    return Comment(text, "", height=60 + 18 * text.count("\n"), width=260)


def _write_row(sheet: Worksheet, values: Sequence[Any]) -> None:
    sheet.append(list(values))
    for cell in sheet[sheet.max_row]:
        if isinstance(cell.value, str):
            cell.number_format = "@"
            # A text that begins with = is a text here.
            cell.data_type = "s"


def _write_guide(book: Workbook, form: FormSpec) -> None:
    sheet = book.create_sheet(_("说明"))
    sheet.column_dimensions["A"].width = 90
    lines = [
        str(form.title),
        _("列名是红色的必须填。把鼠标放在列名上，可以看到怎样填。"),
        _("请不要改动工作表名和列名。"),
        _("带明细的表格另有工作表，第一列填它属于“填报”表的哪一行。"),
    ]
    if titles := left_out(form):
        lines.append(_("这些内容只能在网页上补充：%(titles)s。") % {"titles": "、".join(titles)})
    for line in lines:
        sheet.append([line])
    sheet.cell(1, 1).font = Font(bold=True, size=14)


class _Choices:
    """Lists to choose from; what is too long for a cell's rule lies in a sheet that is hidden at the end."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._known: dict[tuple[str, ...], str] = {}

    def formula(self, choices: tuple[str, ...]) -> str:
        told = ",".join(choices)
        if len(told) <= _LONGEST_LIST and not any("," in choice or '"' in choice for choice in choices):
            return f'"{told}"'
        if choices not in self._known:
            sheet, place = self._sheet(), len(self._known) + 1
            for number, choice in enumerate(choices, start=1):
                sheet.cell(number, place, choice)
            letter = get_column_letter(place)
            self._known[choices] = f"'{sheet.title}'!${letter}$1:${letter}${len(choices)}"
        return self._known[choices]

    def _sheet(self) -> Worksheet:
        title = _("选项")
        sheet = self._book[title] if title in self._book.sheetnames else self._book.create_sheet(title)
        assert isinstance(sheet, Worksheet)
        return sheet

    def close(self) -> None:
        if self._known:
            sheet = self._sheet()
            self._book.move_sheet(sheet, len(self._book.sheetnames))
            sheet.sheet_state = "hidden"


def read_form_workbook(
    form: FormSpec,
    path: Path,
    *,
    today: date,
    file_name: str = "",
    is_draft: bool = False,
    find: Find | None = None,
) -> ReadBack:
    """What came back, in whichever language it was given out, which is that of the findings.

    `find` knows people, orgs and entries by their names. Raises `intake.UnreadableFile`.
    """
    with override(_language_of(path)):
        reading = _Reading(form, path, file_name or path.name)
        return _read_back(reading, form, today=today, is_draft=is_draft, find=find)


def _language_of(path: Path) -> str:
    here = get_language() or "zh-hans"
    names = intake.sheet_names(path)
    for language in (here, *(code for code, _name in settings.LANGUAGES)):
        with override(language):
            if main_sheet() in names:
                return language
    return here


def _read_back(reading: "_Reading", form: FormSpec, *, today: date, is_draft: bool, find: Find | None) -> ReadBack:
    findings = list(reading.findings)
    submissions = []
    for line in reading.lines.values():
        data = with_parties(form, line.data, {}, find) if find else line.data
        checked = check_form(form, data, today=today, is_draft=is_draft)
        submissions.append(Submission(line.row, line.name, checked))
        findings += [reading.finding(line, fault) for fault in checked.faults]
    findings.sort(key=lambda finding: (reading.order(finding.sheet), finding.row))
    return ReadBack(tuple(submissions), tuple(findings))


@dataclass(slots=True)
class _Line:
    """A submission as it stands in the file; `rows` are the Excel rows of its tables, `told` the cells by row and column."""

    number: str
    row: int
    name: str
    data: dict[str, Any]
    rows: dict[str, list[int]] = field(default_factory=dict)


class _Reading:
    def __init__(self, form: FormSpec, path: Path, file_name: str) -> None:
        self.file, self.sheets = file_name, form_sheets(form)
        self.findings: list[Finding] = []
        self.lines: dict[str, _Line] = {}
        for spec in self.sheets:
            expected = [number_heading(), *(column.heading for column in spec.columns)]
            names = intake.sheet_names(path)
            if spec.table is not None and spec.title not in names:
                continue
            table = intake.open_table(
                path, sheet=spec.title, expected=expected, file_name=file_name, is_optional=spec.table is not None
            )
            self.findings += table.findings
            self._missing(spec, table)
            for row in table.rows:
                self.findings += row.findings
                self._take(spec, table, row)

    def order(self, sheet: str) -> int:
        return next((place for place, spec in enumerate(self.sheets) if spec.title == sheet), -1)

    def _missing(self, spec: FormSheet, table: Table) -> None:
        for column in spec.columns:
            if table.header and column.heading not in table.header:
                remedy = _("请用新下载的模板，不要删改列名。")
                self._say(
                    spec, table.header_row, column.heading, "", _("缺少这一列"), remedy, is_error=column.field.required is True
                )

    def _take(self, spec: FormSheet, table: Table, row: Row) -> None:
        cells = dict(zip(table.header, row.values, strict=True))
        told = {column.field.key: cells.get(column.heading, "") for column in spec.columns}
        number = cells.get(number_heading(), "").strip()
        if spec.table is None:
            self._take_line(spec, row.number, number or str(len(self.lines) + 1), cells.get(name_heading(), ""), told)
            return
        line = self.lines.get(number)
        if line is None:
            remedy = _("请填“填报”表里已有的行号。")
            self._say(spec, row.number, number_heading(), number, _("“填报”表里没有这个行号"), remedy)
            return
        if any(told.values()):
            line.data.setdefault(spec.table.key, []).append(told)
            line.rows.setdefault(spec.table.key, []).append(row.number)

    def _take_line(self, spec: FormSheet, row: int, number: str, name: str, told: dict[str, Any]) -> None:
        if number in self.lines:
            self._say(spec, row, number_heading(), number, _("行号重复"), _("请把行号改成不同的。"))
        elif len(self.lines) >= MOST_ROWS:
            if len(self.lines) == MOST_ROWS and not any(finding.row == row for finding in self.findings):
                reason = _("超过 %(count)d 行") % {"count": MOST_ROWS}
                self._say(spec, row, "", "", reason, _("请分成几个文件上传。"))
        else:
            self.lines[number] = _Line(number, row, name, told)

    def _say(
        self, spec: FormSheet, row: int, column: str, value: str, reason: str, remedy: str, *, is_error: bool = True
    ) -> None:
        self.findings.append(Finding(self.file, spec.title, row, column, value[:200], reason, remedy, is_error))

    def finding(self, line: _Line, fault: FieldFault) -> Finding:
        """Where in the file a fault stands; a table as a whole, and what is only on pages, at the row of its submission."""
        found = _CELL.fullmatch(fault.path)
        key, number, column = (found[1], int(found[2]), found[3]) if found else (fault.path, -1, fault.path)
        spec = next(
            (sheet for sheet in self.sheets if found and sheet.table is not None and sheet.table.key == key), self.sheets[0]
        )
        row = line.rows.get(key, [])[number] if found and number < len(line.rows.get(key, [])) else line.row
        told = line.data.get(key)
        value = told[number].get(column, "") if found and isinstance(told, list) and number < len(told) else told
        heading = spec.heading_of(column) or fault.title
        text = value if isinstance(value, str) else ""
        return Finding(self.file, spec.title, row, heading, text[:200], fault.reason, fault.remedy, fault.is_error)
