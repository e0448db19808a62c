"""What expressions compute with: exact numbers, texts, truth that may be unknown.

Numbers are integers and fractions, so that the server and the browser (`frontend/src/forms/answers.ts`) come to the same
answer to the last digit. `None` is what nobody has answered yet: it goes through every operation, except where the others
decide already (`False and unknown`). A change here is made there too; `tests/test_browser.py` holds them together.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

Number = int | Fraction
# What an answer that goes on for ever is rounded to.
LAST_PLACE = 12
TEXT_PLACES = 6


class Lookup(Protocol):
    """Where names are looked up; `part` is a column of a table (a list) or a part of a value (`person.name`)."""

    def value(self, name: str) -> Any: ...

    def part(self, name: str, part: str) -> Any: ...


class Given:
    """Names looked up in plain data."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data

    def value(self, name: str) -> Any:
        return self._data.get(name)

    def part(self, name: str, part: str) -> Any:
        return part_of(self._data.get(name), part)


def part_of(value: Any, part: str) -> Any:
    if isinstance(value, list | tuple):
        return [row.get(part) if isinstance(row, Mapping) else None for row in value]
    return value.get(part) if isinstance(value, Mapping) else None


def taken_in(value: Any) -> Any:
    """A value of a form as expressions see it: people, orgs and entries by their id, dates as text, nothing as `None`."""
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float | Decimal):
        return plain(Fraction(str(value))) if Decimal(str(value)).is_finite() else None
    if isinstance(value, date):
        return value.isoformat()[:10]
    if isinstance(value, list | tuple):
        return [taken_in(one) for one in value]
    if isinstance(value, Mapping):
        return value.get("id") or value.get("person") or dict(value) or None
    return (value or None) if isinstance(value, str) else value


def given_out(value: Any) -> Any:
    """The answer as Python holds it elsewhere: int, or Decimal to twelve places."""
    if isinstance(value, Fraction):
        return exact(rounded(value, LAST_PLACE))
    return [given_out(one) for one in value] if isinstance(value, list) else value


def exact(number: Number) -> int | Decimal:
    """A number whose denominator divides a power of ten, as a decimal."""
    whole = plain(number)
    return whole if isinstance(whole, int) else Decimal(whole.numerator) / Decimal(whole.denominator)


def plain(number: Number) -> Number:
    return number.numerator if isinstance(number, Fraction) and number.denominator == 1 else number


def is_number(value: Any) -> bool:
    return isinstance(value, int | Fraction) and not isinstance(value, bool)


def rounded(number: Number, places: int) -> Number:
    """Halves away from zero, as in school (四舍五入)."""
    scale = Fraction(10**places)
    scaled = Fraction(number if number >= 0 else -number) * scale
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return plain(Fraction(whole if number >= 0 else -whole) / scale)


def as_text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if not is_number(value):
        return None
    told = exact(rounded(value, TEXT_PLACES))
    return str(told) if isinstance(told, int) else f"{told:f}".rstrip("0")


def added(left: Any, right: Any) -> Any:
    """Numbers are added, texts joined; a number joins a text as it is written."""
    if is_number(left) and is_number(right):
        return plain(left + right)
    if not (isinstance(left, str) or isinstance(right, str)):
        return None
    first, second = as_text(left), as_text(right)
    return None if first is None or second is None else first + second


def _by_numbers(act: Callable[[Number, Number], Number], *, divides: bool = False) -> Callable[[Any, Any], Any]:
    def answer(left: Any, right: Any) -> Any:
        if not (is_number(left) and is_number(right)) or (divides and right == 0):
            return None
        return plain(act(left, right))

    return answer


def _divided(left: Number, right: Number) -> Number:
    return Fraction(left) / Fraction(right)


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": added,
    "-": _by_numbers(operator.sub),
    "*": _by_numbers(operator.mul),
    "/": _by_numbers(_divided, divides=True),
    "//": _by_numbers(operator.floordiv, divides=True),
    "%": _by_numbers(operator.mod, divides=True),
}


def same(left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        return None
    if is_number(left) and is_number(right):
        return bool(left == right)
    return type(left) is type(right) and bool(left == right)


def _not_same(left: Any, right: Any) -> bool | None:
    found = same(left, right)
    return None if found is None else not found


def _by_order(act: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool | None]:
    def answer(left: Any, right: Any) -> bool | None:
        return bool(act(left, right)) if is_ordered([left, right]) else None

    return answer


def is_ordered(values: list[Any]) -> bool:
    return all(map(is_number, values)) or all(isinstance(value, str) for value in values)


COMPARISONS: dict[str, Callable[[Any, Any], bool | None]] = {
    "==": same,
    "!=": _not_same,
    "<": _by_order(operator.lt),
    "<=": _by_order(operator.le),
    ">": _by_order(operator.gt),
    ">=": _by_order(operator.ge),
}


def is_true(value: Any) -> bool | None:
    """Whether it holds; what is not true or false (a text, a number) counts as answered: true."""
    return value if value is None or isinstance(value, bool) else True


def is_filled(value: Any) -> bool:
    return value is not None and value not in ("", [], {})


def all_true(values: list[Any]) -> bool | None:
    return False if False in values else (None if None in values else True)


def any_true(values: list[Any]) -> bool | None:
    return True if True in values else (None if None in values else False)


def among(value: Any, values: Any) -> bool | None:
    if value is None or not isinstance(values, list):
        return None
    return any_true([same(value, one) for one in values])


def _total(*values: Any) -> Number:
    told = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return plain(
        sum((int(one) if isinstance(one, bool) else one for one in told if isinstance(one, int | Fraction)), Fraction(0))
    )


def _counted(value: Any) -> int:
    return sum(map(is_filled, value)) if isinstance(value, list) else 0


def _extreme(choose: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    def answer(*values: Any) -> Any:
        of_column = len(values) == 1 and isinstance(values[0], list)
        told = [one for one in values[0] if one is not None] if of_column else list(values)
        return choose(told) if told and is_ordered(told) else None

    return answer


def _rounded(value: Any, places: Any = 0) -> Any:
    if not is_number(value) or not isinstance(places, int) or isinstance(places, bool) or not 0 <= places <= LAST_PLACE:
        return None
    return rounded(value, places)


def _absolute(value: Any) -> Any:
    return abs(value) if is_number(value) else None


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, str | list) else None


def _day(value: Any) -> date | None:
    if not isinstance(value, str) or len(value) != 10 or value[4] != "-" or value[7] != "-":
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _days(begin: Any, end: Any) -> int | None:
    first, last = _day(begin), _day(end)
    return (last - first).days if first and last else None


def _years(begin: Any, end: Any) -> int | None:
    """Whole years, as an age is told; before `begin` below zero."""
    first, last = _day(begin), _day(end)
    if first is None or last is None:
        return None
    return last.year - first.year - ((last.month, last.day) < (first.month, first.day))


def _year(value: Any) -> int | None:
    day = _day(value)
    return day.year if day else None


# name: (fewest arguments, most, what it does); `today` is answered by whoever asks.
FUNCTIONS: dict[str, tuple[int, int, Callable[..., Any]]] = {
    "sum": (1, 50, _total),
    "count": (1, 1, _counted),
    "min": (1, 50, _extreme(min)),
    "max": (1, 50, _extreme(max)),
    "round": (1, 2, _rounded),
    "abs": (1, 1, _absolute),
    "len": (1, 1, _length),
    "filled": (1, 1, is_filled),
    "days": (2, 2, _days),
    "years": (2, 2, _years),
    "year": (1, 1, _year),
}
