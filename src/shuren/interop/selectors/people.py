"""Where people stand, for the apps of their schools and for news about them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shuren.directory import api as directory
from shuren.identity import api as identity
from shuren.interop.data import AppData
from shuren.interop.selectors.apps import paths_of_app
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
    reached = paths_of_app(app)
    return any(path.startswith(branch) for path in paths_of(replace(actor, role=None), now=now) for branch in reached)


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
