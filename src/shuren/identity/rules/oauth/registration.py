"""What a client may be registered as."""

import re
from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shuren.identity.data import ClientAuth, GrantType, NewClient, SubjectType
from shuren.identity.rules.oauth.uris import address_fault, host_of

ID_TOKEN_ALGORITHMS = ("RS256", "ES256")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")
_PRIVATE_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
MAX_ADDRESSES = 20


def client_faults(client: NewClient) -> list[str]:
    """What is wrong with a registration, in English for developers; empty when nothing is."""
    is_native = client.auth is ClientAuth.NONE
    uses_browser = GrantType.AUTHORIZATION_CODE in client.grant_types
    faults = [
        f"{uri}: {fault}"
        for uri in (*client.redirect_uris, *client.post_logout_redirect_uris)
        if (fault := address_fault(uri, is_native=is_native))
    ]
    if client.backchannel_logout_uri and (fault := address_fault(client.backchannel_logout_uri, is_native=False)):
        faults.append(f"backchannel_logout_uri: {fault}")
    if not client.name.strip() or len(client.name) > 80:
        faults.append("client_name: 1 to 80 characters")
    if uses_browser != bool(client.redirect_uris) or len(client.redirect_uris) > MAX_ADDRESSES:
        faults.append(f"redirect_uris: 1 to {MAX_ADDRESSES} for authorization_code, none otherwise")
    if not client.grant_types:
        faults.append("grant_types: none")
    if GrantType.CLIENT_CREDENTIALS in client.grant_types and is_native:
        faults.append("grant_types: client_credentials needs a client that can prove itself")
    if not client.scopes or not all(_SCOPE.fullmatch(scope) for scope in client.scopes):
        faults.append("scope: at least one, of printable ASCII without blanks and quotes")
    if client.is_governed and "person_number" in client.scopes:
        faults.append("scope: person_number is for other installations, not for apps of the register")
    if client.id_token_alg not in ID_TOKEN_ALGORITHMS:
        faults.append(f"id_token_signed_response_alg: one of {', '.join(ID_TOKEN_ALGORITHMS)}")
    return faults + _key_faults(client) + _sector_faults(client)


def _key_faults(client: NewClient) -> list[str]:
    has_keys = client.jwks is not None or bool(client.jwks_uri)
    if client.auth is not ClientAuth.PRIVATE_KEY_JWT:
        return ["jwks: only for private_key_jwt"] if has_keys else []
    if (client.jwks is None) == (not client.jwks_uri):
        return ["private_key_jwt needs either jwks or jwks_uri"]
    if client.jwks_uri:
        return [f"jwks_uri: {fault}"] if (fault := address_fault(client.jwks_uri, is_native=False)) else []
    return jwks_faults(client.jwks or {})


def jwks_faults(jwks: Mapping[str, Any]) -> list[str]:
    """Whether these are public keys and nothing more."""
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        return ["jwks: no keys"]
    if any(_PRIVATE_PARTS & key.keys() or key.get("kty") == "oct" for key in keys):
        return ["jwks: holds a private or symmetric key; send public keys only"]
    try:
        KeySet.import_key_set({"keys": keys})
    except (JoseError, ValueError, KeyError, TypeError):
        return ["jwks: a key cannot be read"]
    return []


def _sector_faults(client: NewClient) -> list[str]:
    hosts = {host_of(uri) for uri in client.redirect_uris}
    if client.subject_type is SubjectType.PAIRWISE and not client.sector and len(hosts) > 1:
        return ["sector: name one where redirect_uris lie on several hosts"]
    return []


def sector_of(client: NewClient, client_id: str) -> str:
    """The host that pairwise subjects are made for; a client without addresses is a sector of its own."""
    return client.sector or next((host for uri in client.redirect_uris if (host := host_of(uri))), client_id)
