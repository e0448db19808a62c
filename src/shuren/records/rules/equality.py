"""Whether a statement that comes again under the same id is the same statement (1.0.3 Data 2.2, 2.3.1)."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson

from shuren.records.rules.actors import actor_key
from shuren.records.rules.values import moment_kept

# What the service sets itself, or what belongs to the transport.
_OF_SERVICE = frozenset({"id", "stored", "authority", "version", "timestamp"})
_SECONDS = re.compile(r"(\d+)(?:[.,](\d+))?S$")


def is_same_statement(kept: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Server-set properties do not count, nor do words for verbs and activities, nor the order of what has none.

    A timestamp counts where the client sent one: as a moment, whatever zone it was told in.
    """
    if "timestamp" in sent:
        first, second = (moment_kept(str(one["timestamp"])) for one in (kept, sent))
        if first is None or second is None or abs(first - second) >= timedelta(milliseconds=1):
            return False
    return _canonical(kept) == _canonical(sent)


def _canonical(statement: Mapping[str, Any]) -> bytes:
    claim = _claim({name: value for name, value in statement.items() if name not in _OF_SERVICE})
    return orjson.dumps(claim, option=orjson.OPT_SORT_KEYS)


def _claim(claim: dict[str, Any]) -> dict[str, Any]:
    shaped = claim | {"actor": _actor(claim["actor"]), "verb": claim["verb"]["id"], "object": _target(claim["object"])}
    if "context" in claim:
        shaped["context"] = _context(claim["context"])
    if "result" in claim:
        shaped["result"] = _result(claim["result"])
    return shaped


def _result(result: Mapping[str, Any]) -> dict[str, Any]:
    """Durations count to hundredths of a second (1.0.3 Data 4.6)."""
    shaped: dict[str, Any] = _numbers(dict(result))
    if "duration" in shaped:
        shaped["duration"] = _SECONDS.sub(lambda found: f"{found[1]}.{(found[2] or '')[:2]:0<2}S", shaped["duration"])
    return shaped


def _numbers(value: Any) -> Any:
    """1 and 1.0 are the same number in JSON."""
    if isinstance(value, dict):
        return {name: _numbers(one) for name, one in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value) if abs(value) < 2**53 else value
    return value


def _actor(actor: Mapping[str, Any]) -> dict[str, Any]:
    shaped = {"objectType": "Agent", **actor}
    if "mbox_sha1sum" in shaped:
        shaped["mbox_sha1sum"] = shaped["mbox_sha1sum"].lower()
    if "member" in shaped:
        shaped["member"] = sorted((_actor(member) for member in shaped["member"]), key=actor_key)
    return shaped


def _target(target: Mapping[str, Any]) -> dict[str, Any]:
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        return {"id": target["id"]}
    if kind in ("Agent", "Group"):
        return _actor(target)
    if kind == "SubStatement":
        return _claim(dict(target))
    return {**target, "id": target["id"].lower()}


def _context(context: Mapping[str, Any]) -> dict[str, Any]:
    shaped = dict(context)
    for name in ("instructor", "team"):
        if name in shaped:
            shaped[name] = _actor(shaped[name])
    if "registration" in shaped:
        shaped["registration"] = shaped["registration"].lower()
    if "contextActivities" in shaped:
        shaped["contextActivities"] = {
            name: sorted(activity["id"] for activity in (found if isinstance(found, list) else [found]))
            for name, found in shaped["contextActivities"].items()
        }
    return shaped
