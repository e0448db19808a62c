"""Courses by cmi5 for programs of signed-in people: which there are, who takes them, launching, and letting off."""

from datetime import datetime

from django.http import HttpRequest
from django.utils.translation import get_language
from ninja import Query, Router, Schema

from shuren.directory import api as directory
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.paging import SIZES, page_of
from shuren.records.models import Course, CourseRegistration
from shuren.records.rules.cmi5.titles import best_title
from shuren.records.rules.cmi5.words import LaunchMode, PartKind, WaiveReason
from shuren.records.selectors.cmi5.progress import PartStanding, count_of_course, parts_of, standings_of
from shuren.records.selectors.cmi5.reach import (
    access_course,
    access_registration,
    courses_seen,
    reach_of,
    registrations_of,
)
from shuren.records.services.cmi5.launch import Addresses, launch_unit
from shuren.records.services.cmi5.register import register_class, register_oneself
from shuren.records.services.cmi5.waive import waive_unit
from shuren.records.views.asked import issuer_of

router = Router(tags=["courses"])


class CourseOut(Schema):
    """A course; `publisher_id` is its own id, `activity_id` the one by which statements of the system call it."""

    id: str
    name: str
    publisher_id: str
    activity_id: str
    org_id: str
    units: int
    is_open: bool
    is_withdrawn: bool
    imported_at: datetime


class CoursePage(Schema):
    """One page of courses, newest first."""

    rows: list[CourseOut]
    total: int
    is_exact: bool
    page: int


class CourseCountOut(CourseOut):
    """A course and how many pupils take it."""

    registered: int
    satisfied: int


class RegistrationOut(Schema):
    """Somebody takes a course; `registration` is the UUID that statements name."""

    id: str
    registration: str
    course_id: str
    person_id: str
    person_name: str
    units_satisfied: int
    units: int
    last_at: datetime | None
    satisfied_at: datetime | None


class RegistrationPage(Schema):
    """One page of those whose names the caller may see."""

    rows: list[RegistrationOut]
    total: int
    is_exact: bool
    page: int


class PartOut(Schema):
    """A block or unit, and how far the person came in it; `depth` counts the blocks around it."""

    id: str
    kind: PartKind
    depth: int
    title: str
    publisher_id: str
    activity_id: str
    move_on: str
    mastery_score: float | None
    is_satisfied: bool
    completed_at: datetime | None
    passed_at: datetime | None
    failed_at: datetime | None
    waived_at: datetime | None
    score: float | None


class PartPage(Schema):
    """One page of the parts of a course in their order, as one person stands in them."""

    registration: RegistrationOut
    rows: list[PartOut]
    total: int
    is_exact: bool
    page: int


class CoursesQuery(Schema):
    """Which page, and how many rows on it."""

    page: int = 1
    size: int = 50


class RegisterIn(Schema):
    """The class to which the course is given; without one the caller takes it alone."""

    class_id: str = ""


class RegisteredOut(Schema):
    """How many took the course by this, and the caller's own registration where no class was named."""

    registered: int
    registration_id: str


class LaunchIn(Schema):
    """Which unit, and how."""

    part_id: str
    mode: LaunchMode = LaunchMode.NORMAL


class LaunchOut(Schema):
    """Where the window goes; the address is good for one start."""

    url: str
    session_id: str


class WaiveIn(Schema):
    """Which unit, and why."""

    part_id: str
    reason: WaiveReason


@router.get("/courses", response=CoursePage, operation_id="list_courses", summary="Courses of one's classes and branches")
def list_courses(request: HttpRequest, asked: Query[CoursesQuery]) -> CoursePage:
    rows = courses_seen(reach_of(actor_of(request), now=clock.now()))
    found = page_of(rows, _course_out, number=_number(asked.page), size=_size(asked.size))
    return CoursePage(rows=found.rows, total=found.total, is_exact=found.is_exact, page=found.number)


@router.get("/courses/{course_id}", response=CourseCountOut, operation_id="read_course", summary="A course")
def read_course(request: HttpRequest, course_id: str) -> CourseCountOut:
    row = access_course(actor=actor_of(request), id=ids.decode("course", course_id), now=clock.now())
    count = count_of_course(row.pk)
    return CourseCountOut(**_course_out(row).model_dump(), registered=count.registered, satisfied=count.satisfied)


@router.get(
    "/courses/{course_id}/registrations",
    response=RegistrationPage,
    operation_id="list_course_registrations",
    summary="Who takes a course",
)
def list_course_registrations(request: HttpRequest, course_id: str, asked: Query[CoursesQuery]) -> RegistrationPage:
    actor, now = actor_of(request), clock.now()
    reach = reach_of(actor, now=now)
    row = access_course(actor=actor, id=ids.decode("course", course_id), now=now, reach=reach)
    found = page_of(registrations_of(row, reach), lambda one: one, number=_number(asked.page), size=_size(asked.size))
    told = _registrations_out(found.rows)
    return RegistrationPage(rows=told, total=found.total, is_exact=found.is_exact, page=found.number)


@router.post(
    "/courses/{course_id}/registrations",
    response=RegisteredOut,
    operation_id="register_for_course",
    summary="Give a course to a class, or take it oneself",
)
def register_for_course(request: HttpRequest, course_id: str, asked: RegisterIn) -> RegisteredOut:
    actor, now, issuer = actor_of(request), clock.now(), issuer_of(request)
    key = ids.decode("course", course_id)
    if asked.class_id:
        class_id = ids.decode("org", asked.class_id)
        count = register_class(actor=actor, course_id=key, class_id=class_id, issuer=issuer, now=now)
        return RegisteredOut(registered=count, registration_id="")
    found = register_oneself(actor=actor, course_id=key, issuer=issuer, now=now)
    return RegisteredOut(registered=1, registration_id=ids.encode("course_registration", found.pk))


@router.get(
    "/course-registrations/{registration_id}",
    response=PartPage,
    operation_id="read_course_registration",
    summary="How far somebody is in a course",
)
def read_course_registration(request: HttpRequest, registration_id: str, asked: Query[CoursesQuery]) -> PartPage:
    key = ids.decode("course_registration", registration_id)
    row = access_registration(actor=actor_of(request), id=key, now=clock.now())
    found = page_of(parts_of(row.course_id), lambda part: part, number=_number(asked.page), size=_size(asked.size))
    rows = [_part_out(one) for one in standings_of(row, found.rows)]
    told = _registrations_out([row])[0]
    return PartPage(registration=told, rows=rows, total=found.total, is_exact=found.is_exact, page=found.number)


@router.post(
    "/course-registrations/{registration_id}/launch",
    response=LaunchOut,
    operation_id="launch_course_unit",
    summary="Begin a session in one's own registration",
)
def launch_course_unit(request: HttpRequest, registration_id: str, asked: LaunchIn) -> LaunchOut:
    """What is still open of this registration is given up."""
    issuer = issuer_of(request)
    found = launch_unit(
        actor=actor_of(request),
        registration_id=ids.decode("course_registration", registration_id),
        part_id=ids.decode("course_part", asked.part_id),
        mode=asked.mode,
        language="en" if get_language() == "en" else "zh-CN",
        addresses=Addresses(issuer=issuer, back=f"{issuer}/courses/mine/{registration_id}/"),
        now=clock.now(),
    )
    return LaunchOut(url=found.url, session_id=found.session_id)


@router.post(
    "/course-registrations/{registration_id}/waive",
    response=RegistrationOut,
    operation_id="waive_course_unit",
    summary="Let a pupil off a unit",
)
def waive_course_unit(request: HttpRequest, registration_id: str, asked: WaiveIn) -> RegistrationOut:
    actor, now = actor_of(request), clock.now()
    key = ids.decode("course_registration", registration_id)
    part_id = ids.decode("course_part", asked.part_id)
    waive_unit(actor=actor, registration_id=key, part_id=part_id, reason=asked.reason, issuer=issuer_of(request), now=now)
    return _registrations_out([access_registration(actor=actor, id=key, now=now)])[0]


def _course_out(row: Course) -> CourseOut:
    return CourseOut(
        id=ids.encode("course", row.pk),
        name=row.name,
        publisher_id=row.publisher_id,
        activity_id=row.activity,
        org_id=ids.encode("org", row.org_id),
        units=row.unit_count,
        is_open=row.is_open,
        is_withdrawn=row.withdrawn_at is not None,
        imported_at=row.imported_at,
    )


def _registrations_out(rows: list[CourseRegistration]) -> list[RegistrationOut]:
    names = directory.people_by_ids({row.person_id for row in rows})
    return [
        RegistrationOut(
            id=ids.encode("course_registration", row.pk),
            registration=str(row.key),
            course_id=ids.encode("course", row.course_id),
            person_id=ids.encode("person", row.person_id),
            person_name=names[row.person_id].name if row.person_id in names else "",
            units_satisfied=row.units_done,
            units=row.course.unit_count,
            last_at=row.last_at,
            satisfied_at=row.satisfied_at,
        )
        for row in rows
    ]


def _part_out(row: PartStanding) -> PartOut:
    part, progress = row.part, row.progress
    return PartOut(
        id=ids.encode("course_part", part.pk),
        kind=PartKind(part.kind),
        depth=part.depth,
        title=best_title(part.title, get_language() or ""),
        publisher_id=part.publisher_id,
        activity_id=part.activity,
        move_on=part.move_on,
        mastery_score=None if part.mastery_score is None else float(part.mastery_score),
        is_satisfied=row.is_satisfied,
        completed_at=progress.completed_at if progress else None,
        passed_at=progress.passed_at if progress else None,
        failed_at=progress.failed_at if progress else None,
        waived_at=progress.waived_at if progress else None,
        score=progress.score if progress else None,
    )


def _number(page: int) -> int:
    return min(max(1, page), 1_000_000)


def _size(size: int) -> int:
    return min(max(size, 1), SIZES[-1])
