"""Certificates of destruction in the form that is signed, and what a file that somebody brings must have."""

import json
from collections.abc import Mapping
from typing import Any

FORM = "shuren-destruction-certificate/1"
PARTS = ("certificate", "signature", "key_version")


def canonical(certificate: Mapping[str, Any]) -> bytes:
    """The bytes that are signed: JSON with sorted keys and no blanks."""
    return json.dumps(certificate, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read_certificate(text: bytes) -> dict[str, Any] | None:
    """A file as it was handed out; None for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not set(PARTS) <= set(found):
        return None
    certificate = found["certificate"]
    is_ours = isinstance(certificate, dict) and certificate.get("form") == FORM and isinstance(certificate.get("number"), str)
    is_signed = isinstance(found["signature"], str) and type(found["key_version"]) is int
    return found if is_ours and is_signed else None
