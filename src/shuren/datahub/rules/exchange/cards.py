"""How an installation introduces itself: its card, the fingerprint that two officers compare, and the invitation."""

import base64
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext as _
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from shuren.datahub.rules.exchange.letters import point_of
from shuren.kernel.errors import Invalid

INVITED = timedelta(days=7)
# How long what was signed or sealed with a key that was turned over may still be on its way.
TURNED_OVER = timedelta(days=30)
_UID = re.compile(r"[0-9a-f]{32}")
_MARK = "shuren-node-1."


@dataclass(frozen=True, slots=True)
class Card:
    """An installation by itself: id, name, level, address (empty where nobody can call it), and its two public keys."""

    uid: str
    name: str
    level: str
    address: str
    sign: Mapping[str, Any]
    seal: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """40 hexadecimal digits over both keys."""
        points = "".join(f"{key['x']}.{key['y']}." for key in (self.sign, self.seal))
        return sha256(f"{self.uid}.{points}".encode()).hexdigest()[:40]

    @property
    def keys(self) -> list[dict[str, Any]]:
        return [{**self.sign, "use": "sig", "until": None}, {**self.seal, "use": "enc", "until": None}]


@dataclass(frozen=True, slots=True)
class Invitation:
    """What an invitation says: who invites, by which fingerprint it is known, and the code that is good once."""

    uid: str
    name: str
    address: str
    fingerprint: str
    code: str


def card_as_json(card: Card) -> dict[str, Any]:
    return {
        "id": card.uid,
        "name": card.name,
        "level": card.level,
        "address": card.address,
        "sign": dict(card.sign),
        "seal": dict(card.seal),
    }


def card_in(told: Mapping[str, Any]) -> Card:
    """A card as it came; raises `Invalid`."""
    try:
        sign, seal = (_key(told[name]) for name in ("sign", "seal"))
        words = [str(told[name]) for name in ("id", "name", "level", "address")]
    except (KeyError, TypeError, ValueError, JoseError) as fault:
        raise Invalid(_("节点名片不完整。"), remedy=_("请让对方重新导出。")) from fault
    if not _UID.fullmatch(words[0]):
        raise Invalid(_("节点名片上的编号不合规。"))
    return Card(words[0], words[1][:120], words[2][:20], words[3][:300], sign, seal)


def new_code() -> str:
    return secrets.token_hex(16)


def code_digest(code: str) -> str:
    return sha256(code.encode()).hexdigest()


def invitation_text(card: Card, code: str) -> str:
    told = {"id": card.uid, "name": card.name, "address": card.address, "print": card.fingerprint, "code": code}
    return _MARK + base64.urlsafe_b64encode(json.dumps(told, ensure_ascii=False).encode()).rstrip(b"=").decode()


def invitation_in(text: str) -> Invitation:
    """Read an invitation; raises `Invalid`."""
    try:
        mark, body = text.strip()[: len(_MARK)], "".join(text.split())[len(_MARK) :]
        told = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        found = Invitation(*(str(told[name]) for name in ("id", "name", "address", "print", "code")))
    except (ValueError, KeyError, TypeError) as fault:
        raise Invalid(_("这不是一份完整的邀请。"), remedy=_("请把对方给的邀请整段复制过来。")) from fault
    if mark != _MARK:
        raise Invalid(_("这不是一份节点邀请。"))
    return found


def grouped(fingerprint: str) -> str:
    """As people read it to each other: ten groups of four."""
    return " ".join(fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4)).upper()


def key_id(key: Mapping[str, Any]) -> str:
    return str(ECKey.import_key(point_of(key)).thumbprint())


def _key(told: Mapping[str, Any]) -> dict[str, Any]:
    point = point_of(told)
    if point.get("crv") != "P-256":
        raise ValueError("not a key of P-256")
    return {**point, "kid": key_id(point)}
