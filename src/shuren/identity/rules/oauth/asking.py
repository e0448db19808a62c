"""Authorization requests: read, checked against the client, and what the answer looks like."""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlencode

from shuren.identity.data import ClientAuth, ClientData, ClientStatus, GrantType
from shuren.identity.rules.oauth.claims import AskedClaims, asked_claims
from shuren.identity.rules.oauth.faults import AppUnknown, OAuthFault
from shuren.identity.rules.oauth.uris import is_registered

_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_S256 = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})
MAX_TEXT = 2000
# Every parameter of a request that we read; others are passed over, as the standard asks.
PARAMETERS = (
    *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method"),
    *(
        "prompt",
        "max_age",
        "response_mode",
        "login_hint",
        "request",
        "request_uri",
        "acr_values",
        "claims",
        "ui_locales",
        "display",
    ),
)
OPENID_SCOPES = ("openid", "profile", "email", "phone", "org", "person_number", "offline_access")


# What nobody gets without having asked for it.
_ONLY_BY_NAME = frozenset({"offline_access", "person_number"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A request of which client and return address are known to be right; the rest may still be at fault."""

    client: ClientData
    redirect_uri: str
    state: str
    is_form_post: bool
    scopes: tuple[str, ...] = ()
    nonce: str = ""
    code_challenge: str = ""
    prompts: frozenset[str] = frozenset()
    max_age: int | None = None
    login_hint: str = ""
    claims: AskedClaims = field(default_factory=AskedClaims)

    @property
    def is_silent(self) -> bool:
        return "none" in self.prompts


def single_values(query: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Parameters by name; one that comes twice is an error (RFC 6749 3.1)."""
    twice = sorted(key for key, values in query.items() if len(values) > 1)
    if twice:
        raise OAuthFault("invalid_request", f"{twice[0][:40]} is repeated")
    return {key: values[0] for key, values in query.items() if values and values[0] != ""}


def return_address(query: Mapping[str, Sequence[str]], client: ClientData | None) -> str:
    """The registered address that this request may be answered at; raises `AppUnknown` when there is none."""
    uris = list(query.get("redirect_uri", ()))
    if client is None or client.status is not ClientStatus.ACTIVE or len(query.get("client_id", ())) != 1:
        raise AppUnknown("client")
    is_native = client.auth is ClientAuth.NONE
    if len(uris) != 1 or not is_registered(uris[0], client.redirect_uris, is_native=is_native):
        raise AppUnknown("redirect_uri")
    return uris[0]


def asked_of(query: Mapping[str, Sequence[str]], *, client: ClientData, redirect_uri: str) -> Asking:
    """Check a request; raises `OAuthFault` with what goes back to the app.

    PKCE with S256 is required of every client (OAuth 2.1 4.1.1), and only codes are given.
    """
    values = single_values({key: query[key] for key in PARAMETERS if key in query})
    _check_form(values)
    scopes = _scopes(values.get("scope", ""), client)
    claims = asked_claims(values.get("claims", ""), values.get("acr_values", ""))
    if "openid" in scopes:
        scopes = tuple(sorted({*scopes, *claims.scopes_within(client.scopes)}))
    challenge = values.get("code_challenge", "")
    if values.get("code_challenge_method") != "S256" or not _S256.fullmatch(challenge):
        raise OAuthFault("invalid_request", "code_challenge with code_challenge_method=S256 is required")
    prompts = frozenset(values.get("prompt", "").split())
    if prompts - _PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise OAuthFault("invalid_request", "prompt")
    max_age = values.get("max_age")
    if max_age is not None and not (max_age.isascii() and max_age.isdigit() and len(max_age) < 10):
        raise OAuthFault("invalid_request", "max_age")
    return Asking(
        client=client,
        redirect_uri=redirect_uri,
        state=values.get("state", ""),
        is_form_post=values.get("response_mode") == "form_post",
        scopes=scopes,
        nonce=values.get("nonce", ""),
        code_challenge=challenge,
        prompts=prompts,
        max_age=None if max_age is None else int(max_age),
        login_hint=values.get("login_hint", ""),
        claims=claims,
    )


def _check_form(values: Mapping[str, str]) -> None:
    if any(len(value) > MAX_TEXT for value in values.values()):
        raise OAuthFault("invalid_request", "a parameter is too long")
    if "request" in values:
        raise OAuthFault("request_not_supported")
    if "request_uri" in values:
        raise OAuthFault("request_uri_not_supported", "only addresses of the pushed request endpoint")
    if "response_type" not in values:
        raise OAuthFault("invalid_request", "response_type is missing")
    if values["response_type"] != "code":
        raise OAuthFault("unsupported_response_type", "only code")
    if values.get("response_mode", "query") not in ("query", "form_post"):
        raise OAuthFault("invalid_request", "response_mode")


def _scopes(text: str, client: ClientData) -> tuple[str, ...]:
    if GrantType.AUTHORIZATION_CODE not in client.grant_types:
        raise OAuthFault("unauthorized_client", "this client may not use codes")
    return scopes_within(text, client)


def scopes_within(text: str, client: ClientData) -> tuple[str, ...]:
    """The asked scopes, sorted, all of which the client is registered for; an empty question asks for all but `_ONLY_BY_NAME`."""
    asked = set(text.split())
    if not all(_SCOPE.fullmatch(scope) for scope in asked) or not asked <= client.scopes:
        raise OAuthFault("invalid_scope", "a scope is not registered for this client")
    return tuple(sorted(asked or client.scopes - _ONLY_BY_NAME))


def challenge_of(verifier: str) -> str:
    """RFC 7636 4.2, S256."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")


def is_proved(verifier: str, challenge: str) -> bool:
    return bool(_VERIFIER.fullmatch(verifier)) and hmac.compare_digest(challenge_of(verifier), challenge)


def with_parameters(uri: str, parameters: Mapping[str, str]) -> str:
    """A return address with the answer added to its query."""
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(parameters)}"
