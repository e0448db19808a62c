"""Whose data an actor may reach: explicit grants, and what current affiliations, enrollments and wards imply."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Q

from shuren.directory.data import EnrollmentRole, OrgStatus, OrgType, Permission, Role
from shuren.directory.models import Affiliation, BreakGlass, Enrollment, Grant, GuardianLink, Org
from shuren.directory.rules.permissions import BRANCH_ROLES, EMERGENCY, ROLE_PERMISSIONS
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor, AppReach
from shuren.kernel.reading import once
from shuren.kernel.scope import Scope, outermost

# Permissions whose object is a person: for these a pupil reaches themself and a guardian the wards.
_PERSONAL = frozenset({Permission.VIEW_PEOPLE, Permission.VIEW_PUPIL_REPORTS})
_TREE = frozenset({Permission.VIEW_ORGS})


@dataclass(frozen=True, slots=True)
class Holding:
    """One hat, and what it reaches: a branch, or single people.

    `only` narrows what the role otherwise allows; `opens` takes its place in an emergency.
    """

    role: Role
    path: str = ""
    person_ids: frozenset[int] = field(default_factory=frozenset)
    only: frozenset[Permission] | None = None
    opens: frozenset[Permission] | None = None

    def allows(self, permission: Permission) -> bool:
        if self.opens is not None:
            return permission in self.opens
        return permission in ROLE_PERMISSIONS[self.role] and (self.only is None or permission in self.only)


def current_q(day: date) -> Q:
    """Rows whose half-open period covers `day` (the columns are `begin_date` and `end_date`)."""
    begun = Q(begin_date__isnull=True) | Q(begin_date__lte=day)
    return begun & (Q(end_date__isnull=True) | Q(end_date__gt=day))


def active_grant_q(now: datetime) -> Q:
    is_confirmed = Q(confirm_by__isnull=True) | Q(confirmed_at__isnull=False)
    return is_confirmed & Q(revoked_at__isnull=True, begin_at__lte=now) & (Q(end_at__isnull=True) | Q(end_at__gt=now))


def holdings_of(person_id: int, now: datetime) -> tuple[Holding, ...]:
    """Every hat of a person at this moment, in five indexed queries; a page that is read asks them once."""
    return once(("holdings", person_id), lambda: _held(person_id, now))


def _held(person_id: int, now: datetime) -> tuple[Holding, ...]:
    day = day_of(now)
    return (
        *_granted(person_id, now),
        *_affiliated(person_id, day),
        *_enrolled(person_id, day),
        *_guarding(person_id, day),
        *_in_emergency(person_id, now),
    )


def scope_of(*, actor: Actor, permission: Permission, now: datetime) -> Scope:
    """The branches and people for which `actor` holds `permission`, through the chosen hat only if one is chosen."""
    return scopes_of(actor=actor, permissions=(permission,), now=now)[permission]


def joint_scope(*, actor: Actor, permissions: Collection[Permission], now: datetime) -> Scope:
    """What `actor` reaches by any of the permissions."""
    scopes = scopes_of(actor=actor, permissions=permissions, now=now).values()
    people = frozenset[int]().union(*(scope.person_ids for scope in scopes))
    return Scope(outermost(path for scope in scopes for path in scope.paths), people)


def scopes_of(*, actor: Actor, permissions: Iterable[Permission], now: datetime) -> dict[Permission, Scope]:
    """Several scopes for the price of one."""
    if actor.is_system:
        everything = Scope(
            paths=tuple(Org.objects.visible().filter(parent__isnull=True).order_by("path").values_list("path", flat=True))
        )
        return dict.fromkeys(permissions, everything)
    if actor.app is not None:
        return _scopes_of_app(actor, actor.app, permissions, now)
    if actor.person_id is None:
        return dict.fromkeys(permissions, Scope())
    holdings = holdings_of(actor.person_id, now)
    worn = [holding for holding in holdings if actor.role is None or holding.role == actor.role]
    return {permission: _scope(actor.person_id, worn, permission) for permission in permissions}


def _scopes_of_app(actor: Actor, app: AppReach, permissions: Iterable[Permission], now: datetime) -> dict[Permission, Scope]:
    """In its own name an app reaches its branches; for a person what the person reaches; both only as its token says."""
    asked = tuple(permissions)
    allowed = tuple(permission for permission in asked if permission.value in app.permissions)
    if actor.person_id is None:
        reached = dict.fromkeys(allowed, Scope(paths=outermost(app.paths)))
    else:
        # Written out, for the actor of a request is a lazy object, which `replace` refuses.
        person = Actor(person_id=actor.person_id, account_id=actor.account_id, name=actor.name, role=actor.role)
        reached = scopes_of(actor=person, permissions=allowed, now=now)
    return {permission: reached.get(permission, Scope()) for permission in asked}


def _scope(person_id: int, holdings: Sequence[Holding], permission: Permission) -> Scope:
    allowing = [holding for holding in holdings if holding.allows(permission)]
    person_ids = {person_id} if permission is Permission.VIEW_PEOPLE else set()
    person_ids.update(*(holding.person_ids for holding in allowing))
    return Scope(paths=outermost(h.path for h in allowing if h.path), person_ids=frozenset(person_ids))


def _granted(person_id: int, now: datetime) -> Iterator[Holding]:
    grants = Grant.objects.filter(active_grant_q(now), person_id=person_id, org__status=OrgStatus.ACTIVE)
    for role, path in grants.values_list("role", "org_path"):
        yield Holding(Role(role), path)


def _affiliated(person_id: int, day: date) -> Iterator[Holding]:
    rows = Affiliation.objects.visible().filter(current_q(day), person_id=person_id, org__status=OrgStatus.ACTIVE)
    for text, path, kind in rows.values_list("role", "org_path", "org__type"):
        role = Role(text)
        if role in BRANCH_ROLES or (role is Role.CLASS_TEACHER and kind == OrgType.CLASS):
            yield Holding(role, path)
        elif role in (Role.TEACHER, Role.CLASS_TEACHER):
            yield Holding(role, path, only=_TREE)
        elif role is Role.PUPIL:
            yield Holding(role, person_ids=frozenset({person_id}), only=_PERSONAL)


def _enrolled(person_id: int, day: date) -> Iterator[Holding]:
    rows = Enrollment.objects.visible().filter(current_q(day), person_id=person_id, class_org__status=OrgStatus.ACTIVE)
    for role, path, is_primary in rows.values_list("role", "org_path", "is_primary"):
        if role == EnrollmentRole.STUDENT:
            yield Holding(Role.PUPIL, path, only=_TREE)
            yield Holding(Role.PUPIL, person_ids=frozenset({person_id}), only=_PERSONAL)
        else:
            yield Holding(Role.TEACHER, path)
            if is_primary:
                yield Holding(Role.CLASS_TEACHER, path)


def _guarding(person_id: int, day: date) -> Iterator[Holding]:
    wards = GuardianLink.objects.visible().filter(current_q(day), guardian_id=person_id).values_list("ward_id", flat=True)
    found = frozenset(wards)
    if found:
        yield Holding(Role.PARENT, person_ids=found | {person_id}, only=_PERSONAL)


def open_glass_q(now: datetime) -> Q:
    return Q(closed_at__isnull=True, begin_at__lte=now, end_at__gt=now)


def _in_emergency(person_id: int, now: datetime) -> Iterator[Holding]:
    rows = BreakGlass.objects.filter(open_glass_q(now), holder_id=person_id)
    for role, subject_id, path in rows.values_list("role", "subject_id", "org_path"):
        if subject_id:
            yield Holding(Role(role), person_ids=frozenset({subject_id}), opens=EMERGENCY)
        else:
            yield Holding(Role(role), path, opens=EMERGENCY)
