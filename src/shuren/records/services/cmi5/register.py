"""Registering people for a course: a class by its teacher, or oneself. What asks for nothing is satisfied at once (9.6.1)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole
from shuren.kernel import audit, clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict
from shuren.records.models import Course, CourseRegistration
from shuren.records.selectors.cmi5.reach import access_course, access_course_to_take, access_taught_class, reach_of
from shuren.records.services.cmi5.satisfy import satisfy
from shuren.records.services.cmi5.tell import tell


def register_class(*, actor: Actor, course_id: int, class_id: int, issuer: str, now: datetime) -> int:
    """Give a course to every pupil of a class who does not take it yet; returns how many those are. Only its teachers may."""
    course = _running(access_course(actor=actor, id=course_id, now=now))
    place = access_taught_class(actor=actor, course=course, class_id=class_id, now=now)
    rows = directory.enrollments_of_paths([place.path], role=EnrollmentRole.STUDENT, day=clock.day_of(now))
    pupils = sorted({row.person_id for row in rows if row.class_id == place.id})
    found = _registered(course, pupils, class_id=place.id, issuer=issuer, now=now)
    if found:
        details = {"class": place.id, "pupils": len(found)}
        audit.record(actor=actor, action="records.course_given", target=f"course:{course.pk}", details=details, now=now)
    return len(found)


def register_oneself(*, actor: Actor, course_id: int, issuer: str, now: datetime) -> CourseRegistration:
    """Take a course oneself: a pupil an open one of their class, a teacher or officer any that they see, to look at it."""
    course = _running(access_course_to_take(actor=actor, id=course_id, now=now))
    person_id = actor.person_id or 0
    attended = [one for one in reach_of(actor, now=now).attended if one.path.startswith(course.org.path)]
    class_id = attended[0].id if attended else None
    found = _registered(course, [person_id], class_id=class_id, issuer=issuer, now=now)
    if found:
        audit.record(actor=actor, action="records.course_taken", target=f"course:{course.pk}", now=now)
    return CourseRegistration.objects.select_related("course").get(course=course, person_id=person_id, is_current=True)


def _running(course: Course) -> Course:
    if course.withdrawn_at is not None:
        raise Conflict(_("这门课程已经停用。"), remedy=_("请选别的课程，或导入新的版本。"))
    return course


@transaction.atomic
def _registered(
    course: Course, person_ids: Sequence[int], *, class_id: int | None, issuer: str, now: datetime
) -> list[CourseRegistration]:
    """New registrations of those who have none; of two who register the same class at once, the second finds nothing to do."""
    Course.objects.select_for_update().get(pk=course.pk)
    held = CourseRegistration.objects.filter(course=course, person_id__in=person_ids, is_current=True)
    known = set(held.values_list("person_id", flat=True))
    fresh = [
        CourseRegistration(key=uuid4(), course=course, person_id=person_id, class_org_id=class_id, created_at=now)
        for person_id in person_ids
        if person_id not in known
    ]
    CourseRegistration.objects.bulk_create(fresh, batch_size=500)
    told: list[dict[str, Any]] = []
    for registration in fresh:
        told += satisfy(registration, session_id=uuid4(), unit_id="", issuer=issuer, now=now)
    tell(told, issuer=issuer, now=now)
    return fresh
