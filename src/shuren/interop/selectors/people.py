"""Where people stand, for the apps of their schools and for news about them."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from shuren.directory import api as directory
from shuren.identity import api as identity
from shuren.interop.data import AppData
from shuren.interop.selectors.agreed import chosen_paths, covered_scopes, wished_at
from shuren.kernel import clock
from shuren.kernel.data import Actor


def paths_of_person(person_id: int, *, now: datetime) -> list[str]:
    """Where a person learns, teaches or works now."""
    return _paths([person_id], now=now)


def paths_of(actor: Actor, *, now: datetime) -> list[str]:
    """Where the actor, in the chosen hat, learns, teaches or works, and where their children learn."""
    if actor.person_id is None:
        return []
    day = clock.day_of(now)
    wards = [link.ward_id for link in directory.wards_of([actor.person_id], day=day)] if actor.role in (None, "parent") else []
    return _paths([actor.person_id, *wards], now=now)


def may_sign_in(app: AppData, actor: Actor, *, now: datetime) -> bool:
    """Whether a person may be sent into an app: it runs, and it is chosen where they are.

    A sandbox client takes the synthetic people of its vendor only, so that nobody real is led into an app under test.
    """
    if not app.is_running or actor.person_id is None:
        return False
    reached = chosen_paths(app)
    return any(path.startswith(branch) for path in paths_of(replace(actor, role=None), now=now) for branch in reached)


def scopes_for(app: AppData, actor: Actor, scopes: Collection[str], *, now: datetime) -> frozenset[str]:
    """Those of `scopes` that the app may have for a person: what the versions agreed to where they are all allow."""
    if app.is_sandbox or actor.person_id is None:
        return frozenset(scopes)
    return covered_scopes(app, paths_of(replace(actor, role=None), now=now), scopes)


def wished_of_people(app: AppData, person_ids: Sequence[int], *, now: datetime) -> dict[int, frozenset[str]]:
    """By person the data elements that the versions agreed to where they learn, teach or work ask for."""
    day = clock.day_of(now)
    places: dict[int, set[str]] = {person_id: set() for person_id in person_ids}
    for affiliation in directory.affiliations_of_people(person_ids, day=day):
        places[affiliation.person_id].add(affiliation.org_path)
    for enrollment in directory.enrollments_of_people(person_ids, day=day):
        places[enrollment.person_id].add(enrollment.class_path)
    wished = wished_at(app, {path for paths in places.values() for path in paths})
    return {person_id: frozenset[str]().union(*(wished[path] for path in paths)) for person_id, paths in places.items()}


def actor_of_person(person_id: int) -> Actor:
    """Whoever began an errand that comes back from another site without their session."""
    person = directory.people_by_ids([person_id])[person_id]
    account = identity.accounts_of_people([person_id]).get(person_id)
    return Actor(person_id=person_id, account_id=account.id if account else None, name=person.name)


def _paths(person_ids: Sequence[int], *, now: datetime) -> list[str]:
    day = clock.day_of(now)
    paths = {row.class_path for row in directory.enrollments_of_people(person_ids, day=day)}
    org_ids = [option.org_id for option in directory.role_options(person_ids[0], now=now) if option.org_id is not None]
    return sorted(paths | {org.path for org in directory.orgs_by_ids(org_ids).values()})
