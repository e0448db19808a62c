"""Rows of a workbook: calamine reads it, cells merged downwards are filled, values stay what they are."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import python_calamine
from django.utils.translation import gettext as _

from shuren.intake.rules.errors import UnreadableFile
from shuren.intake.rules.limits import MAX_SHEET_CELLS
from shuren.intake.selectors.forms import form_of
from shuren.intake.selectors.sheet_extents import sheet_extents
from shuren.intake.selectors.text_rows import RawRow

Answer = TypeVar("Answer")
Merge = tuple[tuple[int, int], tuple[int, int]]


def sheet_names(path: Path) -> list[str]:
    """Visible sheets, in order."""
    book = _guarded(lambda: python_calamine.CalamineWorkbook.from_path(str(path)), path)
    visible = python_calamine.SheetVisibleEnum.Visible
    return [sheet.name for sheet in book.sheets_metadata if sheet.visible == visible]


def sheet_rows(path: Path, sheet: str) -> Iterator[RawRow]:
    """Every row of the sheet from its first on, numbered as Excel does."""
    _refuse_wide(path)
    book = _guarded(lambda: python_calamine.CalamineWorkbook.from_path(str(path)), path)
    opened = _guarded(lambda: book.get_sheet_by_name(sheet), path, sheet)
    left = opened.start[1] if opened.start else 0
    rows = _guarded(opened.iter_rows, path, sheet)
    merges = _Merges(_guarded(lambda: opened.merged_cell_ranges or [], path, sheet))
    number = 0
    while True:
        values = _guarded(lambda: next(rows, None), path, sheet)
        if values is None:
            return
        row: list[object] = [*([None] * left), *values]
        merges.fill(number, row)
        number += 1
        yield RawRow(number, row)


class _Merges:
    """Cells merged over several rows: the value stands in the topmost only, and is meant in all."""

    def __init__(self, ranges: list[Merge]) -> None:
        self._waiting = sorted((merge for merge in ranges if merge[1][0] > merge[0][0]), reverse=True)
        self._open: list[tuple[int, int, object]] = []

    def fill(self, index: int, row: list[object]) -> None:
        for _last, column, value in self._open:
            if column < len(row) and row[column] in {None, ""}:
                row[column] = value
        while self._waiting and self._waiting[-1][0][0] <= index:
            (_first, column), (last, _right) = self._waiting.pop()
            if column < len(row):
                self._open.append((last, column, row[column]))
        self._open = [merge for merge in self._open if merge[0] > index]


def _guarded(read: Callable[[], Answer], path: Path, sheet: str = "") -> Answer:
    """Whatever the reader throws at a broken workbook, panics of its Rust half included, is one thing to a clerk."""
    try:
        return read()
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except BaseException as error:  # pyo3's PanicException is no Exception
        raise UnreadableFile(
            _("工作簿已损坏，无法读取。"),
            remedy=_("请在 Excel 或 WPS 中打开并另存一份后再上传。"),
            file=path.name,
            sheet=sheet,
        ) from error


def _refuse_wide(path: Path) -> None:
    """A value in a far corner makes the reader hold every cell up to it: stop before it takes the memory."""
    for name, rows, columns in _guarded(lambda: sheet_extents(path, form_of(path)), path):
        if rows * columns > MAX_SHEET_CELLS:
            raise UnreadableFile(
                _("工作表范围过大（%(rows)d 行 × %(columns)d 列）。") % {"rows": rows, "columns": columns},
                remedy=_("请删除数据区以外的内容，或另存为 CSV。"),
                file=path.name,
                sheet=name,
            )
