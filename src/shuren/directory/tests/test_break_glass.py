"""Emergencies: short, told of, written down, looked into."""

from datetime import date, datetime, timedelta

import pytest
from django.apps import apps

from shuren.directory import api
from shuren.directory.data import Permission, Role
from shuren.directory.models import BreakGlass, Person
from shuren.directory.selectors.break_glass import access_break_glass, glass_data, page_of_glass, page_of_seen
from shuren.directory.services.break_glass import tend_break_glass
from shuren.directory.tests.conftest import NOW, Region
from shuren.kernel import clock
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.kernel.models import AuditEntry

REASON = "校外活动受伤，需要联系家长"


def told(region: Region, key: str) -> int:
    return apps.get_model("messaging.Notice").objects.filter(person_id=region.person[key]).count()


@pytest.fixture
def guarded(region: Region) -> Region:
    region.add_person("security", "安管员")
    region.grant("security", "city", Role.SECURITY_ADMIN)
    region.add_person("other_pupil", "邻校生", "other", Role.PUPIL)
    region.add_person("other_head", "邻校长", "other", Role.HEAD)
    region.add_person("mother", "邻校妈妈")
    api.link_guardian(
        actor=region.actor("city_officer"),
        guardian_id=region.person["mother"],
        ward_id=region.person["other_pupil"],
        now=NOW,
    )
    return region


def break_in(
    region: Region, by: str = "head", about: str = "other_pupil", hours: int = 2, reason: str = REASON, now: datetime = NOW
) -> int:
    return api.open_break_glass(actor=region.actor(by), person_id=region.person[about], reason=reason, hours=hours, now=now)


def sees(region: Region, by: str, about: str, now: object = NOW, permission: Permission = Permission.VIEW_SENSITIVE) -> bool:
    found = api.people_within(
        actor=region.actor(by),
        person_ids=[region.person[about]],
        permission=permission,
        now=now,  # type: ignore[arg-type]
    )
    return bool(found)


def test_it_opens_one_person_for_a_while(guarded: Region) -> None:
    assert not sees(guarded, "head", "other_pupil")
    break_in(guarded)
    assert sees(guarded, "head", "other_pupil")
    assert sees(guarded, "head", "other_pupil", permission=Permission.VIEW_PEOPLE)
    assert not sees(guarded, "head", "other_pupil", permission=Permission.MANAGE_PEOPLE)
    assert not sees(guarded, "head", "far_pupil")
    assert not sees(guarded, "head", "other_pupil", now=NOW + timedelta(hours=2))


def test_everybody_concerned_is_told_at_once(guarded: Region) -> None:
    break_in(guarded)
    assert [told(guarded, key) for key in ("security", "other_head", "mother", "head", "parent")] == [1, 1, 1, 0, 0]


def test_what_is_read_carries_its_number(guarded: Region, visit: object) -> None:
    glass_id = break_in(guarded, now=clock.now())
    visit("head").get(guarded.url("other_pupil"))  # type: ignore[operator]
    visit("head").get(guarded.url("pupil"))  # type: ignore[operator]
    visit("teacher").get(guarded.url("pupil2"))  # type: ignore[operator]
    reads = AuditEntry.objects.filter(action="directory.person_read")
    assert {entry.target for entry in reads} == {f"person:{guarded.person[key]}" for key in ("other_pupil", "pupil")}
    assert all(entry.details["break_glass"] == [glass_id] for entry in reads)
    seen = page_of_seen(glass_data(BreakGlass.objects.get(pk=glass_id)), account_id=None, number=1, size=50)
    assert {entry.action for entry in seen.rows} == {"directory.break_glass_opened", "directory.person_read"}


@pytest.mark.parametrize(
    ("by", "about", "hours", "reason", "error"),
    [
        ("head", "far_pupil", 2, REASON, NotFound),
        ("teacher", "other_pupil", 2, REASON, NotFound),
        ("admin", "other_pupil", 2, REASON, NotFound),
        ("security", "other_pupil", 2, REASON, NotFound),
        ("head", "other_pupil", 5, REASON, Invalid),
        ("head", "other_pupil", 0, REASON, Invalid),
        ("head", "other_pupil", 2, "急", Invalid),
    ],
)
def test_who_may_not(guarded: Region, by: str, about: str, hours: int, reason: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        break_in(guarded, by, about, hours, reason)
    assert not BreakGlass.objects.exists()


def test_an_officer_opens_a_branch_one_level_up(guarded: Region) -> None:
    actor = guarded.actor("county_officer")
    api.open_break_glass(actor=actor, org_id=guarded.org_ids["far"], reason=REASON, hours=1, now=NOW)
    assert sees(guarded, "county_officer", "far_pupil")
    assert not sees(guarded, "county_officer", "far_pupil", now=NOW + timedelta(hours=1))


def test_it_is_looked_into_by_somebody_else(guarded: Region) -> None:
    glass_id = break_in(guarded)
    with pytest.raises(Refused):
        api.review_break_glass(actor=guarded.actor("head"), id=glass_id, is_justified=True, finding="好", now=NOW)
    with pytest.raises(NotFound):
        access_break_glass(actor=guarded.actor("other_head"), id=glass_id, now=NOW)
    waiting = page_of_glass(actor=guarded.actor("security"), now=NOW, is_open=True, number=1, size=10)
    assert [row.id for row in waiting.rows] == [glass_id]
    api.review_break_glass(actor=guarded.actor("security"), id=glass_id, is_justified=False, finding="没有必要", now=NOW)
    assert not sees(guarded, "head", "other_pupil")
    with pytest.raises(Conflict):
        api.review_break_glass(actor=guarded.actor("security"), id=glass_id, is_justified=True, finding="改", now=NOW)
    assert told(guarded, "head") == 1


def test_it_is_given_up_or_ends_and_an_overdue_review_is_called_for(guarded: Region) -> None:
    first = break_in(guarded)
    api.close_break_glass(actor=guarded.actor("head"), id=first, now=NOW + timedelta(minutes=5))
    assert not sees(guarded, "head", "other_pupil", now=NOW + timedelta(minutes=6))
    second = break_in(guarded)
    late = NOW + timedelta(days=4)
    assert tend_break_glass(now=late) == {"closed": 1, "overdue": 2}
    tend_break_glass(now=late)
    assert BreakGlass.objects.get(pk=second).closed_at == NOW + timedelta(hours=2)
    assert told(guarded, "security") == 4


def test_nobody_opens_again_while_a_review_is_overdue(guarded: Region) -> None:
    first = break_in(guarded)
    due = NOW + timedelta(hours=2, days=3)
    break_in(guarded, now=due - timedelta(minutes=1))
    with pytest.raises(Conflict):
        break_in(guarded, now=due)
    api.review_break_glass(actor=guarded.actor("security"), id=first, is_justified=True, finding="属实", now=due)
    assert break_in(guarded, now=due)
    assert break_in(guarded, by="county_officer", now=due), "somebody else's review is no matter"


def test_who_is_old_enough_is_told_themself(guarded: Region) -> None:
    guarded.add_person("other_teacher", "邻校师", "other", Role.TEACHER)
    break_in(guarded, about="other_teacher")
    assert told(guarded, "other_teacher") == 1
    Person.objects.filter(pk=guarded.person["other_pupil"]).update(birth_date=date(2015, 1, 1))
    break_in(guarded)
    assert [told(guarded, key) for key in ("other_pupil", "mother")] == [0, 1], "a child is told by the guardians"
    Person.objects.filter(pk=guarded.person["other_pupil"]).update(birth_date=date(2011, 1, 1))
    break_in(guarded)
    assert [told(guarded, key) for key in ("other_pupil", "mother")] == [1, 2]


def test_a_family_is_told_once_when_an_opened_branch_leads_to_them(guarded: Region, visit: object) -> None:
    actor = guarded.actor("head")
    api.open_break_glass(actor=actor, org_id=guarded.org_ids["other"], reason=REASON, hours=1, now=clock.now())
    assert told(guarded, "mother") == 0
    for _again in range(2):
        visit("head").get(guarded.url("other_pupil"))  # type: ignore[operator]
    assert told(guarded, "mother") == 1
    visit("head").get(guarded.url("pupil"))  # type: ignore[operator]
    assert told(guarded, "parent") == 0, "whom one sees anyway is not opened by the emergency"
