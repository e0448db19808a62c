"""Cells that leave the house: nothing a spreadsheet would run as a formula, nothing XML cannot hold."""

import re
from datetime import date, datetime

from shuren.pages.data import Cell, Status

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
CELL_LIMIT = 32_767


def guarded(text: str) -> str:
    """Text that a spreadsheet reads as text: one that opens like a formula gets a leading apostrophe."""
    clean = FORBIDDEN.sub("", text)
    return f"'{clean}" if clean.lstrip(" ").startswith(FORMULA_STARTS) else clean


def csv_cell(value: Cell | Status) -> str:
    """A cell of a CSV file: numbers bare, dates in ISO form, text guarded against formulas."""
    if isinstance(value, Status):
        return guarded(value.text)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return "" if value != value else repr(value)
    return guarded(value)


def sheet_cell(value: Cell | Status) -> Cell:
    """A cell of an Excel sheet: typed where Excel has the type, local time without its zone, text guarded."""
    if isinstance(value, Status):
        return guarded(value.text)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return guarded(value)[:CELL_LIMIT] if isinstance(value, str) else value


def sheet_name(title: str) -> str:
    """A title as Excel allows it on a tab: 31 signs, none of those it keeps for itself."""
    return re.sub(r"[\[\]:*?/\\]", " ", FORBIDDEN.sub("", title)).strip(" '")[:31] or "Sheet1"


def file_name(name: str, suffix: str) -> str:
    """A download's name without path separators, line breaks or quotes."""
    kept = re.sub(r'[\x00-\x1f<>:"/\\|?*]+', "-", name).strip(" .-")[:120]
    return f"{kept or 'export'}.{suffix}"
