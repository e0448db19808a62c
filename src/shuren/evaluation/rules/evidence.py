"""What is put on record about one pupil's score, byte for byte the same whenever it is asked for."""

import json
from collections.abc import Mapping
from typing import Any

_FOR_GROUPS = ("pv", "weight")


def subject_of(run_id: int, person_id: int) -> str:
    return f"score:{run_id}:{person_id}"


def score_statement(row: Mapping[str, Any], *, run: str, declaration_hash: str, person: str) -> bytes:
    """The pupil's measures in a run as JSON with sorted names; `run` and `person` are public ids.

    Row ids mean nothing outside, and draws and weights serve the figures of groups.
    """
    scores = {name: value for name, value in row.items() if not name.endswith("_id") and not name.startswith(_FOR_GROUPS)}
    said = {"declaration": declaration_hash, "person": person, "run": run, "scores": scores}
    return json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str).encode()
