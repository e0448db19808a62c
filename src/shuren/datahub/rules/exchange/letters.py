"""Signed words between installations: compact JWS (RFC 7515) with ES256, whatever carries them.

A letter names who wrote it, to whom, when and of which kind. Letters may come twice, late or in another order: whoever takes
one decides by what it says, never by when it came.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext as _
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from shuren.kernel.errors import Refused, ShurenError

LONGEST = 16 * 1024 * 1024
SKEW = timedelta(minutes=5)
ALGORITHMS = ["ES256"]


class LetterBroken(Refused):
    """Not a letter, or not written with a key of whom it names."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a letter says, before anybody believed it; `digest` is the SHA-256 of its text."""

    kind: str
    sender: str
    receiver: str
    at: datetime
    body: Mapping[str, Any]
    key_id: str
    text: str

    @property
    def digest(self) -> str:
        return sha256(self.text.encode()).hexdigest()


def payload_of(*, kind: str, sender: str, receiver: str, body: Mapping[str, Any], now: datetime) -> bytes:
    told = {"kind": kind, "from": sender, "to": receiver, "at": now.isoformat(), "body": body}
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def opened(text: str) -> Letter:
    """Read a letter without believing it; raises `LetterBroken`."""
    if len(text) > LONGEST:
        raise _broken()
    try:
        found = jws.extract_compact(text.strip().encode())
        told = json.loads(found.payload)
        at = datetime.fromisoformat(told["at"])
        if at.tzinfo is None or not isinstance(told["body"], dict) or not _is_kept(told):
            raise _broken()
        words = (str(told["kind"]), str(told["from"]), str(told["to"]))
        return Letter(*words, at, told["body"], str(found.headers().get("kid", "")), text.strip())
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise _broken() from fault


def _is_kept(told: object) -> bool:
    """Whether a database keeps its text: no NUL in it; raises `ValueError` for half of a surrogate pair."""
    text = json.dumps(told, ensure_ascii=False).replace(r"\\", "")
    return bool(text.encode()) and r"\u0000" not in text


def believe(letter: Letter, keys: Sequence[Mapping[str, Any]], *, receiver: str) -> None:
    """Raise `LetterBroken` unless one of the writer's `keys` signed the letter, and to us."""
    key = next((one for one in keys if one.get("use") == "sig" and one.get("kid") == letter.key_id), None)
    if key is None:
        raise LetterBroken(_("签名用的密钥不是这个节点的。"), remedy=_("对方换过密钥的，请先让对方发来换钥信；否则请重新介绍。"))
    try:
        jws.deserialize_compact(letter.text.encode(), ECKey.import_key(point_of(key)), algorithms=ALGORITHMS)
    except (JoseError, ValueError) as fault:
        raise LetterBroken(_("签名不符，内容可能被改动过。"), remedy=_("请让对方重发。")) from fault
    if letter.receiver != receiver:
        raise LetterBroken(_("这封信不是写给本节点的。"))


def point_of(key: Mapping[str, Any]) -> dict[str, Any]:
    """The bare public key of P-256: what else a JWK says would narrow its use."""
    return {name: key[name] for name in ("kty", "crv", "x", "y") if name in key}


def check_clock(at: datetime, now: datetime) -> None:
    """Refuse a call whose clock differs too much: a call is good for minutes only."""
    apart = at - now
    if abs(apart) > SKEW:
        told = {"seconds": round(apart.total_seconds()), "now": now.isoformat(timespec="seconds")}
        raise ClockApart(
            _("对方的时钟与本节点相差 %(seconds)s 秒（本节点现在是 %(now)s）。") % told,
            remedy=_("请在两边启用网络校时（NTP）后再试。"),
        )


class ClockApart(ShurenError):
    """The two installations do not agree what time it is (401)."""

    status = 401


def _broken() -> LetterBroken:
    return LetterBroken(_("这不是一封完整的交换信。"), remedy=_("请让对方重新导出，整份传来。"))
