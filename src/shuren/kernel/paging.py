"""One page of a long list, cut by the server."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row")
Record = TypeVar("Record", bound=Model)

SIZES = (20, 50, 100, 200)
EXACT_COUNT_LIMIT = 10_000
# Nobody turns to a page beyond it, and a database cannot count to every number that may stand in an address.
_LAST_PAGE = 10_000_000


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows of page `number` (from 1). `total` is exact up to 10,000 and a kept counter or lower bound beyond.

    A list without pages, which nobody counts, has a `next_cursor` that leads to what comes after these rows.
    """

    rows: list[Row]
    total: int
    is_exact: bool
    number: int
    size: int
    next_cursor: str = ""

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def has_next(self) -> bool:
        return self.number < self.last

    @property
    def first_row(self) -> int:
        return (self.number - 1) * self.size + 1 if self.rows else 0


def stream_of(queryset: QuerySet[Record], turn: Callable[[list[Record]], list[Row]], *, step: int = 1_000) -> Iterator[Row]:
    """Every row of an ordered queryset, `step` records turned at a time."""
    records = queryset.iterator(chunk_size=step)
    while batch := list(islice(records, step)):
        yield from turn(batch)


def page_of(
    queryset: QuerySet[Record],
    turn: Callable[[Record], Row],
    *,
    number: int = 1,
    size: int = SIZES[0],
    total: int | None = None,
) -> Page[Row]:
    """Cut page `number` out of an ordered queryset and turn its records into rows.

    Counting stops at 10,000 (`is_exact` False) unless the caller passes a kept `total`. A page past the end is
    answered with the last one.
    """
    size = min(max(size, 1), SIZES[-1])
    is_exact = total is not None
    if total is None:
        total = queryset.order_by()[: EXACT_COUNT_LIMIT + 1].count()
        is_exact = total <= EXACT_COUNT_LIMIT
    number = min(max(1, number), max(1, -(-total // size)) if is_exact else _LAST_PAGE)
    start = (number - 1) * size
    rows = [turn(record) for record in queryset[start : start + size]]
    return Page(rows=rows, total=max(total, start + len(rows)), is_exact=is_exact, number=number, size=size)


def page_of_rows(rows: Sequence[Row], *, number: int = 1, size: int = SIZES[0]) -> Page[Row]:
    """Cut page `number` out of rows that are in memory; a page past the end is answered with the last one."""
    size = min(max(size, 1), SIZES[-1])
    number = min(max(1, number), max(1, -(-len(rows) // size)))
    start = (number - 1) * size
    return Page(rows=list(rows[start : start + size]), total=len(rows), is_exact=True, number=number, size=size)
