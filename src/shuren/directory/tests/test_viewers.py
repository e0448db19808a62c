"""Who is listed as able to see a person is exactly who can."""

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shuren.directory import api
from shuren.directory.data import EnrollmentRole, OrgStatus, Role
from shuren.directory.models import Affiliation, BreakGlass, Enrollment, Grant, GuardianLink, Org, Person
from shuren.directory.selectors.viewers import apps_told_of, page_of_reads, viewers_of
from shuren.directory.services.reveal_person import reveal_person
from shuren.directory.tests.conftest import NOW, Region
from shuren.kernel.errors import NotFound

DAY = NOW.date()


def can_open(region: Region, viewer: int, about: int) -> bool:
    actor = region.actor("head")
    try:
        api.access_person(actor=type(actor)(person_id=viewer, account_id=None, name=""), id=about, now=NOW)
    except NotFound:
        return False
    return True


def shaken(draw: random.Random, region: Region) -> None:
    """Rights of every kind, in force, over, still to come, revoked, waiting, at closed orgs."""
    people = list(region.person.values())
    orgs = list(Org.objects.order_by("pk"))
    classes = [org for org in orgs if org.type == "class"]
    for count in range(14):
        begin, end = DAY - timedelta(days=draw.randint(-5, 5)), draw.choice([None, DAY + timedelta(days=draw.randint(-3, 3))])
        org, role = draw.choice(orgs), draw.choice(list(Role))
        tie = {"org_path": org.path, "begin_date": begin, "end_date": end}
        Affiliation.objects.create(sourced_id=f"random-{count}", person_id=draw.choice(people), org=org, role=role.value, **tie)
        room = draw.choice(classes)
        Enrollment.objects.create(
            sourced_id=f"random-{count}",
            person_id=draw.choice(people),
            class_org=room,
            role=draw.choice(list(EnrollmentRole)).value,
            is_primary=draw.random() < 0.5,
            **tie | {"org_path": room.path},
        )
        place, moment = draw.choice(orgs), NOW - timedelta(days=draw.randint(-2, 5))
        Grant.objects.create(
            person_id=draw.choice(people),
            role=draw.choice(list(Role)).value,
            org=place,
            org_path=place.path,
            begin_at=moment,
            end_at=draw.choice([None, moment + timedelta(days=3)]),
            revoked_at=draw.choice([None, None, moment]),
            confirm_by=draw.choice([None, None, moment]),
        )
        guardian, ward = draw.sample(people, 2)
        if not GuardianLink.objects.filter(guardian_id=guardian, ward_id=ward).exists():
            GuardianLink.objects.create(guardian_id=guardian, ward_id=ward, begin_date=begin, end_date=end)
    for _count in range(3):
        place = draw.choice(orgs)
        BreakGlass.objects.create(
            holder_id=draw.choice(people),
            role=Role.HEAD,
            subject_id=draw.choice([None, draw.choice(people)]),
            org_path=place.path,
            reason="演练",
            begin_at=NOW,
            end_at=NOW + timedelta(hours=draw.choice([0, 2])),
            review_by=NOW,
        )
    Org.objects.filter(pk=draw.choice(orgs).pk).update(status=OrgStatus.CLOSED)


@pytest.mark.parametrize("seed", range(12))
def test_the_list_is_who_can(region: Region, seed: int) -> None:
    draw = random.Random(seed)
    region.add_person("nowhere", "无处人")
    shaken(draw, region)
    people = list(Person.objects.values_list("pk", flat=True))
    for about in people:
        listed = {viewer.person_id for viewer in viewers_of(about, now=NOW)}
        able = {viewer for viewer in people if viewer != about and can_open(region, viewer, about)}
        assert listed == able, (seed, about)


def test_the_list_costs_the_same_for_everybody(region: Region) -> None:
    with CaptureQueriesContext(connection) as found:
        viewers_of(region.person["pupil"], now=NOW)
    assert len(found) <= 9


def test_reads_and_apps_are_on_the_page(region: Region) -> None:
    pupil = region.person["pupil"]
    reveal_person(actor=region.actor("admin"), person_id=pupil, now=NOW, reason="核对")
    api.disclosed_people(person_ids=[pupil], elements=["person.number"], purpose="homework", recipient="app:7", now=NOW)
    page = page_of_reads(pupil, now=NOW, number=1, size=10)
    assert [(entry.actor_name, entry.action) for entry in page.rows] == [("admin", "directory.sensitive_read")]
    assert [(app.recipient, app.elements) for app in apps_told_of(pupil, since=DAY)] == [("app:7", "number")]
    assert page_of_reads(region.person["far_pupil"], now=NOW, number=1, size=10).total == 0
