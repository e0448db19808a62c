"""Periods that a collection comes again in: when one begins, and what it is called."""

from datetime import date, timedelta
from typing import NamedTuple

from shuren.casework.rules.indicators import period_of

# From the first day of a period this many days lead into the next one.
_DAYS = {"week": 7, "month": 31, "term": 184, "year": 366}
_SPRING, _AUTUMN = 3, 9


class Period(NamedTuple):
    """`label` is `2026-W49`, `2026-12`, `2026-2027-1` or `2026`."""

    begin: date
    label: str


def period_on(every: str, day: date) -> Period:
    """The week, month, term or year that `day` lies in; terms begin with September and March."""
    if every == "week":
        return Period(day - timedelta(days=day.weekday()), period_of(day))
    if every == "month":
        return Period(day.replace(day=1), f"{day:%Y-%m}")
    if every == "year":
        return Period(date(day.year, 1, 1), f"{day:%Y}")
    if _SPRING <= day.month < _AUTUMN:
        return Period(date(day.year, _SPRING, 1), f"{day.year - 1}-{day.year}-2")
    autumn = day.year - (day.month < _SPRING)
    return Period(date(autumn, _AUTUMN, 1), f"{autumn}-{autumn + 1}-1")


def next_period(every: str, day: date) -> Period:
    """The period after the one that `day` lies in."""
    return period_on(every, period_on(every, day).begin + timedelta(days=_DAYS[every]))
