"""Drill reports in the form that is signed."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from shuren.backups.data import RunData
from shuren.trust import api as trust

DRILL_KEY = "backups.drills"


def canonical(report: Mapping[str, Any]) -> bytes:
    """The bytes that are signed: JSON with sorted keys and no blanks."""
    return json.dumps(report, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def is_signature_good(run: RunData) -> bool:
    """Whether this installation signed the report as it stands."""
    return bool(run.signature) and trust.verify(canonical(run.report), base64.b64decode(run.signature), key=DRILL_KEY)
