"""Working days of the Chinese calendar, and terms counted in them (民法典 201: the day something begins does not count)."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import chinese_calendar
from django.utils import timezone

from shuren.casework.rules.specs.words import Span

# Fixed-date holidays for years whose list the State Council has not given out yet.
_FIXED = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})
_LAST_MOMENT = time(23, 59, 59)
_MORNING = time(9)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Holidays:
    """A region's own list: days `off` that are holidays here, and days `on` that are worked whatever they are elsewhere."""

    off: frozenset[date] = field(default_factory=frozenset)
    on: frozenset[date] = field(default_factory=frozenset)


NONE = Holidays()


def is_workday(day: date, holidays: Holidays = NONE) -> bool:
    """The region's own list first, then the national calendar, then weekends and holidays of fixed date."""
    if day in holidays.off:
        return False
    return day in holidays.on or _is_national_workday(day)


@lru_cache(maxsize=8192)
def _is_national_workday(day: date) -> bool:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < _SATURDAY and (day.month, day.day) not in _FIXED


def add_span(start: datetime, span: Span, *, holidays: Holidays = NONE) -> datetime:
    """When a term that begins at `start` is over: hours to the minute, days and working days at the end of the last one."""
    if span.hours is not None:
        return start + timedelta(hours=span.hours)
    day = timezone.localdate(start)
    if span.days is not None:
        return _at(day + timedelta(days=span.days), _LAST_MOMENT)
    left = span.working_days or 0
    if left == 0 and not is_workday(day, holidays):
        left = 1
    while left:
        day += timedelta(days=1)
        left -= is_workday(day, holidays)
    return _at(day, _LAST_MOMENT)


def before_span(due: datetime, span: Span, *, holidays: Holidays = NONE) -> datetime:
    """When to remind of something due at `due`: hours to the minute, days and working days at nine in the morning."""
    if span.hours is not None:
        return due - timedelta(hours=span.hours)
    day = timezone.localdate(due)
    if span.days is not None:
        return _at(day - timedelta(days=span.days), _MORNING)
    left = span.working_days or 0
    while left or not is_workday(day, holidays):
        day -= timedelta(days=1)
        left -= left > 0 and is_workday(day, holidays)
    return _at(day, _MORNING)


def workdays_between(begin: date, end: date, *, holidays: Holidays = NONE) -> int:
    """Working days after `begin`, up to and with `end`; negative where `end` lies before."""
    if end < begin:
        return -workdays_between(end, begin, holidays=holidays)
    return sum(is_workday(begin + timedelta(days=number), holidays) for number in range(1, (end - begin).days + 1))


def _at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, tzinfo=timezone.get_default_timezone())
