"""How far people came: in a course as a whole, and part by part."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import QuerySet

from shuren.records.models import CoursePart, CourseRegistration, CourseSession, PartProgress
from shuren.records.rules.cmi5.words import MoveOn, PartKind


@dataclass(frozen=True, slots=True)
class PartStanding:
    """A part of a course, and how far one person came in it."""

    part: CoursePart
    progress: PartProgress | None

    @property
    def is_unit(self) -> bool:
        return self.part.kind == PartKind.UNIT

    @property
    def is_satisfied(self) -> bool:
        if self.progress is not None and self.progress.satisfied_at is not None:
            return True
        return self.is_unit and self.part.move_on == MoveOn.NOT_APPLICABLE


@dataclass(frozen=True, slots=True)
class CourseCount:
    """How many take a course, and how many of them are through."""

    registered: int
    satisfied: int


def tree_of(course_id: int) -> list[CoursePart]:
    """All parts in order, each block before what lies in it."""
    return list(CoursePart.objects.filter(course_id=course_id).order_by("place"))


def parts_of(course_id: int) -> QuerySet[CoursePart]:
    return CoursePart.objects.filter(course_id=course_id).order_by("place")


def standings_of(registration: CourseRegistration, parts: Collection[CoursePart]) -> list[PartStanding]:
    """Of these parts, in their order."""
    rows = PartProgress.objects.filter(registration=registration, part_id__in=[one.pk for one in parts])
    by_part = {row.part_id: row for row in rows}
    return [PartStanding(one, by_part.get(one.pk)) for one in parts]


def registrations_of_people(person_ids: Collection[int]) -> QuerySet[CourseRegistration]:
    rows = CourseRegistration.objects.select_related("course", "class_org").filter(person_id__in=list(person_ids))
    return rows.filter(is_current=True).order_by("-created_at", "-id")


def count_of_course(course_id: int) -> CourseCount:
    """Over all classes, without names: whoever sees the course may know it. Who only looks at it does not count."""
    rows = CourseRegistration.objects.filter(course_id=course_id, is_current=True, class_org__isnull=False)
    return CourseCount(rows.count(), rows.filter(satisfied_at__isnull=False).count())


def open_sessions(registration: CourseRegistration) -> QuerySet[CourseSession]:
    return CourseSession.objects.select_related("part").filter(registration=registration, closed_at__isnull=True).order_by("id")
