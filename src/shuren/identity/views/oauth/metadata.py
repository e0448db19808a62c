"""What apps find out about us by themselves (OpenID Connect Discovery 1.0, RFC 8414)."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from shuren.identity.data import ClientAuth, GrantType
from shuren.identity.rules.oauth.asking import OPENID_SCOPES
from shuren.identity.rules.oauth.assertions import ALGORITHMS
from shuren.identity.rules.oauth.claims import ACR_VALUES, SCOPE_OF_CLAIM
from shuren.identity.rules.oauth.registration import ID_TOKEN_ALGORITHMS
from shuren.identity.services.oauth.id_tokens import public_keys
from shuren.identity.views.oauth.answers import address_of_view, issuer_of, json_answer
from shuren.kernel import clock
from shuren.kernel.doors import open_door

_ENDPOINTS = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "token",
    "jwks_uri": "jwks",
    "userinfo_endpoint": "userinfo",
    "introspection_endpoint": "introspect",
    "revocation_endpoint": "revoke",
    "device_authorization_endpoint": "device_authorization",
    "pushed_authorization_request_endpoint": "push",
    "end_session_endpoint": "end_session_for_app",
}
_CLAIMS = ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"]


@open_door
@require_safe
def openid_configuration(request: HttpRequest) -> HttpResponse:
    return _public(json_answer(_metadata(request)))


@open_door
@require_safe
def authorization_server(request: HttpRequest) -> HttpResponse:
    return _public(json_answer(_metadata(request)))


@open_door
@require_safe
def jwks(request: HttpRequest) -> HttpResponse:
    return _public(json_answer(public_keys(now=clock.now())))


def _metadata(request: HttpRequest) -> dict[str, Any]:
    ways = [way.value for way in ClientAuth]
    return {
        "issuer": issuer_of(request),
        **{name: address_of_view(request, f"identity:{view}") for name, view in _ENDPOINTS.items()},
        "scopes_supported": list(OPENID_SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": [grant.value for grant in GrantType],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": list(ID_TOKEN_ALGORITHMS),
        "token_endpoint_auth_methods_supported": ways,
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": [way for way in ways if way != "none"],
        "introspection_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": ways,
        "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "acr_values_supported": list(ACR_VALUES),
        "claims_supported": _CLAIMS + list(SCOPE_OF_CLAIM),
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_pushed_authorization_requests": False,
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "ui_locales_supported": ["zh-CN", "en"],
    }


def _public(response: HttpResponse) -> HttpResponse:
    """Apps in browsers read these from their own origin; they hold nothing about anybody."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
