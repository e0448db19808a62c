"""Files of quarantined rows, in the form in which they came: to be mended in Excel, or sent in again as they are."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.module_loading import import_string
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from shuren.intake.data import FileForm
from shuren.intake.models import ImportRun, QuarantinedRow
from shuren.intake.rules.cells import text_of, without_control_characters
from shuren.intake.rules.errors import UnreadableFile
from shuren.intake.rules.kinds import kind_named
from shuren.intake.rules.quarantine import ID_HEADINGS, NOTE_HEADINGS, REASON_HEADINGS, reasons_of
from shuren.intake.selectors.forms import form_of
from shuren.intake.selectors.imports import import_file
from shuren.intake.selectors.packages import open_package
from shuren.intake.selectors.quarantine import content_of, public_id_of, row_ids
from shuren.intake.selectors.sheet_rows import sheet_names
from shuren.intake.selectors.tables import open_table, raw_rows


@dataclass(slots=True)
class QuarantineTable:
    """Rows of one table of a file: `notes` beside each are its id and its reasons, where they are wanted."""

    file: str
    sheet: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


def write_rows(run: ImportRun, rows: Iterable[QuarantinedRow], target: Path, *, with_notes: bool) -> str:
    """Write rows of one import as a file of its form; returns the suffix of such a file."""
    form = form_of(import_file(run.pk))
    tables = _tables(rows, with_notes=with_notes)
    if form is FileForm.TEXT:
        _write_text(tables, target)
        return ".csv"
    if form is FileForm.ZIP:
        kind = kind_named(run.kind)
        import_string(kind.pack if kind else "")(tables, target)
        return ".zip"
    _write_workbook(_every_sheet(run, tables), target)
    return ".xlsx"


def _tables(rows: Iterable[QuarantinedRow], *, with_notes: bool) -> list[QuarantineTable]:
    """Rows by the table they came from and the headings it had; headings that a file of quarantined rows added are left out."""
    found: dict[tuple[str, str, tuple[str, ...]], QuarantineTable] = {}
    for row in rows:
        content = content_of(row)
        kept = [place for place, heading in enumerate(content.header) if heading not in NOTE_HEADINGS]
        header = tuple(content.header[place] for place in kept)
        table = found.setdefault((row.file, row.sheet, header), QuarantineTable(row.file, row.sheet, header))
        table.rows.append(tuple(content.cells[place] if place < len(content.cells) else "" for place in kept))
        if with_notes:
            table.notes.append((public_id_of(row), reasons_of(content.findings)))
    return list(found.values())


def noted(table: QuarantineTable, headings: tuple[str, str]) -> Iterator[tuple[str, ...]]:
    """The heading and the rows of a table with their notes behind them, under these headings."""
    yield (*table.header, *(headings if table.notes else ()))
    for place, cells in enumerate(table.rows):
        yield (*cells, *(table.notes[place] if table.notes else ()))


def _headings() -> tuple[str, str]:
    return ID_HEADINGS[0], REASON_HEADINGS[0]


def _write_text(tables: Sequence[QuarantineTable], target: Path) -> None:
    with target.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        for table in tables:
            writer.writerows(noted(table, _headings()))


def _write_workbook(tables: Sequence[QuarantineTable], target: Path) -> None:
    book = Workbook(write_only=True)
    for table in tables:
        sheet = book.create_sheet(table.sheet)
        for line in noted(table, _headings()):
            cells = []
            for text in line:
                cell = WriteOnlyCell(sheet, value=without_control_characters(text) or None)
                # What people uploaded must never run as a formula, and a number keeps its zeros.
                cell.data_type = "s" if text else "n"
                cell.number_format = "@"
                cells.append(cell)
            sheet.append(cells)
    book.save(target)


def _every_sheet(run: ImportRun, tables: Sequence[QuarantineTable]) -> list[QuarantineTable]:
    """The sheets of the file in their order, those without rows with their heading alone: a form may ask for all of them."""
    source = import_file(run.pk)
    filled = {table.sheet: table for table in tables}
    return [filled.get(name) or QuarantineTable("", name, _heading_of(source, name)) for name in sheet_names(source)]


def _heading_of(source: Path, sheet: str) -> tuple[str, ...]:
    first = next((row.values for row in raw_rows(source, sheet) if any(text_of(value) for value in row.values)), [])
    return tuple(text_of(value) for value in first)


def rows_named(path: Path) -> list[int]:
    """The rows in quarantine that a file speaks of, by the column of their ids; none of a file that cannot be read."""
    found: list[int] = []
    try:
        if form_of(path) is FileForm.ZIP:
            with open_package(path) as package:
                for name in package.names:
                    found += _named(package.path_of(name), None)
        elif form_of(path) is FileForm.TEXT:
            found += _named(path, None)
        else:
            for sheet in sheet_names(path):
                found += _named(path, sheet)
    except UnreadableFile:
        return []
    return found


def _named(path: Path, sheet: str | None) -> list[int]:
    table = open_table(path, sheet=sheet, expected=ID_HEADINGS, is_optional=True)
    place = next((table.header.index(heading) for heading in ID_HEADINGS if heading in table.header), None)
    return [] if place is None else row_ids(row.values[place] for row in table.rows)
