"""OpenID Connect as a relying party: code with PKCE, state and nonce; ID token and logout token checked."""

import base64
import json
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from django.utils.crypto import constant_time_compare
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shuren.identity.models import Upstream
from shuren.identity.services.upstream.proven import NotProven, Proven
from shuren.kernel import outward
from shuren.trust.api import unseal

SEALED_FOR = "identity.upstream_secret"
ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA"]
NUMBER_CLAIM = "shuren_number"
_SKEW = 120
_EVENT = "http://schemas.openid.net/event/backchannel-logout"


def authorize_address(upstream: Upstream, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
    """Where to send the browser; raises `NotProven` where the provider cannot be read."""
    question = {
        "response_type": "code",
        "client_id": upstream.client_id,
        "redirect_uri": redirect_uri,
        "scope": _scope(upstream),
        "state": state,
        "nonce": nonce,
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    address = str(discovered(upstream)["authorization_endpoint"])
    return f"{address}{'&' if '?' in address else '?'}{urlencode(question)}"


def _scope(upstream: Upstream) -> str:
    """Another Shuren tells the person number only to those who ask for it by name, and may."""
    return "openid person_number" if upstream.claim == NUMBER_CLAIM else "openid profile"


def prove(upstream: Upstream, *, code: str, issuer: str, redirect_uri: str, nonce: str, verifier: str, now: datetime) -> Proven:
    """Change the code for an ID token and read it; `issuer` is the `iss` of the answer (RFC 9207), empty where none came."""
    if issuer and issuer != upstream.address:
        raise NotProven("the answer comes from another issuer")
    found = discovered(upstream)
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
    secret = unseal(bytes(upstream.secret_sealed or b""), purpose=SEALED_FOR).decode()
    basic = base64.b64encode(f"{quote(upstream.client_id, safe='')}:{quote(secret, safe='')}".encode()).decode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {basic}"}
    tokens = _json(str(found["token_endpoint"]), method="POST", body=urlencode(body).encode(), headers=headers)
    claims = _claims(upstream, str(tokens.get("id_token", "")), found, now=now)
    if not constant_time_compare(str(claims.get("nonce", "")), nonce):
        raise NotProven("the ID token was made for another sign-in")
    if upstream.claim and upstream.claim not in claims and "userinfo_endpoint" in found:
        told = _json(str(found["userinfo_endpoint"]), headers={"Authorization": f"Bearer {tokens.get('access_token', '')}"})
        if told.get("sub") != claims["sub"]:
            raise NotProven("userinfo tells of somebody else")
        claims = told | claims
    return Proven(str(claims["sub"]), str(claims.get(upstream.claim, "")) if upstream.claim else "", str(claims.get("sid", "")))


def read_logout_token(upstream: Upstream, token: str, *, now: datetime) -> tuple[str, str, datetime]:
    """Subject and session that a logout token ends, and when it was made (OpenID Connect Back-Channel Logout 2.6)."""
    claims = _claims(upstream, token, discovered(upstream), now=now)
    events = claims.get("events")
    if not isinstance(events, dict) or _EVENT not in events or "nonce" in claims:
        raise NotProven("not a logout token")
    if not claims.get("jti"):
        raise NotProven("jti is missing")
    # `iat` counts whole seconds: a session begun within that second is meant as well.
    until = datetime.fromtimestamp(int(claims["iat"]) + 1, now.tzinfo)
    return str(claims.get("sub", "")), str(claims.get("sid", "")), until


def discovered(upstream: Upstream) -> dict[str, Any]:
    """The provider's metadata; its issuer must be the address it was asked at."""
    found = _json(f"{upstream.address.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != upstream.address:
        raise NotProven("the provider calls itself by another name")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(found.get(name), str):
            raise NotProven(f"{name} is missing")
    return found


def _claims(upstream: Upstream, token: str, found: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    """The claims of a token of the provider for us: signature, issuer, audience and times checked."""
    try:
        keys = KeySet.import_key_set(_json(str(found["jwks_uri"])))  # type: ignore[arg-type]  # joserfc checks what it is
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, KeyError, TypeError) as fault:
        raise NotProven("the token is not signed by the provider") from fault
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != upstream.address or upstream.client_id not in audiences:
        raise NotProven("the token is from or for somebody else")
    if len(audiences) > 1 and claims.get("azp") != upstream.client_id:
        raise NotProven("the token was made for another client")
    issued, expires, second = claims.get("iat"), claims.get("exp"), now.timestamp()
    if not isinstance(issued, int | float) or not second - 600 <= issued <= second + _SKEW:
        raise NotProven("the token is old, or a clock is wrong")
    if not isinstance(expires, int | float) or expires < second - _SKEW:
        raise NotProven("the token has run out")
    if not claims.get("sub") and not claims.get("sid"):
        raise NotProven("the token names nobody")
    return dict(claims)


def _json(url: str, *, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    try:
        answer = outward.call(url, method=method, body=body, headers={"Accept": "application/json", **(headers or {})})
        found = json.loads(answer.body)
    except (outward.OutwardRefused, outward.OutwardFailed, ValueError) as fault:
        raise NotProven(f"{url.split('?')[0]}: {fault}") from fault
    if answer.status != 200 or not isinstance(found, dict):
        raise NotProven(f"{url.split('?')[0]} answered {answer.status}")
    return found
