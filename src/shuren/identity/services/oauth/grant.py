"""The token endpoint: what is given for which grant."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from shuren.identity.data import ClientData, GrantType
from shuren.identity.models import Authorization
from shuren.identity.rules.oauth.asking import OPENID_SCOPES, scopes_within
from shuren.identity.rules.oauth.claims import SCOPE_OF_CLAIM
from shuren.identity.rules.oauth.faults import OAuthFault
from shuren.identity.rules.oauth.tokens import ACCESS_FOR, TokenKind
from shuren.identity.selectors.bearers import standing_of
from shuren.identity.services.gate import check_program
from shuren.identity.services.oauth import families
from shuren.identity.services.oauth.claims import personal_claims
from shuren.identity.services.oauth.devices import redeem_device
from shuren.identity.services.oauth.id_tokens import id_token_for
from shuren.identity.services.oauth.prove import Proof, proved_client
from shuren.kernel.data import Actor


def grant_token(*, proof: Proof, now: datetime) -> dict[str, Any]:
    """The answer of the token endpoint (RFC 6749 5.1); raises `OAuthFault`."""
    form = proof.form
    asked = form.get("grant_type", "")
    if not asked:
        raise OAuthFault("invalid_request", "grant_type is missing")
    if asked not in list(GrantType):
        raise OAuthFault("unsupported_grant_type", "authorization_code, refresh_token, client_credentials or device_code")
    client = proved_client(proof=proof, now=now)
    if asked not in client.grant_types:
        raise OAuthFault("unauthorized_client", "this client may not use this grant")
    check_program(client, actor=_person_behind(client, form, now=now), now=now)
    match GrantType(asked):
        case GrantType.CLIENT_CREDENTIALS:
            return _own(client, form, now=now)
        case GrantType.AUTHORIZATION_CODE:
            family = families.redeem_code(
                code=form.get("code", ""),
                client_pk=client.id,
                redirect_uri=form.get("redirect_uri", ""),
                verifier=form.get("code_verifier", ""),
                now=now,
            )
        case GrantType.DEVICE_CODE:
            family = redeem_device(device_code=form.get("device_code", ""), client_pk=client.id, now=now)
        case GrantType.REFRESH_TOKEN:
            family = families.refresh_family(refresh_token=form.get("refresh_token", ""), client_pk=client.id, now=now)
    return _personal(client, family, form.get("scope", ""), now=now)


def _person_behind(client: ClientData, form: Mapping[str, str], *, now: datetime) -> Actor | None:
    """Whoever an app goes on for; at their first coming in they were asked for a minute ago at most."""
    if not client.is_governed or form["grant_type"] != GrantType.REFRESH_TOKEN:
        return None
    standing = standing_of(form.get("refresh_token", ""), kind=TokenKind.REFRESH, now=now)
    if standing is None or standing.bearer.account_id is None:
        return None
    return Actor(person_id=standing.bearer.person_id, account_id=standing.bearer.account_id, name=standing.bearer.name)


def _own(client: ClientData, form: Mapping[str, str], *, now: datetime) -> dict[str, Any]:
    asked = form.get("scope", "")
    scopes = tuple(scope for scope in scopes_within(asked, client) if scope not in OPENID_SCOPES)
    if not scopes or len(scopes) < len(set(asked.split())):
        raise OAuthFault("invalid_scope", "scopes about a person need a person")
    access_token = families.own_access_token(client_pk=client.id, scopes=scopes, now=now)
    return {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": int(ACCESS_FOR.total_seconds()),
        "scope": " ".join(scopes),
    }


def _personal(client: ClientData, family: Authorization, asked: str, *, now: datetime) -> dict[str, Any]:
    allowed = tuple(family.scopes.split())
    scopes = tuple(scope for scope in allowed if scope in asked.split()) if asked else allowed
    if asked and set(asked.split()) - set(allowed):
        raise OAuthFault("invalid_scope", "more than was allowed")
    scopes = _agreed(client, family, scopes, now=now)
    access_token = families.access_token_for(family, scopes, now=now)
    answer: dict[str, Any] = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": int(min(ACCESS_FOR, family.expires_at - now).total_seconds()),
        "scope": " ".join(scopes),
    }
    if GrantType.REFRESH_TOKEN in client.grant_types:
        answer["refresh_token"] = families.refresh_token_for(family, now=now)
    if "openid" in scopes:
        personal = _asked_in_id_token(client, family, scopes, now=now)
        answer["id_token"] = id_token_for(client=client, family=family, access_token=access_token, personal=personal, now=now)
    return answer


def _agreed(client: ClientData, family: Authorization, scopes: tuple[str, ...], *, now: datetime) -> tuple[str, ...]:
    """Without the scopes of a newer version of an app that the person's school has not agreed to.

    The register stands above identity: it is asked by the name beside that of its gate.
    """
    if not client.is_governed:
        return scopes
    ask: Callable[..., Collection[str]] = import_string(f"{settings.SHUREN_APP_GATE.rpartition('.')[0]}.agreed_scopes")
    account = family.account
    actor = Actor(person_id=account.person_id, account_id=account.pk, name=client.name)
    agreed = ask(client.client_id, actor=actor, scopes=scopes, now=now)
    found = tuple(scope for scope in scopes if scope in agreed)
    if not found:
        raise OAuthFault("invalid_scope", "the person's school has not agreed to a version of this app with these scopes")
    return found


def _asked_in_id_token(client: ClientData, family: Authorization, scopes: Collection[str], *, now: datetime) -> dict[str, Any]:
    """The personal claims that the app asked to have in the ID token, as far as their scopes were allowed."""
    names = frozenset(family.id_claims.split())
    carried = {SCOPE_OF_CLAIM[name] for name in names} & set(scopes)
    person_id = family.account.person_id if carried else None
    told = personal_claims(person_id=person_id, client=client, scopes=carried, now=now)
    return {name: value for name, value in told.items() if name in names}
