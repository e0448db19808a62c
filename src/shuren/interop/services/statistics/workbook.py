"""A form as a workbook in its own layout, as it is printed and signed; what is to be typed is left open."""

import io
from datetime import datetime

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from shuren.interop.models import StatisticsReport
from shuren.interop.rules.statistics.numbers import cell_of, number_of
from shuren.interop.rules.statistics.plan import CellKind
from shuren.interop.rules.statistics.reading import Template
from shuren.interop.rules.statistics.sheet import (
    CROSSED,
    HEAD_ROWS,
    IDENTITY,
    IDENTITY_HEADINGS,
    LEADS,
    codes,
    head_facts,
    header_depth,
    headings,
)
from shuren.interop.rules.statistics.spec import school_year
from shuren.interop.selectors.statistics.templates import read
from shuren.interop.services.statistics.judge import is_asked
from shuren.kernel import audit, ids
from shuren.kernel.data import Actor

_OPEN = PatternFill("solid", fgColor="FFF7DB")
_LINE = Side(style="thin", color="8A949B")
_BORDER = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)


def report_workbook(*, actor: Actor, row: StatisticsReport, now: datetime) -> bytes:
    """The form with its values; the caller has checked that the actor may see it. It is audited."""
    template = read(row.template)
    language = get_language() or "zh-hans"
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = template.spec.number
    _write_head(sheet, row, template, language)
    first = _write_headings(sheet, template, language)
    _write_lines(sheet, row, template, first, language)
    sheet.protection.sheet = True
    _write_identity(book, row)
    audit.record(
        actor=actor,
        action="interop.statistics_exported",
        target=f"statistics_report:{row.pk}",
        details={"form": "xlsx", "key": row.key, "year": row.year},
        now=now,
    )
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _write_head(sheet: Worksheet, row: StatisticsReport, template: Template, language: str) -> None:
    width = LEADS + len(template.spec.columns)
    sheet.cell(1, 1, template.spec.title.text(language)).font = Font(bold=True, size=16)
    sheet.cell(1, 1).alignment = _CENTRE
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=width)
    facts = {
        "unit": row.org.name,
        "code": row.org.code,
        "year": school_year(row.year),
        "day": template.spec.day(row.year).isoformat(),
    }
    for number, (label, value) in enumerate(head_facts(template.spec, facts, language)):
        # On the left the unit fills in, on the right stands what the form is.
        place = 1 if number >= 3 else max(LEADS + 1, width - 1)
        line = 2 + (number - 3 if number >= 3 else number)
        if line < HEAD_ROWS or place == 1:
            cell = sheet.cell(min(line, HEAD_ROWS), place, f"{label}：{value}")
            cell.data_type = "s"


def _write_headings(sheet: Worksheet, template: Template, language: str) -> int:
    """Headings and codes; returns the first row of the lines."""
    top = HEAD_ROWS + 1
    depth = header_depth(template.spec.columns)
    for place, text in enumerate((_("指标名称"), _("行号")), start=1):
        _heading(sheet, text, top, top + depth - 1, place, place)
    for one in headings(template.spec.columns, language):
        first, last = one.first + LEADS + 1, one.last + LEADS + 1
        _heading(sheet, one.text, top + one.top, top + one.bottom, first, last)
    for place, code in enumerate(codes(template.spec), start=1):
        cell = sheet.cell(top + depth, place, code)
        cell.alignment, cell.border, cell.data_type = _CENTRE, _BORDER, "s"
    sheet.column_dimensions["A"].width = 34
    sheet.column_dimensions["B"].width = 7
    for place in range(LEADS + 1, LEADS + 1 + len(template.spec.columns)):
        sheet.column_dimensions[get_column_letter(place)].width = 13
    sheet.freeze_panes = f"{get_column_letter(LEADS + 1)}{top + depth + 1}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = f"{top}:{top + depth}"
    return top + depth + 1


def _heading(sheet: Worksheet, text: str, top: int, bottom: int, first: int, last: int) -> None:
    cell = sheet.cell(top, first, text)
    cell.font, cell.alignment = Font(bold=True), _CENTRE
    for line in range(top, bottom + 1):
        for place in range(first, last + 1):
            sheet.cell(line, place).border = _BORDER
    if (top, first) != (bottom, last):
        sheet.merge_cells(start_row=top, end_row=bottom, start_column=first, end_column=last)


def _write_lines(sheet: Worksheet, row: StatisticsReport, template: Template, first: int, language: str) -> None:
    for number, line in enumerate(template.spec.lines, start=first):
        title = sheet.cell(number, 1, line.title.text(language))
        title.alignment = Alignment(indent=line.indent, wrap_text=True, vertical="center")
        sheet.cell(number, 2, line.code).alignment = _CENTRE
        for cell in (title, sheet.cell(number, 2)):
            cell.border, cell.data_type = _BORDER, "s"
        for place, column in enumerate(template.spec.columns, start=LEADS + 1):
            cell = sheet.cell(number, place)
            cell.border = _BORDER
            plan = template.plan[line.key, column.key]
            if plan.kind is CellKind.BLANK:
                cell.value, cell.alignment = CROSSED, _CENTRE
                continue
            cell.value = number_of(cell_of(row.values, plan.place))
            cell.number_format = f"#,##0.{'0' * plan.places}" if plan.places else "#,##0"
            if is_asked(row, template, plan.place):
                cell.fill, cell.protection = _OPEN, Protection(locked=False)


def _write_identity(book: Workbook, row: StatisticsReport) -> None:
    sheet = book.create_sheet(IDENTITY)
    sheet.append(IDENTITY_HEADINGS)
    sheet.append([ids.encode("statistics_report", row.pk), row.key, str(row.year)])
    sheet.protection.sheet = True
