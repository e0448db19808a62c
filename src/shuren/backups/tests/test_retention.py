from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.backups.data import RunData, RunKind, RunState
from shuren.backups.rules.manifests import is_id, latest_before, moment_of, new_id
from shuren.backups.rules.policy import standing_of
from shuren.backups.rules.retention import Retention, kept, read_retention
from shuren.backups.rules.wal import is_before, is_wal_name, recovery_lines, start_segment

NOW = datetime(2026, 11, 30, 4, tzinfo=UTC)
hours = st.lists(st.integers(0, 24 * 500), min_size=1, max_size=60, unique=True)


@given(hours, st.integers(0, 9), st.integers(0, 9), st.integers(0, 15), st.data())
def test_the_newest_and_held_ones_stay_and_no_more_than_the_policy_asks(
    ages: list[int], daily: int, weekly: int, monthly: int, data: st.DataObject
) -> None:
    ids = [new_id(NOW - timedelta(hours=age)) for age in ages]
    held = set(data.draw(st.lists(st.sampled_from(ids), max_size=3)))
    keep = kept(ids, retention=Retention(daily, weekly, monthly), held=held, zone=UTC)
    assert max(ids) in keep
    assert held <= keep <= set(ids)
    assert len(keep - held) <= 1 + daily + weekly + monthly
    days = {moment_of(one).date() for one in ids}
    assert {moment_of(one).date() for one in keep} >= set(sorted(days, reverse=True)[:daily])


@pytest.mark.parametrize("text", ["", "7", "7,5", "a,b,c", "0,0,0", "7,5,-1"])
def test_a_policy_is_three_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="three numbers"):
        read_retention(text)


def test_ids_tell_their_moment_and_nothing_else_is_one() -> None:
    one = new_id(NOW)
    assert is_id(one)
    assert moment_of(one) == NOW
    assert not any(map(is_id, ["", "x", "20261130T040000Z", "../etc/passwd", f"{one}x", "20261399T040000Z-00000000"]))
    later = new_id(NOW + timedelta(hours=1))
    assert latest_before([one, later], NOW + timedelta(minutes=5)) == one
    assert latest_before([one, later], NOW - timedelta(minutes=5)) is None


def test_the_recovery_point_is_the_longest_gap_up_to_now() -> None:
    backups = [_run(RunKind.BACKUP, hours=age) for age in (2, 8, 20)]
    backups.insert(1, _run(RunKind.BACKUP, hours=5, state=RunState.FAILED))
    state = _standing(backups, [_run(RunKind.DRILL, hours=30, report={"rto_seconds": 42.5})])
    assert state.rpo_seconds == 12 * 3600
    assert state.rto_seconds == 42.5
    assert not state.is_backup_late
    assert not state.is_drill_late


def test_what_is_older_than_the_policy_is_late_and_failures_show() -> None:
    failed = _run(RunKind.BACKUP, hours=1, state=RunState.PARTIAL)
    state = _standing([failed], [_run(RunKind.DRILL, hours=24 * 40)])
    assert not state.is_last_backup_whole
    assert state.is_drill_late
    assert _standing([_run(RunKind.BACKUP, hours=26)], []).is_backup_late
    assert _standing([], []).is_backup_late


def test_segments_have_names_and_an_order() -> None:
    told = b"backup_label\0START WAL LOCATION: 2F/5A000028 (file 000000030000002F0000005A)\nCHECKPOINT LOCATION: 2F/5A000060"
    assert start_segment(told) == "000000030000002F0000005A"
    assert is_before("000000010000002F00000059", start_segment(told))
    assert not is_before("000000040000002F0000005A", start_segment(told))
    assert is_wal_name("00000002.history")
    assert not is_wal_name("../000000030000002F0000005A")
    lines = recovery_lines(["it's", "fetch"], NOW)
    assert "recovery_target_time = '2026-11-30 04:00:00.000000+00'" in lines
    assert "%f" in lines


def _run(kind: RunKind, *, hours: float, state: RunState = RunState.DONE, report: dict[str, float] | None = None) -> RunData:
    at = NOW - timedelta(hours=hours)
    return RunData(
        id=1,
        kind=kind,
        state=state,
        manifest="",
        started_at=at,
        finished_at=at,
        bytes=5,
        stored=0,
        files=0,
        rows=0,
        targets=(),
        problems=(),
        report=report or {},
        signature="",
    )


def _standing(backups: list[RunData], drills: list[RunData]):  # type: ignore[no-untyped-def]  # what it is called shows it
    return standing_of(
        backups=backups, drills=drills, is_set_up=True, every=timedelta(hours=24), drill_every=timedelta(days=30), now=NOW
    )
