"""Who reaches whom: implied by the roster, given by grant, narrowed by the hat."""

from datetime import date, timedelta

import pytest

from shuren.directory import api
from shuren.directory.data import Permission, Role
from shuren.directory.models import Affiliation, Enrollment, Org, PendingRoster
from shuren.directory.tests.conftest import NOW, Region
from shuren.kernel.data import ANONYMOUS, SYSTEM
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import Scope

P = Permission


def reach(region: Region, key: str, permission: Permission, role: Role | None = None) -> Scope:
    return api.scope_of(actor=region.actor(key, role), permission=permission, now=NOW)


@pytest.mark.parametrize(
    ("key", "permission", "orgs"),
    [
        ("city_officer", P.VIEW_PEOPLE, ["city"]),
        ("city_officer", P.VIEW_PUPIL_REPORTS, []),
        ("county_officer", P.MANAGE_PEOPLE, ["east"]),
        ("head", P.VIEW_PEOPLE, ["school"]),
        ("head", P.VIEW_PUPIL_REPORTS, ["school"]),
        ("head", P.MANAGE_PEOPLE, []),
        ("admin", P.MANAGE_PEOPLE, ["school"]),
        ("admin", P.VIEW_PUPIL_REPORTS, []),
        ("staff", P.VIEW_ORGS, ["school"]),
        ("staff", P.VIEW_PEOPLE, []),
        ("class_teacher", P.VIEW_PEOPLE, ["class1"]),
        ("class_teacher", P.VIEW_REPORTS, ["class1"]),
        ("class_teacher", P.VIEW_PUPIL_REPORTS, ["class1"]),
        ("class_teacher", P.VIEW_ORGS, ["school"]),
        ("teacher", P.VIEW_PEOPLE, ["class2"]),
        ("teacher", P.VIEW_REPORTS, []),
        ("pupil", P.VIEW_ORGS, ["class1"]),
        ("pupil", P.VIEW_PEOPLE, []),
        ("parent", P.VIEW_ORGS, []),
    ],
)
def test_roster_implies_branches(region: Region, key: str, permission: Permission, orgs: list[str]) -> None:
    assert reach(region, key, permission).paths == tuple(region.path(org) for org in orgs)


def test_pupil_reaches_only_themself(region: Region) -> None:
    for permission in (P.VIEW_PEOPLE, P.VIEW_PUPIL_REPORTS):
        assert reach(region, "pupil", permission).person_ids == {region.person["pupil"]}


def test_parent_reaches_themself_and_the_wards(region: Region) -> None:
    family = {region.person["parent"], region.person["pupil"]}
    assert reach(region, "parent", P.VIEW_PUPIL_REPORTS).person_ids == family


def test_parent_loses_a_ward_when_the_link_ends(region: Region) -> None:
    api.unlink_guardian(
        actor=SYSTEM, guardian_id=region.person["parent"], ward_id=region.person["pupil"], now=NOW + timedelta(days=1)
    )
    later = NOW + timedelta(days=2)
    scope = api.scope_of(actor=region.actor("parent"), permission=P.VIEW_PUPIL_REPORTS, now=later)
    assert region.person["pupil"] not in scope.person_ids


def test_system_reaches_everything_and_anonymous_nothing(region: Region) -> None:
    assert api.scope_of(actor=SYSTEM, permission=P.VIEW_AUDIT, now=NOW).paths == (region.path("city"),)
    assert api.scope_of(actor=ANONYMOUS, permission=P.VIEW_ORGS, now=NOW).is_empty


def test_a_chosen_hat_hides_the_other_ones(region: Region) -> None:
    region.grant("class_teacher", "east", Role.COUNTY_OFFICER)
    assert reach(region, "class_teacher", P.VIEW_PEOPLE).paths == (region.path("east"),)
    assert reach(region, "class_teacher", P.VIEW_PEOPLE, Role.CLASS_TEACHER).paths == (region.path("class1"),)
    assert reach(region, "class_teacher", P.MANAGE_PEOPLE, Role.CLASS_TEACHER).is_empty
    assert reach(region, "class_teacher", P.MANAGE_PEOPLE, Role.COUNTY_OFFICER).paths == (region.path("east"),)


@pytest.mark.parametrize(
    ("begin", "end", "is_held"),
    [
        (None, None, True),
        (date(2026, 10, 12), None, True),
        (date(2026, 10, 13), None, False),
        (None, date(2026, 10, 12), False),
        (None, date(2026, 10, 13), True),
    ],
)
def test_an_affiliation_counts_only_in_its_half_open_period(
    region: Region, begin: date | None, end: date | None, is_held: bool
) -> None:
    Affiliation.objects.filter(person_id=region.person["head"]).update(begin_date=begin, end_date=end)
    assert bool(reach(region, "head", P.VIEW_PEOPLE).paths) is is_held


def test_the_day_turns_in_the_installations_time_zone(region: Region) -> None:
    Affiliation.objects.filter(person_id=region.person["head"]).update(begin_date=date(2026, 10, 13))
    just_after_midnight_in_shanghai = NOW.replace(hour=16, minute=1)
    scope = api.scope_of(actor=region.actor("head"), permission=P.VIEW_PEOPLE, now=just_after_midnight_in_shanghai)
    assert scope.paths == (region.path("school"),)


@pytest.mark.parametrize("key", ["system", "security", "audit"])
def test_administrators_of_the_installation_see_no_people(region: Region, key: str) -> None:
    region.add_person(key, "管理员")
    region.grant(key, "city", Role(f"{key}_admin"))
    for permission in (P.VIEW_PEOPLE, P.VIEW_SENSITIVE, P.VIEW_REPORTS, P.VIEW_PUPIL_REPORTS, P.EXPORT_ROSTER):
        assert reach(region, key, permission).paths == ()
    assert reach(region, key, P.VIEW_ORGS).paths == (region.path("city"),)


def test_a_closed_org_gives_no_reach(region: Region) -> None:
    Org.objects.filter(pk=region.org_ids["school"]).update(status="closed")
    assert reach(region, "head", P.VIEW_PEOPLE).paths == ()


def test_rows_of_an_unfinished_import_give_no_reach(region: Region) -> None:
    Affiliation.objects.filter(person_id=region.person["head"]).update(import_id=7)
    Enrollment.objects.filter(person_id=region.person["class_teacher"]).update(import_id=7)
    PendingRoster.objects.create(import_id=7, begun_at=NOW)
    assert reach(region, "head", P.VIEW_PEOPLE).paths == ()
    assert reach(region, "class_teacher", P.VIEW_REPORTS).paths == ()
    PendingRoster.objects.all().delete()
    assert reach(region, "head", P.VIEW_PEOPLE).paths == (region.path("school"),)


def test_outside_the_scope_an_org_does_not_exist(region: Region) -> None:
    assert api.access_org(actor=region.actor("head"), id=region.org_ids["class1"], now=NOW).name == "四（1）班"
    for org in ("other", "far", "east", "city"):
        with pytest.raises(NotFound):
            api.access_org(actor=region.actor("head"), id=region.org_ids[org], now=NOW)
    with pytest.raises(NotFound):
        api.access_org(actor=SYSTEM, id=99_999_999, now=NOW)


@pytest.mark.parametrize(
    ("key", "sees", "sees_not"),
    [
        ("city_officer", ["pupil", "far_pupil", "head", "parent"], []),
        ("county_officer", ["pupil", "head"], ["far_pupil", "city_officer"]),
        ("head", ["pupil", "pupil2", "parent", "teacher"], ["far_pupil", "county_officer"]),
        ("class_teacher", ["pupil", "class_teacher"], ["pupil2", "head", "parent"]),
        ("pupil", ["pupil"], ["pupil2", "parent", "class_teacher"]),
        ("parent", ["parent", "pupil"], ["pupil2", "class_teacher"]),
        ("staff", ["staff"], ["pupil"]),
    ],
)
def test_outside_the_scope_a_person_does_not_exist(region: Region, key: str, sees: list[str], sees_not: list[str]) -> None:
    actor = region.actor(key)
    for name in sees:
        assert api.access_person(actor=actor, id=region.person[name], now=NOW).id == region.person[name]
    for name in sees_not:
        with pytest.raises(NotFound):
            api.access_person(actor=actor, id=region.person[name], now=NOW)
    everybody = list(region.person.values())
    seen = api.people_within(actor=actor, person_ids=everybody, now=NOW)
    assert {region.person[name] for name in sees} <= seen
    assert not {region.person[name] for name in sees_not} & seen


def test_whoever_belongs_nowhere_is_seen_from_the_top_only(region: Region) -> None:
    stray = region.add_person("stray", "无名氏")
    assert api.access_person(actor=region.actor("city_officer"), id=stray, now=NOW).id == stray
    with pytest.raises(NotFound):
        api.access_person(actor=region.actor("county_officer"), id=stray, now=NOW)


def test_a_pupil_who_left_is_no_longer_seen(region: Region) -> None:
    Affiliation.objects.filter(person_id=region.person["pupil"]).update(end_date=date(2026, 10, 1))
    Enrollment.objects.filter(person_id=region.person["pupil"]).update(end_date=date(2026, 10, 1))
    with pytest.raises(NotFound):
        api.access_person(actor=region.actor("head"), id=region.person["pupil"], now=NOW)


def test_scope_of_a_person_takes_one_query(region: Region, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        reach(region, "class_teacher", P.VIEW_PEOPLE)


def test_role_options_name_each_hat_once(region: Region) -> None:
    options = api.role_options(region.person["class_teacher"], now=NOW)
    assert [option.role for option in options] == [Role.TEACHER, Role.CLASS_TEACHER]
    assert [option.role for option in api.role_options(region.person["parent"], now=NOW)] == [Role.PARENT]
    assert api.role_options(region.person["head"], now=NOW)[0].org_name == "东川一小"
