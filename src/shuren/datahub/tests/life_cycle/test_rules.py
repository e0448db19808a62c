"""How long data may be kept, and when what falls due."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.datahub.data import LifeCycle, LifeCycleEnd, LifeCycleStart
from shuren.datahub.rules.life_cycle import (
    BASES,
    backups_end_on,
    check_life_cycle,
    default_life_cycle,
    destroyed_from,
    last_day_about,
    leaves_use_on,
    life_cycle_in,
    started_on,
    stated,
)
from shuren.kernel.errors import Invalid

DAYS = st.one_of(st.none(), st.integers(0, 40_000))
RULES = st.builds(
    LifeCycle,
    basis=st.sampled_from(sorted(BASES)),
    ground=st.sampled_from(["", "某规定第一条"]),
    counted_from=st.sampled_from(LifeCycleStart),
    in_use_days=DAYS,
    then=st.sampled_from(LifeCycleEnd),
    archived_days=DAYS,
)


@given(told=RULES, grade=st.sampled_from(["L1", "L2", "L3", "L4"]))
def test_no_rule_passes_that_keeps_too_short_or_personal_data_for_ever(told: LifeCycle, grade: str) -> None:
    basis = BASES[told.basis]
    try:
        check_life_cycle(told, grade=grade)
    except Invalid:
        return
    total = told.total_days
    assert total is None or total >= basis.least_days
    assert total is not None or basis.is_for_ever or grade in ("L1", "L2")
    assert life_cycle_in({"life_cycle": stated(told, is_held=False)}) == told
    start = date(2026, 9, 1)
    leaves, ends = leaves_use_on(told, start), destroyed_from(told, start)
    assert ends is None or (leaves is not None and start <= leaves <= ends)


@pytest.mark.parametrize("grade", ["L1", "L2", "L3", "L4"])
def test_what_a_grade_says_by_itself_is_allowed(grade: str) -> None:
    check_life_cycle(default_life_cycle(grade), grade=grade)


def test_a_time_shorter_than_the_law_asks_is_refused_with_both_numbers() -> None:
    told = LifeCycle(basis="logs", in_use_days=90, then=LifeCycleEnd.DESTROY)
    with pytest.raises(Invalid, match="90 天，短于法定的 184 天：《网络安全法》"):
        check_life_cycle(told, grade="L2")
    with pytest.raises(Invalid, match="个人信息不能没有期限"):
        check_life_cycle(LifeCycle(basis="shortest"), grade="L3")


@pytest.mark.parametrize(
    ("values", "day"),
    [
        ({"year": "2025"}, date(2025, 12, 31)),
        ({"day": "2025-02-28"}, date(2025, 2, 28)),
        ({"month": "2024-02"}, date(2024, 2, 29)),
        ({"month": "2024-12"}, date(2024, 12, 31)),
        ({"school_year": "2025-2026"}, date(2026, 8, 31)),
        ({"run": "2025"}, None),
        ({"day": "2025-02-30"}, None),
    ],
)
def test_a_partition_ends_on_the_last_day_that_it_is_about(values: dict[str, str], day: date | None) -> None:
    assert last_day_about(values) == day
    told = LifeCycle(basis="own", counted_from=LifeCycleStart.PARTITION)
    assert started_on(told, values, date(2026, 1, 1)) == (day or date(2026, 1, 1))
    assert started_on(LifeCycle(basis="own"), values, date(2026, 1, 1)) == date(2026, 1, 1)


def test_backups_end_after_the_longest_of_their_days_weeks_and_months() -> None:
    day = date(2026, 1, 1)
    assert backups_end_on("7,5,12", day=day) == day + timedelta(days=373)
    assert backups_end_on("60, 5, 0", day=day) == day + timedelta(days=61)
