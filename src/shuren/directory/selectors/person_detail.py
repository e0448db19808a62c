"""Everything a person's page shows, for those parts the reader may see."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.models import Q

from shuren.directory.data import ClassType, EnrollmentRole, GrantData, Permission, PersonData, Role, Standing, Withheld
from shuren.directory.models import Affiliation, Enrollment, FormerNumber, GuardianLink, Org, Person
from shuren.directory.rules.permissions import GIVEN_ROLES
from shuren.directory.rules.reading import purpose_of_page, standing_of
from shuren.directory.selectors.grants import GivingRight, giving_rights, grants_of
from shuren.directory.selectors.people import people_within, person_data, person_row_within
from shuren.directory.selectors.scope import current_q, scopes_of
from shuren.directory.selectors.told import Told, facts_inside, told_inside
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor, Period
from shuren.kernel.scope import Scope, path_q


@dataclass(frozen=True, slots=True)
class Belonging:
    """A line of a person's past and present: role, org, period; `may_end` says whether the reader may end it."""

    id: int
    role: Role
    org_id: int
    org_name: str
    org_public_id: str
    org_path: str
    is_primary: bool
    begin_date: date | None
    end_date: date | None
    is_current: bool
    has_ended: bool = False
    may_end: bool = False


@dataclass(frozen=True, slots=True)
class Relative:
    """A guardian or a ward; `is_open` says whether the reader may open their page."""

    person: PersonData
    relation: str
    is_open: bool
    begin_date: date | None
    end_date: date | None
    has_ended: bool


@dataclass(frozen=True, slots=True)
class PersonDetail:
    """A person's page. `private` holds the facts graded L3 as this reader, by their `standing`, is told them.

    `open_org_ids` are the orgs among the person's own whose pages the reader may open; `former_numbers` are kind, what is
    told of it and until when; `has_taught_classes` is asked only for a pupil whom the reader manages.
    """

    person: PersonData
    grade: str
    private: dict[str, Told]
    has_national_id: bool
    standing: Standing
    may_manage: bool
    affiliations: tuple[Belonging, ...]
    enrollments: tuple[Belonging, ...]
    guardians: tuple[Relative, ...]
    wards: tuple[Relative, ...]
    former_numbers: tuple[tuple[str, Told, datetime], ...]
    grants: tuple[GrantData, ...]
    open_org_ids: frozenset[int]
    has_taught_classes: bool

    @property
    def is_masked(self) -> bool:
        """Whether this reader, always, is told less than is kept."""
        return self.standing is Standing.VIEWER

    @property
    def has_masked_facts(self) -> bool:
        """Whether anything is on file that this reader is not told whole."""
        told = [*self.private.values(), *(fact for _kind, fact, _until in self.former_numbers)]
        return self.is_masked and (self.has_national_id or any(fact.reason is not None for fact in told))

    @property
    def may_reveal(self) -> bool:
        """Whether something is kept that is shown on request only, and this reader may ask."""
        has_some = self.has_national_id or any(told.reason is Withheld.ON_REQUEST for told in self.private.values())
        return has_some and not self.is_masked


_VIEW, _SENSITIVE, _MANAGE = Permission.VIEW_PEOPLE, Permission.VIEW_SENSITIVE, Permission.MANAGE_PEOPLE
PRIVATE = ("birth_date", "pupil_number", "staff_number", "phone", "email")


def person_detail(*, actor: Actor, id: int, now: datetime) -> PersonDetail:
    """The page of somebody `actor` may see; one may always see one's own facts."""
    scopes = scopes_of(actor=actor, permissions=(_VIEW, _SENSITIVE, _MANAGE, Permission.VIEW_ORGS), now=now)
    day = day_of(now)
    row = person_row_within(scopes[_VIEW], id, day=day)
    may_manage = bool(people_within(scopes[_MANAGE], [row.pk], day=day))
    guardians, wards = _relatives(row, scopes[_VIEW], day, with_ended=may_manage)
    affiliations, enrollments = _affiliations(row, day), _enrollments(row, day)
    if may_manage:
        affiliations = _endable(affiliations, scopes[_MANAGE], _rights(actor, affiliations, now))
        enrollments = _endable(enrollments, scopes[_MANAGE], None)
    standing = standing_of(
        is_self=actor.person_id == row.pk,
        is_family=any(relative.person.id == actor.person_id and not relative.has_ended for relative in guardians),
        is_keeper=bool(people_within(scopes[_SENSITIVE], [row.pk], day=day)),
    )
    return PersonDetail(
        person=person_data(row),
        grade=row.grade,
        private=facts_inside({key: getattr(row, key) for key in PRIVATE}, purpose=purpose_of_page(standing), standing=standing),
        has_national_id=bool(row.national_id_index),
        standing=standing,
        may_manage=may_manage,
        affiliations=affiliations,
        enrollments=enrollments,
        guardians=guardians,
        wards=wards,
        former_numbers=_former_numbers(row, standing),
        grants=tuple(grants_of(row.pk, now=now)),
        open_org_ids=frozenset(
            line.org_id for line in (*affiliations, *enrollments) if scopes[Permission.VIEW_ORGS].covers(line.org_path)
        ),
        has_taught_classes=may_manage and _has_taught_classes(affiliations),
    )


def _former_numbers(row: Person, standing: Standing) -> tuple[tuple[str, Told, datetime], ...]:
    found = FormerNumber.objects.filter(person=row).order_by("-until", "-id").values_list("kind", "value", "until")
    purpose = purpose_of_page(standing)
    return tuple(
        (kind, told_inside(value, f"person.{kind}", purpose=purpose, standing=standing), until) for kind, value, until in found
    )


def _has_taught_classes(affiliations: tuple[Belonging, ...]) -> bool:
    """Whether the schools a pupil is at have classes beside the home classes."""
    paths = [line.org_path for line in affiliations if line.role is Role.PUPIL and not line.has_ended]
    classes = Org.objects.visible().filter(path_q("path", paths), class_detail__class_type=ClassType.SCHEDULED)
    return bool(paths) and classes.exists()


def _rights(actor: Actor, lines: tuple[Belonging, ...], now: datetime) -> tuple[GivingRight, ...] | None:
    """What `actor` may give on; None, for everything, where no line asks for it."""
    asked = not actor.is_system and any(line.role in GIVEN_ROLES and not line.has_ended for line in lines)
    return tuple(giving_rights(actor=actor, now=now)) if asked else None


def _endable(lines: tuple[Belonging, ...], manage: Scope, rights: tuple[GivingRight, ...] | None) -> tuple[Belonging, ...]:
    def may_end(line: Belonging) -> bool:
        if line.has_ended or not manage.covers(line.org_path):
            return False
        is_free = rights is None or line.role not in GIVEN_ROLES
        return is_free or any(right.reaches(line.role, line.org_path) for right in rights or ())

    return tuple(replace(line, may_end=may_end(line)) for line in lines)


def _relatives(row: Person, view: Scope, day: date, *, with_ended: bool) -> tuple[tuple[Relative, ...], tuple[Relative, ...]]:
    """Guardians, then wards; the page of one within `view` may be opened. What has ended is for who looks after the links."""
    links = GuardianLink.objects.visible().filter(Q(ward=row) | Q(guardian=row)).select_related("guardian", "ward")
    if not with_ended:
        links = links.filter(current_q(day))
    found = [(link, link.guardian if link.ward_id == row.pk else link.ward) for link in links.order_by("pk")]
    within = people_within(view, [other.pk for _link, other in found], day=day)
    sides: tuple[list[Relative], list[Relative]] = ([], [])
    for link, other in found:
        has_ended = _has_ended(link, day)
        relative = Relative(person_data(other), link.relation, other.pk in within, link.begin_date, link.end_date, has_ended)
        sides[link.guardian_id == row.pk].append(relative)
    return tuple(sides[0]), tuple(sides[1])


def _affiliations(row: Person, day: date) -> tuple[Belonging, ...]:
    rows = Affiliation.objects.visible().filter(person=row).select_related("org").order_by("-begin_date", "-id")
    return tuple(_belonging(found, found.org, Role(found.role), day) for found in rows)


def _enrollments(row: Person, day: date) -> tuple[Belonging, ...]:
    rows = Enrollment.objects.visible().filter(person=row).select_related("class_org").order_by("-begin_date", "-id")
    found = []
    for line in rows:
        teaches = Role.CLASS_TEACHER if line.is_primary else Role.TEACHER
        role = Role.PUPIL if line.role == EnrollmentRole.STUDENT else teaches
        found.append(_belonging(line, line.class_org, role, day))
    return tuple(found)


def _belonging(line: Affiliation | Enrollment, org: Org, role: Role, day: date) -> Belonging:
    return Belonging(
        id=line.pk,
        role=role,
        org_id=org.pk,
        org_name=org.name,
        org_public_id=ids.encode("org", org.pk),
        org_path=line.org_path,
        is_primary=line.is_primary,
        begin_date=line.begin_date,
        end_date=line.end_date,
        is_current=Period(line.begin_date, line.end_date).covers(day),
        has_ended=_has_ended(line, day),
    )


def _has_ended(line: Affiliation | Enrollment | GuardianLink, day: date) -> bool:
    return line.end_date is not None and (line.end_date <= day or line.end_date == line.begin_date)
