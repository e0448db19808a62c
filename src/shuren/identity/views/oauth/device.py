"""Where a person types the code that a device shows (RFC 8628)."""

from dataclasses import replace

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from shuren.identity.api import actor_of
from shuren.identity.models import DeviceRequest
from shuren.identity.selectors.clients import client_data
from shuren.identity.services.oauth import devices
from shuren.identity.services.oauth.consent import allow_app, refuse_app
from shuren.identity.views.oauth.entry import entry_of
from shuren.identity.views.oauth.words import scope_lines
from shuren.kernel import clock
from shuren.kernel.errors import Refused

_MAX_GUESSES = 20
_GUESSES_FOR = 600


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def device(request: HttpRequest) -> HttpResponse:
    sent = request.POST if request.method == "POST" else request.GET
    code = sent.get("user_code", "")[:20]
    asked = _found(request, code) if code else None
    if asked is None:
        fault = _("这个设备码不对，或者已经过期。请看看设备屏幕上的新代码。") if code else ""
        return render(request, "identity/oauth/device.html", {"user_code": code, "fault": fault}, status=404 if code else 200)
    if request.method != "POST":
        lines = scope_lines(asked.scopes.split())
        return render(
            request, "identity/oauth/device.html", {"user_code": code, "client": client_data(asked.client), "lines": lines}
        )
    return _decided(request, asked, code, is_allowed=request.POST.get("decision") == "allow")


def _found(request: HttpRequest, code: str) -> DeviceRequest | None:
    """Guesses are counted per account: there are 25 thousand million codes, and twenty tries in ten minutes."""
    key = f"device-guesses:{actor_of(request).account_id}"
    guesses = int(cache.get_or_set(key, 0, _GUESSES_FOR) or 0)
    if guesses >= _MAX_GUESSES:
        raise Refused(_("试的次数太多了。"), remedy=_("请过十分钟再试。"))
    found = devices.device_request(code, now=clock.now())
    if found is None:
        cache.set(key, guesses + 1, _GUESSES_FOR)
    return found


def _decided(request: HttpRequest, asked: DeviceRequest, code: str, *, is_allowed: bool) -> HttpResponse:
    entry, actor, now = entry_of(request), actor_of(request), clock.now()
    if entry is None:
        raise Refused(_("请重新登录后再试。"))
    # The device outlives the session in which it was let in; it goes when it is withdrawn or runs out.
    devices.decide_device(actor=actor, user_code=code, entry=replace(entry, sign_in_id=None), is_allowed=is_allowed, now=now)
    answer = allow_app if is_allowed else refuse_app
    answer(actor=actor, client_pk=asked.client_id, scopes=asked.scopes.split(), now=now)
    return render(request, "identity/oauth/device_done.html", {"is_allowed": is_allowed})
