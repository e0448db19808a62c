"""Giving and taking back: never more than one has, never to oneself, never two administrations in one hand."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.directory import api
from shuren.directory.data import Permission, Role
from shuren.directory.models import Grant
from shuren.directory.rules.permissions import (
    ADMINS,
    APPS_ONLY,
    ROLE_PERMISSIONS,
    ROSTER_ONLY,
    excluded_by,
    givable_roles,
    is_within,
    may_give,
)
from shuren.directory.tests.conftest import NOW, Region
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.kernel.models import AuditEntry, Event

roles = st.sampled_from(Role)


def test_every_role_has_its_permissions() -> None:
    assert set(ROLE_PERMISSIONS) == set(Role)
    held = {permission for permissions in ROLE_PERMISSIONS.values() for permission in permissions}
    assert held | APPS_ONLY == set(Permission)
    assert not held & APPS_ONLY


@given(roles, roles, roles)
def test_giving_is_transitive_and_never_leads_up(top: Role, middle: Role, low: Role) -> None:
    if may_give(top, middle) and may_give(middle, low):
        assert may_give(top, low)
    if may_give(top, middle) and may_give(middle, top):
        assert top is middle


@given(roles, roles)
def test_nobody_gives_what_only_a_roster_says(held: Role, given_role: Role) -> None:
    assert not (given_role in ROSTER_ONLY and may_give(held, given_role))
    assert (given_role in givable_roles(held)) is may_give(held, given_role)


@given(roles, st.frozensets(roles))
def test_exclusion_is_symmetric(role: Role, held: frozenset[Role]) -> None:
    for other in held:
        assert bool(excluded_by(role, frozenset({other}))) is bool(excluded_by(other, frozenset({role})))
    for admin in ADMINS - {role}:
        if role in ADMINS:
            assert excluded_by(role, frozenset({admin})) is admin


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))


@given(moments, st.none() | moments, moments, st.none() | moments, st.integers(0, 400))
def test_a_period_within_another_covers_no_moment_outside_it(
    begin: datetime, end: datetime | None, outer_begin: datetime, outer_end: datetime | None, day: int
) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    inside = begin <= moment and (end is None or moment < end)
    outside = moment < outer_begin or (outer_end is not None and moment >= outer_end)
    if is_within(begin, end, outer_begin=outer_begin, outer_end=outer_end):
        assert not (inside and outside)


def give(region: Region, giver: str, to: str, role: Role, org: str, **options: object) -> int:
    return api.grant_role(
        actor=region.actor(giver),
        person_id=region.person[to],
        role=role,
        org_id=region.org_ids[org],
        now=NOW,
        **options,  # type: ignore[arg-type]
    )


def test_an_office_gives_inferior_roles_on_its_branch(region: Region) -> None:
    grant_id = give(region, "head", "teacher", Role.SCHOOL_ADMIN, "school")
    scope = api.scope_of(actor=region.actor("teacher"), permission=Permission.MANAGE_PEOPLE, now=NOW)
    assert scope.paths == (region.path("school"),)
    assert AuditEntry.objects.get(action="directory.role_granted").target == f"grant:{grant_id}"
    assert Event.objects.get(name="directory.role_granted").payload["person_id"] == region.person["teacher"]
    assert [grant.role for grant in api.grants_of(region.person["teacher"], now=NOW)] == [Role.SCHOOL_ADMIN]


@pytest.mark.parametrize(
    ("giver", "to", "role", "org", "error"),
    [
        ("head", "teacher", Role.HEAD, "school", Refused),
        ("head", "teacher", Role.SCHOOL_ADMIN, "other", Refused),
        ("head", "teacher", Role.COUNTY_OFFICER, "school", Refused),
        ("head", "head", Role.SCHOOL_ADMIN, "school", Refused),
        ("teacher", "staff", Role.TEACHER, "class2", Refused),
        ("county_officer", "head", Role.HEAD, "far", Refused),
        ("county_officer", "head", Role.COUNTY_OFFICER, "east", Refused),
        ("city_officer", "head", Role.PUPIL, "school", Refused),
        ("city_officer", "head", Role.SECURITY_ADMIN, "city", Refused),
        ("pupil", "pupil2", Role.EXPERT, "class1", Refused),
    ],
)
def test_nobody_gives_more_than_they_have(
    region: Region, giver: str, to: str, role: Role, org: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        give(region, giver, to, role, org)
    assert not Grant.objects.exists()


def test_a_grant_without_delegation_is_not_given_on(region: Region) -> None:
    region.grant("staff", "school", Role.SCHOOL_ADMIN)
    with pytest.raises(Refused):
        give(region, "staff", "teacher", Role.SCHOOL_ADMIN, "school")


def test_a_delegable_grant_is_given_on_within_its_period_and_branch(region: Region) -> None:
    end = NOW + timedelta(days=30)
    region.grant("staff", "school", Role.SCHOOL_ADMIN, may_delegate=True, end_at=end)
    give(region, "staff", "teacher", Role.SCHOOL_ADMIN, "grade", end_at=end)
    for options in ({}, {"end_at": end + timedelta(days=1)}, {"end_at": end, "begin_at": NOW - timedelta(days=1)}):
        with pytest.raises(Refused):
            give(region, "staff", "class_teacher", Role.SCHOOL_ADMIN, "grade", **options)
    with pytest.raises(Refused):
        give(region, "staff", "class_teacher", Role.SCHOOL_ADMIN, "east", end_at=end)
    later = api.scope_of(actor=region.actor("teacher"), permission=Permission.MANAGE_PEOPLE, now=end)
    assert later.is_empty


def test_taking_back_takes_what_was_delegated_too(region: Region) -> None:
    first = region.grant("staff", "school", Role.SCHOOL_ADMIN, may_delegate=True)
    second = give(region, "staff", "teacher", Role.SCHOOL_ADMIN, "school", may_delegate=True)
    third = give(region, "teacher", "class_teacher", Role.SCHOOL_ADMIN, "grade")
    apart = give(region, "head", "class_teacher", Role.STAFF, "school")
    with pytest.raises(NotFound):
        api.revoke_grant(actor=region.actor("far_pupil"), grant_id=second, now=NOW)
    assert api.revoke_grant(actor=region.actor("head"), grant_id=first, now=NOW) == 3
    standing = set(Grant.objects.filter(revoked_at__isnull=True).values_list("pk", flat=True))
    assert standing == {apart}
    assert Event.objects.filter(name="directory.role_revoked").count() == 3
    with pytest.raises(NotFound):
        api.revoke_grant(actor=region.actor("head"), grant_id=third, now=NOW)


def test_a_holder_may_lay_a_role_down_but_not_a_superiors(region: Region) -> None:
    mine = region.grant("teacher", "school", Role.EXPERT)
    theirs = region.grant("staff", "east", Role.COUNTY_OFFICER)
    assert api.revoke_grant(actor=region.actor("teacher"), grant_id=mine, now=NOW) == 1
    with pytest.raises(NotFound):
        api.revoke_grant(actor=region.actor("head"), grant_id=theirs, now=NOW)


def test_no_hand_holds_two_administrations(region: Region) -> None:
    region.add_person("admin2", "管二")
    region.grant("admin2", "city", Role.SYSTEM_ADMIN)
    for rival in (Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.CITY_OFFICER):
        with pytest.raises(Conflict):
            region.grant("admin2", "city", rival)
    with pytest.raises(Conflict):
        region.affiliate("admin2", "school", Role.HEAD)
    with pytest.raises(Conflict):
        region.grant("head", "city", Role.AUDIT_ADMIN)
    with pytest.raises(Invalid):
        region.affiliate("teacher", "city", Role.AUDIT_ADMIN)


def test_the_same_grant_is_not_given_twice_nor_one_that_ends_before_it_begins(region: Region) -> None:
    region.grant("teacher", "school", Role.EXPERT, purpose="评审")
    with pytest.raises(Conflict):
        region.grant("teacher", "school", Role.EXPERT, purpose="评审")
    region.grant("teacher", "school", Role.EXPERT, purpose="另一次评审")
    with pytest.raises(Invalid):
        region.grant("teacher", "school", Role.VENDOR, end_at=NOW - timedelta(days=1))
    with pytest.raises(NotFound):
        api.grant_role(
            actor=region.actor("head"), person_id=99_999_999, role=Role.EXPERT, org_id=region.org_ids["school"], now=NOW
        )


def test_the_chosen_hat_limits_what_is_given(region: Region) -> None:
    actor = region.actor("head", Role.TEACHER)
    with pytest.raises(Refused):
        api.grant_role(
            actor=actor,
            person_id=region.person["teacher"],
            role=Role.EXPERT,
            org_id=region.org_ids["school"],
            now=NOW,
        )
