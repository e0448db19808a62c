"""Working days: the national calendar, the region's own list, and years nobody has announced."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from shuren.casework.rules.specs.words import Span
from shuren.casework.rules.workdays import Holidays, add_span, before_span, is_workday, workdays_between
from shuren.casework.selectors.holidays import holidays
from shuren.kernel.errors import Invalid

MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 9, 1), True),
        (date(2026, 10, 1), False),
        (date(2026, 10, 7), False),
        (date(2026, 9, 20), True),
        (date(2026, 2, 17), False),
        (date(2031, 10, 1), False),
        (date(2031, 10, 4), False),
        (date(2031, 10, 8), True),
        (date(2031, 10, 11), False),
    ],
)
def test_days_that_are_worked(day: date, works: bool) -> None:
    assert is_workday(day) is works


def test_the_regions_own_list_comes_first() -> None:
    own = Holidays(off=frozenset({date(2026, 9, 1)}), on=frozenset({date(2026, 9, 5)}))
    assert (is_workday(date(2026, 9, 1), own), is_workday(date(2026, 9, 5), own)) == (False, True)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.get_default_timezone())


@pytest.mark.parametrize(
    ("start", "span", "due"),
    [
        ("2026-09-29 10:00:00", Span(working_days=2), "2026-10-08 23:59:59"),
        ("2026-09-01 10:00:00", Span(working_days=5), "2026-09-08 23:59:59"),
        ("2026-10-01 10:00:00", Span(working_days=0), "2026-10-08 23:59:59"),
        ("2026-09-01 10:00:00", Span(days=3), "2026-09-04 23:59:59"),
        ("2026-09-01 10:00:00", Span(hours=30), "2026-09-02 16:00:00"),
    ],
)
def test_terms_end_with_their_last_day(start: str, span: Span, due: str) -> None:
    assert add_span(_moment(start), span) == _moment(due)


def test_reminders_come_on_a_working_morning() -> None:
    assert before_span(_moment("2026-10-08 23:59:59"), Span(working_days=1)) == _moment("2026-09-30 09:00:00")
    assert before_span(_moment("2026-10-08 23:59:59"), Span(hours=2)) == _moment("2026-10-08 21:59:59")


@given(MOMENTS, st.integers(1, 60))
def test_a_term_holds_just_its_working_days(start: datetime, count: int) -> None:
    due = add_span(start, Span(working_days=count))
    begin, end = timezone.localdate(start), timezone.localdate(due)
    assert is_workday(end)
    assert workdays_between(begin, end) == count
    assert add_span(start, Span(working_days=count + 1)) > due


@given(MOMENTS, st.integers(0, 30))
def test_what_is_due_later_is_never_due_earlier(start: datetime, count: int) -> None:
    span = Span(working_days=count)
    assert add_span(start, span) <= add_span(start + timedelta(days=1), span)
    assert before_span(add_span(start, span), span) <= add_span(start, span)


def test_the_list_is_read_from_the_file_of_the_setting(settings: Any, tmp_path: Path) -> None:
    file = tmp_path / "days.yaml"
    file.write_text("holidays: [2027-02-05]\nworkdays:\n  - 2027-02-07\n", encoding="utf-8")
    settings.SHUREN_HOLIDAYS_FILE = str(file)
    assert holidays() == Holidays(frozenset({date(2027, 2, 5)}), frozenset({date(2027, 2, 7)}))
    settings.SHUREN_HOLIDAYS_FILE = ""
    assert holidays() == Holidays()


@pytest.mark.parametrize("text", ["holidays: [soon]", "off: [2027-02-05]", "holidays: 2027-02-05"])
def test_a_file_that_cannot_be_read_says_so(settings: Any, tmp_path: Path, text: str) -> None:
    file = tmp_path / "days.yaml"
    file.write_text(text, encoding="utf-8")
    settings.SHUREN_HOLIDAYS_FILE = str(file)
    with pytest.raises(Invalid):
        holidays()
    settings.SHUREN_HOLIDAYS_FILE = str(tmp_path / "none.yaml")
    with pytest.raises(Invalid, match=r"读不到节假日文件"):
        holidays()
