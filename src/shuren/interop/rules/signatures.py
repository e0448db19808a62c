"""Signatures of messages, as Standard Webhooks 1.0 lays them down (symmetric form, `v1`)."""

import base64
import hashlib
import hmac
from collections.abc import Iterable

TOLERANCE_SECONDS = 300
PREFIX = "whsec_"


def key_text(key: bytes) -> str:
    """A key as vendors keep it."""
    return PREFIX + base64.b64encode(key).decode()


def signature_of(key: bytes, *, message_id: str, timestamp: int, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers_of(keys: Iterable[bytes], *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers; while keys overlap there is one signature for each, separated by spaces."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature_of(key, message_id=message_id, timestamp=timestamp, body=body) for key in keys),
    }
