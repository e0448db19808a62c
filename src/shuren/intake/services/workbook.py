"""The error workbook: the file as it came, wrong cells coloured and explained, behind a list of everything found."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, time
from itertools import chain, islice
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill

from shuren.intake.data import FileForm, Finding
from shuren.intake.rules.cells import text_of, without_control_characters
from shuren.intake.rules.errors import UnreadableFile
from shuren.intake.rules.limits import MAX_CELL_CHARS, WORKBOOK_ROWS
from shuren.intake.selectors.findings import error_workbook_file, kept_findings
from shuren.intake.selectors.forms import form_of
from shuren.intake.selectors.imports import import_file
from shuren.intake.selectors.packages import open_package
from shuren.intake.selectors.sheet_rows import sheet_names
from shuren.intake.selectors.tables import raw_rows
from shuren.intake.selectors.text_rows import RawRow

_RED = PatternFill("solid", start_color="FFC7CE")
_YELLOW = PatternFill("solid", start_color="FFEB9C")
_BOLD = Font(bold=True)
_HEADING_SEARCHED = 20
# A comment is a drawing: tens of thousands of them make Excel crawl. The list on the first sheet has them all.
_COMMENTS_KEPT = 5000
_TOLD_EVERY = 2000


@dataclass(slots=True)
class _Source:
    """One table of the import: where its rows are and what was found in it, by row."""

    title: str
    path: Path
    sheet: str | None
    found: dict[int, list[Finding]] = field(default_factory=lambda: defaultdict(list))


@dataclass(slots=True)
class _Progress:
    total: int
    on_rows: Callable[[int, int], None] | None
    done: int = 0

    def step(self) -> None:
        self.done += 1
        if self.on_rows and self.done % _TOLD_EVERY == 0:
            self.on_rows(self.done, self.total)


def make_error_workbook(import_id: int, *, on_rows: Callable[[int, int], None] | None = None) -> Path:
    """Return the error workbook of an import, writing it unless it is there already.

    Up to 200,000 rows the whole file is copied; of a bigger one only the rows with findings, under their numbers.
    """
    target = error_workbook_file(import_id)
    if target.exists():
        return target
    book = Workbook(write_only=True)
    _write_list(book, kept_findings(import_id))
    source_file = import_file(import_id)
    try:
        if form_of(source_file) == FileForm.ZIP:
            with open_package(source_file) as package:
                sources = [_Source(name, package.path_of(name), None) for name in package.names]
                _copy(book, sources, import_id, on_rows)
        else:
            _copy(book, _sources_of(source_file), import_id, on_rows)
    except UnreadableFile:
        # What cannot be read cannot be copied; the list says why.
        on_rows = None
    draft = target.with_suffix(f".{os.getpid()}.draft")
    book.save(draft)
    draft.replace(target)
    return target


def _sources_of(path: Path) -> list[_Source]:
    if form_of(path) == FileForm.TEXT:
        return [_Source(_("原表"), path, None)]
    return [_Source(name, path, name) for name in sheet_names(path)]


def _write_list(book: Any, findings: Iterator[Finding]) -> None:
    sheet = book.create_sheet(_("问题清单"))
    sheet.freeze_panes = "A2"
    for letter, width in zip("ABCDEFGH", (24, 18, 8, 18, 30, 44, 50, 8), strict=True):
        sheet.column_dimensions[letter].width = width
    heads = [_("文件"), _("工作表"), _("行"), _("列"), _("填写内容"), _("问题"), _("修改办法"), _("程度")]
    sheet.append([_text_cell(sheet, head, bold=True) for head in heads])
    for finding in findings:
        texts = [finding.file, finding.sheet, None, finding.column, finding.value, finding.reason, finding.remedy]
        cells: list[Any] = [None if text is None else _text_cell(sheet, text) for text in texts]
        cells[2] = finding.row or None
        cells.append(_text_cell(sheet, _("错误") if finding.is_error else _("提醒"), fill=_fill(finding)))
        sheet.append(cells)


def _copy(book: Any, sources: list[_Source], import_id: int, on_rows: Callable[[int, int], None] | None) -> None:
    _share_out(sources, import_id)
    rows = sum(_count(source) for source in sources)
    progress = _Progress(rows, on_rows)
    titles: set[str] = {_("问题清单")}
    comments_left = _COMMENTS_KEPT
    for source in sources:
        if not (source.found or len(sources) == 1 or rows <= WORKBOOK_ROWS):
            continue
        sheet = book.create_sheet(_title(source.title, titles))
        comments_left = _copy_rows(sheet, source, comments_left, progress, is_whole=rows <= WORKBOOK_ROWS)


def _share_out(sources: list[_Source], import_id: int) -> None:
    is_one_file = len({source.path for source in sources}) == 1
    for finding in kept_findings(import_id):
        for source in sources:
            is_its_file = is_one_file or source.title.lower() == finding.file.lower()
            if is_its_file and (source.sheet or "") == (finding.sheet if source.sheet else ""):
                source.found[finding.row].append(finding)
                break


def _count(source: _Source) -> int:
    """Rows, cut short once they are too many to copy."""
    return sum(1 for _row in islice(raw_rows(source.path, source.sheet), WORKBOOK_ROWS + 1))


def _copy_rows(sheet: Any, source: _Source, comments_left: int, progress: _Progress, *, is_whole: bool) -> int:
    rows = raw_rows(source.path, source.sheet)
    top = list(islice(rows, _HEADING_SEARCHED))
    heading, columns = _heading(top, source)
    for row in chain(top, rows):
        progress.step()
        found = source.found.get(row.number, ())
        if not (is_whole or found or row.number == heading):
            continue
        cells = [_copied_cell(sheet, value) for value in row.values]
        for finding in found:
            index = columns.get(finding.column, 0)
            while len(cells) <= index:
                cells.append(WriteOnlyCell(sheet))
            cells[index].fill = _RED if finding.is_error or cells[index].fill == _RED else _YELLOW
            if comments_left > 0:
                comments_left -= 1
                told = cells[index].comment.text + "\n" if cells[index].comment else ""
                cells[index].comment = Comment(f"{told}{finding.reason}\n{finding.remedy}".strip(), _("树人"), 120, 320)
        sheet.append(cells if is_whole else [_number_cell(sheet, row.number, heading), *cells])
    return comments_left


def _heading(top: list[RawRow], source: _Source) -> tuple[int, dict[str, int]]:
    """The row of the headings, found by the columns that the findings name, and the place of each."""
    named = {finding.column for found in source.found.values() for finding in found if finding.column}
    best: tuple[int, int, dict[str, int]] = (0, 0, {})
    for row in top:
        places: dict[str, int] = {}
        for index, value in enumerate(row.values):
            places.setdefault(" ".join(text_of(value).split()), index)
        hits = len(named & places.keys())
        if hits > best[0] or (not best[1] and any(places)):
            best = (hits, row.number, places)
    return best[1], best[2]


def _number_cell(sheet: Any, number: int, heading: int) -> Any:
    return _text_cell(sheet, _("原行号"), bold=True) if number == heading else WriteOnlyCell(sheet, value=number)


def _copied_cell(sheet: Any, value: Any) -> Any:
    if value is None or value == "":
        return WriteOnlyCell(sheet)
    if isinstance(value, bool | int | float | date | time):
        return WriteOnlyCell(sheet, value=value)  # type: ignore[arg-type]  # openpyxl takes dates and times, too
    return _text_cell(sheet, text_of(value))


def _text_cell(sheet: Any, text: str, *, bold: bool = False, fill: PatternFill | None = None) -> Any:
    if not text:
        return WriteOnlyCell(sheet)
    cell = WriteOnlyCell(sheet, value=without_control_characters(text)[:MAX_CELL_CHARS])
    # A text that begins with "=" stays a text: what people uploaded must never run as a formula.
    cell.data_type = "s"
    cell.quotePrefix = text[:1] in {"=", "+", "-", "@"}
    if bold:
        cell.font = _BOLD
        cell.alignment = Alignment(vertical="center")
    if fill:
        cell.fill = fill
    return cell


def _fill(finding: Finding) -> PatternFill:
    return _RED if finding.is_error else _YELLOW


def _title(text: str, taken: set[str]) -> str:
    """A sheet title that Excel accepts and that is not taken yet."""
    base = "".join("_" if letter in r"\/*?:[]" else letter for letter in without_control_characters(text)).strip("' ")[:28]
    title, number = base or "1", 2
    while title.lower() in {known.lower() for known in taken}:
        title = f"{base}_{number}"
        number += 1
    taken.add(title)
    return title
