"""Pupils from class to class and school to school, roles that end, guardians who come and go: what the services do."""

from datetime import date, timedelta

import pytest

from shuren.directory import api
from shuren.directory.data import CountKind, NewPerson, OrgType, Permission, Role
from shuren.directory.models import Affiliation, ClassDetail, Enrollment, GuardianLink, OrgCount, Person
from shuren.directory.rules.permissions import roles_at
from shuren.directory.services.add_guardian import add_guardian, enter_guardian
from shuren.directory.services.end_role import end_role
from shuren.directory.services.place_pupil import place_pupil, place_pupils
from shuren.directory.tests.conftest import BEGUN, NOW, Region
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.kernel.models import AuditEntry

TODAY = clock.day_of(NOW)
LATER = TODAY + timedelta(days=10)


def classes_of(region: Region, key: str, day: date = TODAY) -> set[str]:
    names = {id: name for name, id in region.org_ids.items()}
    return {names[line.class_id] for line in api.enrollments_of_people([region.person[key]], day=day)}


def roles_of(region: Region, key: str, day: date = TODAY) -> set[tuple[str, str]]:
    names = {id: name for name, id in region.org_ids.items()}
    rows = Affiliation.objects.filter(person_id=region.person[key]).exclude(end_date__lte=day).exclude(begin_date__gt=day)
    return {(names[row.org_id], row.role) for row in rows}


def kept_counts() -> dict[tuple[int, str], int]:
    return {(row.org_id, row.kind): row.value for row in OrgCount.objects.exclude(value=0)}


def place(region: Region, actor: str, key: str, class_: str, on: date | None = None) -> None:
    place_pupil(
        actor=region.actor(actor), person_id=region.person[key], class_id=region.org_ids[class_], on=on, reason="搬家", now=NOW
    )


@pytest.fixture
def other_class(region: Region) -> int:
    return region.add_org("other_class", "other", OrgType.CLASS, "四（1）班")


def test_a_transfer_within_the_school_moves_the_class_alone(region: Region) -> None:
    place(region, "admin", "pupil", "class2")
    assert classes_of(region, "pupil") == {"class2"}
    assert classes_of(region, "pupil", TODAY - timedelta(days=1)) == {"class1"}
    assert roles_of(region, "pupil") == {("school", "pupil")}
    assert Affiliation.objects.filter(person_id=region.person["pupil"]).count() == 1
    entry = AuditEntry.objects.get(action="directory.pupil_placed")
    assert entry.target == f"person:{region.person['pupil']}"
    assert entry.details == {
        "from": [region.org_ids["class1"]],
        "to": region.org_ids["class2"],
        "schools_left": [],
        "on": TODAY.isoformat(),
        "reason": "搬家",
    }


@pytest.mark.usefixtures("other_class")
def test_a_transfer_to_another_school_takes_the_family_along(region: Region) -> None:
    region.add_org("choir", "school", OrgType.CLASS, "合唱班")
    region.enrol("pupil", "choir", is_primary=False)
    place(region, "county_officer", "pupil", "other_class", LATER)
    before, after = LATER - timedelta(days=1), LATER
    assert classes_of(region, "pupil", before) == {"class1", "choir"}
    assert classes_of(region, "pupil", after) == {"other_class"}
    assert (roles_of(region, "pupil", before), roles_of(region, "pupil", after)) == ({("school", "pupil")}, {("other", "pupil")})
    assert (roles_of(region, "parent", before), roles_of(region, "parent", after)) == (
        {("school", "parent")},
        {("other", "parent")},
    )


@pytest.mark.usefixtures("other_class")
def test_a_parent_stays_where_another_child_learns(region: Region) -> None:
    api.link_guardian(actor=SYSTEM, guardian_id=region.person["parent"], ward_id=region.person["pupil2"], now=NOW)
    place(region, "county_officer", "pupil", "other_class")
    assert roles_of(region, "parent") == {("school", "parent"), ("other", "parent")}
    place(region, "county_officer", "pupil2", "other_class")
    assert roles_of(region, "parent") == {("other", "parent")}


@pytest.mark.usefixtures("other_class")
def test_counters_follow_a_transfer(region: Region) -> None:
    place(region, "county_officer", "pupil", "other_class")
    by_steps = kept_counts()
    api.rebuild_counts(day=TODAY)
    assert kept_counts() == by_steps
    assert api.count_of(region.org_ids["other"], CountKind.PUPILS) == 1


@pytest.mark.usefixtures("other_class")
def test_both_schools_must_be_in_ones_hands(region: Region) -> None:
    before = list(Enrollment.objects.order_by("pk").values_list("pk", "end_date"))
    for actor, class_ in (
        ("admin", "other_class"),
        ("county_officer", "far_class"),
        ("head", "class2"),
        ("class_teacher", "class2"),
    ):
        with pytest.raises(NotFound):
            place(region, actor, "pupil", class_)
    with pytest.raises(NotFound):
        place(region, "county_officer", "far_pupil", "other_class")
    assert list(Enrollment.objects.order_by("pk").values_list("pk", "end_date")) == before


@pytest.mark.usefixtures("other_class")
def test_two_classes_in_ones_hands_are_not_two_schools(region: Region) -> None:
    region.add_person("helper", "代办人", "city", Role.STAFF)
    for org in ("class1", "other_class"):
        region.grant("helper", org, Role.SCHOOL_ADMIN)
    with pytest.raises(Refused):
        place(region, "helper", "pupil", "other_class")
    assert classes_of(region, "pupil") == {"class1"}


def test_delegated_rights_are_enough(region: Region) -> None:
    region.grant("county_officer", "east", Role.COUNTY_OFFICER, may_delegate=True)
    api.grant_role(
        actor=region.actor("county_officer"),
        person_id=region.person["staff"],
        role=Role.SCHOOL_ADMIN,
        org_id=region.org_ids["school"],
        now=NOW,
    )
    place(region, "staff", "pupil", "class2")
    assert classes_of(region, "pupil") == {"class2"}


def test_a_pupil_without_a_class_gets_one_and_leaves_no_school_for_it(region: Region) -> None:
    region.add_person("fresh", "新生", "school", Role.PUPIL)
    place(region, "admin", "fresh", "class1")
    assert (classes_of(region, "fresh"), roles_of(region, "fresh")) == ({"class1"}, {("school", "pupil")})


def test_somebody_new_to_the_school_becomes_its_pupil(region: Region) -> None:
    region.add_person("fresh", "新生", "city", Role.STAFF)
    place(region, "city_officer", "fresh", "class1")
    assert roles_of(region, "fresh") == {("city", "staff"), ("school", "pupil")}


def test_a_transfer_begins_no_earlier_than_the_class_it_ends(region: Region) -> None:
    with pytest.raises(Invalid, match="2026-09-01"):
        place(region, "admin", "pupil", "class2", BEGUN - timedelta(days=1))
    place(region, "admin", "pupil", "class2", BEGUN)
    assert classes_of(region, "pupil", BEGUN) == {"class2"}


def test_a_transfer_that_is_still_to_come_is_not_overtaken(region: Region) -> None:
    place(region, "admin", "pupil", "class2", LATER)
    region.add_org("class3", "grade", OrgType.CLASS, "四（3）班")
    with pytest.raises(Invalid, match=LATER.isoformat()):
        place(region, "admin", "pupil", "class3")
    coming = Enrollment.objects.get(person_id=region.person["pupil"], class_org_id=region.org_ids["class2"])
    api.end_enrollment(actor=region.actor("admin"), enrollment_id=coming.pk, end_date=LATER, now=NOW)
    place(region, "admin", "pupil", "class3")
    assert classes_of(region, "pupil") == classes_of(region, "pupil", LATER) == {"class3"}


def test_a_home_class_is_an_active_class_of_its_own(region: Region) -> None:
    for class_ in ("grade", "school"):
        with pytest.raises(Invalid):
            place(region, "admin", "pupil", class_)
    ClassDetail.objects.filter(org_id=region.org_ids["class2"]).update(class_type="scheduled")
    with pytest.raises(Invalid):
        place(region, "admin", "pupil", "class2")
    with pytest.raises(Conflict):
        place(region, "admin", "pupil", "class1")


def test_a_class_is_filled_at_once_or_not_at_all(region: Region) -> None:
    for key in ("one", "two"):
        region.add_person(key, key, "school", Role.PUPIL)
    ids = [region.person["one"], region.person["two"]]
    with pytest.raises(NotFound):
        place_pupils(
            actor=region.actor("admin"), person_ids=[*ids, region.person["far_pupil"]], class_id=region.org_ids["class1"], now=NOW
        )
    for taken in ("pupil2", "county_officer"):
        with pytest.raises(Conflict):
            place_pupils(
                actor=region.actor("county_officer"),
                person_ids=[*ids, region.person[taken]],
                class_id=region.org_ids["class1"],
                now=NOW,
            )
    assert classes_of(region, "one") == set()
    assert classes_of(region, "pupil2") == {"class2"}
    assert place_pupils(actor=region.actor("admin"), person_ids=ids, class_id=region.org_ids["class1"], now=NOW) == 2
    assert classes_of(region, "one") == classes_of(region, "two") == {"class1"}


def role_id(region: Region, key: str) -> int:
    return Affiliation.objects.get(person_id=region.person[key]).pk


def test_a_role_ends_with_its_classes(region: Region) -> None:
    assert end_role(actor=region.actor("admin"), affiliation_id=role_id(region, "pupil"), end_date=LATER, now=NOW) == 1
    assert (classes_of(region, "pupil"), classes_of(region, "pupil", LATER)) == ({"class1"}, set())
    assert end_role(actor=region.actor("admin"), affiliation_id=role_id(region, "class_teacher"), now=NOW) == 1
    assert classes_of(region, "class_teacher") == set()
    assert end_role(actor=region.actor("admin"), affiliation_id=role_id(region, "parent"), now=NOW) == 0


def test_classes_stay_with_another_role_that_holds_them(region: Region) -> None:
    first = role_id(region, "class_teacher")
    region.affiliate("class_teacher", "school", Role.CLASS_TEACHER)
    assert end_role(actor=region.actor("admin"), affiliation_id=first, now=NOW) == 0
    assert classes_of(region, "class_teacher") == {"class1"}


def test_a_role_over_a_branch_is_ended_by_who_could_give_it(region: Region) -> None:
    for actor, key in (("admin", "head"), ("admin", "admin"), ("county_officer", "county_officer")):
        for ending in (end_role, api.end_affiliation):
            with pytest.raises(Refused):
                ending(actor=region.actor(actor), affiliation_id=role_id(region, key), now=NOW)
    end_role(actor=region.actor("county_officer"), affiliation_id=role_id(region, "head"), now=NOW)
    end_role(actor=region.actor("admin"), affiliation_id=role_id(region, "staff"), now=NOW)
    assert not api.permissions_of(actor=region.actor("head"), now=NOW) & {Permission.VIEW_PEOPLE}
    for actor in ("head", "teacher", "pupil"):
        with pytest.raises(NotFound):
            end_role(actor=region.actor(actor), affiliation_id=role_id(region, "teacher"), now=NOW)


def test_a_known_guardian_becomes_a_parent_at_the_school(region: Region) -> None:
    arguments = {"guardian_id": region.person["teacher"], "ward_id": region.person["pupil"], "relation": "母亲", "now": NOW}
    assert add_guardian(actor=region.actor("admin"), **arguments) == 1
    assert ("school", "parent") in roles_of(region, "teacher")
    wards = {link.ward_id for link in api.wards_of([region.person["teacher"]], day=TODAY)}
    assert wards == {region.person["pupil"]}
    api.unlink_guardian(
        actor=region.actor("admin"), guardian_id=region.person["teacher"], ward_id=region.person["pupil"], end_date=LATER, now=NOW
    )
    assert api.wards_of([region.person["teacher"]], day=LATER) == []
    assert api.wards_of([region.person["teacher"]], day=TODAY)
    assert add_guardian(actor=region.actor("admin"), **(arguments | {"ward_id": region.person["pupil2"]})) == 0


def test_a_new_guardian_is_entered_linked_and_seen_by_the_school(region: Region) -> None:
    written = enter_guardian(
        actor=region.actor("admin"), guardian=NewPerson(name="李母"), ward_id=region.person["pupil2"], relation="母亲", now=NOW
    )
    assert GuardianLink.objects.get(guardian_id=written.id).relation == "母亲"
    assert api.people_within(actor=region.actor("head"), person_ids=[written.id], now=NOW)
    before = Person.objects.count()
    for actor, ward, error in (("admin", "far_pupil", NotFound), ("city_officer", "city_officer", Conflict)):
        with pytest.raises(error):
            enter_guardian(
                actor=region.actor(actor), guardian=NewPerson(name="无"), ward_id=region.person[ward], relation="母亲", now=NOW
            )
    assert Person.objects.count() == before


def test_nobody_guards_their_own_guardian(region: Region) -> None:
    with pytest.raises(Invalid):
        api.link_guardian(actor=SYSTEM, guardian_id=region.person["pupil"], ward_id=region.person["parent"], now=NOW)


def test_each_level_has_its_roles() -> None:
    assert Role.PUPIL in roles_at(OrgType.SCHOOL)
    assert Role.COUNTY_OFFICER in roles_at(OrgType.COUNTY)
    assert Role.PUPIL not in roles_at(OrgType.COUNTY)
    assert roles_at(OrgType.CLASS) == ()
