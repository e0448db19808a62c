"""What the browser's passkey script talks to, in JSON."""

import json
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose, SignInMethod
from shuren.identity.models import Account
from shuren.identity.presence import note_verified, set_factor_due
from shuren.identity.services import passkeys
from shuren.identity.views.entry import complete, pending_of, receive, safe_path
from shuren.kernel import clock
from shuren.kernel.doors import before_entry, open_door
from shuren.kernel.errors import Invalid, ShurenError

_STATE = "passkey"
_MAX_BYTES = 64 * 1024


@open_door
@never_cache
@require_POST
def begin_proof(request: HttpRequest) -> JsonResponse:
    """Options for a passkey: of whoever has shown a first factor, of whoever is signed in, or of anybody at the door."""
    options, state = passkeys.begin_proof(account_id=_whose(request), host=request.get_host(), now=clock.now())
    request.session[_STATE] = state
    return JsonResponse(options)


@open_door
@never_cache
@require_POST
def finish_proof(request: HttpRequest) -> JsonResponse:
    """A passkey that fits opens the door, completes the second factor, or confirms who is there."""
    try:
        sent, account_id, now = _sent(request), _whose(request), clock.now()
        next_url = safe_path(request, str(sent.get("next", "")))
        state = request.session.pop(_STATE, None)
        found = passkeys.finish_proof(
            state=state, response=_response(sent), account_id=account_id, host=request.get_host(), now=now
        )
        if actor_of(request).account_id is not None:
            note_verified(request, (SignInMethod.PASSKEY,), now=now)
            return JsonResponse({"url": next_url})
        if account_id is not None:
            return JsonResponse({"url": complete(request, SignInMethod.PASSKEY).headers["Location"]})
        return _come_in(request, found, next_url)
    except ShurenError as error:
        return _error(error)


@require_step_up(Purpose.FACTORS)
@before_entry
@never_cache
@require_POST
def begin_registration(request: HttpRequest) -> JsonResponse:
    account = Account.objects.with_person().get(pk=actor_of(request).account_id or 0)
    try:
        options, state = passkeys.begin_registration(
            account=account, name=actor_of(request).name, host=request.get_host(), now=clock.now()
        )
    except ShurenError as error:
        return _error(error)
    request.session[_STATE] = state
    return JsonResponse(options)


@require_step_up(Purpose.FACTORS)
@before_entry
@never_cache
@require_POST
def finish_registration(request: HttpRequest) -> JsonResponse:
    try:
        sent, now = _sent(request), clock.now()
        state = request.session.pop(_STATE, None)
        passkeys.finish_registration(
            actor=actor_of(request),
            state=state,
            response=_response(sent),
            name=str(sent.get("name", "")),
            host=request.get_host(),
            now=now,
        )
    except ShurenError as error:
        return _error(error)
    note_verified(request, (SignInMethod.PASSKEY,), now=now)
    set_factor_due(request, is_due=False)
    return JsonResponse({"url": ""})


def _whose(request: HttpRequest) -> int | None:
    account_id = actor_of(request).account_id
    if account_id is not None:
        return account_id
    kept = pending_of(request)
    return int(kept["account"]) if kept else None


def _come_in(request: HttpRequest, account_id: int, next_url: str) -> JsonResponse:
    if not Account.objects.filter(pk=account_id, is_active=True).exists():
        raise Invalid(_("这个账号已经停用。如有疑问，请联系本单位管理员。"))
    response = JsonResponse({"url": ""})
    entered = receive(request, account_id, (SignInMethod.PASSKEY,), next_url=next_url)
    response.cookies = entered.cookies
    response.content = json.dumps({"url": entered.headers["Location"]}).encode()
    return response


def _sent(request: HttpRequest) -> dict[str, Any]:
    try:
        sent = json.loads(request.body[:_MAX_BYTES])
    except ValueError as fault:
        raise Invalid(_("看不懂浏览器发来的内容。"), remedy=_("请刷新页面再试。")) from fault
    if not isinstance(sent, dict):
        raise Invalid(_("看不懂浏览器发来的内容。"), remedy=_("请刷新页面再试。"))
    return sent


def _response(sent: dict[str, Any]) -> dict[str, Any]:
    found = sent.get("credential")
    return found if isinstance(found, dict) else {}


def _error(error: ShurenError) -> JsonResponse:
    return JsonResponse({"error": str(error)}, status=error.status)
