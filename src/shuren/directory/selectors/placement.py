"""What putting a pupil into a home class ends and begins: asked by the page before, and by the service that does it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q
from django.utils.translation import gettext as _

from shuren.directory.data import ClassType, EnrollmentRole, OrgData, OrgStatus, OrgType, Role
from shuren.directory.models import Affiliation, ClassDetail, Enrollment, GuardianLink
from shuren.directory.rules.tree import ids_of, is_inside, nearest
from shuren.directory.selectors.orgs import orgs_by_ids
from shuren.directory.selectors.people import person_row_within
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.kernel.scope import Scope

SITES = (OrgType.SCHOOL, OrgType.TEACHING_POINT)


class TooEarly(Invalid):
    """The pupil was not yet where they are now."""


@dataclass(frozen=True, slots=True)
class Tie:
    """An affiliation or an enrollment that is to end, by its row id."""

    id: int
    person_id: int
    person_name: str
    org_id: int
    org_name: str
    org_path: str
    begin_date: date | None


@dataclass(frozen=True, slots=True)
class Placement:
    """The old home class and, where the school changes, what goes with it.

    `classes` are the other classes at the schools left, `guardians` the parents no other child keeps there, `movers` the
    parents (id, name) who are to become parents at the new school. `joins` says that the pupil is not yet at `site`.
    """

    home: OrgData
    site: OrgData
    joins: bool
    homes: tuple[Tie, ...]
    schools: tuple[Tie, ...]
    classes: tuple[Tie, ...]
    guardians: tuple[Tie, ...]
    movers: tuple[tuple[int, str], ...]

    @property
    def earliest(self) -> date | None:
        """Before this day the pupil was not yet where they are now."""
        return max((tie.begin_date for tie in (*self.homes, *self.schools) if tie.begin_date), default=None)


def open_q(day: date) -> Q:
    """Rows that have not ended on `day`, those still to begin among them; what ends as it begins never holds."""
    is_empty = Q(begin_date__isnull=False, begin_date__gte=F("end_date"))
    return Q(end_date__isnull=True) | (Q(end_date__gt=day) & ~is_empty)


def site_of(class_org: OrgData) -> OrgData:
    """The school or teaching point a class belongs to."""
    above = orgs_by_ids(ids_of(class_org.path)[:-1])
    found = [org for org in above.values() if org.type in SITES]
    if not found:
        raise Invalid(_("这个班不在学校之下。"), remedy=_("请另选班级。"))
    return max(found, key=lambda org: org.depth)


def is_home_class(org: OrgData) -> bool:
    """Whether pupils may have their home class here: an active class that is not one of a taught course."""
    if org.type is not OrgType.CLASS or org.status is not OrgStatus.ACTIVE:
        return False
    return not ClassDetail.objects.filter(org_id=org.id, class_type=ClassType.SCHEDULED).exists()


def checked_placement(*, manage: Scope, person_id: int, class_id: int, day: date, today: date) -> Placement:
    """What would change if the pupil began in the class on `day`; raises where somebody who manages `manage` may not do it."""
    person_row_within(manage, person_id, day=today)
    class_org = orgs_by_ids([class_id]).get(class_id)
    if class_org is None or not manage.covers(class_org.path):
        raise NotFound(_("没有找到这个班级。"))
    placement = _placement(person_id, class_org, day)
    earliest = placement.earliest
    if earliest is not None and day < earliest:
        raise TooEarly(
            _("这名学生从 %(day)s 起才在现在的班级或学校，不能在这之前转走。") % {"day": earliest.isoformat()},
            remedy=_("请改用这一天或以后的日期。"),
        )
    schools = [placement.site.path] if placement.joins else []
    if not all(manage.covers(path) for path in (*schools, *(tie.org_path for tie in placement.schools))):
        raise Refused(_("转学要同时改动两所学校，您只管理其中一部分。"), remedy=_("请由同时管理两校的上级办理。"))
    return placement


def _placement(person_id: int, class_org: OrgData, day: date) -> Placement:
    if not is_home_class(class_org):
        raise Invalid(_("只能编入在办的行政班。"), remedy=_("请另选班级。"))
    site = site_of(class_org)
    learning = _enrolled(person_id, day)
    homes = [tie for tie, is_primary in learning if is_primary]
    if any(tie.org_id == class_org.id for tie in homes):
        raise Conflict(_("这名学生已经在这个班。"), remedy=_("请另选班级。"))
    ties = _affiliated([person_id], Role.PUPIL, day)
    old = {tie.org_path for tie in homes}
    kept = [tie for tie in ties if is_inside(class_org.path, tie.org_path)]
    # A pupil without a class leaves every school; one with a class only the school of that class.
    left = [tie for tie in ties if tie not in kept and (not old or any(is_inside(path, tie.org_path) for path in old))]
    branches = [tie.org_path for tie in left]
    classes = [tie for tie, is_primary in learning if not is_primary and nearest(tie.org_path, branches) is not None]
    guardians, movers = _family(person_id, branches, site, day) if left else ((), ())
    return Placement(class_org, site, not kept, tuple(homes), tuple(left), tuple(classes), guardians, movers)


def _enrolled(person_id: int, day: date) -> list[tuple[Tie, bool]]:
    rows = Enrollment.objects.visible().filter(open_q(day), person_id=person_id, role=EnrollmentRole.STUDENT)
    columns = ("pk", "person_id", "person__name", "class_org_id", "class_org__name", "org_path", "begin_date", "is_primary")
    return [(Tie(*row), is_primary) for *row, is_primary in rows.order_by("pk").values_list(*columns)]


def _affiliated(person_ids: Collection[int], role: Role, day: date) -> list[Tie]:
    rows = Affiliation.objects.visible().filter(open_q(day), person_id__in=person_ids, role=role)
    columns = ("pk", "person_id", "person__name", "org_id", "org__name", "org_path", "begin_date")
    return [Tie(*row) for row in rows.order_by("pk").values_list(*columns)]


def _family(
    ward_id: int, branches: Collection[str], site: OrgData, day: date
) -> tuple[tuple[Tie, ...], tuple[tuple[int, str], ...]]:
    """The guardians' roles that end at the schools left, and the guardians who follow to the new one."""
    links = GuardianLink.objects.visible().filter(open_q(day), ward_id=ward_id)
    parents = _affiliated(list(links.values_list("guardian_id", flat=True)), Role.PARENT, day)
    there = [tie for tie in parents if nearest(tie.org_path, branches) is not None]
    if not there:
        return (), ()
    here = {tie.person_id for tie in parents if is_inside(site.path, tie.org_path)}
    staying = _held_by_siblings({tie.person_id for tie in there}, ward_id, branches, day)
    movers = dict.fromkeys((tie.person_id, tie.person_name) for tie in there if tie.person_id not in here)
    return tuple(tie for tie in there if tie.person_id not in staying), tuple(movers)


def _held_by_siblings(guardian_ids: Collection[int], ward_id: int, branches: Collection[str], day: date) -> set[int]:
    """Guardians with another ward at one of the schools."""
    links = GuardianLink.objects.visible().filter(open_q(day), guardian_id__in=guardian_ids).exclude(ward_id=ward_id)
    wards = list(links.values_list("guardian_id", "ward_id"))
    learning = _affiliated([ward for _guardian, ward in wards], Role.PUPIL, day)
    there = {tie.person_id for tie in learning if nearest(tie.org_path, branches) is not None}
    return {guardian for guardian, ward in wards if ward in there}
