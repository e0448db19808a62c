"""One comparison of a roster's cell as a condition of the database; texts are compared without regard to case."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import CharField, Q, TextField, Value
from django.db.models.functions import Cast, Concat, Lower
from django.db.models.lookups import (
    Contains,
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
)

from shuren.directory.data import RosterTest


class Kind(StrEnum):
    """How a cell is compared."""

    TEXT = "text"
    EMAIL = "email"
    LIST = "list"
    NUMBER = "number"
    DATE = "date"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Cell:
    """A column, and how it is compared."""

    column: str
    kind: Kind = Kind.TEXT


_ORDERED = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_LOWERED: dict[str, type[Any]] = {
    "=": Exact,
    "~": Contains,
    "<": LessThan,
    "<=": LessThanOrEqual,
    ">": GreaterThan,
    ">=": GreaterThanOrEqual,
}


def test_q(cell: Cell, test: RosterTest) -> Q:
    """Rows whose cell passes; what is empty differs from everything."""
    if test.operator == "!=":
        return ~test_q(cell, RosterTest(test.cell, "=", test.value)) | Q(**{f"{cell.column}__isnull": True})
    if test.operator == "in":
        return Q(**{f"{cell.column}__in": test.value})
    if cell.kind in (Kind.TEXT, Kind.EMAIL):
        return _text_q(cell, test.operator, str(test.value))
    if cell.kind is Kind.LIST:
        return _list_q(cell, test)
    if test.operator == "~":
        return Q(Contains(Cast(cell.column, CharField()), str(test.value)))
    suffix = _ORDERED.get(test.operator)
    return Q(**{f"{cell.column}__{suffix}" if suffix else cell.column: test.value})


def _text_q(cell: Cell, operator: str, value: str) -> Q:
    if operator == "=" and value == value.lower() == value.upper():
        # Nothing here has a case, as in Chinese: the plain index serves.
        return Q(**{cell.column: value})
    compared = Q(_LOWERED[operator](Lower(cell.column, output_field=TextField()), value.lower()))
    # The index of addresses holds those that are there.
    return compared & Q(**{f"{cell.column}__gt": ""}) if cell.kind is Kind.EMAIL else compared


def _list_q(cell: Cell, test: RosterTest) -> Q:
    """`=` wants every value in the list, `~` any of them; the rest compares the list as it is written."""
    if test.operator not in ("=", "~"):
        return _text_q(cell, test.operator, str(test.value))
    wanted = [part.strip().lower() for part in str(test.value).split(",") if part.strip()]
    if not wanted:
        return Q(**{cell.column: ""}) if test.operator == "=" else Q(pk__in=())
    comma = Value(",", output_field=TextField())
    written = Concat(comma, Lower(cell.column, output_field=TextField()), comma, output_field=TextField())
    parts = [Q(Contains(written, f",{value},")) for value in wanted]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined & part if test.operator == "=" else joined | part
    return joined
