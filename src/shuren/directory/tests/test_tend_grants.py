"""Strong grants wait for a second person; all grants end, are reminded of, and are asked about."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.conf import settings

from shuren.directory import api
from shuren.directory.data import Permission, Role
from shuren.directory.models import Grant
from shuren.directory.selectors.grants import page_of_certifiable, stream_certifiable
from shuren.directory.tests.conftest import NOW, Region
from shuren.kernel.errors import Conflict, NotFound, Refused
from shuren.kernel.models import AuditEntry, Event


def give(region: Region, giver: str, to: str, role: Role, org: str, **options: object) -> int:
    return api.grant_role(
        actor=region.actor(giver),
        person_id=region.person[to],
        role=role,
        org_id=region.org_ids[org],
        now=NOW,
        **options,  # type: ignore[arg-type]
    )


def manages(region: Region, key: str, now: object = NOW) -> bool:
    scope = api.scope_of(actor=region.actor(key), permission=Permission.MANAGE_PEOPLE, now=now)  # type: ignore[arg-type]
    return not scope.is_empty


def notices(region: Region, key: str) -> int:
    return apps.get_model("messaging.Notice").objects.filter(person_id=region.person[key]).count()


def test_a_strong_role_waits_for_a_second_person(region: Region) -> None:
    region.add_person("second_city", "二市管", "city", Role.CITY_OFFICER)
    grant_id = give(region, "city_officer", "staff", Role.COUNTY_OFFICER, "east")
    assert not manages(region, "staff")
    assert api.grants_of(region.person["staff"], now=NOW) == []
    with pytest.raises(Conflict):
        give(region, "city_officer", "staff", Role.COUNTY_OFFICER, "east")
    for nobody in ("city_officer", "staff"):
        with pytest.raises(Refused):
            api.confirm_grant(actor=region.actor(nobody), grant_id=grant_id, now=NOW)
    with pytest.raises((NotFound, Refused)):
        api.confirm_grant(actor=region.actor("county_officer"), grant_id=grant_id, now=NOW)
    with pytest.raises(NotFound):
        api.confirm_grant(actor=region.actor("head"), grant_id=grant_id, now=NOW)
    api.confirm_grant(actor=region.actor("second_city"), grant_id=grant_id, now=NOW)
    assert manages(region, "staff")
    assert AuditEntry.objects.filter(action="directory.grant_confirmed").count() == 1
    with pytest.raises(Conflict):
        api.confirm_grant(actor=region.actor("second_city"), grant_id=grant_id, now=NOW)


def test_what_nobody_confirms_lapses(region: Region) -> None:
    region.add_person("second_city", "二市管", "city", Role.CITY_OFFICER)
    grant_id = give(region, "city_officer", "staff", Role.COUNTY_OFFICER, "east")
    late = NOW + timedelta(days=7)
    with pytest.raises(Conflict):
        api.confirm_grant(actor=region.actor("second_city"), grant_id=grant_id, now=late)
    assert api.tend_grants(now=late)["lapsed"] == 1
    assert api.tend_grants(now=late)["lapsed"] == 0
    assert Event.objects.get(name="directory.role_revoked").payload["reason"] == "not confirmed"


def test_the_installation_and_weak_roles_need_no_second_person(region: Region) -> None:
    region.grant("staff", "east", Role.COUNTY_OFFICER)
    assert manages(region, "staff")
    give(region, "head", "teacher", Role.SCHOOL_ADMIN, "school")
    assert manages(region, "teacher")


def test_an_end_is_reminded_of_once_and_ends_the_chain(region: Region) -> None:
    end = NOW + timedelta(days=10)
    first = region.grant("staff", "school", Role.SCHOOL_ADMIN, may_delegate=True, end_at=end)
    second = give(region, "staff", "teacher", Role.SCHOOL_ADMIN, "school", end_at=end)
    for _again in range(2):
        api.tend_grants(now=NOW)
    assert (notices(region, "staff"), notices(region, "teacher")) == (2, 1)
    assert api.tend_grants(now=end)["ended"] == 2
    assert Grant.objects.filter(pk__in=[first, second], revoked_at=end).count() == 2


def test_an_old_grant_is_kept_only_if_somebody_says_so(region: Region) -> None:
    kept = give(region, "head", "teacher", Role.SCHOOL_ADMIN, "school")
    dropped = give(region, "head", "staff", Role.SCHOOL_ADMIN, "school")
    given = region.grant("class_teacher", "school", Role.SCHOOL_ADMIN)
    late = NOW + settings.CERTIFY_MONTHS * timedelta(days=30)
    assert api.tend_grants(now=late)["asked"] == 3
    assert api.tend_grants(now=late)["asked"] == 0
    assert notices(region, "head") == 1
    page = page_of_certifiable(actor=region.actor("head"), now=late, number=1, size=10)
    assert [row.grant.id for row in page.rows] == [kept, dropped]
    assert len(list(stream_certifiable(actor=region.actor("head"), now=late))) == 2
    assert [row.grant.id for row in stream_certifiable(actor=region.actor("teacher"), now=late)] == [dropped]
    assert api.certify_grants(actor=region.actor("teacher"), grant_ids=[kept], now=late) == 0
    assert api.certify_grants(actor=region.actor("head"), grant_ids=[kept, given, 999], now=late) == 1
    assert api.tend_grants(now=late + timedelta(days=30))["uncertified"] == 1
    standing = set(Grant.objects.filter(revoked_at__isnull=True).values_list("pk", flat=True))
    assert standing == {kept, given}
