"""Numbers and texts as they stand in addresses, forms and JSON, where anybody may write anything."""

import re

_UNFIT = re.compile(r"[\x00\ud800-\udfff]")


def number_in(text: str, *, most: int = 1_000_000_000) -> int | None:
    """The whole number that `text` is in plain digits, up to `most`; None for anything else, also for `²` and `٣`."""
    if not text.isascii() or not text.isdigit() or len(text) > len(str(most)):
        return None
    number = int(text)
    return number if number <= most else None


def holds_unfit(told: object) -> bool:
    """Whether a text in it, name or value, is one that no database keeps: with a NUL, or half of a surrogate pair."""
    left = [told]
    while left:
        one = left.pop()
        if isinstance(one, str):
            if _UNFIT.search(one):
                return True
        elif isinstance(one, dict):
            left += one.keys()
            left += one.values()
        elif isinstance(one, list):
            left += one
    return False
