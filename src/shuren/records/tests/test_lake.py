"""Statements in the lake: whole days, what changes in them afterwards, and sums in the reader's part of the region."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cast import Cast

from shuren.datahub import api as datahub
from shuren.kernel import clock, ids
from shuren.records import jobs
from shuren.records.data import StatementFilter
from shuren.records.models import Statement
from shuren.records.rules.lake import seconds_in, told_by
from shuren.records.selectors.lake import DATASET, counts_by_day, page_of_lines, stream_of_lines
from shuren.records.services.follow_statements import forget_statements, move_statements
from shuren.records.services.write_lake import write_due_days
from shuren.records.tests.lrs_client import LrsClient, new_client
from shuren.records.tests.sample_statements import ACTIVITY, VERB, small, voiding, whole
from shuren.work.api import run_pending

EVERYTHING = StatementFilter(paths=None)


@pytest.fixture(autouse=True)
def lake(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path / "lake"


def send(client: LrsClient, *statements: dict[str, Any]) -> list[str]:
    response = client.call("POST", "statements", body=list(statements))
    assert response.status_code == 200, response.content
    return list(response.json())


def actor(person_id: int) -> dict[str, Any]:
    return {"account": {"homePage": "http://testserver", "name": ids.encode("person", person_id)}}


def lines() -> list[Any]:
    return list(stream_of_lines(EVERYTHING))


def test_the_running_day_is_written_anew_and_a_past_one_once_more(db: None) -> None:
    client, now = new_client(), clock.now()
    assert write_due_days(now=now) == []
    assert counts_by_day(EVERYTHING) == []
    send(client, whole(), small(result={"score": {"raw": 3, "max": 4}}))
    today = clock.day_of(now)
    assert write_due_days(now=now) == [today]
    send(client, small())
    assert jobs.write_lake(None) == {"days": 1, "refusals_forgotten": 0}  # type: ignore[arg-type]  # no progress to tell
    (count,) = counts_by_day(EVERYTHING)
    assert (count.day, count.client_id, count.statements, count.people, count.activities) == (today, client.client_id, 3, 0, 1)
    found = lines()
    assert [one.score for one in found] == [None, 0.75, 0.5]
    assert (found[2].seconds, found[2].success, found[2].verb, found[2].activity) == (243.2, True, VERB, ACTIVITY)
    tomorrow = now + timedelta(days=1, minutes=30)
    assert write_due_days(now=tomorrow) == [today]
    assert write_due_days(now=tomorrow + timedelta(hours=1)) == []


def test_what_changes_afterwards_changes_in_the_lake(db: None, cast: Cast) -> None:
    client = new_client()
    pupil, teacher = cast.people["pupil"].id, cast.people["teacher"].id
    key, _other, _last = send(client, small(), small(actor=actor(pupil)), small(actor=actor(teacher)))
    write_due_days(now=clock.now())
    assert [one.person_id for one in lines()] == [teacher, pupil, None]
    void = voiding(key)
    send(client, void)
    run_pending()
    assert [one.verb for one in lines()] == [void["verb"]["id"], VERB, VERB]
    move_statements(kept_id=teacher, dropped_id=pupil, now=clock.now())
    run_pending()
    assert [one.person_id for one in lines()] == [None, teacher, teacher]
    forget_statements(person_id=teacher, now=clock.now())
    run_pending()
    assert [one.person_id for one in lines()] == [None]
    assert Statement.objects.filter(is_voided=False).count() == 1


def test_sums_and_pages_stay_in_the_branch_and_in_the_filter(db: None, cast: Cast) -> None:
    first, second = new_client(), new_client()
    pupil = cast.people["pupil"].id
    send(first, *(small(actor=actor(pupil), object={"id": f"{ACTIVITY}/{number}"}) for number in range(5)), small())
    send(second, small(verb={"id": "https://e.cn/read"}))
    write_due_days(now=clock.now())
    place = next(one.org_path for one in lines() if one.person_id == pupil)
    assert place
    (inside,) = counts_by_day(StatementFilter(paths=(place,)))
    assert (inside.client_id, inside.statements, inside.people, inside.activities) == (first.client_id, 5, 1, 5)
    assert counts_by_day(StatementFilter(paths=())) == []
    assert [one.statements for one in counts_by_day(EVERYTHING)] == [6, 1]
    assert [one.client_id for one in counts_by_day(StatementFilter(paths=None, verb="https://e.cn/read"))] == [second.client_id]
    day = clock.day_of(clock.now())
    assert counts_by_day(StatementFilter(paths=None, since=day + timedelta(days=1))) == []
    assert len(counts_by_day(StatementFilter(paths=None, until=day, client_id=first.client_id))) == 1
    seen, cursor = [], ""
    while True:
        page, cursor = page_of_lines(EVERYTHING, cursor=cursor, size=3)
        seen += page
        if not cursor:
            break
    assert [one.seq for one in seen] == sorted((one.seq for one in lines()), reverse=True)
    assert page_of_lines(EVERYTHING, cursor="what|ever", size=100)[0] == seen
    assert datahub.snapshot_of(DATASET, {"day": day.isoformat()}) is not None


@given(st.integers(0, 99), st.integers(0, 23), st.integers(0, 59), st.decimals(0, 59, places=2))
def test_durations_are_as_long_as_they_say(days: int, hours: int, minutes: int, seconds: Any) -> None:
    told = timedelta(days=days, hours=hours, minutes=minutes, seconds=float(seconds)).total_seconds()
    assert seconds_in(f"P{days}DT{hours}H{minutes}M{seconds}S") == pytest.approx(told)
    assert seconds_in(f"PT{minutes}M") == minutes * 60


@pytest.mark.parametrize("text", ["", "P", "PT", "P1Y", "P2M", "P1Y2DT1S", "1H"])
def test_what_has_no_length(text: str) -> None:
    assert seconds_in(text) is None


def test_a_statement_for_a_person_is_its_clients(db: None) -> None:
    group = {
        "objectType": "Group",
        "member": [{"account": {"homePage": "https://e.cn", "name": "app"}}, {"mbox": "mailto:a@e.cn"}],
    }
    told = told_by(small(authority=group, object={"objectType": "StatementRef", "id": str(datetime.now(UTC))}))
    assert (told["client"], told["activity"], told["score"]) == ("app", "", None)
