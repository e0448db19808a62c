"""Keeping statements: a request is kept whole or not at all, and the same statement once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection, transaction

from shuren.directory import api as directory
from shuren.kernel import audit, ids
from shuren.kernel.data import Actor
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
from shuren.records.services.together import Apart, Together

_MOST_TOGETHER = 50
# More statements in one request than these are worth a transaction of their own.
_FEW = 5


@dataclass(frozen=True, slots=True)
class _Sent:
    """A checked request on its way into the tables."""

    caller: Caller
    found: Sequence[Ready]
    issuer: str
    now: datetime


def store_statements(*, caller: Caller, received: Received, version: str, issuer: str, now: datetime) -> list[str]:
    """Keep the statements of a checked request for a client that may write; returns their ids in the order they came in.

    What is kept already is left as it is. Raises `Conflict` where an id is that of another statement. When this returns,
    statements and files are on the disk, unless the caller's transaction is still open.
    """
    sent = _Sent(caller, made_ready(received, version=version), issuer, now)
    keep_files(received.files)
    if sent.found:
        _store([sent])
    return _ids(sent)


def store_together(*, caller: Caller, received: Received, version: str, issuer: str, now: datetime) -> list[str]:
    """The same for a request that is a transaction of its own, which it may share with others that come at once.

    Only requests of a few statements that speak of no others share one; what each is answered is what it would be alone.
    """
    sent = _Sent(caller, made_ready(received, version=version), issuer, now)
    keep_files(received.files)
    if connection.in_atomic_block or not 0 < len(sent.found) <= _FEW or _reach(sent.found) is not rows.Reach.ALONE:
        if sent.found:
            _store([sent])
    else:
        _joint.ask(sent)
    return _ids(sent)


def _ids(sent: _Sent) -> list[str]:
    return [one.statement["id"] for one in sent.found]


def _store(every: Sequence[_Sent]) -> None:
    people = _people(every)
    with transaction.atomic():
        _keep(every, people)


def _store_many(every: Sequence[_Sent]) -> Sequence[None]:
    if len({sent.issuer for sent in every}) > 1:
        raise Apart  # whom an account names depends on it
    _store(every)
    return [None] * len(every)


_joint = Together[_Sent, None](lambda sent: _store([sent]), _store_many, most=_MOST_TOGETHER)


def _keep(every: Sequence[_Sent], people: Mapping[str, int]) -> None:
    found = [one for sent in every for one in sent.found]
    taken = rows.take(keys=[one.id for one in found], digests=[one.digest for one in found], reach=_reach(found))
    if len(taken.fresh) < len(found):
        if len(every) > 1:
            raise Apart
        _check_kept([one for one, seq in zip(found, taken.numbers, strict=True) if seq not in taken.fresh])
    numbers = iter(taken.numbers)
    fresh = [(sent, [(one, seq) for one in sent.found if (seq := next(numbers)) in taken.fresh]) for sent in every]
    told = [(sent, some) for sent, some in fresh if some]
    if not told:
        return
    numbered = [one for _sent, some in told for one in some]
    links = [
        Link(one.id, seq, one.facts.reference, one.facts.verb == VOIDED_VERB) for one, seq in numbered if one.facts.reference
    ]
    # What speaks of other statements shares its transaction with nobody, so links have one writer.
    writer = told[0][0].caller
    if links and not writer.may(ALL):
        refuse_foreign_voiding(links, authority=digest_of(AGENT, actor_key(writer.authority)))
    is_awaited = _write(told, people, stored=taken.stored)
    if links or is_awaited:
        awaited = [one.id for one, _seq in numbered] if is_awaited else []
        link_references(stored=taken.stored, awaited=awaited, links=links, voids_all=bool(links) and writer.may(ALL))
    definitions = _definitions([one for sent, some in told if sent.caller.may(DEFINE) for one, _seq in some])
    if definitions:
        keep_definitions(definitions, now=told[0][0].now)
    _audit([(sent, len(some), some[0][0].id) for sent, some in told])


def _audit(told: Sequence[tuple[_Sent, int, str]]) -> None:
    """One entry for each request, of how many statements and which was the first of them."""
    entries: dict[Actor, list[tuple[str, dict[str, object]]]] = defaultdict(list)
    for sent, count, first in told:
        entries[sent.caller.actor].append(("statement:many", {"statements": count, "first": first}))
    for actor, some in entries.items():
        audit.record_many(actor=actor, action="records.statements_stored", entries=some, now=told[0][0].now)


def _reach(found: Sequence[Ready]) -> rows.Reach:
    speaking = [one for one in found if one.facts.reference]
    if any(one.facts.verb == VOIDED_VERB for one in speaking):
        return rows.Reach.VOIDS
    return rows.Reach.SPEAKS if speaking else rows.Reach.ALONE


def _write(told: Sequence[tuple[_Sent, Sequence[tuple[Ready, int]]]], people: Mapping[str, int], *, stored: datetime) -> bool:
    """Whether somebody spoke of one of these before it came."""
    text = stored_text(stored)
    written, mentions = [], []
    for sent, some in told:
        authority = digest_of(AGENT, actor_key(sent.caller.authority))
        for one, seq in some:
            moment, body = stamp(one, stored=stored, stored_text=text, authority=sent.caller.authority)
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
                    authority,
                    people.get(facts.actor),
                    body,
                )
            )
            mentions += [(key, seq) for key in facts.mentions]
    return rows.write(written, stored=stored, mentions=mentions)


def _definitions(fresh: Sequence[Ready]) -> dict[str, Mapping[str, Any]]:
    """What these statements tell of activities, by IRI; of one that they tell of more than once, all of it."""
    told: dict[str, Mapping[str, Any]] = {}
    for one in fresh:
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


def _people(every: Sequence[_Sent]) -> dict[str, int]:
    """People of this installation among the actors, by the digest of the actor."""
    named: dict[str, int] = {}
    for sent in every:
        for one in sent.found:
            account = one.statement["actor"].get("account")
            if account is not None and account["homePage"] == sent.issuer:
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
