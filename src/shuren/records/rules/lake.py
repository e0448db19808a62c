"""What the lake keeps of a statement: the columns that sums are made of, and none of its words but an activity's name."""

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

SCHEMA = pa.schema(
    [
        ("stored", pa.timestamp("us", tz="UTC")),
        ("seq", pa.int64()),
        ("client", pa.string()),
        ("person_id", pa.int64()),
        ("org_path", pa.string()),
        ("verb", pa.string()),
        ("activity", pa.string()),
        ("activity_name", pa.string()),
        ("activity_type", pa.string()),
        ("success", pa.bool_()),
        ("completion", pa.bool_()),
        ("score", pa.float64()),
        ("seconds", pa.float64()),
    ]
)
_DURATION = re.compile(r"P(?:([\d.,]+)W)?(?:([\d.,]+)D)?(?:T(?:([\d.,]+)H)?(?:([\d.,]+)M)?(?:([\d.,]+)S)?)?")
_SECONDS = (604_800, 86_400, 3_600, 60, 1)


def told_by(statement: Mapping[str, Any]) -> dict[str, object]:
    """The columns that stand in the statement itself."""
    target, result = statement["object"], statement.get("result", {})
    is_activity = target.get("objectType", "Activity") == "Activity"
    definition = target.get("definition", {}) if is_activity else {}
    return {
        "client": _client(statement["authority"]),
        "verb": statement["verb"]["id"],
        "activity": target["id"] if is_activity else "",
        "activity_name": next(iter(definition.get("name", {}).values()), ""),
        "activity_type": definition.get("type", ""),
        "success": result.get("success"),
        "completion": result.get("completion"),
        "score": _score(result.get("score", {})),
        "seconds": seconds_in(result.get("duration", "")),
    }


def org_at(org_path: str) -> int:
    """Row id of the org at the end of a path, 0 for none."""
    return int(org_path.rstrip("/").rpartition("/")[2] or 0)


def seconds_in(duration: str) -> float | None:
    """How long an ISO 8601 duration is; None for one of months or years, whose length nobody knows."""
    found = _DURATION.fullmatch(duration)
    if found is None or not any(found.groups()):
        return None
    parts = (float((part or "0").replace(",", ".")) for part in found.groups())
    return sum(part * length for part, length in zip(parts, _SECONDS, strict=True))


def _client(authority: Mapping[str, Any]) -> str:
    """The client in its own name, or the one that acts for the person it stands in a group with."""
    agent = authority["member"][0] if "member" in authority else authority
    return str(agent["account"]["name"])


def _score(score: Mapping[str, Any]) -> float | None:
    """Scaled, or what it would be: the place of `raw` between `min` and `max`."""
    if "scaled" in score:
        return float(score["scaled"])
    low, high, raw = score.get("min", 0), score.get("max"), score.get("raw")
    return (raw - low) / (high - low) if raw is not None and high is not None and high > low else None
