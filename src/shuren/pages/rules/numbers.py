"""How numbers are written for people: thousands separators, one precision, "—" for none, "*" for suppressed."""

from datetime import date, datetime

from shuren.pages.data import Cell

NONE = "—"
SUPPRESSED = "*"
MINUS = "\u2212"


def number_text(value: float | None, decimals: int | None = None) -> str:
    """Whole numbers plain, others with `decimals` places (one by default); a value of no number is "—"."""
    if value is None or value != value:
        return NONE
    places = decimals if decimals is not None else (0 if float(value).is_integer() and isinstance(value, int) else 1)
    text = f"{value:,.{places}f}"
    if text.lstrip("-").strip("0.,") == "":
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def estimate_text(value: float | None, error: float | None, decimals: int = 1) -> str:
    """A mean with its standard error, as in "508.3 (±2.6)"."""
    if value is None or error is None:
        return number_text(value, decimals)
    return f"{number_text(value, decimals)} (±{number_text(error, decimals)})"


def interval_text(low: float | None, high: float | None, decimals: int = 1) -> str:
    """Both ends of an interval, as in "503.2–513.4"."""
    if low is None or high is None:
        return NONE
    return f"{number_text(low, decimals)}–{number_text(high, decimals)}"


def cell_text(value: Cell, decimals: int = 0) -> str:
    """A table cell as a reader sees it: ISO dates, 24-hour times, "—" for nothing."""
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return "✓" if value else NONE
    if isinstance(value, int | float):
        return number_text(value, decimals)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return value
