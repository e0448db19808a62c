"""Signed statements about people and sign-outs, and the keys that sign them."""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shuren.identity.data import ClientData, SubjectType
from shuren.identity.models import Account, Authorization
from shuren.identity.rules.oauth.registration import ID_TOKEN_ALGORITHMS
from shuren.kernel import ids
from shuren.trust import api as trust
from shuren.trust.data import KeyAlgorithm

ID_TOKEN_FOR = timedelta(minutes=10)
LOGOUT_TOKEN_FOR = timedelta(minutes=2)
KEYS_FOR = timedelta(days=180)
SUBJECT_PURPOSE = "identity.pairwise_subject"
_KEY_NAMES = {KeyAlgorithm.RS256: "identity.oidc.rs256", KeyAlgorithm.ES256: "identity.oidc.es256"}
_MAX_LENGTH = 8_000
_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


def public_keys(*, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """The key set that apps check our signatures with: the active keys and the ones before them."""
    for algorithm, name in _KEY_NAMES.items():
        trust.ensure_key(name=name, algorithm=algorithm, now=now)
    return trust.public_jwks(list(_KEY_NAMES.values()))


def rotate_keys(*, now: datetime) -> int:
    """Let new keys sign in the place of those older than 180 days; returns how many."""
    old = [name for name in _KEY_NAMES.values() if (key := trust.key_of(name)) and key.created_at < now - KEYS_FOR]
    for name in old:
        trust.rotate_key(name=name, now=now)
    return len(old)


def sign_claims(claims: Mapping[str, Any], *, algorithm: str, typ: str, now: datetime) -> str:
    """A JWT of these claims; `typ` names their kind in the header (RFC 8725 3.11)."""
    kind = KeyAlgorithm(algorithm)
    trust.ensure_key(name=_KEY_NAMES[kind], algorithm=kind, now=now)
    payload = json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode()
    return trust.sign_jws(payload, key=_KEY_NAMES[kind], header={"typ": typ})


def subject_of(account: Account, client: ClientData) -> str:
    """The `sub` by which `client` knows a person: stable, and for third parties different from sector to sector."""
    return subject(person_id=account.person_id, account_id=account.pk, client=client)


def subject_of_account(account_id: int, client: ClientData) -> str:
    return subject_of(Account.objects.get(pk=account_id), client)


def subject(*, person_id: int | None, account_id: int, client: ClientData) -> str:
    whom = f"person:{person_id}" if person_id is not None else f"account:{account_id}"
    if client.subject_type is SubjectType.PUBLIC:
        return ids.encode("person", person_id) if person_id is not None else ids.encode("account", account_id)
    digest = bytes.fromhex(trust.blind_index(f"{client.sector}\n{whom}", purpose=SUBJECT_PURPOSE))
    return _encoded(digest)


def session_id_of(sign_in_id: int | None) -> str:
    """The `sid` of a session; empty where a family hangs on none."""
    return ids.encode("sign_in", sign_in_id) if sign_in_id is not None else ""


def id_token_for(
    *, client: ClientData, family: Authorization, access_token: str, personal: Mapping[str, Any], now: datetime
) -> str:
    """OpenID Connect Core 2; personal data stay in the userinfo endpoint, but for those asked for in the token itself."""
    account = Account.objects.get(pk=family.account_id)
    claims: dict[str, Any] = {
        **personal,
        "iss": family.issuer,
        "sub": subject_of(account, client),
        "aud": client.client_id,
        "exp": int((now + ID_TOKEN_FOR).timestamp()),
        "iat": int(now.timestamp()),
        "auth_time": int(family.authenticated_at.timestamp()),
        "at_hash": _encoded(sha256(access_token.encode()).digest()[:16]),
    }
    optional = {
        "nonce": family.nonce,
        "acr": family.acr,
        "amr": family.amr.split(),
        "sid": session_id_of(family.sign_in),
    }
    claims |= {name: value for name, value in optional.items() if value}
    return sign_claims(claims, algorithm=client.id_token_alg, typ="JWT", now=now)


def logout_token_for(*, client: ClientData, issuer: str, sub: str, sid: str, now: datetime) -> str:
    """OpenID Connect Back-Channel Logout 2.4."""
    claims = {
        "iss": issuer,
        "aud": client.client_id,
        "iat": int(now.timestamp()),
        "exp": int((now + LOGOUT_TOKEN_FOR).timestamp()),
        "jti": secrets.token_urlsafe(16),
        "events": {_LOGOUT_EVENT: {}},
        "sub": sub,
    }
    return sign_claims(claims | ({"sid": sid} if sid else {}), algorithm=client.id_token_alg, typ="logout+jwt", now=now)


def read_own_token(text: str, *, issuer: str) -> dict[str, Any]:
    """The claims of an id token that we signed ourselves, expired or not; empty for anything else."""
    if not text or len(text) > _MAX_LENGTH:
        return {}
    try:
        keys = KeySet.import_key_set({"keys": list(trust.public_jwks(list(_KEY_NAMES.values()))["keys"])})
        claims: dict[str, Any] = jwt.decode(text, keys, algorithms=list(ID_TOKEN_ALGORITHMS)).claims
    except (JoseError, ValueError):
        return {}
    return claims if claims.get("iss") == issuer and "events" not in claims else {}


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
