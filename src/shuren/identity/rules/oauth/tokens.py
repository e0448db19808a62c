"""What stands in a token: who it is for and until when, closed by a keyed hash of this installation.

Tokens carry their facts so that issuing one writes nothing and a kill loses none; what can change meanwhile (client,
family, account, sign-in) is looked up when one is used, so that every revocation takes effect at once. To clients they
are opaque text. The families (`Authorization`) hold what codes and refresh tokens may still do.
"""

import hmac
import re
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

ACCESS_FOR = timedelta(hours=1)
CODE_FOR = timedelta(seconds=60)
UNREDEEMED_FOR = timedelta(minutes=15)
SESSION_FOR = timedelta(hours=12)
OFFLINE_FOR = timedelta(days=90)

# client, authorization (0: the client's own), issued, expires, number (a generation or chance)
_FACTS = struct.Struct(">QQIIQ")
_TEXT = re.compile(r"(sat|srt|sac)_([A-Za-z0-9_-]{43,2000})\.([A-Za-z0-9_-]{43})")

Mac = Callable[[str], str]


class TokenKind(StrEnum):
    """The prefix tells secret scanners what they found."""

    ACCESS = "sat"
    REFRESH = "srt"
    CODE = "sac"


@dataclass(frozen=True, slots=True)
class Token:
    """The facts of a token; `number` is the generation of a refresh token and chance in all others."""

    kind: TokenKind
    client: int
    authorization: int
    issued_at: int
    expires_at: int
    number: int
    scopes: tuple[str, ...] = ()


def chance() -> int:
    return secrets.randbits(64)


def token_text(token: Token, mac: Mac) -> str:
    """Write a token; `mac` gives 64 hex digits for a text."""
    facts = _FACTS.pack(token.client, token.authorization, token.issued_at, token.expires_at, token.number)
    body = f"{token.kind.value}_{_encoded(facts + ' '.join(token.scopes).encode())}"
    return f"{body}.{_encoded(bytes.fromhex(mac(body)))}"


def read_token(text: str, mac: Mac, *, kind: TokenKind) -> Token | None:
    """The facts of a token of this kind that we wrote ourselves, expired or not; None for anything else."""
    match = _TEXT.fullmatch(text)
    if match is None or match[1] != kind.value:
        return None
    body = f"{match[1]}_{match[2]}"
    if not hmac.compare_digest(_encoded(bytes.fromhex(mac(body))), match[3]):
        return None
    facts = urlsafe_b64decode(match[2] + "=" * (-len(match[2]) % 4))
    scopes = tuple(facts[_FACTS.size :].decode().split())
    client, authorization, issued_at, expires_at, number = _FACTS.unpack(facts[: _FACTS.size])
    return Token(kind, client, authorization, issued_at, expires_at, number, scopes)


def kind_of(text: str) -> TokenKind | None:
    """What a text claims to be, by its prefix."""
    prefix = text.partition("_")[0]
    return next((kind for kind in TokenKind if kind.value == prefix), None)


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
