"""Signing in on a screen by scanning its code with a phone that is signed in."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuren.identity.api import actor_of, step_up_due
from shuren.identity.data import Purpose, Requirement, SignInMethod
from shuren.identity.models import Account
from shuren.identity.presence import is_weak, last_shown
from shuren.identity.rules.factors import KEY_METHODS
from shuren.identity.selectors.factors import requirement_of
from shuren.identity.selectors.places import place_of
from shuren.identity.services import qr
from shuren.identity.views.entry import RiskRefused, receive, safe_next, visit_of
from shuren.identity.views.security import qr_picture
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.kernel.errors import Refused

_COOKIE = "shuren_screen"
_PATH = "/sign-in/"


@open_door
@never_cache
@require_GET
def screen(request: HttpRequest) -> HttpResponse:
    """Show a code, and keep in this browser the secret that proves the screen."""
    if actor_of(request).account_id is not None:
        return redirect(safe_next(request))
    return _with_ticket(request, "identity/qr.html")


@open_door
@never_cache
@require_POST
def poll(request: HttpRequest) -> HttpResponse:
    """Asked every two seconds: wait, draw a new code, or come in."""
    found = qr.poll_ticket(screen=request.COOKIES.get(_COOKIE, "")[:64], now=clock.now())
    if found.state is qr.QrState.APPROVED and found.account_id is not None:
        return _come_in(request, found.account_id, is_strong=found.is_strong)
    if found.state is qr.QrState.GONE or found.is_old:
        return _with_ticket(request, "identity/_qr.html")
    if found.state is qr.QrState.SCANNED:
        return render(request, "identity/_qr.html", {"number": found.number, "is_scanned": True, "next": safe_next(request)})
    return HttpResponse(status=204)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def phone(request: HttpRequest, code: str) -> HttpResponse:
    """On the phone: where the screen stands, and which number it shows.

    Where a role demands a second factor, who holds the phone proves once more who they are; only saying no is free. The
    code is scanned before that, so that the screen waits. What the phone showed counts on the screen while it is fresh.
    """
    if is_weak(request):
        raise Refused(_("用图片登录时不能做这件事。"), remedy=_("请用账号和密码重新登录。"))
    actor, now = actor_of(request), clock.now()
    typed = request.POST.get("number", "")
    is_stale = step_up_due(request, Purpose.SCREEN)
    confirm = redirect(f"{reverse('identity:confirm')}?{urlencode({'next': request.path})}")
    if request.method == "POST":
        if typed and is_stale and _must_prove(request):
            return confirm
        qr.answer_ticket(
            actor=actor,
            code=code,
            number=int(typed) if typed.isdecimal() and typed.isascii() else None,
            is_strong=not is_stale and bool(set(last_shown(request)) & (KEY_METHODS | {SignInMethod.TOTP})),
            now=now,
        )
        return render(request, "identity/qr_answered.html", {"is_yes": bool(typed)})
    found = qr.scan_ticket(actor=actor, code=code, visit=visit_of(request), now=now)
    if is_stale and _must_prove(request):
        return confirm
    return render(request, "identity/qr_phone.html", {"screen": found, "place": place_of(found.address)})


def _must_prove(request: HttpRequest) -> bool:
    """Whether a role of the phone's owner demands more than one factor."""
    assert isinstance(request.user, Account)
    requirement, _is_in_grace = requirement_of(request.user, now=clock.now())
    return requirement is not Requirement.RISK


def _come_in(request: HttpRequest, account_id: int, *, is_strong: bool) -> HttpResponse:
    if not Account.objects.filter(pk=account_id, is_active=True).exists():
        return _with_ticket(request, "identity/_qr.html")
    vouched = (SignInMethod.TOTP,) if is_strong else ()  # whichever of the two it was, more is not told
    try:
        entered = receive(request, account_id, (SignInMethod.QR,), vouched=vouched, next_url=safe_next(request))
    except RiskRefused as refused:
        return render(request, "identity/_qr.html", {"refusal": str(refused)})
    entered.status_code = 204
    entered.headers["HX-Redirect"] = str(entered.headers["Location"])
    del entered.headers["Location"]
    entered.delete_cookie(_COOKIE, path=_PATH)
    return entered


def _with_ticket(request: HttpRequest, template: str) -> HttpResponse:
    ticket = qr.show_ticket(visit=visit_of(request), now=clock.now())
    address = request.build_absolute_uri(reverse("identity:qr_phone", args=[ticket.code]))
    context = {"picture": qr_picture(address), "address": address, "number": ticket.number, "next": safe_next(request)}
    response = render(request, template, context)
    response.set_cookie(
        _COOKIE, ticket.screen, max_age=300, path=_PATH, httponly=True, samesite="Strict", secure=request.is_secure()
    )
    return response
