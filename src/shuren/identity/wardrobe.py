"""The hats of the signed-in person, kept in the session so that menus cost no query."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest

from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission, Role
from shuren.identity.data import Hat, Wardrobe
from shuren.kernel.data import Actor

ROLE_KEY = "role"
_KEY = "wardrobe"
_FRESH_SECONDS = 300


def wardrobe_of(request: HttpRequest, actor: Actor, *, now: datetime) -> Wardrobe:
    """What `actor` may be and do; read again from the directory after five minutes or a change of hat."""
    if actor.person_id is None:
        return Wardrobe()
    kept: dict[str, Any] | None = request.session.get(_KEY)
    if kept is None or kept["role"] != actor.role or not 0 <= now.timestamp() - kept["at"] < _FRESH_SECONDS:
        kept = _read(actor, now=now)
        request.session[_KEY] = kept
    return Wardrobe(
        hats=tuple(Hat(Role(role), org_id, name) for role, org_id, name in kept["hats"]),
        permissions=frozenset(map(Permission, kept["permissions"])),
        trail=tuple((org_id, name) for org_id, name in kept["trail"]),
    )


def choose_hat(request: HttpRequest, role: str) -> None:
    """Wear one hat, or all of them with an empty role; a hat the person does not have leads nowhere."""
    request.session[ROLE_KEY] = role
    request.session.pop(_KEY, None)


def _trail(org_id: int) -> list[OrgData]:
    return [*directory.ancestors_of(org_id), *directory.orgs_by_ids([org_id]).values()]


def _read(actor: Actor, *, now: datetime) -> dict[str, Any]:
    assert actor.person_id is not None
    hats = directory.role_options(actor.person_id, now=now)
    worn = [hat for hat in hats if actor.role in (None, hat.role) and hat.org_id is not None]
    trail = _trail(worn[0].org_id) if worn and worn[0].org_id is not None else []
    scope = directory.scope_of(actor=actor, permission=Permission.VIEW_ORGS, now=now)
    return {
        "at": int(now.timestamp()),
        "role": actor.role,
        "hats": [[hat.role.value, hat.org_id, hat.org_name] for hat in hats],
        "permissions": sorted(directory.permissions_of(actor=actor, now=now)),
        "trail": [[org.id if scope.covers(org.path) else None, org.short_name or org.name] for org in trail],
    }
