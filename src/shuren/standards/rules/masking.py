"""What is left of a value for somebody who may not see it."""

from datetime import date

from shuren.standards.data import MaskStyle

_STAR = "*"
_HIDDEN = "***"


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
