"""What a unit is launched with: its address (8.1), and the document in which it reads how (10.0)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from shuren.records.rules.cmi5 import words
from shuren.records.rules.cmi5.statements import context_template
from shuren.records.rules.cmi5.words import LaunchMode


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFacts:
    """Of a unit what its launch needs."""

    publisher_id: str
    move_on: str
    mastery_score: float | None
    launch_parameters: str
    entitlement_key: str


def launch_url(base: str, *, endpoint: str, fetch: str, actor: Mapping[str, Any], registration: str, activity: str) -> str:
    """The unit's address with the five parameters after those of its own, before its fragment."""
    params = {
        "endpoint": endpoint,
        "fetch": fetch,
        "actor": json.dumps(actor, ensure_ascii=False, separators=(",", ":")),
        "registration": registration,
        "activityId": activity,
    }
    address, sign, fragment = base.partition("#")
    mark = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
    return f"{address}{mark}{urlencode(params, quote_via=quote)}{sign}{fragment}"


def launch_data(unit: UnitFacts, *, session_id: str, mode: LaunchMode, return_url: str) -> dict[str, Any]:
    """The document `LMS.LaunchData`."""
    told: dict[str, Any] = {
        "contextTemplate": context_template(session_id, unit.publisher_id),
        "launchMode": mode.value,
        "moveOn": unit.move_on,
        "returnURL": return_url,
    }
    if unit.launch_parameters:
        told["launchParameters"] = unit.launch_parameters
    if unit.mastery_score is not None:
        told["masteryScore"] = unit.mastery_score
    if unit.entitlement_key:
        told["entitlementKey"] = {"courseStructure": unit.entitlement_key}
    return told


def launched_extensions(unit: UnitFacts, *, mode: LaunchMode, url: str) -> dict[str, object]:
    """What the statement `launched` tells beside the session (9.6.3)."""
    told: dict[str, object] = {words.LAUNCH_MODE: mode.value, words.LAUNCH_URL: url, words.MOVE_ON: unit.move_on}
    if unit.mastery_score is not None:
        told[words.MASTERY_SCORE] = unit.mastery_score
    if unit.launch_parameters:
        told[words.LAUNCH_PARAMETERS] = unit.launch_parameters
    return told
