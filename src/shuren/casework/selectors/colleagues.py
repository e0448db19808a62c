"""Colleagues: to whom somebody may hand work over, and who may stand in for them."""

from collections.abc import Collection
from datetime import datetime

from shuren.directory import api as directory
from shuren.directory.data import PersonData, Role
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor

_OUTSIDE = frozenset({Role.PUPIL, Role.PARENT, Role.VENDOR})
_WORKING = tuple(role for role in Role if role not in _OUTSIDE)
_MOST = 500


def colleagues_of(*, actor: Actor, now: datetime) -> list[PersonData]:
    """People of the actor's own orgs, by name, at most five hundred; to be offered in a list."""
    found: dict[int, PersonData] = {}
    paths = {path for role, path in directory.offices_of(actor=actor, now=now) if role in _WORKING}
    for path in sorted(paths):
        org_id = int(path.rstrip("/").rpartition("/")[2])
        for person in directory.members_of_org(org_id, roles=_WORKING, day=day_of(now), limit=_MOST):
            found[person.id] = person
    found.pop(actor.person_id or 0, None)
    return sorted(found.values(), key=lambda person: person.name)[:_MOST]


def are_colleagues(*, actor: Actor, person_ids: Collection[int], now: datetime) -> bool:
    """Whether all of them have a duty in an org of the actor's, or in the branch of one of the actor's offices."""
    own = {path for role, path in directory.offices_of(actor=actor, now=now) if role in _WORKING}
    return bool(own) and all(
        any(path.startswith(mine) for path in _duties(person_id, now) for mine in own) for person_id in person_ids
    )


def _duties(person_id: int, now: datetime) -> set[str]:
    """Where somebody works: by office, by grant, or in the classes they teach."""
    person = Actor(person_id=person_id, account_id=None, name="")
    held = {path for role, path in directory.offices_of(actor=person, now=now) if role in _WORKING}
    return held | directory.duty_paths_of([person_id], now=now).get(person_id, frozenset())
