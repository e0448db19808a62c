"""Attacks on delegation: more than one holds, further than it goes, after it ended, to oneself, outside, or alone."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shuren.directory import api
from shuren.directory.data import NewPerson, Permission, Role
from shuren.directory.models import Grant
from shuren.directory.tests.conftest import NOW, Region
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, NotFound, Refused
from shuren.kernel.models import AuditEntry

END = NOW + timedelta(days=30)
Attack = Callable[[Region], object]


def give(region: Region, giver: str, to: str, role: Role, org: str, **options: object) -> int:
    now = options.pop("now", NOW)
    return api.grant_role(
        actor=region.actor(giver),
        person_id=region.person[to],
        role=role,
        org_id=region.org_ids[org],
        now=now,  # type: ignore[arg-type]
        **options,  # type: ignore[arg-type]
    )


@pytest.fixture
def held(region: Region) -> Region:
    """`staff` looks after the school for thirty days and may give that on."""
    region.add_person("friend", "友人", "school", Role.STAFF)
    region.grant("staff", "school", Role.SCHOOL_ADMIN, may_delegate=True, end_at=END)
    return region


ATTACKS: dict[str, Attack] = {
    "a higher role": lambda region: give(region, "staff", "friend", Role.HEAD, "school", end_at=END),
    "an administration": lambda region: give(region, "staff", "friend", Role.SECURITY_ADMIN, "school", end_at=END),
    "a role only a roster says": lambda region: give(region, "staff", "friend", Role.PARENT, "school", end_at=END),
    "a longer period": lambda region: give(region, "staff", "friend", Role.SCHOOL_ADMIN, "school", end_at=END + timedelta(1)),
    "no end": lambda region: give(region, "staff", "friend", Role.SCHOOL_ADMIN, "school"),
    "an earlier begin": lambda region: give(
        region, "staff", "friend", Role.SCHOOL_ADMIN, "school", end_at=END, begin_at=NOW - timedelta(days=1)
    ),
    "the branch above": lambda region: give(region, "staff", "friend", Role.SCHOOL_ADMIN, "east", end_at=END),
    "the school beside": lambda region: give(region, "staff", "friend", Role.SCHOOL_ADMIN, "other", end_at=END),
    "another city's school": lambda region: give(region, "staff", "friend", Role.SCHOOL_ADMIN, "far", end_at=END),
    "to oneself": lambda region: give(region, "staff", "staff", Role.SCHOOL_ADMIN, "grade", end_at=END),
    "after it ended": lambda region: give(region, "staff", "friend", Role.SCHOOL_ADMIN, "school", now=END, end_at=None),
    "on the day it ends": lambda region: give(
        region, "staff", "friend", Role.SCHOOL_ADMIN, "school", now=END, end_at=END + timedelta(seconds=1)
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nobody_gives_more_than_they_hold_and_the_try_is_written_down(held: Region, attack: str) -> None:
    before = Grant.objects.count()
    with pytest.raises(Refused):
        ATTACKS[attack](held)
    assert Grant.objects.count() == before
    entry = AuditEntry.objects.get(action="directory.grant_refused")
    assert entry.actor_person_id == held.person["staff"]
    assert entry.details["reason"]


def test_a_fourth_hand_gets_nothing(held: Region) -> None:
    for number in range(3):
        held.add_person(f"hand{number}", f"手{number}", "school", Role.STAFF)
    give(held, "staff", "hand0", Role.SCHOOL_ADMIN, "school", end_at=END, may_delegate=True)
    give(held, "hand0", "hand1", Role.SCHOOL_ADMIN, "school", end_at=END, may_delegate=True)
    with pytest.raises(Refused):
        give(held, "hand1", "hand2", Role.SCHOOL_ADMIN, "school", end_at=END)
    assert AuditEntry.objects.filter(action="directory.grant_refused").count() == 1


def test_taking_back_the_first_ends_the_chain_and_its_giving(held: Region) -> None:
    give(held, "staff", "friend", Role.SCHOOL_ADMIN, "school", end_at=END, may_delegate=True)
    first = Grant.objects.get(person_id=held.person["staff"])
    api.revoke_grant(actor=held.actor("head"), grant_id=first.pk, now=NOW + timedelta(hours=1))
    later = NOW + timedelta(hours=2)
    for giver in ("staff", "friend"):
        with pytest.raises(Refused):
            give(held, giver, "teacher", Role.SCHOOL_ADMIN, "school", now=later, end_at=END)
        scope = api.scope_of(actor=held.actor(giver), permission=Permission.MANAGE_PEOPLE, now=later)
        assert scope.is_empty, giver
    assert AuditEntry.objects.filter(action="directory.grant_refused").count() == 2


def test_what_one_gave_to_a_second_entry_of_oneself_does_not_come_back_by_merging(held: Region) -> None:
    twin = api.add_person(actor=SYSTEM, person=NewPerson(name="司会计"), now=NOW).id
    held.person["twin"] = twin
    held.affiliate("twin", "school", Role.STAFF)
    give(held, "staff", "twin", Role.SCHOOL_ADMIN, "grade", end_at=END)
    with pytest.raises((Refused, Conflict)):
        api.merge_people(actor=held.actor("staff"), keep_id=held.person["staff"], drop_id=twin, now=NOW)


def test_a_strong_role_is_nothing_before_a_second_person_and_gives_nothing_on(region: Region) -> None:
    region.add_person("second_city", "二市管", "city", Role.CITY_OFFICER)
    region.add_person("friend", "友人", "east", Role.STAFF)
    waiting = give(region, "city_officer", "friend", Role.COUNTY_OFFICER, "east", may_delegate=True)
    assert api.scope_of(actor=region.actor("friend"), permission=Permission.MANAGE_PEOPLE, now=NOW).is_empty
    with pytest.raises(Refused):
        give(region, "friend", "teacher", Role.SCHOOL_ADMIN, "school")
    for alone in ("city_officer", "friend"):
        with pytest.raises(Refused):
            api.confirm_grant(actor=region.actor(alone), grant_id=waiting, now=NOW)
    refused = AuditEntry.objects.filter(action="directory.grant_refused").order_by("pk")
    assert [entry.actor_person_id for entry in refused] == [
        region.person["friend"],
        region.person["city_officer"],
        region.person["friend"],
    ]
    with pytest.raises(NotFound):
        api.confirm_grant(actor=region.actor("head"), grant_id=waiting, now=NOW)
    api.confirm_grant(actor=region.actor("second_city"), grant_id=waiting, now=NOW)
    assert not api.scope_of(actor=region.actor("friend"), permission=Permission.MANAGE_PEOPLE, now=NOW).is_empty
