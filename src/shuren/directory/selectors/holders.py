"""Who holds a role where: for work that is given to an office, and for the offices an actor may act for."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import islice

from shuren.directory.data import OrgStatus, OrgType, Role
from shuren.directory.models import Affiliation, Grant, Org
from shuren.directory.rules.permissions import choosers_at
from shuren.directory.selectors.holdings import holdings_of
from shuren.directory.selectors.scope import active_grant_q, current_q
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor, AppReach
from shuren.kernel.reading import once
from shuren.kernel.scope import next_path, outermost

_AT_ONCE = 500


def role_paths_of(*, actor: Actor, roles: Collection[Role], now: datetime) -> tuple[str, ...]:
    """The branches in which `actor` holds one of `roles`, through the chosen hat only if one is chosen; apps hold none."""
    if actor.is_system:
        return outermost(Org.objects.visible().filter(parent__isnull=True).values_list("path", flat=True))
    if actor.person_id is None or actor.app is not None:
        return ()
    worn = (holding for holding in holdings_of(actor.person_id, now) if actor.role is None or holding.role == actor.role)
    return outermost(holding.path for holding in worn if holding.role in roles and holding.path)


def app_paths_of(*, app: AppReach, roles: Collection[Role]) -> tuple[str, ...]:
    """The branches of an app that acts in its own name, as far as whoever chooses apps at their orgs holds one of `roles`."""
    orgs = once(("orgs", app.paths), lambda: list(Org.objects.visible().filter(path__in=app.paths).values_list("path", "type")))
    return outermost(path for path, kind in orgs if not choosers_at(OrgType(kind)).isdisjoint(roles))


def offices_of(*, actor: Actor, now: datetime) -> list[tuple[Role, str]]:
    """Every office of `actor` as (role, path of the very org it is held at), through the chosen hat only if one is chosen."""
    if actor.person_id is None or actor.app is not None:
        return []
    worn = (holding for holding in holdings_of(actor.person_id, now) if actor.role is None or holding.role == actor.role)
    return sorted({(holding.role, holding.path) for holding in worn if holding.path})


def holders_of(role: Role, org_ids: Iterable[int], *, now: datetime) -> dict[int, list[int]]:
    """Person ids of those who hold `role` at just these orgs, per org asked for, in the order of their ids."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    waiting = iter(org_ids)
    asked: list[int] = []
    while some := list(islice(waiting, _AT_ONCE)):
        asked += some
        offices = Affiliation.objects.visible().filter(current_q(day_of(now)), org_id__in=some, role=role.value)
        granted = Grant.objects.filter(active_grant_q(now), org_id__in=some, role=role.value)
        for rows in (offices, granted):
            for org_id, person_id in rows.values_list("org_id", "person_id"):
                found[org_id].add(person_id)
    return {org_id: sorted(found[org_id]) for org_id in asked}


def org_ids_within(path: str, *, types: Collection[OrgType]) -> list[int]:
    """Ids of the active orgs of these types in the branch, in the order of their paths."""
    rows = Org.objects.visible().filter(path__gte=path, path__lt=next_path(path), status=OrgStatus.ACTIVE, type__in=list(types))
    return list(rows.order_by("path").values_list("id", flat=True))
