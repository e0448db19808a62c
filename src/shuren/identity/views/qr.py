"""Signing in on a screen by scanning its code with a phone that is signed in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuren.identity.api import actor_of
from shuren.identity.data import Assurance, SignInMethod
from shuren.identity.models import Account
from shuren.identity.presence import is_weak, proof_of
from shuren.identity.rules.factors import reaches
from shuren.identity.selectors.places import place_of
from shuren.identity.services import qr
from shuren.identity.views.entry import RiskRefused, enter, receive, safe_next, visit_of
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
    """On the phone: where the screen stands, and which number it shows."""
    if is_weak(request):
        raise Refused(_("用图片登录时不能做这件事。"), remedy=_("请用账号和密码重新登录。"))
    actor, now = actor_of(request), clock.now()
    if request.method == "POST":
        typed = request.POST.get("number", "")
        proof = proof_of(request)
        qr.answer_ticket(
            actor=actor,
            code=code,
            number=int(typed) if typed.isdecimal() and typed.isascii() else None,
            is_strong=proof is not None and reaches(proof.assurance, Assurance.MULTI),
            now=now,
        )
        return render(request, "identity/qr_answered.html", {"is_yes": bool(typed)})
    found = qr.scan_ticket(actor=actor, code=code, visit=visit_of(request), now=now)
    return render(request, "identity/qr_phone.html", {"screen": found, "place": place_of(found.address)})


def _come_in(request: HttpRequest, account_id: int, *, is_strong: bool) -> HttpResponse:
    account = Account.objects.with_person().filter(pk=account_id, is_active=True).first()
    if account is None:
        return _with_ticket(request, "identity/_qr.html")
    next_url = safe_next(request)
    try:
        if is_strong:
            entered = enter(request, account, (SignInMethod.QR,), next_url=next_url)
        else:
            entered = receive(request, account_id, (SignInMethod.QR,), next_url=next_url)
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
