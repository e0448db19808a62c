"""What a cell of a workbook says, as text."""

from datetime import date, datetime, time, timedelta

_EXACT_NUMBERS_BELOW = 10**15
_MIDNIGHT = time(0)


def text_of(value: object) -> str:
    """Numbers without `.0`, dates as YYYY-MM-DD, everything else as it stands; never raises."""
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == _MIDNIGHT else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, timedelta):
        return _duration(value)
    return str(value)


def is_worn_number(value: object) -> bool:
    """Whether Excel kept a long number as a number, of which only 15 digits are true (ID numbers end in 000)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= _EXACT_NUMBERS_BELOW


def _duration(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def without_control_characters(text: str) -> str:
    """The text without the characters that a workbook cannot hold."""
    return "".join(letter for letter in text if letter >= " " or letter in "\t\n\r")
