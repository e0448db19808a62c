"""Coming in by way of an identity provider above: chosen at the door, believed within its branch."""

import logging
import secrets
from hmac import compare_digest
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose, SignInMethod
from shuren.identity.forms.sign_in import SignInForm
from shuren.identity.models import Upstream
from shuren.identity.selectors.upstreams import offered_upstreams, open_upstream
from shuren.identity.services import throttle
from shuren.identity.services.upstream import cas, ldap, oidc
from shuren.identity.services.upstream.enter import (
    account_of_proven,
    end_from_above,
    link_account,
    session_above,
    unlink_account,
)
from shuren.identity.services.upstream.proven import NotProven, Proven
from shuren.identity.views.entry import receive, safe_next, safe_path, visit_of
from shuren.identity.views.leaving import Onward
from shuren.identity.views.oauth.answers import issuer_of
from shuren.kernel import clock, ids
from shuren.kernel.doors import open_door
from shuren.kernel.errors import Invalid, Refused

_STATE = "upstream_state"
_PENDING = "upstream_pending"
_LASTS = 600
_log = logging.getLogger(__name__)


@open_door
@never_cache
@require_GET
def choices(request: HttpRequest) -> HttpResponse:
    """The providers to choose from, found by the name of a school or region."""
    search = request.GET.get("q", "").strip()[:60]
    rows = [(ids.encode("upstream", row.pk), row.name, row.org.name) for row in offered_upstreams(search)]
    return render(request, "identity/upstreams.html", {"rows": rows, "search": search, "next": request.GET.get("next", "")})


@open_door
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def begin(request: HttpRequest, upstream_id: str) -> HttpResponse:
    """Send the browser to the provider, or ask for name and password of an LDAP directory."""
    upstream = open_upstream(upstream_id)
    if upstream.kind == "ldap":
        return _ldap(request, upstream)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _part in range(3))
    request.session[_STATE] = {
        "upstream": upstream.pk,
        "state": state,
        "nonce": nonce,
        "verifier": verifier,
        "next": safe_next(request),
        "at": clock.now().timestamp(),
    }
    back_here = _back(request, upstream_id)
    if upstream.kind == "cas":
        return Onward(cas.login_address(upstream, service=f"{back_here}?{urlencode({'state': state})}"))
    try:
        return Onward(oidc.authorize_address(upstream, redirect_uri=back_here, state=state, nonce=nonce, verifier=verifier))
    except NotProven as fault:
        raise _failed(upstream, fault) from fault


@csrf_exempt
@open_door
@never_cache
@require_http_methods(["GET", "POST"])
def back(request: HttpRequest, upstream_id: str) -> HttpResponse:
    """The provider sent the browser back; a CAS provider also posts its sign-out notices here."""
    upstream, now = open_upstream(upstream_id), clock.now()
    if request.method == "POST":
        ticket = cas.ended_ticket(request.POST.get("logoutRequest", "")) if upstream.kind == "cas" else ""
        ended = end_from_above(upstream=upstream, subject="", session=ticket, until=now, now=now) if ticket else 0
        return HttpResponse(str(ended), content_type="text/plain")
    kept: dict[str, Any] | None = request.session.pop(_STATE, None)
    state = request.GET.get("state", "")
    is_own = (
        kept is not None
        and kept["upstream"] == upstream.pk
        and now.timestamp() - kept["at"] < _LASTS
        and compare_digest(kept["state"].encode(), state.encode())
    )
    if not is_own or kept is None:
        raise Invalid(_("这次登录没有完成，或者不是从这里开始的。"), remedy=_("请回到登录页再试一次。"))
    here = _back(request, upstream_id)
    try:
        if upstream.kind == "cas":
            proven = cas.prove(upstream, ticket=request.GET.get("ticket", ""), service=f"{here}?{urlencode({'state': state})}")
        else:
            proven = oidc.prove(
                upstream,
                code=request.GET.get("code", "")[:2000],
                issuer=request.GET.get("iss", ""),
                redirect_uri=here,
                nonce=kept["nonce"],
                verifier=kept["verifier"],
                now=now,
            )
    except NotProven as fault:
        raise _failed(upstream, fault) from fault
    return _enter(request, upstream, proven, next_url=safe_path(request, kept["next"]))


@csrf_exempt
@open_door
@never_cache
@require_POST
def backchannel(request: HttpRequest, upstream_id: str) -> HttpResponse:
    """A logout token of the provider (OpenID Connect Back-Channel Logout 2.5); answered 200, or 400 when it is not good."""
    upstream, now = open_upstream(upstream_id), clock.now()
    try:
        subject, session, until = oidc.read_logout_token(upstream, request.POST.get("logout_token", ""), now=now)
    except NotProven as fault:
        _log.warning("logout token of upstream %s refused: %s", upstream.pk, fault)
        return HttpResponse(status=400)
    end_from_above(upstream=upstream, subject=subject, session=session, until=until, now=now)
    return HttpResponse(status=200, headers={"Cache-Control": "no-store"})


@require_step_up(Purpose.FACTORS)
@never_cache
@require_http_methods(["GET", "POST"])
def link(request: HttpRequest) -> HttpResponse:
    """Whoever was proved by a provider and has now signed in here may link the two accounts."""
    kept: dict[str, Any] | None = request.session.get(_PENDING)
    now = clock.now()
    if kept is None or now.timestamp() - kept["at"] > _LASTS:
        raise Invalid(_("没有要绑定的账号，或者等得太久。"), remedy=_("请回到登录页，从对方的登录重新开始。"))
    upstream = open_upstream(ids.encode("upstream", kept["upstream"]))
    if request.method == "POST":
        link_account(actor=actor_of(request), upstream=upstream, subject=kept["subject"], now=now)
        request.session.pop(_PENDING)
        return redirect("identity:account")
    return render(request, "identity/upstream_link.html", {"name": upstream.name, "actor_name": actor_of(request).name})


@require_step_up(Purpose.FACTORS)
@require_POST
def unlink(request: HttpRequest, link_id: str) -> HttpResponse:
    unlink_account(actor=actor_of(request), link_id=ids.decode("upstream_link", link_id), now=clock.now())
    messages.success(request, _("已经解除绑定。"))
    return redirect("identity:security")


def _ldap(request: HttpRequest, upstream: Upstream) -> HttpResponse:
    form = SignInForm(request.POST if request.method == "POST" else None)
    refusal, status = "", 200
    if request.method == "POST" and form.is_valid():
        now, name = clock.now(), form.cleaned_data["username"].strip()
        origin = throttle.origin_of(account_id=None, name=f"upstream:{upstream.pk}:{name}", visit=visit_of(request))
        waits = throttle.refusal_of(origin, now=now)
        if waits is not None:
            refusal, status = _("密码连续输错多次，请过一会儿再试。"), 429
        else:
            try:
                proven = ldap.prove(upstream, name=name, password=form.cleaned_data["password"])
            except NotProven:
                throttle.count_failure(origin, now=now)
                refusal, status = _("账号或密码不对。"), 401
            else:
                throttle.forget(origin)
                return _enter(request, upstream, proven, next_url=safe_next(request))
    context = {
        "form": form,
        "refusal": refusal,
        "name": upstream.name,
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }
    return render(request, "identity/upstream_ldap.html", context, status=status)


def _enter(request: HttpRequest, upstream: Upstream, proven: Proven, *, next_url: str) -> HttpResponse:
    now = clock.now()
    account_id = account_of_proven(upstream=upstream, proven=proven, now=now)
    if account_id is None:
        if upstream.matching != "linked":
            raise Refused(_("名册里没有找到您。"), remedy=_("请联系学校或本单位管理员核对个人编号。"))
        request.session[_PENDING] = {"upstream": upstream.pk, "subject": proven.subject, "at": now.timestamp()}
        return redirect(f"{reverse('identity:sign_in')}?{urlencode({'next': reverse('identity:upstream_link')})}")
    above = session_above(upstream=upstream, proven=proven, now=now)
    return receive(request, account_id, (SignInMethod.UPSTREAM,), next_url=next_url, above=above)


def _back(request: HttpRequest, upstream_id: str) -> str:
    return issuer_of(request) + reverse("identity:upstream_back", args=[upstream_id])


def _failed(upstream: Upstream, fault: NotProven) -> Invalid:
    _log.warning("upstream %s: %s", upstream.pk, fault)
    return Invalid(_("“%(name)s”没有确认您的身份。") % {"name": upstream.name}, remedy=_("请再试一次，或者换一种方式登录。"))
