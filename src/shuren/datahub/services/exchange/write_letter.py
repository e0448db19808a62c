"""Letters to other nodes, signed with our key and kept until they were taken."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shuren.datahub.models import ExchangeLetter, ExchangeNode
from shuren.datahub.rules.exchange.cards import Card
from shuren.datahub.rules.exchange.letters import payload_of
from shuren.datahub.selectors.exchange.own_node import SEAL_KEY, SIGN_KEY, own_card, own_uid
from shuren.kernel.errors import Conflict
from shuren.trust import api as trust
from shuren.trust.data import KeyAlgorithm


def ensure_own_card(now: datetime) -> Card:
    """Our card; the keys behind it are made when it is first asked for."""
    trust.ensure_key(name=SIGN_KEY, algorithm=KeyAlgorithm.ES256, now=now)
    trust.ensure_key(name=SEAL_KEY, algorithm=KeyAlgorithm.ES256, now=now)
    card = own_card()
    if card is None:
        raise Conflict("there is no org yet")
    return card


def signed_letter(kind: str, receiver: str, body: Mapping[str, Any], *, now: datetime, version: int | None = None) -> str:
    """The text of a letter; `version` signs with a key that was turned over, so that the next one is believed."""
    payload = payload_of(kind=kind, sender=own_uid(), receiver=receiver, body=body, now=now)
    if version is None:
        return trust.sign_jws(payload, key=SIGN_KEY)
    key = trust.public_key_of(SIGN_KEY, version=version)
    head = json.dumps({"alg": key.algorithm.value, "kid": key.key_id}, separators=(",", ":")).encode()
    text = f"{_base64url(head)}.{_base64url(payload)}"
    return f"{text}.{_base64url(trust.sign(text.encode(), key=SIGN_KEY, version=version))}"


def write_letter(
    node: ExchangeNode, kind: str, body: Mapping[str, Any], *, now: datetime, version: int | None = None
) -> ExchangeLetter:
    """Sign a letter and keep it in the caller's transaction until the node has taken it."""
    text = signed_letter(kind, node.uid, body, now=now, version=version)
    return ExchangeLetter.objects.create(node=node, kind=kind, text=text, written_at=now)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
