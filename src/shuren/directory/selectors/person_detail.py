"""Everything a person's page shows, for those parts the reader may see."""

from dataclasses import dataclass
from datetime import date, datetime

from shuren.directory.data import EnrollmentRole, GrantData, Permission, PersonData, Role
from shuren.directory.models import Affiliation, Enrollment, FormerNumber, GuardianLink, Person
from shuren.directory.rules.permissions import ROLE_PERMISSIONS
from shuren.directory.selectors.grants import grants_of, grants_reaching
from shuren.directory.selectors.people import people_within, person_data, person_row_for, person_row_within
from shuren.directory.selectors.scope import current_q, scopes_of
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor, Period


@dataclass(frozen=True, slots=True)
class Belonging:
    """A line of a person's past and present: role, org, period."""

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


@dataclass(frozen=True, slots=True)
class Relative:
    """A guardian or a ward; `is_open` says whether the reader may open their page."""

    person: PersonData
    relation: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class PersonDetail:
    """A person's page. `private` holds the facts graded L3; `may_see` says whether they are shown unmasked.

    `open_org_ids` are the orgs among the person's own whose pages the reader may open.
    """

    person: PersonData
    grade: str
    private: dict[str, str]
    has_national_id: bool
    may_see: bool
    may_manage: bool
    affiliations: tuple[Belonging, ...]
    enrollments: tuple[Belonging, ...]
    guardians: tuple[Relative, ...]
    wards: tuple[Relative, ...]
    former_numbers: tuple[tuple[str, str, datetime], ...]
    grants: tuple[GrantData, ...]
    open_org_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Seer:
    """Somebody who can see a person, and why."""

    name: str
    role: Role
    org_name: str
    sees_sensitive: bool


_VIEW, _SENSITIVE, _MANAGE = Permission.VIEW_PEOPLE, Permission.VIEW_SENSITIVE, Permission.MANAGE_PEOPLE
PRIVATE = ("birth_date", "pupil_number", "staff_number", "phone", "email")


def person_detail(*, actor: Actor, id: int, now: datetime) -> PersonDetail:
    """The page of somebody `actor` may see; one may always see one's own facts."""
    scopes = scopes_of(actor=actor, permissions=(_VIEW, _SENSITIVE, _MANAGE, Permission.VIEW_ORGS), now=now)
    day = day_of(now)
    row = person_row_within(scopes[_VIEW], id, day=day)
    relatives = _links(row)
    within = people_within(scopes[_VIEW], [link[0].pk for link in relatives], day=day)
    turned = [(Relative(person_data(other), relation, other.pk in within), is_ward) for other, relation, is_ward in relatives]
    affiliations, enrollments = _affiliations(row, day), _enrollments(row, day)
    return PersonDetail(
        person=person_data(row),
        grade=row.grade,
        private={key: _text(getattr(row, key)) for key in PRIVATE},
        has_national_id=bool(row.national_id_index),
        may_see=actor.person_id == row.pk or bool(people_within(scopes[_SENSITIVE], [row.pk], day=day)),
        may_manage=bool(people_within(scopes[_MANAGE], [row.pk], day=day)),
        affiliations=affiliations,
        enrollments=enrollments,
        guardians=tuple(relative for relative, is_ward in turned if not is_ward),
        wards=tuple(relative for relative, is_ward in turned if is_ward),
        former_numbers=tuple(
            FormerNumber.objects.filter(person=row).order_by("-until", "-id").values_list("kind", "value", "until")
        ),
        grants=tuple(grants_of(row.pk, now=now)),
        open_org_ids=frozenset(
            line.org_id for line in (*affiliations, *enrollments) if scopes[Permission.VIEW_ORGS].covers(line.org_path)
        ),
    )


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value or "")


def _links(row: Person) -> list[tuple[Person, str, bool]]:
    links = GuardianLink.objects.visible().filter(ward=row).select_related("guardian")
    wards = GuardianLink.objects.visible().filter(guardian=row).select_related("ward")
    return [(link.guardian, link.relation, False) for link in links] + [(link.ward, link.relation, True) for link in wards]


def _affiliations(row: Person, day: date) -> tuple[Belonging, ...]:
    rows = Affiliation.objects.visible().filter(person=row).select_related("org").order_by("-begin_date", "-id")
    return tuple(
        Belonging(
            id=found.pk,
            role=Role(found.role),
            org_id=found.org_id,
            org_name=found.org.name,
            org_public_id=ids.encode("org", found.org_id),
            org_path=found.org_path,
            is_primary=found.is_primary,
            begin_date=found.begin_date,
            end_date=found.end_date,
            is_current=Period(found.begin_date, found.end_date).covers(day),
        )
        for found in rows
    )


def _enrollments(row: Person, day: date) -> tuple[Belonging, ...]:
    rows = Enrollment.objects.visible().filter(person=row).select_related("class_org").order_by("-begin_date", "-id")
    found = []
    for line in rows:
        teaches = Role.CLASS_TEACHER if line.is_primary else Role.TEACHER
        found.append(
            Belonging(
                id=line.pk,
                role=Role.PUPIL if line.role == EnrollmentRole.STUDENT else teaches,
                org_id=line.class_org_id,
                org_name=line.class_org.name,
                org_public_id=ids.encode("org", line.class_org_id),
                org_path=line.org_path,
                is_primary=line.is_primary,
                begin_date=line.begin_date,
                end_date=line.end_date,
                is_current=Period(line.begin_date, line.end_date).covers(day),
            )
        )
    return tuple(found)


def who_can_see(*, actor: Actor, id: int, now: datetime) -> list[Seer]:
    """Everybody whose roster roles, grants or children let them open this person's page, without the person themself.

    For whoever may see the person; it names offices and people, not how often they looked.
    """
    row = person_row_for(actor=actor, id=id, permission=Permission.VIEW_PEOPLE, now=now)
    day = day_of(now)
    paths = [line.org_path for line in (*_affiliations(row, day), *_enrollments(row, day)) if line.is_current]
    prefixes = {path[: end + 1] for path in paths for end, letter in enumerate(path) if letter == "/"}
    seers = [*_by_grant(paths, now), *_by_office(prefixes, day), *_by_class(paths, day), *_by_family(row, day)]
    return list(dict.fromkeys(seers))


def _by_grant(paths: list[str], now: datetime) -> list[Seer]:
    grants = [grant for path in dict.fromkeys(paths) for grant in grants_reaching(path, now=now)]
    return [_seer(grant.person.name, Role(grant.role), grant.org.name) for grant in grants if _sees(Role(grant.role))]


def _by_office(prefixes: set[str], day: date) -> list[Seer]:
    offices = [role.value for role in Role if _sees(role) and role not in (Role.PUPIL, Role.PARENT, Role.TEACHER)]
    rows = Affiliation.objects.visible().filter(current_q(day), org_path__in=prefixes, role__in=offices)
    named = rows.order_by("org_path", "role", "pk").values_list("person__name", "role", "org__name", "org__type")
    return [_seer(name, Role(role), org) for name, role, org, kind in named if role != Role.CLASS_TEACHER or kind == "class"]


def _by_class(paths: list[str], day: date) -> list[Seer]:
    rows = Enrollment.objects.visible().filter(current_q(day), org_path__in=paths, role=EnrollmentRole.TEACHER)
    named = rows.order_by("org_path", "-is_primary", "pk").values_list("person__name", "is_primary", "class_org__name")
    return [_seer(name, Role.CLASS_TEACHER if main else Role.TEACHER, org) for name, main, org in named]


def _by_family(row: Person, day: date) -> list[Seer]:
    links = GuardianLink.objects.visible().filter(current_q(day), ward=row).order_by("pk")
    return [_seer(name, Role.PARENT, relation) for name, relation in links.values_list("guardian__name", "relation")]


def _sees(role: Role) -> bool:
    return Permission.VIEW_PEOPLE in ROLE_PERMISSIONS[role]


def _seer(name: str, role: Role, org_name: str) -> Seer:
    return Seer(name, role, org_name, Permission.VIEW_SENSITIVE in ROLE_PERMISSIONS[role])
