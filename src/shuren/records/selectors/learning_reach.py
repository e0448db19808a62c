"""Whose learning somebody may look at: classes they teach, branches they watch, themselves and their children."""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, OrgData, OrgType, Permission, PersonData
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.records.data import StatementFilter
from shuren.records.selectors.cmi5.reach import Reach, reach_of


@dataclass(frozen=True, slots=True)
class LearningPlace:
    """A class or branch whose learning is shown; `pupils` are those of a class today, and `has_names` opens them one by one."""

    org: OrgData
    pupils: tuple[int, ...]
    has_names: bool

    @property
    def is_class(self) -> bool:
        return self.org.type is OrgType.CLASS

    def asked(self, period: tuple[date, date]) -> StatementFilter:
        """What was done here on these days; of a class, by its pupils of today."""
        pupils = self.pupils if self.is_class else None
        return StatementFilter(paths=(self.org.path,), since=period[0], until=period[1], person_ids=pupils)


def access_learning_place(*, actor: Actor, id: int, now: datetime) -> LearningPlace:
    reach = reach_of(actor, now=now)
    org = directory.orgs_by_ids([id]).get(id)
    if org is None or not (_teaches(reach, id) or reach.watched.covers(org.path) or reach.results.covers(org.path)):
        raise NotFound(_("没有找到这个班级或单位。"))
    if org.type is not OrgType.CLASS:
        return LearningPlace(org, (), has_names=False)
    enrolled = directory.enrollments_of_paths([org.path], role=EnrollmentRole.STUDENT, day=clock.day_of(now))
    pupils = tuple(sorted({row.person_id for row in enrolled}))
    return LearningPlace(org, pupils, has_names=_teaches(reach, id) or reach.results.covers(org.path))


def access_named_class(*, actor: Actor, id: int, now: datetime) -> LearningPlace:
    place = access_learning_place(actor=actor, id=id, now=now)
    if not place.has_names:
        raise NotFound(_("没有找到这个班级或单位。"))
    return place


def access_learner(*, actor: Actor, id: int, now: datetime) -> PersonData:
    """Oneself, a pupil of a class one teaches, or somebody whose results one may see, children included."""
    person = directory.people_by_ids([id]).get(id)
    if person is None or not _may_see(actor, id, now):
        raise NotFound(_("没有找到这个人的学习情况。"))
    return person


def learners_of(actor: Actor, *, now: datetime) -> list[PersonData]:
    """Oneself if one attends a class in the hat that is worn, and one's children."""
    reach = reach_of(actor, now=now)
    own = {actor.person_id} if actor.person_id is not None else set[int]()
    children = set(reach.results.person_ids) - own
    found = directory.people_by_ids(children | (own if reach.attended else set()))
    return sorted(found.values(), key=lambda one: (one.id not in own, one.name, one.id))


def _may_see(actor: Actor, person_id: int, now: datetime) -> bool:
    if actor.app is None and person_id == actor.person_id:
        return True
    if directory.people_within(actor=actor, person_ids=[person_id], permission=Permission.VIEW_PUPIL_REPORTS, now=now):
        return True
    reach = reach_of(actor, now=now)
    rows = directory.enrollments_of_people([person_id], day=clock.day_of(now)) if reach.taught else []
    return any(row.role is EnrollmentRole.STUDENT and _teaches(reach, row.class_id) for row in rows)


def _teaches(reach: Reach, org_id: int) -> bool:
    return any(one.id == org_id for one in reach.taught)
