from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.work import rules

CHINA = timedelta(hours=8)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = datetime(2026, 9, 1, 12, tzinfo=UTC)


@given(st.integers(1, 10_000))
def test_waits_grow_but_never_over_ten_minutes(failures: int) -> None:
    wait = rules.wait_before(failures)
    assert timedelta(seconds=2) <= wait <= rules.wait_before(failures + 1) <= timedelta(minutes=10)


@pytest.mark.parametrize(("failures", "may"), [(1, True), (4, True), (5, False), (6, False)])
def test_a_job_is_tried_as_often_as_it_says(failures: int, may: bool) -> None:
    assert rules.may_retry(failures=failures, max_attempts=5) is may


@pytest.mark.parametrize("name", ["os.system", "shuren", "shuren.", "shuren.work..x", "shuren.work.x;y", "xshuren.work.x", ""])
def test_only_functions_of_this_code_base_may_be_named(name: str) -> None:
    assert not rules.is_allowed_name(name)
    assert rules.is_allowed_name("shuren.work.jobs.sweep")


def test_the_rate_counts_from_where_this_run_began() -> None:
    rate = rules.rate_of(done=150, done_before=100, since=START, until=START + timedelta(seconds=10))
    assert rate == 5
    assert rules.seconds_left(done=150, total=200, rate=rate) == 10


@pytest.mark.parametrize(("done", "since"), [(100, START), (90, START), (150, None), (150, START + timedelta(seconds=10))])
def test_there_is_no_rate_before_there_is_progress(done: int, since: datetime | None) -> None:
    assert rules.rate_of(done=done, done_before=100, since=since, until=START + timedelta(seconds=10)) is None


@pytest.mark.parametrize(("total", "rate"), [(None, 5.0), (0, 5.0), (200, None)])
def test_what_is_left_is_unknown_without_total_or_rate(total: int | None, rate: float | None) -> None:
    assert rules.seconds_left(done=1, total=total, rate=rate) is None


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)), st.integers(1, 100_000))
def test_slots_follow_one_another(moment: datetime, seconds: int) -> None:
    every = timedelta(seconds=seconds)
    here = moment.replace(tzinfo=UTC)
    assert rules.slot_of(here + every, every, utc_offset=CHINA) == rules.slot_of(here, every, utc_offset=CHINA) + 1


def test_days_turn_over_at_three_at_night_local_time() -> None:
    def slot(hour: int, minute: int) -> int:
        return rules.slot_of(datetime(2026, 9, 1, hour, minute, tzinfo=UTC), DAY, utc_offset=CHINA)

    # 19:00 UTC is 03:00 in Shanghai.
    assert slot(18, 59) + 1 == slot(19, 0) == slot(23, 59)
    assert rules.slot_of(START, HOUR, utc_offset=CHINA) == rules.slot_of(START + timedelta(minutes=59), HOUR, utc_offset=CHINA)


def test_a_job_that_keeps_killing_workers_is_given_up() -> None:
    assert not rules.is_stranded_for_good(24)
    assert rules.is_stranded_for_good(25)
