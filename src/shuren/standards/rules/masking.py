"""What is left of a value for somebody who may not see it."""

import re
from datetime import date

from shuren.standards.data import MaskStyle

_STAR = "*"
_HIDDEN = "***"
# A pupil number G is the citizen id (GB 11643) behind a letter; J and L have the same form and hold none.
_CITIZEN_ID = re.compile(
    r"(?<![A-FH-Z0-9])[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X](?![0-9])"
    r"|(?<![A-Z0-9])G[0-9]{17}[0-9X](?![0-9])"
)


def masked(value: str | date | None, style: MaskStyle) -> str:
    """张三丰 → 张**, 440103201501011234 → 4401**********1234, 2015-01-01 → 2015; an empty value stays empty."""
    text = "" if value is None else str(value)
    if not text or style == MaskStyle.NONE:
        return text
    if style == MaskStyle.NAME:
        return text[0] + _STAR * min(2, max(1, len(text) - 1))
    if style == MaskStyle.ID:
        return _middle_hidden(text, head=4 + text[0].isalpha(), tail=4)
    if style == MaskStyle.PHONE:
        return _middle_hidden(text, head=3, tail=4)
    if style == MaskStyle.EMAIL:
        name, at, host = text.partition("@")
        return f"{name[:1]}{_HIDDEN}{at}{host}" if at else _HIDDEN
    if style == MaskStyle.YEAR:
        return text[:4] if text[:4].isdigit() else _HIDDEN
    return _HIDDEN


def _middle_hidden(text: str, *, head: int, tail: int) -> str:
    """At least four characters are hidden, of a short value half."""
    if len(text) < head + tail + 4:
        head = tail = len(text) // 4
    return text[:head] + _STAR * (len(text) - head - tail) + (text[-tail:] if tail else "")


def holds_citizen_id(value: str | date | None) -> bool:
    """Whether a text states a citizen id, as 学籍号 of form G do: such a value is graded as the id, whatever it is called."""
    return isinstance(value, str) and _CITIZEN_ID.search(value.upper()) is not None


def without_citizen_id(text: str) -> str:
    """G440103201501011234 → G****: digits beside a known birth date would give the id away."""
    head = text[0] if text[0].isalpha() else ""
    return head + _STAR * 4
