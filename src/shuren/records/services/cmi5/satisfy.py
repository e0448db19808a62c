"""Blocks and courses of which everything is done: told once per registration (9.3.9)."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from shuren.kernel import audit
from shuren.kernel.data import SYSTEM
from shuren.records.models import CourseRegistration, PartProgress
from shuren.records.rules.cmi5.satisfaction import Branch, satisfied_blocks
from shuren.records.rules.cmi5.statements import satisfied
from shuren.records.rules.cmi5.words import MoveOn, PartKind
from shuren.records.selectors.cmi5.progress import tree_of
from shuren.records.services.cmi5.tell import course_thing, telling_of, thing_of


def satisfy(
    registration: CourseRegistration, *, session_id: object, unit_id: str, issuer: str, now: datetime
) -> list[dict[str, Any]]:
    """Note what is done now and was not before; returns the statements to tell. The registration is locked by the caller.

    `session_id` is that of the launch that brought it about, else one of its own.
    """
    parts = tree_of(registration.course_id)
    tree = [Branch(one.pk, one.parent_id, PartKind(one.kind), MoveOn(one.move_on or MoveOn.NOT_APPLICABLE)) for one in parts]
    done = set(_satisfied(registration))
    blocks, is_whole = satisfied_blocks(tree, done)
    fresh = [id for id in blocks if id not in done]
    _note_blocks(registration, fresh, now=now)
    by_id = {one.pk: one for one in parts}
    telling = telling_of(registration, session_id, issuer=issuer)
    told = [satisfied(telling, thing_of(by_id[id]), unit_id=unit_id, at=now) for id in fresh]
    not_asked = {one.id for one in tree if one.kind is PartKind.UNIT and one.move_on is MoveOn.NOT_APPLICABLE}
    units = {one.id for one in tree if one.kind is PartKind.UNIT}
    registration.units_done = len((done & units) | not_asked)
    if is_whole and registration.satisfied_at is None:
        registration.satisfied_at = now
        told.append(satisfied(telling, course_thing(registration.course), unit_id=unit_id, at=now))
        target = f"registration:{registration.pk}"
        audit.record(actor=SYSTEM, action="records.course_satisfied", target=target, now=now)
    registration.save(update_fields=["units_done", "satisfied_at"])
    return told


def _satisfied(registration: CourseRegistration) -> Collection[int]:
    rows = PartProgress.objects.filter(registration=registration, satisfied_at__isnull=False)
    return rows.values_list("part_id", flat=True)


def _note_blocks(registration: CourseRegistration, ids: Collection[int], *, now: datetime) -> None:
    PartProgress.objects.bulk_create(
        [PartProgress(registration=registration, part_id=id, satisfied_at=now) for id in ids], batch_size=500
    )
