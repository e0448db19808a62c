"""Keeping what a sensor sends by Caliper, all of an envelope or nothing."""

import json
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from shuren.directory import api as directory
from shuren.kernel import audit, ids
from shuren.kernel.errors import NotFound, Refused
from shuren.records.models import CaliperEntity, CaliperEvent
from shuren.records.rules.caliper import Told, ToldEntity, ToldEvent
from shuren.records.services.callers import Caller


@transaction.atomic
def accept_envelope(*, caller: Caller, told: Told, issuer: str, now: datetime) -> int:
    """Keep events that the client has not told before, and entities over what it said of them; returns how many are new."""
    before = CaliperEvent.objects.filter(client_id=caller.client_id, event_id__in=[one.event_id for one in told.events])
    known = set(before.values_list("event_id", flat=True))
    fresh = {one.event_id: one for one in told.events if one.event_id not in known}
    people = _people((one.actor for one in fresh.values()), issuer)
    if caller.person_id is not None and {people.get(one.actor) for one in fresh.values()} - {caller.person_id}:
        raise Refused("The token is for somebody else's events.")
    rows = [_row(one, caller, told.sensor, people.get(one.actor), now=now) for one in fresh.values()]
    CaliperEvent.objects.bulk_create(rows, ignore_conflicts=True)
    described = {_key(caller, one): _entity_row(one, caller, now=now) for one in told.entities}
    CaliperEntity.objects.bulk_create(
        [described[key] for key in sorted(described)],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["type", "body", "updated_at"],
    )
    details = {"events": len(rows), "entities": len(described)}
    target = f"envelope:{caller.client_id}"
    audit.record(actor=caller.actor, action="records.envelope_accepted", target=target, details=details, now=now)
    return len(rows)


def _people(actors: Iterable[str], issuer: str) -> dict[str, int]:
    """Those of the actors who are people here: an address of ours that ends with a person's public id."""
    found = {}
    for actor in actors:
        if actor.startswith(f"{issuer}/"):
            try:
                found[actor] = ids.decode("person", actor.rstrip("/").rpartition("/")[2])
            except NotFound:
                continue
    known = directory.people_by_ids(list(found.values())) if found else {}
    return {actor: id for actor, id in found.items() if id in known}


def _row(one: ToldEvent, caller: Caller, sensor: str, person_id: int | None, *, now: datetime) -> CaliperEvent:
    return CaliperEvent(
        event_id=one.event_id,
        client_id=caller.client_id,
        sensor=sensor,
        type=one.type,
        action=one.action,
        actor=one.actor,
        object=one.object,
        person_id=person_id,
        at=one.at,
        month=f"{one.at:%Y-%m}",
        received_at=now,
        body=json.dumps(one.body),
    )


def _entity_row(one: ToldEntity, caller: Caller, *, now: datetime) -> CaliperEntity:
    return CaliperEntity(
        key=_key(caller, one),
        client_id=caller.client_id,
        iri=one.iri,
        type=one.type,
        body=json.dumps(one.body),
        updated_at=now,
    )


def _key(caller: Caller, one: ToldEntity) -> str:
    return sha256(f"{caller.client_id} {one.iri}".encode()).hexdigest()
