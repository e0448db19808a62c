"""A person's roles and classes one by one, for whoever may end them or add to them."""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from shuren.directory.data import EnrollmentRole, OrgData, OrgType, Permission, PersonData, Role
from shuren.directory.models import Affiliation, Enrollment, GuardianLink
from shuren.directory.rules.permissions import GIVEN_ROLES, roles_at
from shuren.directory.rules.tree import nearest
from shuren.directory.selectors.grants import giving_rights, grants_of
from shuren.directory.selectors.orgs import org_data
from shuren.directory.selectors.people import access_person, person_data
from shuren.directory.selectors.placement import open_q
from shuren.directory.selectors.scope import scope_of
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import path_q

# A pupil or a teacher who leaves a school leaves its classes.
LEARNING = {
    Role.PUPIL: EnrollmentRole.STUDENT,
    Role.TEACHER: EnrollmentRole.TEACHER,
    Role.CLASS_TEACHER: EnrollmentRole.TEACHER,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is now: roles, the orgs they come from, and a pupil's home class."""

    person: PersonData
    roles: frozenset[Role]
    org_paths: tuple[str, ...]
    home: OrgData | None


def standing_of(*, actor: Actor, person_id: int, now: datetime) -> Standing:
    """For whoever manages the person; otherwise `NotFound`."""
    person = access_person(actor=actor, id=person_id, permission=Permission.MANAGE_PEOPLE, now=now)
    day = day_of(now)
    ties = Affiliation.objects.visible().filter(open_q(day), person_id=person_id).order_by("-is_primary", "pk")
    held = list(ties.values_list("role", "org_path"))
    homes = Enrollment.objects.visible().filter(open_q(day), person_id=person_id, role=EnrollmentRole.STUDENT, is_primary=True)
    home = homes.select_related("class_org").order_by("pk").first()
    return Standing(
        person=person,
        roles=frozenset(Role(role) for role, _path in held),
        org_paths=tuple(dict.fromkeys(path for _role, path in held)),
        home=org_data(home.class_org) if home else None,
    )


@dataclass(frozen=True, slots=True)
class Ending:
    """A role or a place in a class that is about to end, and what ends with it.

    `classes` are names; `grants` counts what the person was given besides, which goes on.
    """

    id: int
    person: PersonData
    role: Role
    org_name: str
    begin_date: date | None
    end_date: date | None
    classes: tuple[str, ...] = ()
    grants: int = 0


def role_to_end(*, actor: Actor, person_id: int, id: int, now: datetime) -> Ending:
    """One of the person's roles that `actor` may end; otherwise `NotFound`."""
    row = affiliation_row_for(actor=actor, id=id, now=now)
    role, day = Role(row.role), day_of(now)
    if row.person_id != person_id or not may_hand_out(actor=actor, role=role, path=row.org_path, now=now):
        raise NotFound(_("没有找到这条任职记录。"))
    return Ending(
        id=row.pk,
        person=person_data(row.person),
        role=role,
        org_name=row.org.name,
        begin_date=row.begin_date,
        end_date=row.end_date,
        classes=tuple(line.class_org.name for line in classes_with(row, day=day)),
        grants=sum(grant.org_path.startswith(row.org_path) for grant in grants_of(person_id, now=now)),
    )


def class_to_leave(*, actor: Actor, person_id: int, id: int, now: datetime) -> Ending:
    """One of the person's places in a class that `actor` may end; otherwise `NotFound`."""
    rows = Enrollment.objects.visible().filter(open_q(day_of(now)), pk=id, person_id=person_id)
    row = rows.select_related("person", "class_org").first()
    scope = scope_of(actor=actor, permission=Permission.MANAGE_PEOPLE, now=now)
    if row is None or not scope.covers(row.org_path):
        raise NotFound(_("没有找到这条编班记录。"))
    teaches = Role.CLASS_TEACHER if row.is_primary else Role.TEACHER
    return Ending(
        id=row.pk,
        person=person_data(row.person),
        role=Role.PUPIL if row.role == EnrollmentRole.STUDENT else teaches,
        org_name=row.class_org.name,
        begin_date=row.begin_date,
        end_date=row.end_date,
    )


def affiliation_row_for(*, actor: Actor, id: int, now: datetime) -> Affiliation:
    """The row, if it has not ended and `actor` manages people at its org; otherwise `NotFound`."""
    rows = Affiliation.objects.visible().filter(open_q(day_of(now)), pk=id)
    row = rows.select_related("person", "org").first()
    scope = scope_of(actor=actor, permission=Permission.MANAGE_PEOPLE, now=now)
    if row is None or not scope.covers(row.org_path):
        raise NotFound(_("没有找到这条任职记录。"))
    return row


def classes_with(row: Affiliation, *, day: date) -> list[Enrollment]:
    """The classes that hang on a role: in its branch, open on `day`, and not held by another such role of the person."""
    kind = LEARNING.get(Role(row.role))
    if kind is None:
        return []
    same = [role.value for role, learning in LEARNING.items() if learning == kind]
    others = Affiliation.objects.visible().filter(open_q(day), person_id=row.person_id, role__in=same).exclude(pk=row.pk)
    paths = list(others.values_list("org_path", flat=True))
    lines = Enrollment.objects.visible().filter(
        open_q(day), path_q("org_path", [row.org_path]), person_id=row.person_id, role=kind
    )
    return [line for line in lines.select_related("class_org").order_by("pk") if nearest(line.org_path, paths) is None]


def may_hand_out(*, actor: Actor, role: Role, path: str, now: datetime) -> bool:
    """Whether `actor`, who manages people there, may also enter and end this role."""
    if role not in GIVEN_ROLES or actor.is_system:
        return True
    return any(right.reaches(role, path) for right in giving_rights(actor=actor, now=now))


def roles_to_hand_out(*, actor: Actor, now: datetime) -> list[Role]:
    """The roles `actor` may enter somewhere: those of the roster, and those of a branch they may give."""
    entered = {role for kind in OrgType for role in roles_at(kind)}
    rights = giving_rights(actor=actor, now=now)
    return [
        role
        for role in Role
        if role in entered
        and (role not in GIVEN_ROLES or actor.is_system or any(right.reaches(role, right.path) for right in rights))
    ]


@dataclass(frozen=True, slots=True)
class Guarding:
    """A guardian, their ward, and since when."""

    guardian: PersonData
    ward: PersonData
    relation: str
    begin_date: date | None
    end_date: date | None


def guarding_to_end(*, actor: Actor, guardian_id: int, ward_id: int, now: datetime) -> Guarding:
    """A link in force of a ward whom `actor` manages; otherwise `NotFound`."""
    ward = access_person(actor=actor, id=ward_id, permission=Permission.MANAGE_PEOPLE, now=now)
    links = GuardianLink.objects.visible().filter(open_q(day_of(now)), guardian_id=guardian_id, ward_id=ward_id)
    link = links.select_related("guardian").first()
    if link is None:
        raise NotFound(_("没有找到这条监护关系。"))
    return Guarding(person_data(link.guardian), ward, link.relation, link.begin_date, link.end_date)


def guardian_ids_of(ward_id: int, *, day: date) -> list[int]:
    """Guardians whose link has not ended."""
    links = GuardianLink.objects.visible().filter(open_q(day), ward_id=ward_id)
    return list(links.values_list("guardian_id", flat=True))
