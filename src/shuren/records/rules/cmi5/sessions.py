"""What a unit may say within its session (7.1, 9.3 to 9.7): statement by statement, in the order of their timestamps."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shuren.kernel.errors import Refused
from shuren.records.rules.actors import actor_key, is_group
from shuren.records.rules.cmi5 import words
from shuren.records.rules.cmi5.words import LaunchMode
from shuren.records.rules.faults import MalformedStatement
from shuren.records.rules.statements import VOIDED
from shuren.records.rules.values import moment_kept

_IN_UTC = re.compile(r"(?:[Zz]|\+00(?::?00)?)$")
_ENDS = frozenset({words.INITIALIZED, words.TERMINATED})
_TIMED = frozenset({words.TERMINATED, words.COMPLETED, words.PASSED, words.FAILED})
_JUDGED = frozenset({words.PASSED, words.FAILED})
# What each verb says in `success` and `completion`; None says nothing (9.5.2, 9.5.3).
_SAYS: dict[str, tuple[bool | None, bool | None]] = {
    words.INITIALIZED: (None, None),
    words.TERMINATED: (None, None),
    words.COMPLETED: (None, True),
    words.PASSED: (True, None),
    words.FAILED: (False, None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """A session as far as it went. `begun_at` and `ended_at` are timestamps of its own statements.

    `was_completed` and `was_passed` hold for the whole registration, whichever session it was in; `sent` are the defined
    verbs of this session.
    """

    session_id: str
    registration: str
    activity: str
    publisher_id: str
    actor: str
    mode: LaunchMode
    mastery_score: float | None
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    sent: frozenset[str] = frozenset()
    was_completed: bool = False
    was_passed: bool = False
    completed_at: datetime | None = None
    passed_at: datetime | None = None
    failed_at: datetime | None = None
    score: float | None = None


def after_statements(facts: SessionFacts, statements: Sequence[Mapping[str, Any]]) -> SessionFacts:
    """The session after these statements; raises `MalformedStatement` or `Refused` at the first that may not stand in it."""
    found = [(_timestamp(one, f"[{number}]"), number, one) for number, one in enumerate(statements)]
    for at, number, statement in sorted(found, key=lambda one: (one[0], one[1])):
        facts = _after(facts, statement, at, f"[{number}]")
    return facts


def _after(facts: SessionFacts, statement: Mapping[str, Any], at: datetime, where: str) -> SessionFacts:
    context = statement.get("context", {})
    _check_template(facts, statement, context, where)
    verb = statement["verb"]["id"]
    if verb == VOIDED:
        raise Refused("A unit voids no statements (cmi5 6.3).")
    categories = _ids_in(context, "category")
    is_defined = words.CMI5_CATEGORY in categories
    _check_order(facts, verb if is_defined else "", at)
    _check_progress(statement.get("result", {}), where)
    if not is_defined:
        if words.MOVE_ON_CATEGORY in categories:
            raise MalformedStatement("has the category moveOn without that of cmi5", f"{where}.context.contextActivities")
        return facts
    if verb not in words.UNIT_VERBS:
        raise MalformedStatement("is no verb that a unit says in the category of cmi5", f"{where}.verb.id")
    if statement["object"].get("id") != facts.activity:
        raise MalformedStatement("is another than the activityId of the launch", f"{where}.object.id")
    _check_result(verb, statement.get("result", {}), is_move_on=words.MOVE_ON_CATEGORY in categories, where=where)
    if verb in _JUDGED:
        _check_mastery(facts, verb, statement.get("result", {}), context, where)
    _check_verb(facts, verb)
    return _noted(facts, verb, statement.get("result", {}), at)


def _check_template(facts: SessionFacts, statement: Mapping[str, Any], context: Mapping[str, Any], where: str) -> None:
    """Everything that the context template of the launch gave stands in it (10.0)."""
    if "id" not in statement:
        raise MalformedStatement("is missing: a unit gives each statement one", f"{where}.id")
    actor = statement["actor"]
    if is_group(actor) or actor_key(actor) != facts.actor:
        raise MalformedStatement("is another than the actor of the launch", f"{where}.actor")
    if str(context.get("registration", "")).lower() != facts.registration:
        raise MalformedStatement("is another than the registration of the launch", f"{where}.context.registration")
    if context.get("extensions", {}).get(words.SESSION_ID) != facts.session_id:
        raise MalformedStatement("does not name the session of the launch", f"{where}.context.extensions")
    if facts.publisher_id not in _ids_in(context, "grouping"):
        raise MalformedStatement("lacks the publisher's id of the unit", f"{where}.context.contextActivities.grouping")


def _check_order(facts: SessionFacts, verb: str, at: datetime) -> None:
    if facts.ended_at is not None and (at > facts.ended_at or verb == words.TERMINATED):
        raise Refused("The session was terminated; nothing comes after that (cmi5 9.3.8).")
    if verb == words.INITIALIZED:
        if facts.begun_at is not None:
            raise Refused("The session was initialized before (cmi5 9.3.2).")
    elif facts.begun_at is None or at < facts.begun_at:
        raise Refused("The first statement of a session is initialized (cmi5 7.1.1).")


def _check_verb(facts: SessionFacts, verb: str) -> None:
    """Order within the session and within the registration (9.3)."""
    if facts.mode is not LaunchMode.NORMAL and verb not in _ENDS:
        raise Refused(f"In mode {facts.mode} a unit tells initialized and terminated alone (cmi5 10.0).")
    if verb in facts.sent:
        raise Refused("A verb of cmi5 stands once in a session (cmi5 9.3).")
    if verb in _JUDGED and facts.sent & _JUDGED:
        raise Refused("A session is passed or failed, not both (cmi5 9.3).")
    if verb == words.COMPLETED and facts.was_completed:
        raise Refused("The unit was completed in this registration before (cmi5 9.3.3).")
    if verb in _JUDGED and facts.was_passed:
        raise Refused("The unit was passed in this registration before (cmi5 9.3).")


def _check_result(verb: str, result: Mapping[str, Any], *, is_move_on: bool, where: str) -> None:
    success, completion = _SAYS[verb]
    if result.get("success") is not success:
        raise MalformedStatement("does not fit the verb", f"{where}.result.success")
    if result.get("completion") is not completion:
        raise MalformedStatement("does not fit the verb", f"{where}.result.completion")
    if is_move_on is not (success is not None or completion is not None):
        told = "has the category moveOn, which fits results alone" if is_move_on else "lacks the category moveOn"
        raise MalformedStatement(told, f"{where}.context.contextActivities.category")
    if verb in _TIMED and "duration" not in result:
        raise MalformedStatement("is missing", f"{where}.result.duration")
    if "score" in result:
        if verb not in _JUDGED:
            raise MalformedStatement("stands with passed and failed alone", f"{where}.result.score")
        _check_score(result["score"], f"{where}.result.score")


def _check_score(score: Mapping[str, Any], where: str) -> None:
    if "scaled" in score and not 0 <= score["scaled"] <= 1:
        raise MalformedStatement("is not between 0 and 1", f"{where}.scaled")
    if "raw" in score and not {"min", "max"} <= score.keys():
        raise MalformedStatement("needs min and max", f"{where}.raw")


def _check_mastery(facts: SessionFacts, verb: str, result: Mapping[str, Any], context: Mapping[str, Any], where: str) -> None:
    told = context.get("extensions", {}).get(words.MASTERY_SCORE)
    scaled = result.get("score", {}).get("scaled")
    if told is not None and told != facts.mastery_score:
        raise MalformedStatement("is another than that of the launch", f"{where}.context.extensions.masteryscore")
    if facts.mastery_score is None or scaled is None:
        return
    if told is None:
        raise MalformedStatement("is missing where a score was judged by it", f"{where}.context.extensions.masteryscore")
    if (scaled >= facts.mastery_score) is not (verb == words.PASSED):
        raise MalformedStatement(f"does not fit the verb: the mastery score is {facts.mastery_score}", f"{where}.result.score")


def _check_progress(result: Mapping[str, Any], where: str) -> None:
    told = result.get("extensions", {}).get(words.PROGRESS)
    if told is not None and (type(told) is not int or not 0 <= told <= 100):
        raise MalformedStatement("is not a whole number from 0 to 100", f"{where}.result.extensions.progress")


def _noted(facts: SessionFacts, verb: str, result: Mapping[str, Any], at: datetime) -> SessionFacts:
    facts = replace(facts, sent=facts.sent | {verb})
    if verb == words.INITIALIZED:
        return replace(facts, begun_at=at)
    if verb == words.TERMINATED:
        return replace(facts, ended_at=at)
    if verb == words.COMPLETED:
        return replace(facts, completed_at=at, was_completed=True)
    score = result.get("score", {}).get("scaled", facts.score)
    if verb == words.PASSED:
        return replace(facts, passed_at=at, was_passed=True, score=score)
    return replace(facts, failed_at=at, score=score)


def _timestamp(statement: Mapping[str, Any], where: str) -> datetime:
    told = statement.get("timestamp")
    if told is None:
        raise MalformedStatement("is missing", f"{where}.timestamp")
    moment = moment_kept(told)
    if moment is None or not _IN_UTC.search(told):
        raise MalformedStatement("is not in UTC (cmi5 9.7)", f"{where}.timestamp")
    return moment


def _ids_in(context: Mapping[str, Any], name: str) -> set[str]:
    found = context.get("contextActivities", {}).get(name, [])
    return {activity["id"] for activity in (found if isinstance(found, list) else (found,))}
