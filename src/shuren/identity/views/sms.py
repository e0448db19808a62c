"""Coming in by a code sent to the own phone."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from shuren.identity.api import actor_of
from shuren.identity.data import SignInMethod
from shuren.identity.forms.sms import PhoneForm, SmsCodeForm
from shuren.identity.services import sms_door
from shuren.identity.services.second_factors import TooManyTries
from shuren.identity.views.entry import RiskRefused, receive, safe_next, safe_path, visit_of
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.messaging import api as messaging
from shuren.messaging.data import Channel

_ASKED = "sms"
_LASTS = 600


@open_door
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Which phone the code goes to; the answer does not tell whether it is known."""
    if actor_of(request).account_id is not None:
        return redirect(safe_next(request))
    form, now = PhoneForm(request.POST if request.method == "POST" else None), clock.now()
    if request.method != "POST" or not form.is_valid():
        return _page(request, form, status=400 if form.errors else 200)
    try:
        account_id = sms_door.ask_code(phone=form.cleaned_data["phone"], visit=visit_of(request), now=now)
    except TooManyTries as error:
        form.add_error("phone", str(error))
        return _page(request, form, status=429)
    request.session[_ASKED] = {"account": account_id, "next": safe_next(request), "at": now.timestamp()}
    return redirect("identity:sms_code")


@open_door
@sensitive_post_parameters("code")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enter_code(request: HttpRequest) -> HttpResponse:
    kept: dict[str, Any] | None = request.session.get(_ASKED)
    now = clock.now()
    if kept is None or not 0 <= now.timestamp() - kept["at"] < _LASTS:
        return redirect("identity:sms")
    form = SmsCodeForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, form, is_sent=True, status=400 if form.errors else 200)
    try:
        if sms_door.check_code(account_id=kept["account"], code=form.cleaned_data["code"], visit=visit_of(request), now=now):
            del request.session[_ASKED]
            return receive(request, kept["account"], (SignInMethod.SMS_CODE,), next_url=safe_path(request, kept["next"]))
        form.add_error("code", _("验证码不对，或者已经过期。"))
        status = 401
    except TooManyTries as error:
        form.add_error("code", str(error))
        status = 429
    except RiskRefused as refused:
        form.add_error("code", str(refused))
        status = 403
    return _page(request, form, is_sent=True, status=status)


def _page(request: HttpRequest, form: PhoneForm | SmsCodeForm, *, is_sent: bool = False, status: int) -> HttpResponse:
    context = {
        "form": form,
        "is_sent": is_sent,
        "has_gateway": messaging.gateway_settings(Channel.SMS.value) is not None,
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }
    return render(request, "identity/sms.html", context, status=status)
