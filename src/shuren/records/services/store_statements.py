"""Keeping statements: a request is kept whole or not at all, and the same statement once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import transaction

from shuren.directory import api as directory
from shuren.kernel import audit, ids
from shuren.kernel.errors import Conflict, NotFound
from shuren.records.rules.actors import actor_key
from shuren.records.rules.definitions import laid_over
from shuren.records.rules.equality import is_same_statement
from shuren.records.rules.facts import AGENT, VOIDED_VERB, definitions_in, digest_of
from shuren.records.rules.received import Ready, Received, made_ready, stamp, stored_text
from shuren.records.selectors.statements import bodies_by_ids
from shuren.records.services import rows
from shuren.records.services.callers import ALL, DEFINE, Caller
from shuren.records.services.define_activities import keep_definitions
from shuren.records.services.keep_files import keep_files
from shuren.records.services.link_references import Link, link_references, refuse_foreign_voiding


def store_statements(*, caller: Caller, received: Received, version: str, issuer: str, now: datetime) -> list[str]:
    """Keep the statements of a checked request for a client that may write; returns their ids in the order they came in.

    What is kept already is left as it is. Raises `Conflict` where an id is that of another statement. When this returns,
    statements and files are on the disk.
    """
    found = made_ready(received, version=version)
    keep_files(received.files)
    if found:
        people = _people(found, issuer=issuer)
        with transaction.atomic():
            _keep(caller, found, people, now=now)
    return [one.statement["id"] for one in found]


def _keep(caller: Caller, found: Sequence[Ready], people: Mapping[str, int], *, now: datetime) -> None:
    taken = rows.take(keys=[one.id for one in found], digests=[one.digest for one in found], reach=_reach(found))
    numbered = list(zip(found, taken.numbers, strict=True))
    if len(taken.fresh) < len(found):
        _check_kept([one for one, seq in numbered if seq not in taken.fresh])
    fresh = [(one, seq) for one, seq in numbered if seq in taken.fresh]
    if not fresh:
        return
    links = [Link(one.id, seq, one.facts.reference, one.facts.verb == VOIDED_VERB) for one, seq in fresh if one.facts.reference]
    authority = digest_of(AGENT, actor_key(caller.authority))
    if not caller.may(ALL):
        refuse_foreign_voiding(links, authority=authority)
    is_awaited = _write(caller, fresh, people, stored=taken.stored, authority=authority)
    if links or is_awaited:
        awaited = [one.id for one, _seq in fresh] if is_awaited else []
        link_references(stored=taken.stored, awaited=awaited, links=links, voids_all=caller.may(ALL))
    if caller.may(DEFINE):
        keep_definitions(_definitions(fresh), now=now)
    details = {"statements": len(fresh), "first": fresh[0][0].id}
    audit.record(actor=caller.actor, action="records.statements_stored", target="statement:many", details=details, now=now)


def _reach(found: Sequence[Ready]) -> rows.Reach:
    speaking = [one for one in found if one.facts.reference]
    if any(one.facts.verb == VOIDED_VERB for one in speaking):
        return rows.Reach.VOIDS
    return rows.Reach.SPEAKS if speaking else rows.Reach.ALONE


def _write(
    caller: Caller, fresh: Sequence[tuple[Ready, int]], people: Mapping[str, int], *, stored: datetime, authority: str
) -> bool:
    """Whether somebody spoke of one of these before it came."""
    text = stored_text(stored)
    written, mentions = [], []
    for one, seq in fresh:
        moment, body = stamp(one, stored=stored, stored_text=text, authority=caller.authority)
        facts = one.facts
        written.append(
            rows.Row(
                seq,
                one.id,
                moment,
                facts.actor,
                facts.verb,
                facts.activity,
                facts.registration,
                people.get(facts.actor),
                body,
            )
        )
        mentions += [(key, seq) for key in facts.mentions]
    return rows.write(written, stored=stored, authority=authority, mentions=mentions)


def _definitions(fresh: Sequence[tuple[Ready, int]]) -> dict[str, Mapping[str, Any]]:
    """What these statements tell of activities, by IRI; of one that they tell of more than once, all of it."""
    told: dict[str, Mapping[str, Any]] = {}
    for one, _seq in fresh:
        for iri, definition in definitions_in(one.statement):
            before = told.get(iri, definition)
            told[iri] = definition if before == definition else laid_over(before, definition)
    return told


def _check_kept(again: Sequence[Ready]) -> None:
    """Of somebody who was erased only the id is left: what comes again under it is not kept again."""
    kept = bodies_by_ids([one.id for one in again])
    for one in again:
        digest, body = kept.get(one.id, (one.digest, b""))
        if digest != one.digest and body and not is_same_statement(orjson.loads(body), one.statement):
            raise Conflict(f"There is another statement with this id: {one.id}.")


def _people(found: Sequence[Ready], *, issuer: str) -> dict[str, int]:
    """People of this installation among the actors, by the digest of the actor."""
    named: dict[str, int] = {}
    for one in found:
        account = one.statement["actor"].get("account")
        if account is not None and account["homePage"] == issuer:
            person_id = _person_id(account)
            if person_id is not None:
                named[one.facts.actor] = person_id
    if not named:
        return {}
    known = directory.people_by_ids(set(named.values()))
    return {key: person_id for key, person_id in named.items() if person_id in known}


def _person_id(account: Mapping[str, Any]) -> int | None:
    try:
        return ids.decode("person", account["name"])
    except NotFound:
        return None
