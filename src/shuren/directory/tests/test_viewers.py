"""Who is listed as able to see a person is exactly who can."""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shuren.directory import api
from shuren.directory.data import ConsentState, EnrollmentRole, OrgStatus, Role
from shuren.directory.models import Affiliation, BreakGlass, Enrollment, Grant, GuardianLink, Org, Person
from shuren.directory.selectors.viewers import READS, apps_asking_for, apps_told_of, page_of_reads, viewers_of
from shuren.directory.services.reveal_person import reveal_person
from shuren.directory.tests.conftest import NOW, Region, Visitor
from shuren.directory.tests.test_consents import decide, publish
from shuren.kernel import audit, clock
from shuren.kernel.announced import audit_actions
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


def test_a_list_of_everybody_is_told_to_everybody_it_reaches(region: Region, visit: Callable[[str], Visitor]) -> None:
    for key in ("county_officer", "class_teacher", "parent"):
        visit(key).get("/people/", {"export": "csv"})
    told = [(entry.actor_name, entry.target) for entry in page_of_reads(region.person["pupil"], now=NOW, number=1, size=10).rows]
    by_officer = ("county_officer", f"org:{region.org_ids['east']}")
    by_teacher = ("class_teacher", f"org:{region.org_ids['class1']}")
    by_parent = ("parent", f"person:{region.person['pupil']}")
    assert sorted(told) == sorted([by_officer, by_teacher, by_parent])
    others = page_of_reads(region.person["pupil2"], now=NOW, number=1, size=10).rows
    assert [entry.actor_name for entry in others] == ["county_officer"]
    assert page_of_reads(region.person["far_pupil"], now=NOW, number=1, size=10).total == 0


def test_files_of_other_apps_about_the_person_are_told_and_those_about_the_school_are_not(region: Region) -> None:
    pupil, school = region.person["pupil"], region.org_ids["school"]
    for target in (f"person:{pupil}", f"org:{school}"):
        audit.record(actor=region.actor("head"), action="evaluation.report_downloaded", target=target, now=NOW)
    assert [entry.target for entry in page_of_reads(pupil, now=NOW, number=1, size=10).rows] == [f"person:{pupil}"]
    assert set(READS) <= set(audit_actions())


def test_apps_that_may_ask_stand_there_before_they_are_told(region: Region, visit: Callable[[str], Visitor]) -> None:
    pupil = region.person["pupil"]
    text = publish(region)
    asker = apps_asking_for(pupil, now=NOW)[0]
    assert (asker.name, asker.purpose, asker.state) == ("作业盒", "homework", ConsentState.WAITING)
    assert apps_told_of(pupil, since=DAY) == []
    decide(region, "parent", "pupil", text)
    assert apps_asking_for(pupil, now=NOW)[0].state is ConsentState.GIVEN
    assert "作业盒" in visit("parent").get(region.url("pupil", "seen-by/")).content.decode()
    assert "作业盒" not in visit("class_teacher").get(region.url("pupil", "seen-by/")).content.decode()


def test_a_family_reads_who_gave_a_right_for_what_and_until_when(region: Region, visit: Callable[[str], Visitor]) -> None:
    end = clock.now() + timedelta(days=30)
    api.grant_role(
        actor=region.actor("head"),
        person_id=region.person["staff"],
        role=Role.CLASS_TEACHER,
        org_id=region.org_ids["class1"],
        purpose="代班到期末",
        end_at=end,
        now=clock.now(),
    )
    shown = visit("parent").get(region.url("pupil", "seen-by/")).content.decode()
    for words in ("代班到期末", "何校长", clock.day_of(end).strftime("%Y")):
        assert words in shown
