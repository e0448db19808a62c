from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.kernel.data import Period

DAYS = st.one_of(st.none(), st.dates(date(2020, 1, 1), date(2020, 3, 1)))


@st.composite
def periods(draw: st.DrawFn) -> Period:
    begin, end = draw(DAYS), draw(DAYS)
    if begin and end and end < begin:
        begin, end = end, begin
    return Period(begin, end)


ALL_DAYS = [date(2019, 12, 1) + timedelta(days=number) for number in range(150)]


@given(one=periods(), other=periods())
def test_periods_overlap_exactly_when_they_share_a_day(one: Period, other: Period) -> None:
    assert one.overlaps(other) == any(one.covers(day) and other.covers(day) for day in ALL_DAYS)


@given(one=periods(), other=periods())
def test_overlapping_is_mutual(one: Period, other: Period) -> None:
    assert one.overlaps(other) == other.overlaps(one)


@given(periods())
def test_a_period_begins_on_its_first_day_and_ends_before_its_last(period: Period) -> None:
    if period.begin and not period.is_empty:
        assert period.covers(period.begin)
        assert not period.covers(period.begin - timedelta(days=1))
    if period.end:
        assert not period.covers(period.end)


@given(periods())
def test_an_empty_period_covers_no_day(period: Period) -> None:
    assert period.is_empty == (not any(period.covers(day) for day in ALL_DAYS))


def test_a_period_cannot_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="before it begins"):
        Period(date(2020, 1, 2), date(2020, 1, 1))
