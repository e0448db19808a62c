"""Tables on their way out as CSV or Excel, row by row, never whole in memory."""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from io import RawIOBase
from typing import IO, Any, cast
from zipfile import ZIP_STORED, ZipFile

from django.http import FileResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import Cell as SheetCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet.worksheet import Worksheet

from shuren.kernel import clock
from shuren.pages.data import Cell, Status, TooManyRows
from shuren.pages.rules.cells import csv_cell, file_name, sheet_cell, sheet_name

XLSX_ROW_LIMIT = 200_000
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CHUNK_ROWS = 500
WIDE_SIGNS = 40
BYTE_ORDER_MARK = "\ufeff"

Cells = Sequence[Cell | Status]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet to write; `widths` are in signs and may be shorter than the header."""

    title: str
    header: Sequence[str]
    rows: Iterable[Cells]
    widths: Sequence[int] = ()


class _Line:
    """A file for `csv.writer` that hands each written line back."""

    def write(self, text: str) -> str:
        return text


def csv_lines(header: Sequence[str], rows: Iterable[Cells]) -> Iterator[str]:
    """CSV text in chunks, opened by a byte-order mark so that Excel reads the Chinese."""
    writer = csv.writer(_Line())
    chunk = [BYTE_ORDER_MARK, str(writer.writerow([csv_cell(title) for title in header]))]
    for row in rows:
        chunk.append(str(writer.writerow([csv_cell(_local(value)) for value in row])))
        if len(chunk) >= CHUNK_ROWS:
            yield "".join(chunk)
            chunk = []
    if chunk:
        yield "".join(chunk)


def _local(value: Cell | Status) -> Cell | Status:
    return clock.local(value) if isinstance(value, datetime) else value


def csv_response(name: str, header: Sequence[str], rows: Iterable[Cells]) -> StreamingHttpResponse:
    """Send rows as `<name>.csv` while they are read."""
    response = StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = content_disposition_header(True, file_name(name, "csv")) or ""
    response.headers["X-Accel-Buffering"] = "no"
    return response


def write_workbook(target: IO[bytes], sheets: Iterable[Sheet], *, limit: int = XLSX_ROW_LIMIT) -> int:
    """Write sheets into `target` and answer how many rows they hold; raises `TooManyRows` past the limit."""
    book = Workbook(write_only=True)
    written = 0
    for sheet in sheets:
        page = book.create_sheet(sheet_name(sheet.title))
        _lay_out(page, sheet)
        page.append([_head(page, title) for title in sheet.header])
        for row in sheet.rows:
            written += 1
            if written > limit:
                book.close()
                raise TooManyRows(limit)
            page.append([sheet_cell(_local(value)) for value in row])
    book.save(target)
    return written


def _lay_out(page: WriteOnlyWorksheet, sheet: Sheet) -> None:
    page.freeze_panes = "A2"
    for index, title in enumerate(sheet.header):
        width = sheet.widths[index] if index < len(sheet.widths) else min(WIDE_SIGNS, 2 * len(title) + 4)
        cast(Worksheet, page).column_dimensions[get_column_letter(index + 1)].width = max(8, width)


def _head(page: WriteOnlyWorksheet, title: str) -> SheetCell:
    cell = WriteOnlyCell(page, value=str(sheet_cell(title)))
    cell.font = Font(bold=True)
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def workbook_response(name: str, sheets: Iterable[Sheet]) -> FileResponse:
    """Send sheets as `<name>.xlsx` from a temporary file; raises `TooManyRows` before anything is sent."""
    with ExitStack() as held:
        target = held.enter_context(tempfile.TemporaryFile())
        write_workbook(target, sheets)
        target.seek(0)
        held.pop_all()
    return FileResponse(target, as_attachment=True, filename=file_name(name, "xlsx"), content_type=XLSX_TYPE)


class _Passing(RawIOBase):
    """What a zip was given to write since it was last asked; it cannot be gone back in."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def passed(self) -> bytes:
        whole, self._parts = b"".join(self._parts), []
        return whole


def zip_parts(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """A zip of files by name, part by part: never more than one of them in memory, nothing on disk."""
    passing = _Passing()
    with ZipFile(passing, "w", ZIP_STORED) as archive:
        for name, content in files:
            archive.writestr(name.replace("/", "_"), content)
            yield passing.passed()
    yield passing.passed()
