"""This installation as others know it."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.conf import settings

from shuren.datahub.rules.exchange.cards import Card
from shuren.datahub.rules.exchange.letters import point_of
from shuren.directory import api as directory
from shuren.kernel.errors import NotFound
from shuren.trust import api as trust
from shuren.trust.data import PublicKey

SIGN_KEY, SEAL_KEY = "exchange.node", "exchange.seal"


def own_card() -> Card | None:
    """Our card, or None before the first invitation made our keys."""
    sign, seal, root = trust.key_of(SIGN_KEY), trust.key_of(SEAL_KEY), directory.root_org()
    if sign is None or seal is None or root is None:
        return None
    return Card(own_uid(), root.name, root.type.value, settings.SHUREN_PUBLIC_URL, _jwk(sign), _jwk(seal))


def own_uid() -> str:
    """32 hexadecimal digits of our first signing key: they stay when keys are turned over. `NotFound` before there is one."""
    return sha256(trust.public_key_of(SIGN_KEY, version=1).spki).hexdigest()[:32]


def private_seal_key(key_id: str) -> Mapping[str, Any]:
    """The key that a packet was sealed for, also one that was turned over; `NotFound` where it never was ours."""
    for version in trust.key_versions(SEAL_KEY):
        if version.key_id == key_id:
            return trust.private_jwk_of(SEAL_KEY, version=version.version)
    raise NotFound("this key is not ours")


def usable_keys(keys: list[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """A node's keys that still count at `now`: the newest, and those turned over not long ago."""
    return [key for key in keys if key["until"] is None or datetime.fromisoformat(key["until"]) > now]


def newest_key(keys: list[dict[str, Any]], use: str) -> dict[str, Any]:
    """The key to seal for (`enc`) or to believe a new card by (`sig`)."""
    found = next((key for key in keys if key["use"] == use and key["until"] is None), None)
    if found is None:
        raise NotFound("the node has not told its keys")
    return found


def _jwk(key: PublicKey) -> dict[str, Any]:
    told = trust.jwk_of(key.pem, key.algorithm, key_id=key.key_id)
    return {**point_of(told), "kid": key.key_id}
