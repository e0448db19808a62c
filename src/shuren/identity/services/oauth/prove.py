"""Who calls the token endpoint: a client proves itself in exactly the way it is registered for."""

from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

from django.core.cache import cache
from django.db import IntegrityError, transaction
from joserfc.errors import JoseError

from shuren.identity.data import ClientAuth, ClientData, ClientStatus
from shuren.identity.models import SpentValue
from shuren.identity.rules.oauth.assertions import ASSERTION_TYPE, assertion_client_id, checked_assertion, key_set
from shuren.identity.rules.oauth.faults import OAuthFault, invalid_client
from shuren.identity.rules.oauth.registration import jwks_faults
from shuren.identity.selectors.bearers import Proved, Secret, proved_by, spent_digest
from shuren.identity.selectors.clients import client_by_client_id
from shuren.kernel import outward

_KEYS_FOR = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a request brought: its Authorization header, its form, and the addresses an assertion may be made out to."""

    header: str
    form: Mapping[str, str]
    audiences: frozenset[str]


def check_proved(proved: Proved | None) -> Proved:
    """The client that a secret proved; raises `invalid_client` where it proved none."""
    if proved is None:
        raise invalid_client("unknown client, or a secret that is not its own")
    return proved


def proved_client(*, proof: Proof, now: datetime) -> ClientData:
    """The client that made this request; raises `invalid_client` for any other."""
    _check_single(proof)
    if proof.form.get("client_assertion"):
        return _by_assertion(proof, now=now)
    secret = secret_in(proof)
    if secret is not None:
        check_proved(proved_by(secret, now=now))
    client = client_by_client_id(_client_id_in(proof))
    if client is None or client.status is not ClientStatus.ACTIVE:
        raise invalid_client("unknown client")
    if secret is None and client.auth is not ClientAuth.NONE:
        raise invalid_client(f"this client proves itself by {client.auth.value}")
    return client


def _check_single(proof: Proof) -> None:
    ways = [bool(proof.header), "client_secret" in proof.form, "client_assertion" in proof.form]
    if sum(ways) > 1:
        raise OAuthFault("invalid_request", "more than one way of proving the client")


def _client_id_in(proof: Proof) -> str:
    found = _basic(proof.header)
    return found[0] if found else proof.form.get("client_id", "")


def secret_in(proof: Proof) -> Secret | None:
    """The secret that a request brought, if it brought one; raises `OAuthFault` where it cannot be read."""
    _check_single(proof)
    if proof.header:
        found = _basic(proof.header)
        if found is None or proof.form.get("client_id", found[0]) != found[0]:
            raise invalid_client("the Authorization header cannot be read")
        return Secret(*found, ClientAuth.BASIC.value)
    if "client_secret" in proof.form:
        return Secret(proof.form.get("client_id", ""), proof.form["client_secret"], ClientAuth.POST.value)
    return None


def _basic(header: str) -> tuple[str, str] | None:
    """RFC 6749 2.3.1: both parts are form-encoded before they are joined."""
    scheme, _blank, text = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = b64decode(text.strip(), validate=True).decode().partition(":")
    except (Error, UnicodeDecodeError):
        return None
    return (unquote_plus(client_id), unquote_plus(secret)) if colon else None


def _by_assertion(proof: Proof, *, now: datetime) -> ClientData:
    if proof.form.get("client_assertion_type") != ASSERTION_TYPE:
        raise OAuthFault("invalid_request", "client_assertion_type")
    text = proof.form["client_assertion"]
    client = client_by_client_id(assertion_client_id(text))
    if client is None or client.status is not ClientStatus.ACTIVE or client.auth is not ClientAuth.PRIVATE_KEY_JWT:
        raise invalid_client("unknown client, or not one that proves itself by private_key_jwt")
    if proof.form.get("client_id", client.client_id) != client.client_id:
        raise invalid_client("client_id differs from the assertion's")
    claims = _checked(text, client, proof.audiences, now=now)
    _spend(client, claims)
    return client


def _checked(text: str, client: ClientData, audiences: frozenset[str], *, now: datetime) -> dict[str, Any]:
    """Check with the keys we know; where the app rotated meanwhile, fetch them once more."""
    for is_fresh in (False, True):
        try:
            keys = key_set(keys_of(client, is_fresh=is_fresh))
            return checked_assertion(text, keys, client_id=client.client_id, audiences=audiences, now=now)
        except (JoseError, ValueError) as fault:
            if client.jwks_uri and not is_fresh:
                continue
            raise invalid_client("the assertion is not good") from fault
    raise invalid_client("the assertion is not good")


def keys_of(client: ClientData, *, is_fresh: bool) -> Mapping[str, Any]:
    """The client's public keys, as written down or as fetched; raises ValueError where there are none."""
    if client.jwks is not None:
        return client.jwks
    return client_keys(client.jwks_uri, is_fresh=is_fresh)


def client_keys(jwks_uri: str, *, is_fresh: bool = False) -> Mapping[str, Any]:
    """Public keys behind an app's address, kept for five minutes; a fresh look at most every ten seconds.

    Raises ValueError when there are none.
    """
    kept = cache.get(f"jwks:{spent_digest(jwks_uri)}")
    if kept is not None and (not is_fresh or not cache.add(f"jwks-fresh:{spent_digest(jwks_uri)}", 1, 10)):
        return dict(kept)
    try:
        answer = outward.call(jwks_uri, headers={"Accept": "application/json"})
    except (outward.OutwardRefused, outward.OutwardFailed) as fault:
        raise ValueError("the keys cannot be fetched") from fault
    jwks = _read_keys(answer)
    cache.set(f"jwks:{spent_digest(jwks_uri)}", jwks, _KEYS_FOR)
    return jwks


def _read_keys(answer: outward.Answer) -> dict[str, Any]:
    jwks = outward.json_of(answer)
    if answer.status != 200 or not isinstance(jwks, dict) or jwks_faults(jwks):
        raise ValueError("no public keys at this address")
    return {"keys": jwks["keys"]}


def _spend(client: ClientData, claims: Mapping[str, Any]) -> None:
    """An assertion's id is good once (RFC 7523 3, item 7)."""
    digest = spent_digest(f"{client.client_id}\n{claims['jti']}")
    until = datetime.fromtimestamp(claims["exp"], UTC) + timedelta(minutes=2)
    try:
        with transaction.atomic():
            SpentValue.objects.create(digest=digest, expires_at=until)
    except IntegrityError:
        raise invalid_client("the assertion was used before") from None
