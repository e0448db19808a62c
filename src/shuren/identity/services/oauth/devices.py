"""Devices without keyboard: they show a code, their person types it in elsewhere (RFC 8628)."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.identity.data import ClientData, GrantType
from shuren.identity.models import Authorization, DeviceRequest
from shuren.identity.rules.oauth.asking import scopes_within
from shuren.identity.rules.oauth.faults import OAuthFault
from shuren.identity.selectors.bearers import spent_digest
from shuren.identity.services.gate import check_person, check_program
from shuren.identity.services.oauth.families import Entry, NewFamily, begin_family, claim_family
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound

# 20 letters that are not mistaken for one another (RFC 8628 6.1): 8 of them are 34 bits.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
WAITING, ALLOWED, REFUSED, TAKEN = "waiting", "allowed", "refused", "taken"
GOOD_FOR = timedelta(minutes=10)
_INTERVAL = 5


def ask_for_device(*, client: ClientData, scope: str, issuer: str, page: str, now: datetime) -> dict[str, Any]:
    """The answer of the device authorization endpoint; `page` is where the person types the code."""
    if GrantType.DEVICE_CODE not in client.grant_types:
        raise OAuthFault("unauthorized_client", "this client may not use device codes")
    scopes = scopes_within(scope, client)
    check_program(client, now=now)
    device_code, user_code = secrets.token_urlsafe(32), "".join(secrets.choice(_LETTERS) for _turn in range(8))
    DeviceRequest.objects.create(
        client_id=client.id,
        device_digest=spent_digest(device_code),
        user_digest=spent_digest(user_code),
        scopes=" ".join(scopes),
        issuer=issuer,
        status=WAITING,
        interval=_INTERVAL,
        expires_at=now + GOOD_FOR,
    )
    shown = f"{user_code[:4]}-{user_code[4:]}"
    return {
        "device_code": device_code,
        "user_code": shown,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={shown}",
        "expires_in": int(GOOD_FOR.total_seconds()),
        "interval": _INTERVAL,
    }


def device_request(user_code: str, *, now: datetime) -> DeviceRequest | None:
    """The waiting request behind a typed code, whatever its case and blanks."""
    text = "".join(letter for letter in user_code.upper() if letter in _LETTERS)
    rows = DeviceRequest.objects.select_related("client").filter(
        user_digest=spent_digest(text), status=WAITING, expires_at__gt=now
    )
    return rows.first() if len(text) == 8 else None


@transaction.atomic
def decide_device(*, actor: Actor, user_code: str, entry: Entry, is_allowed: bool, now: datetime) -> None:
    """Let a device in for the actor, or not; it hears at its next question."""
    request = device_request(user_code, now=now)
    if request is None:
        raise NotFound(_("这个设备码不对，或者已经过期。"), remedy=_("请看看设备屏幕上的新代码。"))
    if is_allowed:
        check_person(request.client, actor=actor, now=now)
        family = NewFamily(client_pk=request.client_id, entry=entry, scopes=tuple(request.scopes.split()), issuer=request.issuer)
        request.authorization = begin_family(actor=actor, family=family, now=now)
    request.status = ALLOWED if is_allowed else REFUSED
    request.save(update_fields=["status", "authorization"])
    action = "identity.device_allowed" if is_allowed else "identity.device_refused"
    audit.record(actor=actor, action=action, target=f"client:{request.client_id}", now=now)


def redeem_device(*, device_code: str, client_pk: int, now: datetime) -> Authorization:
    """Change a device code into its family, once the person has allowed it (RFC 8628 3.5 names the refusals)."""
    request = DeviceRequest.objects.filter(device_digest=spent_digest(device_code), client_id=client_pk).first()
    if request is None or request.status == TAKEN:
        raise OAuthFault("invalid_grant", "unknown device code, or used before")
    if request.expires_at <= now:
        raise OAuthFault("expired_token")
    if request.status == REFUSED:
        raise OAuthFault("access_denied")
    if request.status == WAITING or request.authorization_id is None:
        raise OAuthFault(_polled(request, now=now))
    with transaction.atomic():
        taken = DeviceRequest.objects.filter(pk=request.pk, status=ALLOWED).update(status=TAKEN)
        is_claimed = bool(taken) and claim_family(request.authorization_id, now=now)
    if not is_claimed:
        raise OAuthFault("invalid_grant", "unknown device code, or used before")
    return Authorization.objects.get(pk=request.authorization_id)


def _polled(request: DeviceRequest, *, now: datetime) -> str:
    """Note that the device asked; one that asks too often must wait five seconds longer from now on."""
    is_hasty = request.polled_at is not None and now < request.polled_at + timedelta(seconds=request.interval)
    request.polled_at = now
    request.interval = min(60, request.interval + 5) if is_hasty else request.interval
    request.save(update_fields=["polled_at", "interval"])
    return "slow_down" if is_hasty else "authorization_pending"
