"""How far the sheets of a workbook reach, told without holding their cells."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from shuren.intake.data import FileForm

Extent = tuple[str, int, int]

_CHUNK = 4 * 1024 * 1024
_COLUMN_OF_CELL = re.compile(rb' r="([A-Za-z]{1,8})\d')
_ROW_OF_CELL = re.compile(rb' r="[A-Za-z]{0,8}(\d{5,12})"')
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")


def sheet_extents(path: Path, form: FileForm) -> list[Extent]:
    """Sheet, rows and columns up to the last cell that holds something; of an XLS nothing, its own format is small.

    Rows of an XLSX under 10,000 are not told apart.
    """
    if form == FileForm.XLSX:
        return list(_of_xlsx(path))
    return list(_of_ods(path)) if form == FileForm.ODS else []


def _of_xlsx(path: Path) -> Iterator[Extent]:
    with zipfile.ZipFile(path) as book:
        for member in book.infolist():
            if not member.filename.lower().startswith("xl/worksheets/") or not member.filename.lower().endswith(".xml"):
                continue
            columns: set[bytes] = set()
            row = 10_000
            with book.open(member) as stream:
                tail = b""
                while chunk := stream.read(_CHUNK):
                    text = tail + chunk
                    columns.update(_COLUMN_OF_CELL.findall(text))
                    row = max(row, max(map(int, _ROW_OF_CELL.findall(text)), default=0))
                    tail = text[-64:]
            yield Path(member.filename).stem, row, max(map(_column_number, columns), default=0)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _of_ods(path: Path) -> Iterator[Extent]:
    """A cell or a row may stand for any number of its like, so a page of text can mean a thousand million cells."""
    with zipfile.ZipFile(path) as book, book.open("content.xml") as stream:
        name, row, column = "", 0, 0
        rows, columns = 0, 0
        for event, node in ElementTree.iterparse(stream, events=("start", "end")):  # noqa: S314  # expat stops growing entities, fetches none
            if event == "start" and node.tag == f"{_TABLE}table":
                name, row, rows, columns = node.get(f"{_TABLE}name", ""), 0, 0, 0
            elif event == "start" and node.tag == f"{_TABLE}table-row":
                column, width = 0, 0
            elif event == "end" and node.tag in _CELLS:
                column += int(node.get(f"{_TABLE}number-columns-repeated", 1))
                if len(node) or node.get(f"{_OFFICE}value-type"):
                    width = column
                node.clear()
            elif event == "end" and node.tag == f"{_TABLE}table-row":
                row += int(node.get(f"{_TABLE}number-rows-repeated", 1))
                rows, columns = (row, max(columns, width)) if width else (rows, columns)
                node.clear()
            elif event == "end" and node.tag == f"{_TABLE}table":
                yield name, rows, columns
                node.clear()
