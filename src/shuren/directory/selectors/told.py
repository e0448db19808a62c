"""The frame through which readers in the house read facts of people: no page, list, file or answer goes around it.

Recipients outside are told by `services.consents.disclose`, which asks consents as well and keeps who was told of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from shuren.directory.data import HousePurpose, Permission, Standing, Withheld
from shuren.directory.rules.reading import standing_of, withheld_inside
from shuren.directory.selectors.people import people_within
from shuren.directory.selectors.roles import guardian_ids_of
from shuren.directory.selectors.scope import scope_of
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.standards.api import is_sensitive, mask, meaning_of
from shuren.standards.data import Grade

Kept = str | date | None


@dataclass(frozen=True, slots=True)
class Told:
    """A fact as it is told: `text` whole or masked, empty where nothing is on file; `reason` says why it is not whole."""

    text: str
    reason: Withheld | None = None


def standing_towards(*, actor: Actor, person_id: int, now: datetime) -> Standing:
    """How `actor` stands to somebody they may see (the caller has checked that)."""
    day = day_of(now)
    keeping = scope_of(actor=actor, permission=Permission.VIEW_SENSITIVE, now=now)
    return standing_of(
        is_self=actor.person_id == person_id,
        is_family=actor.person_id in guardian_ids_of(person_id, day=day),
        is_keeper=bool(people_within(keeping, [person_id], day=day)),
    )


def told_inside(value: Kept, element: str, *, purpose: HousePurpose, standing: Standing) -> Told:
    """A fact by grade, purpose and standing. Of what is graded L4 not even the mask of its digits is left."""
    if not value:
        return Told("")
    states_id = is_sensitive(value, element)
    grade = Grade.SENSITIVE if states_id else meaning_of(element).grade
    reason = withheld_inside(element=element, grade=grade, purpose=purpose, standing=standing)
    if reason is not None and grade is Grade.SENSITIVE and not states_id:
        return Told("", reason)
    return Told(mask(value, element, may_see=reason is None, may_reveal=reason is None), reason)


def facts_inside(facts: Mapping[str, Kept], *, purpose: HousePurpose, standing: Standing) -> dict[str, Told]:
    """Facts of one person by the same keys: elements without their `person.`."""
    return {key: told_inside(value, f"person.{key}", purpose=purpose, standing=standing) for key, value in facts.items()}
