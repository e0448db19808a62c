"""A class behind the one address of its school, at the real door."""

import pytest
from django.test import Client

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole
from shuren.identity import api
from shuren.identity.rules import locks
from shuren.identity.services import policy
from shuren.identity.tests.conftest import BEGUN, NOW, PASSWORD, School
from shuren.kernel.data import SYSTEM

ADDRESS = "10.8.0.1"
CLASS_SIZE = 45


@pytest.fixture
def classmates(school: School) -> list[str]:
    """The usernames of 45 children who never came in before."""
    names = [f"mate{place}" for place in range(CLASS_SIZE)]
    for place, name in enumerate(names):
        school.add_person(name, "同学", pupil_number=f"G5101042016050{place:05d}", birth_date=BEGUN.replace(year=2016))
        directory.enrol(
            actor=SYSTEM,
            person_id=school.people[name],
            class_id=school.orgs["class"],
            role=EnrollmentRole.STUDENT,
            is_primary=True,
            begin_date=BEGUN,
            now=NOW,
        )
    ids = {school.people[name]: name for name in names}
    api.create_accounts(actor=SYSTEM, person_ids=list(ids), usernames=ids, now=NOW)
    for person_id in ids:
        api.set_password(actor=SYSTEM, person_id=person_id, password=PASSWORD, must_change=False, now=NOW)
    return names


def knock_at_door(name: str, password: str = PASSWORD) -> int:
    """A browser of its own, as on every desk of the computer room; returns the status it was answered with."""
    return Client(REMOTE_ADDR=ADDRESS).post("/sign-in/", {"username": name, "password": password}).status_code


def test_one_pupil_who_keeps_guessing_keeps_nobody_out(school: School, classmates: list[str]) -> None:
    assert [knock_at_door("pupil", "wrong") for _try in range(60)].count(429) == 60 - locks.MAX_FAILURES + 1
    assert knock_at_door("pupil") == 429
    assert {knock_at_door(name) for name in classmates} == {302}


def test_a_guess_at_a_classmate_does_not_keep_the_others_out(school: School, classmates: list[str]) -> None:
    for _try in range(locks.MAX_FAILURES):
        knock_at_door(classmates[0], "wrong")
    assert knock_at_door(classmates[0]) == 429
    assert {knock_at_door(name) for name in classmates[1:]} == {302}


def test_one_pupil_who_tries_every_name_keeps_nobody_out(school: School, classmates: list[str]) -> None:
    """Inside the school's written network browsers are told apart, though all share one address."""
    policy.set_school_networks(actor=school.actor("admin"), org_id=school.orgs["school"], text="10.8.0.0/24", now=NOW)
    guesser = Client(REMOTE_ADDR=ADDRESS)
    guesser.get("/sign-in/")
    for name in classmates[:15]:
        for _try in range(locks.MAX_FAILURES):
            guesser.post("/sign-in/", {"username": name, "password": "wrong"})
        assert guesser.post("/sign-in/", {"username": name, "password": PASSWORD}).status_code == 429
    for name in classmates[:15]:
        desk = Client(REMOTE_ADDR=ADDRESS)
        desk.get("/sign-in/")
        assert desk.post("/sign-in/", {"username": name, "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("cookie", ["", "x", "forged:mark:here"])
def test_browsers_are_told_apart_by_our_own_mark_only(school: School, classmates: list[str], cookie: str) -> None:
    policy.set_school_networks(actor=school.actor("admin"), org_id=school.orgs["school"], text="10.8.0.0/24", now=NOW)
    for _try in range(locks.MAX_FAILURES):
        knock_at_door(classmates[0], "wrong")
    desk = Client(REMOTE_ADDR=ADDRESS)
    desk.cookies["shuren_door"] = cookie
    assert desk.post("/sign-in/", {"username": classmates[0], "password": PASSWORD}).status_code == 429


def test_outside_of_schools_no_browser_is_marked(school: School) -> None:
    assert "shuren_door" not in Client(REMOTE_ADDR="203.0.113.1").get("/sign-in/").cookies


def test_a_class_that_mistypes_once_comes_in_at_the_second_try(school: School, classmates: list[str]) -> None:
    assert {knock_at_door(name, "wrong") for name in classmates} == {401}
    assert {knock_at_door(name) for name in classmates} == {302}


def test_a_class_that_mistypes_every_lesson_comes_in_where_everybody_came_in_before(
    school: School, classmates: list[str]
) -> None:
    assert {knock_at_door(name) for name in classmates} == {302}
    for _lesson in range(3):  # with 135 failures the address is a hot one
        assert {knock_at_door(name, "wrong") for name in classmates} == {401}
    assert {knock_at_door(name) for name in classmates} == {302}
