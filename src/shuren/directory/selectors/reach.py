"""What an actor may do at all, and how far a person's duties go; no object is looked at."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from shuren.directory.data import Permission, Role
from shuren.directory.models import Affiliation, Enrollment, Grant, GuardianLink
from shuren.directory.rules.permissions import BRANCH_ROLES, ROLE_PERMISSIONS
from shuren.directory.selectors.holdings import holdings_of
from shuren.directory.selectors.scope import active_grant_q, current_q
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor


def permissions_of(*, actor: Actor, now: datetime) -> frozenset[Permission]:
    """Every permission that `actor` holds somewhere, through the chosen hat only if one is chosen."""
    if actor.is_system:
        return frozenset(Permission)
    if actor.app is not None:
        allowed = frozenset(permission for permission in Permission if permission.value in actor.app.permissions)
        return allowed if actor.person_id is None else allowed & permissions_of(actor=replace(actor, app=None), now=now)
    if actor.person_id is None:
        return frozenset()
    return frozenset(
        permission
        for holding in holdings_of(actor.person_id, now)
        if actor.role is None or holding.role == actor.role
        for permission in holding.opens or ROLE_PERMISSIONS[holding.role]
        if holding.allows(permission)
    )


def people_with_ties(person_ids: Collection[int], *, now: datetime) -> set[int]:
    """Those who belong somewhere now: by a role, a class, a grant, or as the guardian of somebody."""
    rest, found, current = set(person_ids), set[int](), current_q(day_of(now))
    for rows, column in (
        (Affiliation.objects.visible().filter(current), "person_id"),
        (Enrollment.objects.visible().filter(current), "person_id"),
        (GuardianLink.objects.visible().filter(current), "guardian_id"),
        (Grant.objects.filter(active_grant_q(now)), "person_id"),
    ):
        if rest:
            found |= set(rows.filter(**{f"{column}__in": rest}).values_list(column, flat=True))
            rest -= found
    return found


def people_in_charge(org_id: int, permission: Permission, *, now: datetime, limit: int = 50) -> list[int]:
    """Ids of those whose grant or office at just this org, not above it, carries `permission`."""
    roles = {role for role, allowed in ROLE_PERMISSIONS.items() if permission in allowed}
    granted = Grant.objects.filter(active_grant_q(now), org_id=org_id, role__in=roles)
    offices = Affiliation.objects.visible().filter(current_q(day_of(now)), org_id=org_id, role__in=roles & BRANCH_ROLES)
    found = [rows.order_by("person_id").values_list("person_id", flat=True)[:limit] for rows in (granted, offices)]
    return sorted({person_id for rows in found for person_id in rows})[:limit]


def duty_paths_of(person_ids: Collection[int], *, now: datetime) -> dict[int, frozenset[str]]:
    """Per person, the paths of their grants and of their affiliations other than as a pupil or a parent."""
    wanted = list(person_ids)
    granted = Grant.objects.filter(active_grant_q(now), person_id__in=wanted).values_list("person_id", "org_path")
    employed = (
        Affiliation.objects.visible()
        .filter(current_q(day_of(now)), person_id__in=wanted)
        .exclude(role__in=[Role.PUPIL, Role.PARENT])
    )
    paths: dict[int, set[str]] = {person_id: set() for person_id in wanted}
    for person_id, path in [*granted, *employed.values_list("person_id", "org_path")]:
        paths[person_id].add(path)
    return {person_id: frozenset(found) for person_id, found in paths.items()}
