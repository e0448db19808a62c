"""Collections that come again by themselves, from the box on the page to the day somebody stops them."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone
from tests.cast import Cast

from shuren.casework.data import CollectionState, DefinitionStatus
from shuren.casework.models import Collection, Definition
from shuren.casework.rules.collections import Choice
from shuren.casework.rules.periods import next_period, period_on
from shuren.casework.selectors.collections.repeating import next_period_of
from shuren.casework.services.collections.change import cancel_collection
from shuren.casework.services.collections.issue import issue_collection, issue_targets
from shuren.casework.services.collections.repeat import issue_next_collections, stop_repeating
from shuren.casework.tests.collection_play import FLOW, FORM, Define, new
from shuren.casework.tests.test_collection_pages import address, asked, text_of
from shuren.directory.data import Role
from shuren.kernel.errors import Conflict, NotFound
from shuren.kernel.models import AuditEntry
from shuren.messaging.api import notices_of
from shuren.work.api import run_pending


def at(day: str, hour: int = 9) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), timezone.get_default_timezone()) + timedelta(hours=hour)


def coming(define: Define, every: str) -> None:
    define("form", FORM)
    define("flow", FLOW)
    spec = {"key": "collect.again", "title": "一张表", "form": "collect.basics", "flow": "collect.review", "every": every}
    define("collection", spec)


def begun(cast: Cast, on: str, due: str, **changes: Any) -> Collection:
    """A collection issued on a day that comes again."""
    told = {"collection": "collect.again", "is_repeated": True, "due_at": at(due, 18), "period": "", "flow": "collect.review"}
    return issue_collection(actor=cast.actor("county_officer"), new=new(cast, **(told | changes)), now=at(on))


def issue_on(day: str) -> int:
    return issue_next_collections(on_progress=lambda _done, _total: None, now=at(day))


@pytest.mark.parametrize(
    ("every", "day", "label", "begin", "after"),
    [
        ("week", "2026-11-30", "2026-W49", "2026-12-07", "2026-W50"),
        ("week", "2026-12-28", "2026-W53", "2027-01-04", "2027-W01"),
        ("month", "2026-12-31", "2026-12", "2027-01-01", "2027-01"),
        ("month", "2027-01-31", "2027-01", "2027-02-01", "2027-02"),
        ("term", "2026-09-01", "2026-2027-1", "2027-03-01", "2026-2027-2"),
        ("term", "2027-02-28", "2026-2027-1", "2027-03-01", "2026-2027-2"),
        ("term", "2027-03-01", "2026-2027-2", "2027-09-01", "2027-2028-1"),
        ("year", "2026-01-01", "2026", "2027-01-01", "2027"),
        ("year", "2028-12-31", "2028", "2029-01-01", "2029"),
    ],
)
def test_periods_follow_each_other(every: str, day: str, label: str, begin: str, after: str) -> None:
    assert period_on(every, date.fromisoformat(day)).label == label
    assert next_period(every, date.fromisoformat(day)) == (date.fromisoformat(begin), after)


@pytest.mark.parametrize(
    ("every", "on", "due", "labels", "before", "begin", "is_due"),
    [
        # Five working days each: the week after has no holiday.
        ("week", "2026-11-30", "2026-12-07", ("2026-W49", "2026-W50"), "2026-12-06", "2026-12-07", "2026-12-14"),
        ("month", "2026-11-30", "2026-12-07", ("2026-11", "2026-12"), "2026-11-30", "2026-12-01", "2026-12-08"),
        # 2027's holidays are not given out yet: 1 January is off, 1 March is a Monday.
        ("term", "2026-11-30", "2026-12-07", ("2026-2027-1", "2026-2027-2"), "2027-02-28", "2027-03-01", "2027-03-08"),
        ("year", "2026-11-30", "2026-12-07", ("2026", "2027"), "2026-12-31", "2027-01-01", "2027-01-08"),
    ],
)
def test_the_next_one_comes_when_its_period_begins(
    cast: Cast,
    define: Define,
    every: str,
    on: str,
    due: str,
    labels: tuple[str, str],
    before: str,
    begin: str,
    is_due: str,
) -> None:
    coming(define, every)
    exempt = Choice(exempt_ids=frozenset({cast.orgs["school"].id}))
    first = begun(cast, on, due, choice=exempt, filled_by=(Role.HEAD,), note="请核对")
    define("form", FORM | {"title": "新的一版"})
    assert issue_on(before) == 0
    assert (issue_on(begin), issue_on(begin)) == (1, 0)

    after = Collection.objects.get(follows=first)
    assert (first.period, after.period) == labels
    same = ("title", "note", "org_id", "path", "types", "filled_by", "choice", "repeats", "repeat_workdays", "issued_by_id")
    assert {name: getattr(after, name) for name in same} == {name: getattr(first, name) for name in same}
    assert (after.before, after.form_version.number, after.flow_version) == (first, 2, first.flow_version)
    assert after.due_at == at(is_due, 18)
    entry = AuditEntry.objects.get(action="casework.collection_issued", target=f"collection:{after.pk}")
    assert (entry.actor_person_id, entry.details["follows"]) == (None, first.pk)

    issue_targets(collection_id=after.pk, on_progress=lambda _done, _total: None, now=at(begin))
    assert dict(after.targets.values_list("org_id", "state")) == {
        cast.orgs["school"].id: "exempt",
        cast.orgs["other_school"].id: "missing",
    }


def test_one_follows_another_and_missed_periods_are_passed_over(cast: Cast, define: Define) -> None:
    coming(define, "week")
    begun(cast, "2026-11-30", "2026-12-04")
    assert [issue_on(day) for day in ("2026-12-08", "2026-12-13", "2026-12-30", "2026-12-31", "2027-01-04")] == [1, 0, 1, 0, 1]
    assert list(Collection.objects.order_by("pk").values_list("period", flat=True)) == [
        "2026-W49",
        "2026-W50",
        "2026-W53",
        "2027-W01",
    ]


def test_issued_ahead_of_its_period_it_does_not_come_twice_for_it(cast: Cast, define: Define) -> None:
    coming(define, "week")
    begun(cast, "2026-12-04", "2026-12-11", period="2026-W50")
    assert [issue_on(day) for day in ("2026-12-07", "2026-12-14")] == [0, 1]


def test_an_extension_is_not_inherited(cast: Cast, define: Define) -> None:
    coming(define, "month")
    first = begun(cast, "2026-11-30", "2026-12-07")
    Collection.objects.filter(pk=first.pk).update(due_at=at("2026-12-25", 18))
    issue_on("2026-12-01")
    assert Collection.objects.get(follows=first).due_at == at("2026-12-08", 18)


def test_a_period_is_never_issued_twice(cast: Cast, define: Define) -> None:
    coming(define, "week")
    first = begun(cast, "2026-11-30", "2026-12-04")
    issue_on("2026-12-07")
    twice = new(cast, due_at=at("2026-12-11"))
    with pytest.raises(IntegrityError):
        issue_collection(actor=cast.actor("county_officer"), new=twice, now=at("2026-12-07"), follows=first)


def test_what_is_not_to_come_again_does_not(cast: Cast, define: Define) -> None:
    coming(define, "once")
    once = begun(cast, "2026-11-30", "2026-12-04")
    coming(define, "week")
    unchecked = begun(cast, "2026-11-30", "2026-12-04", is_repeated=False)
    assert (once.repeats, once.period, unchecked.repeats, issue_on("2027-11-30")) == ("", "", "", 0)


def test_switched_off_it_stops(cast: Cast, define: Define) -> None:
    coming(define, "week")
    row = begun(cast, "2026-11-30", "2026-12-04")
    with pytest.raises(NotFound):
        stop_repeating(actor=cast.actor("head"), collection_id=row.pk, now=at("2026-12-01"))
    stop_repeating(actor=cast.actor("county_officer"), collection_id=row.pk, now=at("2026-12-01"))
    assert issue_on("2026-12-07") == 0
    assert AuditEntry.objects.get(action="casework.collection_repeat_stopped").details["repeats"] == "week"
    with pytest.raises(Conflict):
        stop_repeating(actor=cast.actor("county_officer"), collection_id=row.pk, now=at("2026-12-01"))


def test_a_retired_definition_and_a_cancelled_collection_stop_it(cast: Cast, define: Define) -> None:
    coming(define, "week")
    row = begun(cast, "2026-11-30", "2026-12-04")
    Definition.objects.filter(key="collect.again").update(status=DefinitionStatus.RETIRED.value)
    assert (issue_on("2026-12-07"), next_period_of(row)) == (0, None)
    Definition.objects.filter(key="collect.again").update(status=DefinitionStatus.IN_FORCE.value)
    assert next_period_of(row) == (date(2026, 12, 7), "2026-W50")
    cancel_collection(actor=cast.actor("county_officer"), collection_id=row.pk, reason="不用了", now=at("2026-12-01"))
    row.refresh_from_db()
    assert (row.state, issue_on("2026-12-07"), next_period_of(row)) == (CollectionState.CANCELLED, 0, None)


def test_what_cannot_be_issued_any_more_stops_and_says_so(cast: Cast, define: Define) -> None:
    coming(define, "week")
    begun(cast, "2026-11-30", "2026-12-04")
    define("flow", FLOW | {"filed_by": {"roles": ["staff"]}})
    assert (issue_on("2026-12-07"), issue_on("2026-12-08")) == (0, 0)
    notices = notices_of(cast.people["county_officer"].id).rows
    assert [notice.title for notice in notices] == ["没能自动再下发，已停止：学校基本情况一张表"]
    assert AuditEntry.objects.get(action="casework.collection_repeat_stopped").details["reason"]


def test_the_box_is_checked_at_first_and_kept_as_it_was_left(cast: Cast, define: Define) -> None:
    coming(define, "year")
    client = cast.client("county_officer")
    box = 'aria-describedby="id_repeats_helptext" checked'
    again, single = "collection:collect.again", "form:collect.basics"
    assert box in client.get(f"/collections/new/?source={again}").content.decode()
    assert "每期自动再下发" not in text_of(client, f"/collections/new/?source={single}")
    preview = "/collections/new/preview/?source="
    assert box in client.get(f"{preview}{again}").content.decode()
    left = client.get(f"{preview}{again}&repeats_of={again}").content.decode()
    assert "每期自动再下发" in left
    assert box not in left
    assert "每期自动再下发" not in text_of(client, f"{preview}{single}&repeats_of={again}")


def test_the_page_says_when_it_comes_again_and_stops_it(cast: Cast, define: Define) -> None:
    coming(define, "year")
    client = cast.client("county_officer")
    told = asked(cast, source="collection:collect.again", flow="collect.review")
    client.post("/collections/new/", told | {"repeats_of": "collection:collect.again"})
    assert Collection.objects.get().repeats == ""
    client.post("/collections/new/", told | {"repeats_of": "collection:collect.again", "repeats": "on"})
    row = Collection.objects.latest("pk")
    run_pending()
    year = timezone.localdate(row.issued_at).year
    assert f"自动再下发 {year + 1}-01-01 下发 {year + 1}" in text_of(client, address(row))

    client.post(address(row, "repeat/stop/"))
    shown = text_of(client, address(row))
    assert "已停止自动再下发。" in shown
    assert f"{year + 1}-01-01" not in shown
    assert address(row, "repeat/stop/") not in client.get(address(row)).content.decode()
    refused = client.post(address(row, "repeat/stop/"))
    assert (refused.status_code, "这项采集不会再自动下发。" in refused.content.decode()) == (409, True)


def test_the_page_leads_to_the_next_one(cast: Cast, define: Define) -> None:
    coming(define, "week")
    first = begun(cast, "2026-11-30", "2026-12-04")
    issue_on("2026-12-07")
    shown = cast.client("county_officer").get(address(first)).content.decode()
    assert address(Collection.objects.get(follows=first)) in shown
    assert address(first, "repeat/stop/") not in shown
