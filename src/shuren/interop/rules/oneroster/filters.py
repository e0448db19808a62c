"""The filter language: `field<operator>'value'`, at most one ` AND ` or ` OR ` between two of them.

The same comparisons serve twice: read here they become tests of the database, and `passes` makes them of what is told, for
facts of people that an app may only know as they were disclosed to it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shuren.interop.rules.oneroster.faults import bad_filter

MAX_LENGTH = 2_000
OPERATORS = ("=", "!=", ">", ">=", "<", "<=", "~")
_PART = re.compile(r"\s*([A-Za-z][A-Za-z0-9_.:-]*)\s*(!=|>=|<=|=|>|<|~)\s*'((?:[^']|'')*)'")
_JOIN = re.compile(r"\s+(AND|OR)\s+(?=\S)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field against one value."""

    field: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Filter:
    """One comparison, or two that must both (or, `is_any`, either) hold."""

    parts: tuple[Comparison, ...] = ()
    is_any: bool = False


def read_filter(text: str) -> Filter:
    """Raises a fault with what is wrong, at which place."""
    if not text.strip():
        return Filter()
    if len(text) > MAX_LENGTH:
        raise bad_filter(f"it is longer than {MAX_LENGTH} characters.")
    if "\0" in text:
        raise bad_filter("it holds a NUL character.")
    first, place = _comparison(text, 0)
    if not text[place:].strip():
        return Filter((first,))
    join = _JOIN.match(text, place)
    if join is None:
        raise bad_filter(f"at character {place + 1} there should be ' AND ', ' OR ' or the end.")
    second, end = _comparison(text, join.end())
    if text[end:].strip():
        raise bad_filter(f"at character {end + 1}: at most two comparisons can be joined.")
    return Filter((first, second), is_any=join.group(1).upper() == "OR")


def _comparison(text: str, place: int) -> tuple[Comparison, int]:
    found = _PART.match(text, place)
    if found is None:
        raise bad_filter(f"at character {place + 1} there should be a comparison such as name='value'.")
    field, operator, value = found.groups()
    return Comparison(field, operator, value.replace("''", "'")), found.end()


def passes(wanted: Filter, told: Mapping[str, object]) -> bool:
    """Whether an object as it is told passes."""
    verdicts = [_holds(part, values_at(told, part.field.split("."))) for part in wanted.parts]
    return any(verdicts) if wanted.is_any else all(verdicts)


def values_at(told: object, path: Sequence[str]) -> list[str]:
    """The texts at a dotted path, through every member of the lists on the way."""
    if isinstance(told, list | tuple):
        return [value for member in told for value in values_at(member, path)]
    if not path:
        return [] if told is None or isinstance(told, Mapping) else [str(told)]
    return values_at(told.get(path[0]), path[1:]) if isinstance(told, Mapping) else []


def _holds(part: Comparison, values: Sequence[str]) -> bool:
    wanted = part.value.lower()
    held = [value.lower() for value in values]
    if part.operator == "!=":
        return not _holds(Comparison(part.field, "=", part.value), values)
    if part.operator == "=":
        names = [name.strip() for name in wanted.split(",")]
        return wanted in held or (len(names) > 1 and all(name in held for name in names))
    if part.operator == "~":
        names = [name.strip() for name in wanted.split(",") if name.strip()]
        return any(wanted in value for value in held) or any(name in held for name in names)
    return any(_compared(part.operator, value, wanted) for value in held)


def _compared(operator: str, value: str, wanted: str) -> bool:
    """Numbers by what they are worth, everything else as text."""
    try:
        numbers = float(value), float(wanted)
    except ValueError:
        return _is_so(operator, (value > wanted) - (value < wanted))
    return _is_so(operator, (numbers[0] > numbers[1]) - (numbers[0] < numbers[1]))


def _is_so(operator: str, sign: int) -> bool:
    return {"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[operator]
