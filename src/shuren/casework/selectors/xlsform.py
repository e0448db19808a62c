"""XLSForm workbooks as they lie in a file."""

from pathlib import Path
from zipfile import ZipFile, is_zipfile

from django.utils.translation import gettext as _

from shuren.casework.rules.xlsform.form import FormRead, read_form
from shuren.casework.rules.xlsform.sheets import CHOICES, SETTINGS, SURVEY, TAKEN, Book, Line
from shuren.intake import api as intake
from shuren.intake.data import FileForm, Finding

_MOST_LINES, _MOST_COLUMNS, _LARGEST_UNPACKED = 5_000, 100, 50_000_000
_WORKBOOKS = (FileForm.XLSX, FileForm.XLS, FileForm.ODS)
_HEADINGS = {SURVEY: ("type", "name", "label"), CHOICES: ("list_name", "name", "label"), SETTINGS: ("form_title", "form_id")}


def form_in_file(path: Path, *, file_name: str) -> FormRead:
    """The form of a workbook with everything that cannot be taken over; `UnreadableFile` where it is no XLSForm at all."""
    if intake.form_of(path) not in _WORKBOOKS:
        raise intake.UnreadableFile(_("这不是 Excel 工作簿。"), remedy=_("请选择 .xlsx 文件。"), file=file_name)
    if is_zipfile(path) and _unpacked(path) > _LARGEST_UNPACKED:
        remedy = _("请删除与表单无关的工作表、图片和空行，再选一次。")
        raise intake.UnreadableFile(_("文件展开后太大。"), remedy=remedy, file=file_name)
    names = {name.strip().casefold(): name for name in intake.sheet_names(path)}
    if SURVEY not in names:
        remedy = _("XLSForm 的题目写在名为 survey 的工作表里。")
        raise intake.UnreadableFile(_("没有名为 survey 的工作表。"), remedy=remedy, file=file_name)
    book = Book(survey=[])
    for sheet in (SURVEY, CHOICES, SETTINGS):
        if sheet in names:
            lines, left_out = _lines(path, names[sheet], sheet, book.findings)
            setattr(book, sheet, lines)
            book.left_out = left_out if sheet == SURVEY else book.left_out
    return read_form(book)


def _unpacked(path: Path) -> int:
    with ZipFile(path) as archive:
        return sum(member.file_size for member in archive.infolist())


def _lines(path: Path, name: str, sheet: str, findings: list[Finding]) -> tuple[list[Line], dict[str, int]]:
    table = intake.open_table(path, sheet=name, expected=_HEADINGS[sheet], is_optional=True)
    findings += [finding._replace(file="") for finding in table.findings]
    columns = [_column(heading) for heading in table.header]
    taken = {place: column for place, column in enumerate(columns) if column.partition(":")[0] in TAKEN[sheet]}
    if len(taken) > _MOST_COLUMNS:
        reason = _("工作表超过 %(count)d 列。") % {"count": _MOST_COLUMNS}
        raise intake.UnreadableFile(reason, remedy=_("请删掉用不着的语言。"), sheet=name)
    lines: list[Line] = []
    filled: set[int] = set()
    for row in table.rows:
        findings += [finding._replace(file="") for finding in row.findings]
        values = {place: value for place, value in enumerate(row.values[: len(columns)]) if value}
        filled.update(values)
        cells = {taken[place]: value for place, value in values.items() if place in taken}
        lines.append(Line(sheet, row.number, cells))
        if len(lines) > _MOST_LINES:
            raise intake.UnreadableFile(
                _("工作表超过 %(count)s 行。") % {"count": f"{_MOST_LINES:,}"}, remedy=_("请拆成几张表单。"), sheet=name
            )
    left_out = [columns[place] for place in sorted(filled) if columns[place] and place not in taken]
    return lines, dict.fromkeys(left_out, table.header_row)


def _column(heading: str) -> str:
    """`List Name` is `list_name`; `Label::English (en)` keeps its language."""
    name, colon, language = heading.partition(":")
    plain = name.strip().casefold().replace(" ", "_")
    return f"{plain}::{language.lstrip(':').strip()}" if colon else plain
