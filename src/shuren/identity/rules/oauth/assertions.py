"""Assertions by which a client proves itself with a key of its own (RFC 7523, OpenID Connect Core 9)."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Asymmetric only: with HS256 a public key would do as the secret.
ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"]
_LEEWAY = 30
_LONGEST = 3600
_MAX_LENGTH = 8_000
_MAX_MESSAGE = 200_000


def key_set(jwks: Mapping[str, Any]) -> KeySet:
    return KeySet.import_key_set({"keys": list(jwks["keys"])})


def assertion_client_id(text: str) -> str:
    """Whom an unchecked assertion is by; empty when it cannot be read."""
    if len(text) > _MAX_LENGTH:
        return ""
    try:
        claims = json.loads(jws.extract_compact(text.encode()).payload)
    except (JoseError, ValueError):
        return ""
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    return issuer if isinstance(issuer, str) else ""


def checked_assertion(text: str, keys: KeySet, *, client_id: str, audiences: frozenset[str], now: datetime) -> dict[str, Any]:
    """The claims of a good assertion; raises JoseError or ValueError."""
    claims = _timely(text, keys, now=now)
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise ValueError("iss and sub")
    if not audiences & _audience(claims):
        raise ValueError("aud")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= 500:
        raise ValueError("jti")
    return claims


def checked_message(text: str, keys: KeySet, *, client_id: str, audience: str, now: datetime) -> dict[str, Any]:
    """The claims of a good tool-originating message (1EdTech Security 1.0, 5.2.2); raises JoseError or ValueError."""
    if len(text) > _MAX_MESSAGE:
        raise ValueError("length")
    claims = _timely(text, keys, now=now)
    if claims.get("iss") != client_id or claims.get("azp", client_id) != client_id or audience not in _audience(claims):
        raise ValueError("iss, azp and aud")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not 0 < len(nonce) <= 500:
        raise ValueError("nonce")
    return claims


def _timely(text: str, keys: KeySet, *, now: datetime) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(text, keys, algorithms=ALGORITHMS).claims
    second = now.timestamp()
    expires, issued, begins = (claims.get(name, default) for name, default in (("exp", 0), ("iat", second), ("nbf", second)))
    if not all(isinstance(moment, int | float) and not isinstance(moment, bool) for moment in (expires, issued, begins)):
        raise ValueError("times")
    if not second - _LEEWAY < expires <= second + _LONGEST + _LEEWAY or max(issued, begins) > second + _LEEWAY:
        raise ValueError("times")
    return claims


def _audience(claims: Mapping[str, Any]) -> set[str]:
    audience = claims.get("aud")
    found = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    return {value for value in found if isinstance(value, str)}
