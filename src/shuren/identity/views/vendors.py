"""Signing in by WeCom, DingTalk or WeChat, and binding them to the own account."""

import secrets
from hmac import compare_digest

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shuren.identity.api import actor_of, require_step_up, step_due
from shuren.identity.data import Purpose
from shuren.identity.services import vendors
from shuren.identity.views.entry import receive, safe_next, safe_path
from shuren.identity.views.leaving import onward_page
from shuren.identity.words import method_name
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.kernel.errors import Invalid, NotFound
from shuren.messaging import api as messaging

_STATE = "vendor_state"
_LASTS = 600


@open_door
@never_cache
@require_GET
def begin(request: HttpRequest, vendor: str) -> HttpResponse:
    """Send the browser to the vendor, with a state that only this browser knows.

    Whoever is signed in binds, and binding asks for what undoing it asks for: a password of one's own and a fresh proof.
    """
    found = _vendor(vendor)
    state = secrets.token_urlsafe(24)
    is_binding = actor_of(request).account_id is not None
    step = step_due(request, unbind) if is_binding else None
    if step is not None:
        return redirect(step)
    request.session[_STATE] = {
        "state": state,
        "vendor": found.value,
        "next": safe_next(request),
        "at": clock.now().timestamp(),
        "account": actor_of(request).account_id if is_binding else None,
    }
    address = vendors.authorize_address(found, redirect_uri=_back(request, found), state=state)
    # The proof was a form: browsers would hold the redirects after it to this address.
    return onward_page(request, address, name=method_name(found.method)) if is_binding else redirect(address)


@open_door
@never_cache
@require_GET
def back(request: HttpRequest, vendor: str) -> HttpResponse:
    """The vendor sent the browser back: bind, or come in."""
    found, kept, now = _vendor(vendor), request.session.pop(_STATE, None), clock.now()
    is_own = (
        kept is not None
        and kept["vendor"] == found.value
        and now.timestamp() - kept["at"] < _LASTS
        and kept["account"] == actor_of(request).account_id
        and compare_digest(kept["state"].encode(), request.GET.get("state", "").encode())
    )
    if not is_own or not request.GET.get("code"):
        raise Invalid(_("这次登录没有完成，或者不是从这里开始的。"), remedy=_("请回到登录页再试一次。"))
    try:
        subject = vendors.subject_of(found, code=request.GET["code"][:500])
    except messaging.GatewayFailed as fault:
        raise Invalid(_("对方没有确认您的身份。"), remedy=_("请再试一次，或者换一种方式登录。")) from fault
    if kept["account"] is not None:
        if step_due(request, unbind) is not None:
            return redirect("identity:vendor_sign_in", found.value)
        vendors.bind_vendor(actor=actor_of(request), vendor=found, subject=subject, now=now)
        messages.success(request, _("已经绑定。以后可以用它登录。"))
        return redirect("identity:security")
    account_id = vendors.account_bound_to(found, subject)
    if account_id is None:
        raise NotFound(_("它还没有绑定账号。"), remedy=_("请先用账号和密码登录，在“账号安全”里绑定。"))
    return receive(request, account_id, (found.method,), next_url=safe_path(request, kept["next"]))


@require_step_up(Purpose.FACTORS)
@require_POST
def unbind(request: HttpRequest, vendor: str) -> HttpResponse:
    vendors.unbind_vendor(actor=actor_of(request), vendor=_vendor(vendor), now=clock.now())
    messages.success(request, _("已经解除绑定。"))
    return redirect("identity:security")


def _vendor(text: str) -> vendors.Vendor:
    found = next((vendor for vendor in vendors.vendors_here() if vendor.value == text), None)
    if found is None:
        raise NotFound(_("这里没有这种登录方式。"))
    return found


def _back(request: HttpRequest, vendor: vendors.Vendor) -> str:
    return request.build_absolute_uri(reverse("identity:vendor_back", args=[vendor.value]))
