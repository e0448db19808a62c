"""Statements that the system itself writes about a registration (9.3, 9.6): by the same template as the units' own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from shuren.records.rules.cmi5 import words

_DISPLAY = {
    words.LAUNCHED: {"en": "launched", "zh": "打开了"},
    words.ABANDONED: {"en": "abandoned", "zh": "中途离开了"},
    words.WAIVED: {"en": "waived", "zh": "获准免修"},
    words.SATISFIED: {"en": "satisfied", "zh": "达到了要求"},
}


@dataclass(frozen=True, slots=True)
class Thing:
    """What a statement is about: a unit, a block or a course."""

    activity: str
    publisher_id: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    type: str = ""


@dataclass(frozen=True, slots=True)
class Telling:
    """Whose registration it is about, in which session; `issuer` is where accounts are at home."""

    account: Mapping[str, str]
    registration: str
    session_id: str

    @property
    def actor(self) -> dict[str, Any]:
        return {"objectType": "Agent", "account": dict(self.account)}


def context_template(session_id: str, publisher_id: str) -> dict[str, Any]:
    """What every statement of a session repeats (10.0)."""
    return {
        "contextActivities": {"grouping": [{"objectType": "Activity", "id": publisher_id}]},
        "extensions": {words.SESSION_ID: session_id},
    }


def launched(telling: Telling, unit: Thing, extensions: Mapping[str, object], *, at: datetime) -> dict[str, Any]:
    return _statement(telling, words.LAUNCHED, unit, (unit.publisher_id,), extensions=extensions, at=at)


def abandoned(telling: Telling, unit: Thing, *, seconds: float, at: datetime) -> dict[str, Any]:
    result = {"duration": duration_text(seconds)}
    return _statement(telling, words.ABANDONED, unit, (unit.publisher_id,), result=result, at=at)


def waived(telling: Telling, unit: Thing, reason: str, *, at: datetime) -> dict[str, Any]:
    result = {"success": True, "completion": True, "extensions": {words.REASON: reason}}
    return _statement(telling, words.WAIVED, unit, (unit.publisher_id,), result=result, at=at)


def satisfied(telling: Telling, thing: Thing, *, unit_id: str, at: datetime) -> dict[str, Any]:
    """Of a block or course; `unit_id` is the publisher's id of the unit whose session brought it about, if one did."""
    grouping = tuple(dict.fromkeys(one for one in (thing.publisher_id, unit_id) if one))
    return _statement(telling, words.SATISFIED, thing, grouping, at=at)


def duration_text(seconds: float) -> str:
    """ISO 8601, to the hundredth."""
    return f"PT{max(seconds, 0):.2f}".rstrip("0").rstrip(".") + "S"


def _statement(
    telling: Telling,
    verb: str,
    thing: Thing,
    grouping: Iterable[str],
    *,
    at: datetime,
    result: Mapping[str, Any] | None = None,
    extensions: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    categories = [words.CMI5_CATEGORY]
    if result is not None and result.keys() & {"success", "completion"}:
        categories.append(words.MOVE_ON_CATEGORY)
    definition: dict[str, Any] = {"name": dict(thing.title), "description": dict(thing.description)}
    if thing.type:
        definition["type"] = thing.type
    statement: dict[str, Any] = {
        "id": str(uuid4()),
        "actor": telling.actor,
        "verb": {"id": verb, "display": _DISPLAY[verb]},
        "object": {"objectType": "Activity", "id": thing.activity, "definition": definition},
        "context": {
            "registration": telling.registration,
            "contextActivities": {
                "category": [{"objectType": "Activity", "id": one} for one in categories],
                "grouping": [{"objectType": "Activity", "id": one} for one in grouping],
            },
            "extensions": {words.SESSION_ID: telling.session_id, **(extensions or {})},
        },
        "timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    if result is not None:
        statement["result"] = dict(result)
    return statement
