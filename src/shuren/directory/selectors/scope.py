"""Whose data an actor may reach: explicit grants, and what current affiliations, enrollments and wards imply."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from django.db.models import Q

from shuren.directory.data import Permission
from shuren.directory.models import Org
from shuren.directory.selectors.holdings import Holding, holdings_of
from shuren.kernel.data import Actor, AppReach
from shuren.kernel.scope import Scope, outermost


def current_q(day: date) -> Q:
    """Rows whose half-open period covers `day` (the columns are `begin_date` and `end_date`)."""
    begun = Q(begin_date__isnull=True) | Q(begin_date__lte=day)
    return begun & (Q(end_date__isnull=True) | Q(end_date__gt=day))


def active_grant_q(now: datetime) -> Q:
    is_confirmed = Q(confirm_by__isnull=True) | Q(confirmed_at__isnull=False)
    return is_confirmed & Q(revoked_at__isnull=True, begin_at__lte=now) & (Q(end_at__isnull=True) | Q(end_at__gt=now))


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


def open_glass_q(now: datetime) -> Q:
    return Q(closed_at__isnull=True, begin_at__lte=now, end_at__gt=now)
