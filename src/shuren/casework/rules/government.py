"""What a government platform is told, in the words of `rules/contracts/`, and how a message is signed."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from shuren.casework.data import CaseState
from shuren.casework.rules.hall import Link, span_text
from shuren.casework.rules.specs.work import ItemSpec

CONTRACTS = Path(__file__).parent / "contracts"
KINDS = ("identity", "item", "case", "certificate", "rating")


class ContractBroken(ValueError):
    """A payload is not what the contract says; the text names the first fault."""


@cache
def contract(kind: str) -> dict[str, Any]:
    """The JSON Schema of one kind of message."""
    if kind not in KINDS:
        raise ValueError(f"no contract for {kind!r}")
    found: dict[str, Any] = json.loads((CONTRACTS / f"{kind}.json").read_text(encoding="utf-8"))
    return found


def check_payload(kind: str, payload: Mapping[str, Any]) -> None:
    """Raise `ContractBroken` where the payload is not of the contract."""
    checker = Draft202012Validator(contract(kind), format_checker=Draft202012Validator.FORMAT_CHECKER)
    fault = next(iter(sorted(checker.iter_errors(dict(payload)), key=str)), None)
    if fault is not None:
        place = "/".join(str(part) for part in fault.path)
        raise ContractBroken(f"{kind} {place}: {fault.message}"[:500])


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def maybe_moment(at: datetime | None) -> str | None:
    return moment(at) if at is not None else None


def item_payload(spec: ItemSpec, *, version: int, published_at: datetime) -> dict[str, Any]:
    return {
        "item_code": spec.key,
        "item_name": spec.title.zh,
        "item_kind": spec.kind,
        "levels": [level.value for level in spec.level],
        "audiences": list(spec.for_whom),
        "statutory_time": span_text(spec.statutory),
        "promised_time": span_text(spec.promise),
        "fee": spec.fee.zh,
        "visits": spec.visits,
        "basis": spec.basis.zh if spec.basis else "",
        "materials": [
            {"name": material.title.zh, "is_shared": material.is_shared, "is_optional": material.is_optional}
            for material in spec.materials
        ],
        "version": version,
        "published_at": moment(published_at),
    }


def case_payload(
    *,
    number: str,
    item: tuple[str, str],
    unit: tuple[str, str],
    is_legal_person: bool,
    link: Link,
    channel: str,
    times: tuple[datetime | None, datetime | None, datetime | None],
    state: CaseState,
    result: str,
) -> dict[str, Any]:
    """A case at one of its links; `item` and `unit` are code and name, `times` accepted, promised and finished."""
    accepted, promised, finished = times
    ended = {CaseState.WITHDRAWN: "withdrawn", CaseState.CANCELLED: "cancelled"}.get(state, result)
    return {
        "case_number": number,
        "item_code": item[0],
        "item_name": item[1],
        "unit_code": unit[0],
        "unit_name": unit[1],
        "applicant_type": "legal_person" if is_legal_person else "natural_person",
        "link": link.value,
        "channel": channel,
        "accepted_at": maybe_moment(accepted),
        "promised_at": maybe_moment(promised),
        "finished_at": maybe_moment(finished),
        "result": ended if link is Link.DONE else "",
    }


def body_of(kind: str, payload: Mapping[str, Any], *, message_id: str) -> bytes:
    """The one way in which a message is written before it is signed."""
    told = {"kind": kind, "message_id": message_id, "payload": dict(payload)}
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def signed_headers(body: bytes, *, key_id: str, secret: str, at: datetime, nonce: str) -> dict[str, str]:
    """Headers that prove who sent the body and when: HMAC-SHA256 over time, nonce and the digest of the body, by line."""
    digest, time = hashlib.sha256(body).hexdigest(), moment(at)
    signature = hmac.new(secret.encode(), f"{time}\n{nonce}\n{digest}".encode(), hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json; charset=utf-8",
        "X-Shuren-Key": key_id,
        "X-Shuren-Time": time,
        "X-Shuren-Nonce": nonce,
        "X-Shuren-Digest": digest,
        "X-Shuren-Signature": signature,
    }
