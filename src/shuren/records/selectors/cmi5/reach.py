"""Who may do what with courses: from the classes they teach or attend, and the branches they are in charge of."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, OrgData, OrgStatus, OrgType, Permission
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import Scope, outermost, path_q
from shuren.records.models import Course, CoursePart, CourseRegistration

_TEACHING = (None, "teacher", "class_teacher")
_LEARNING = (None, "pupil")


@dataclass(frozen=True, slots=True)
class Reach:
    """The hat that is worn decides. `managed` are branches whose apps the actor chooses, and so their courses, too.

    `watched` are branches whose learning records the actor sees, `results` those whose single pupils' results.
    """

    actor: Actor
    taught: tuple[OrgData, ...]
    attended: tuple[OrgData, ...]
    managed: Scope
    watched: Scope
    results: Scope

    def may_manage(self, course: Course) -> bool:
        """Withdraw a course: where it is offered, or because one brought it in for a class that one still teaches."""
        is_own = course.imported_by_id is not None and course.imported_by_id == self.actor.person_id
        return self.managed.covers(course.org.path) or (is_own and any(one.id == course.org_id for one in self.taught))

    def classes_for(self, course: Course) -> tuple[OrgData, ...]:
        return tuple(one for one in self.taught if one.path.startswith(course.org.path))

    @property
    def is_staff(self) -> bool:
        return bool(self.taught or self.managed.paths or self.watched.paths)


def reach_of(actor: Actor, *, now: datetime) -> Reach:
    taught, attended = _classes_of(actor, now)
    scopes = {
        permission: directory.scope_of(actor=actor, permission=permission, now=now)
        for permission in (Permission.CHOOSE_APPS, Permission.VIEW_STATEMENTS, Permission.VIEW_PUPIL_REPORTS)
    }
    return Reach(
        actor,
        taught,
        attended,
        managed=scopes[Permission.CHOOSE_APPS],
        watched=scopes[Permission.VIEW_STATEMENTS],
        results=scopes[Permission.VIEW_PUPIL_REPORTS],
    )


def courses_seen(reach: Reach) -> QuerySet[Course]:
    """Courses that are offered to a class one teaches, or lie in a branch that one watches, or above it."""
    return Course.objects.select_related("org").filter(_seen_q(reach)).order_by("-imported_at", "-id")


def courses_to_choose(reach: Reach) -> QuerySet[Course]:
    """Courses that a pupil may begin without being told to: open ones, for one of their classes."""
    rows = Course.objects.select_related("org").filter(is_open=True, withdrawn_at__isnull=True)
    rows = rows.filter(org__path__in=_above(one.path for one in reach.attended))
    taken = CourseRegistration.objects.filter(person_id=reach.actor.person_id or 0, is_current=True).values("course_id")
    return rows.exclude(pk__in=taken).order_by("name", "id")


def access_course(*, actor: Actor, id: int, now: datetime, reach: Reach | None = None) -> Course:
    row = courses_seen(reach or reach_of(actor, now=now)).filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这门课程。"))
    return row


def access_course_to_take(*, actor: Actor, id: int, now: datetime) -> Course:
    """A course that the actor may take: one they see as staff, to look at it, or an open one of their class."""
    reach = reach_of(actor, now=now)
    row = courses_seen(reach).filter(pk=id, withdrawn_at__isnull=True).first() or courses_to_choose(reach).filter(pk=id).first()
    if row is None or actor.person_id is None:
        raise NotFound(_("没有找到这门课程。"))
    return row


def access_managed_course(*, actor: Actor, id: int, now: datetime) -> Course:
    reach = reach_of(actor, now=now)
    row = access_course(actor=actor, id=id, now=now, reach=reach)
    if not reach.may_manage(row):
        raise NotFound(_("没有找到这门课程。"))
    return row


def access_taught_class(*, actor: Actor, course: Course, class_id: int, now: datetime) -> OrgData:
    """A class that the actor teaches and to which the course is offered."""
    for one in reach_of(actor, now=now).classes_for(course):
        if one.id == class_id:
            return one
    raise NotFound(_("没有找到这个班级。"))


def shelves_of(reach: Reach) -> list[OrgData]:
    """Orgs to whose classes the actor may offer a course: the tops of their branches, and the classes they teach."""
    tops = {int(path.rstrip("/").rpartition("/")[2]) for path in outermost(reach.managed.paths)}
    found = directory.orgs_by_ids(tops) | {one.id: one for one in reach.taught}
    return sorted((one for one in found.values() if one.status is OrgStatus.ACTIVE), key=lambda one: one.path)


def access_shelf(*, actor: Actor, id: int, now: datetime) -> OrgData:
    reach = reach_of(actor, now=now)
    org = next((one for one in shelves_of(reach) if one.id == id), None)
    if org is None:
        org = directory.orgs_by_ids([id]).get(id)
        if org is None or not reach.managed.covers(org.path) or org.status is not OrgStatus.ACTIVE:
            raise NotFound(_("没有找到这个单位。"))
    return org


def registrations_of(course: Course, reach: Reach) -> QuerySet[CourseRegistration]:
    """Those of a course whose names the reader may see: of their classes, and of branches whose results they see."""
    of_classes = Q(class_org_id__in=[one.id for one in reach.taught]) | path_q("class_org__path", reach.results.paths)
    return (
        CourseRegistration.objects.select_related("class_org", "course", "course__org")
        .filter(of_classes, course=course, is_current=True)
        .order_by("class_org__path", "id")
    )


def access_registration(*, actor: Actor, id: int, now: datetime) -> CourseRegistration:
    """One's own, a ward's, or one of a pupil whose results one may see."""
    rows = CourseRegistration.objects.select_related("course", "course__org", "class_org").filter(pk=id)
    row = rows.first()
    if row is not None:
        if actor.person_id is not None and row.person_id == actor.person_id:
            return row
        reach = reach_of(actor, now=now)
        if row.person_id in reach.results.person_ids or registrations_of(row.course, reach).filter(pk=id).exists():
            return row
    raise NotFound(_("没有找到这次学习。"))


def access_own_registration(*, actor: Actor, id: int) -> CourseRegistration:
    rows = CourseRegistration.objects.select_related("course", "course__org", "class_org").filter(pk=id)
    row = rows.filter(person_id=actor.person_id).first() if actor.person_id is not None else None
    if row is None:
        raise NotFound(_("没有找到这次学习。"))
    return row


def may_waive(registration: CourseRegistration, reach: Reach) -> bool:
    """A teacher of the class, or whoever is in charge of courses and sees the results there."""
    class_org = registration.class_org
    if class_org is None:
        return False
    is_in_charge = reach.managed.covers(class_org.path) and reach.results.covers(class_org.path)
    return is_in_charge or any(one.id == class_org.pk for one in reach.taught)


def access_unit(*, course: Course, id: int) -> CoursePart:
    row = CoursePart.objects.filter(course=course, pk=id, kind="au").first()
    if row is None:
        raise NotFound(_("课程里没有这个单元。"))
    return row


def _seen_q(reach: Reach) -> Q:
    branches = outermost([*reach.managed.paths, *reach.watched.paths])
    above = _above([*(one.path for one in reach.taught), *branches])
    return path_q("org__path", branches) | Q(org__path__in=above)


def _above(paths: Iterable[str]) -> set[str]:
    """These paths and those of every org above them."""
    found: set[str] = set()
    for path in paths:
        parts = path.rstrip("/").split("/")
        found |= {"/".join(parts[:depth]) + "/" for depth in range(1, len(parts) + 1)}
    return found


def _classes_of(actor: Actor, now: datetime) -> tuple[tuple[OrgData, ...], tuple[OrgData, ...]]:
    """Classes that the actor teaches, or leads as class teacher, and classes they attend, in the chosen hat."""
    if actor.person_id is None or actor.app is not None:
        return (), ()
    taught, attended = set[int](), set[int]()
    for row in directory.enrollments_of_people([actor.person_id], day=clock.day_of(now)):
        if row.role is EnrollmentRole.TEACHER and actor.role in _TEACHING:
            taught.add(row.class_id)
        elif row.role is EnrollmentRole.STUDENT and actor.role in _LEARNING:
            attended.add(row.class_id)
    if actor.role in _TEACHING:
        options = directory.role_options(actor.person_id, now=now)
        taught |= {one.org_id for one in options if one.role.value == "class_teacher" and one.org_id is not None}
    orgs = directory.orgs_by_ids(taught | attended)
    by_path = sorted((one for one in orgs.values() if one.type is OrgType.CLASS), key=lambda one: one.path)
    return tuple(one for one in by_path if one.id in taught), tuple(one for one in by_path if one.id in attended)
