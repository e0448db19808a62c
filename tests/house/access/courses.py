"""Courses by cmi5: teachers and those in charge of a branch see what is offered there, everybody their own."""

import io
from dataclasses import replace

from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.records.models import CoursePart, CourseRegistration
from shuren.records.selectors.cmi5.content import content_pass
from shuren.records.services.cmi5.import_course import import_course
from shuren.records.services.cmi5.register import register_class
from shuren.records.tests.cmi5.course_play import course, package, unit
from tests.cast import Cast
from tests.house.access.frame import (
    EVERYBODY,
    FAMILY_AND_SCHOOL,
    MANAGERS,
    ROOT,
    Address,
    Area,
    act,
    call,
    form,
    page,
    public,
    roles,
)

TEACHERS = roles("teacher class_teacher")
WATCHERS = MANAGERS | roles("head")
SEEING = WATCHERS | TEACHERS
READING = FAMILY_AND_SCHOOL | roles("teacher")
_ASKED = Address(near=EVERYBODY, far=EVERYBODY, methods=("POST",), granted=frozenset({422}), stranger=401)

ADDRESSES: dict[str, Address] = {
    # Staff without a course of their own are sent on to those of their classes.
    "records:my_courses": replace(page(EVERYBODY), granted=frozenset({200, 302})),
    "records:courses": page(EVERYBODY),
    "records:courses_to_choose": page(EVERYBODY),
    "records:import_course": form(SEEING),
    "records:course": page(SEEING, ROOT, course_id="course"),
    "records:course_people": page(SEEING, ROOT, course_id="course"),
    "records:give_course": form(TEACHERS, course_id="course"),
    "records:look_at_course": act(SEEING, ROOT, course_id="course"),
    "records:take_course": act(SEEING | roles("pupil"), ROOT, course_id="open_course"),
    "records:withdraw_course": act(WATCHERS, ROOT, course_id="course"),
    "records:course_of": page(READING, registration_id="registration"),
    "records:open_unit": act(roles("pupil"), registration_id="registration", part_id="part"),
    "records:waive_unit": form(TEACHERS | roles("head"), registration_id="registration", part_id="part"),
    "records:cmi5_fetch": replace(public("POST"), far=EVERYBODY, objects={"key": "fetch_key"}),
    "records:cmi5_content": replace(public("GET"), far=EVERYBODY, objects={"told": "content", "name": "file"}),
    "api-v1:list_courses": call(EVERYBODY),
    "api-v1:read_course": call(SEEING, ROOT, course_id="course"),
    "api-v1:list_course_registrations": call(SEEING, ROOT, course_id="course"),
    "api-v1:register_for_course": call(SEEING, ROOT, course_id="course"),
    "api-v1:read_course_registration": call(READING, registration_id="registration"),
    "api-v1:launch_course_unit": replace(_ASKED, objects={"registration_id": "registration"}),
    "api-v1:waive_course_unit": replace(_ASKED, objects={"registration_id": "registration"}),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """A course of the near school and one of the far school, each taken by a pupil there, and an open one of each."""
    found: dict[str, list[str]] = {key: [] for key in ("course", "open_course", "registration", "part", "content")}
    for side in ("", "far_"):
        made = package(course(unit("a", url="a.html", moveOn="Passed")), {"a.html": b"<p>a</p>"})
        row = _brought_in(cast, f"{side}school", made, is_open=False)
        teacher = Actor(cast.people["teacher" if not side else "far_class_teacher"].id, 1, "")
        class_id = cast.orgs[f"{side}class"].id
        register_class(actor=teacher, course_id=row, class_id=class_id, issuer="https://r.example.cn", now=clock.now())
        pupil = CourseRegistration.objects.get(course_id=row, person_id=cast.people[f"{side}pupil"].id)
        found["course"].append(ids.encode("course", row))
        found["registration"].append(ids.encode("course_registration", pupil.pk))
        found["part"].append(ids.encode("course_part", CoursePart.objects.get(course_id=row).pk))
        found["content"].append(content_pass(row))
        other = io.BytesIO(course(unit("b", moveOn="Passed"), id="https://press.example.org/open"))
        found["open_course"].append(ids.encode("course", _brought_in(cast, f"{side}school", other, is_open=True)))
    told = {key: (values[0], values[1]) for key, values in found.items()}
    return told | {"file": ("a.html", "a.html"), "fetch_key": ("near", "far")}


def _brought_in(cast: Cast, org: str, file: io.BytesIO, *, is_open: bool) -> int:
    officer = Actor(cast.people["province_officer"].id, 1, "")
    org_id, now = cast.orgs[org].id, clock.now()
    row = import_course(actor=officer, org_id=org_id, file=file, is_open=is_open, issuer="https://r.example.cn", now=now)
    return row.pk


AREA = Area(ADDRESSES, places)
