"""What an actor may do at all, and how far a person's duties go; no object is looked at."""

from collections.abc import Collection
from datetime import datetime

from shuren.directory.data import Permission, Role
from shuren.directory.models import Affiliation, Grant
from shuren.directory.rules.permissions import ROLE_PERMISSIONS
from shuren.directory.selectors.scope import active_grant_q, current_q, holdings_of
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor


def permissions_of(*, actor: Actor, now: datetime) -> frozenset[Permission]:
    """Every permission that `actor` holds somewhere, through the chosen hat only if one is chosen."""
    if actor.is_system:
        return frozenset(Permission)
    if actor.person_id is None:
        return frozenset()
    return frozenset(
        permission
        for holding in holdings_of(actor.person_id, now)
        if actor.role is None or holding.role == actor.role
        for permission in ROLE_PERMISSIONS[holding.role]
        if holding.allows(permission)
    )


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
