"""After a small roster the index and the counters read what it touched, and stand as if everything had been read again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from shuren.directory import api, jobs
from shuren.directory.models import AppliedRoster, OrgCount, Person
from shuren.directory.services.apply_roster.before import before_file
from shuren.directory.services.index_directory import index_trace
from shuren.directory.services.rebuild_counts import rebuild_counts
from shuren.directory.services.trace_roster import trace_roster
from shuren.directory.tests.roster.conftest import NOW, Roster, take_in
from shuren.intake import api as intake
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM
from shuren.search.api import remove_kind
from shuren.work import api as work

pytestmark = pytest.mark.django_db
CROWD = 30


def index() -> dict[tuple[str, int], tuple[str, str, list[str]]]:
    """What everything is shown as and found by."""
    joined = "search_entry e JOIN search_tokens t ON t.rowid = e.id"
    source = "search_entry" if connection.vendor == "postgresql" else joined
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT kind, object_id, title, text, tokens FROM {source}")
        return {(kind, id): (title, text, sorted(tokens.split())) for kind, id, title, text, tokens in cursor.fetchall()}


def counters() -> dict[tuple[int, str], int]:
    return {(row.org_id, row.kind): row.value for row in OrgCount.objects.exclude(value=0)}


def sid_ids(*sids: str) -> set[int]:
    return set(Person.objects.filter(sourced_id__in=sids).values_list("pk", flat=True))


@pytest.fixture
def town(roster: Roster, tmp_path: Path) -> Roster:
    """The small roster with thirty more pupils in the second school, taken in, indexed and counted."""
    for number in range(CROWD):
        sid = f"Z{number}"
        roster.rows["users"].append({**roster.row("users", "P4"), "sourcedId": sid, "username": sid, "givenName": f"众{number}"})
        roster.rows["roles"].append({**roster.row("roles", "RP4"), "sourcedId": f"R{sid}", "userSourcedId": sid})
        roster.rows["enrollments"].append({**roster.row("enrollments", "EP4"), "sourcedId": f"E{sid}", "userSourcedId": sid})
    take_in(roster.write(tmp_path / "first.zip"))
    work.run_pending()
    return roster


def rename_a_pupil(roster: Roster) -> None:
    roster.row("users", "P1")["givenName"] = "平安"


def add_and_end_pupils(roster: Roster) -> None:
    for name, sid in (("enrollments", "EP4"), ("roles", "RP4"), ("users", "P4"), ("demographics", "P4")):
        roster.drop(name, sid)
    roster.rows["users"].append({**roster.row("users", "P1"), "sourcedId": "P5", "username": "p5", "givenName": "新"})
    roster.rows["roles"].append({**roster.row("roles", "RP1"), "sourcedId": "RP5", "userSourcedId": "P5"})
    roster.rows["enrollments"].append({**roster.row("enrollments", "EP1"), "sourcedId": "EP5", "userSourcedId": "P5"})


def move_people(roster: Roster) -> None:
    """A pupil into the other class, a teacher into the other school, and one enrollment to somebody else altogether."""
    roster.row("enrollments", "EP2")["classSourcedId"] = "K2"
    roster.row("roles", "RT2")["orgSourcedId"] = "S1"
    roster.row("enrollments", "E2")["userSourcedId"] = "T2"


def change_orgs(roster: Roster) -> None:
    """A school under a new name, a new class, a class at its end, and the county's code."""
    roster.row("orgs", "S1")["name"] = "启明实验小学"
    roster.row("orgs", "D")["identifier"] = "219900"
    roster.rows["classes"].append({**roster.row("classes", "K1"), "sourcedId": "K4", "title": "三年级(3)班"})
    roster.row("enrollments", "EP3")["classSourcedId"] = "K4"
    roster.drop("classes", "K2")
    roster.drop("enrollments", "E2")


def move_a_school(roster: Roster) -> None:
    group = {"sourcedId": "G", "name": "启明教育集团", "type": "local", "parentSourcedId": "C", "metadata.orgType": "group"}
    roster.rows["orgs"].append(group)
    roster.row("orgs", "S1")["parentSourcedId"] = "G"


@pytest.mark.parametrize("change", [rename_a_pupil, add_and_end_pupils, move_people, change_orgs, move_a_school])
def test_a_small_roster_leaves_what_reading_everything_would(
    town: Roster, tmp_path: Path, change: Callable[[Roster], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = index()
    change(town)
    # Without it a job that would read everything fails, and the index stays as it was.
    monkeypatch.delattr(jobs, "index_branch")
    state = take_in(town.write(tmp_path / "second.zip"), confirm_ended=True)
    trace = trace_roster(state.id)
    assert trace is not None
    assert len(trace.people) <= 8
    assert not sid_ids("Z1", "Z2") & set(trace.people.tolist())
    work.run_pending()
    traced, counted = index(), counters()
    assert traced != before
    rebuild_counts(day=day_of(NOW))
    assert counted == counters()
    monkeypatch.undo()
    for kind in ("org", "person"):
        remove_kind(kind)
    work.enqueue("shuren.directory.jobs.index_all")
    work.run_pending()
    assert traced == index()


def test_a_killed_run_goes_on_behind_the_last_person(town: Roster, tmp_path: Path) -> None:
    add_and_end_pupils(town)
    trace = trace_roster(take_in(town.write(tmp_path / "second.zip")).id)
    assert trace is not None
    assert set(trace.people.tolist()) == sid_ids("P4", "P5")
    seen: list[tuple[int, int]] = []
    assert index_trace(trace, day=day_of(NOW), on_progress=lambda last, done: seen.append((last, done))) == 2
    assert seen == [(max(trace.people), 2)]
    assert index_trace(trace, day=day_of(NOW), after=min(trace.people)) == 1


def test_a_big_roster_is_not_traced(town: Roster, tmp_path: Path) -> None:
    first = AppliedRoster.objects.get().import_id
    assert trace_roster(first) is None
    for row in town.rows["users"]:
        row["givenName"] += "儿"
    second = take_in(town.write(tmp_path / "second.zip"))
    assert trace_roster(second.id) is None
    work.run_pending()
    assert {title for title, _text, _tokens in index().values()} >= {"张安儿", "张众7儿"}


def test_a_name_of_everybodys_school_is_not_traced(town: Roster, tmp_path: Path) -> None:
    town.row("orgs", "S2")["name"] = "育英实验小学"
    assert trace_roster(take_in(town.write(tmp_path / "second.zip")).id) is None


def test_without_the_rows_kept_nothing_is_traced(town: Roster, tmp_path: Path) -> None:
    rename_a_pupil(town)
    state = take_in(town.write(tmp_path / "second.zip"))
    before_file(intake.import_dir(state.id)).unlink()
    assert trace_roster(state.id) is None
    work.run_pending()
    assert "张平安" in {title for title, _text, _tokens in index().values()}


def test_what_is_undone_is_found_no_more(town: Roster, tmp_path: Path) -> None:
    before, counted = index(), counters()
    add_and_end_pupils(town)
    change_orgs(town)
    state = take_in(town.write(tmp_path / "second.zip"), confirm_ended=True)
    work.run_pending()
    assert index() != before
    api.undo_roster(actor=SYSTEM, import_id=state.id, now=NOW)
    work.run_pending()
    assert trace_roster(state.id) is None
    assert (index(), counters()) == (before, counted)
