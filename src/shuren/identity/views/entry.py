"""From a right first factor into the house: weighed, asked for more where needed, entered."""

import secrets
from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from shuren.identity.data import Assurance, RiskReason, SignInMethod, SleepReason, Visit
from shuren.identity.models import Account
from shuren.identity.presence import keep_proof, set_factor_due
from shuren.identity.rules import locks
from shuren.identity.rules.factors import Step, assurance_of
from shuren.identity.selectors.accounts import actor_of_account
from shuren.identity.services.life import wake
from shuren.identity.services.sign_in import Knock, record_sign_in, weigh_entry
from shuren.identity.services.upstream.enter import note_session
from shuren.identity.services.upstream.proven import Above
from shuren.identity.views.door_cookie import browser_of
from shuren.identity.wardrobe import choose_hat
from shuren.kernel import clock
from shuren.kernel.errors import Refused
from shuren.messaging import api as messaging

DEVICE_COOKIE = "shuren_device"
_BACKEND = "shuren.identity.backends.AccountBackend"
_PENDING = "pending"
_PENDING_LASTS = timedelta(minutes=10)
_DEVICE_LASTS = 400 * 24 * 3600


class RiskRefused(Refused):
    """Everything about the sign-in is unusual at once."""


def visit_of(request: HttpRequest) -> Visit:
    """From where this request comes, with the token of the browser's device cookie."""
    return Visit(
        address=locks.network_address(request.META.get("REMOTE_ADDR", "")),
        agent=request.headers.get("User-Agent", "")[:200],
        device=request.COOKIES.get(DEVICE_COOKIE, "")[:64],
        mark=browser_of(request),
    )


def safe_path(request: HttpRequest, wanted: str) -> str:
    """A path of this installation, else home; `//` alone passes Django's check and is no path for a browser."""
    is_safe = not wanted.startswith("//") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_safe and wanted.startswith("/") else resolve_url(settings.LOGIN_REDIRECT_URL)


def safe_next(request: HttpRequest) -> str:
    """Where to go afterwards: only a path of this installation, else home."""
    return safe_path(request, request.POST.get("next") or request.GET.get("next") or "")


def receive(
    request: HttpRequest,
    account_id: int,
    methods: Collection[SignInMethod],
    *,
    next_url: str,
    known: Knock | None = None,
    above: Above | None = None,
    vouched: Collection[SignInMethod] = (),
) -> HttpResponse:
    """Take in whoever has shown a right first factor: enter, or first ask for a second one.

    `next_url` is a path already found safe, `above` the session at a provider that they come from. `vouched` are methods
    shown on another device of theirs: weighed, and not written down as shown here. Raises `RiskRefused` where nothing
    more may be shown.
    """
    account, now = (known and known.account) or _account(account_id), clock.now()
    visit = visit_of(request)
    entry = weigh_entry(account=account, methods=(*vouched, *methods), visit=visit, known=known, now=now)
    if entry.is_refused:
        raise RiskRefused(_("这次登录很不寻常，为了安全没有让您进入。"), remedy=_("请在常用的设备上登录，或者联系本单位管理员。"))
    if entry.step is Step.VERIFY:
        keep_pending(request, account_id, methods, entry.reasons, next_url, above=above, now=now)
        return redirect("identity:verify")
    is_due = entry.step is Step.ENROL
    return enter(request, account, methods, risks=entry.reasons, next_url=next_url, is_factor_due=is_due, above=above)


def enter(
    request: HttpRequest,
    account: Account,
    methods: Collection[SignInMethod],
    *,
    risks: Collection[RiskReason] = (),
    next_url: str,
    is_factor_due: bool = False,
    above: Above | None = None,
) -> HttpResponse:
    """Open the session under a new key and write the sign-in down."""
    now, visit = clock.now(), visit_of(request)
    if not account.is_active:
        wake(actor=actor_of_account(account), account_id=account.pk, now=now)
        account = _account(account.pk)
    if not visit.device:
        visit = Visit(visit.address, visit.agent, secrets.token_urlsafe(32))
    with transaction.atomic():  # one for all, so that the disk is waited for once
        login(request, account, backend=_BACKEND)
        session_key = request.session.session_key
        assert session_key is not None
        actor = actor_of_account(account)
        sign_in_id = record_sign_in(actor=actor, session_key=session_key, visit=visit, methods=methods, risks=risks, now=now)
        if above is not None:
            note_session(above=above, account_id=account.pk, sign_in_id=sign_in_id)
        keep_proof(request, account_id=account.pk, methods=methods, sign_in_id=sign_in_id, now=now)
        set_factor_due(request, is_due=is_factor_due)
        if assurance_of(methods) is Assurance.WEAK:
            choose_hat(request, "pupil")
        request.session.save()
    if RiskReason.NEW_DEVICE in risks and account.person_id is not None:
        _tell_owner(account.person_id, visit, sign_in_id, now=now)
    return _with_cookies(request, redirect(next_url), account, visit)


def keep_pending(
    request: HttpRequest,
    account_id: int,
    methods: Collection[SignInMethod],
    reasons: Collection[RiskReason],
    next_url: str,
    *,
    above: Above | None = None,
    now: datetime,
) -> None:
    """Remember who has shown a first factor; nothing of theirs opens before the second."""
    request.session.cycle_key()
    request.session[_PENDING] = {
        "account": account_id,
        "methods": list(methods),
        "reasons": list(reasons),
        "next": next_url,
        "above": above and asdict(above),
        "at": now.timestamp(),
    }


def pending_of(request: HttpRequest) -> dict[str, Any] | None:
    """Who has shown a first factor within the last ten minutes in this browser, or None."""
    kept: dict[str, Any] | None = request.session.get(_PENDING)
    if kept is None or not 0 <= clock.now().timestamp() - kept["at"] < _PENDING_LASTS.total_seconds():
        return None
    return kept


def complete(request: HttpRequest, method: SignInMethod) -> HttpResponse:
    """The second factor was right: enter with both, and register what is overdue."""
    kept = pending_of(request)
    if kept is None:
        return redirect("identity:sign_in")
    account, now = _account(kept["account"]), clock.now()
    methods = (*map(SignInMethod, kept["methods"]), method)
    entry = weigh_entry(account=account, methods=methods, visit=visit_of(request), now=now)
    if entry.step is Step.VERIFY:  # right, and still not what the role demands
        return redirect("identity:verify")
    request.session.pop(_PENDING, None)
    risks, is_due = tuple(map(RiskReason, kept["reasons"])), entry.step is Step.ENROL
    above = Above(**kept["above"]) if kept.get("above") else None
    return enter(request, account, methods, risks=risks, next_url=kept["next"], is_factor_due=is_due, above=above)


def _account(account_id: int) -> Account:
    """An account that may come in, or that wakes when it does."""
    may_enter = Q(is_active=True) | Q(sleep_reason=SleepReason.UNUSED)
    return Account.objects.with_person().get(may_enter, pk=account_id)


def _tell_owner(person_id: int, visit: Visit, sign_in_id: int, *, now: datetime) -> None:
    messaging.notify(
        person_ids=[person_id],
        title=_("有新设备登录了您的账号"),
        body=_("如果不是您本人，请马上让那台设备退出，并修改密码。"),
        url=reverse("identity:account"),
        key=f"sign_in:{sign_in_id}",
        now=now,
    )


def _with_cookies(request: HttpRequest, response: HttpResponse, account: Account, visit: Visit) -> HttpResponse:
    is_secure = request.is_secure()
    response.set_cookie(DEVICE_COOKIE, visit.device, max_age=_DEVICE_LASTS, httponly=True, samesite="Lax", secure=is_secure)
    if account.language:
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, account.language, samesite="Lax", secure=is_secure)
    return response
