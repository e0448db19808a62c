"""The door: sign in, sign out."""

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from shuren.identity import rules
from shuren.identity.api import actor_of
from shuren.identity.data import SignInOutcome, SignInRefusal
from shuren.identity.forms import SignInForm
from shuren.identity.middleware import SEEN_KEY
from shuren.identity.models import Account
from shuren.identity.selectors import actor_of_account
from shuren.identity.services.sign_in import check_sign_in, record_sign_in, record_sign_out
from shuren.kernel import clock

_BACKEND = "shuren.identity.backends.AccountBackend"


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if actor_of(request).account_id is not None:
        return redirect(safe_next(request))
    form = SignInForm(request.POST if request.method == "POST" else None)
    refusal: SignInOutcome | None = None
    if request.method == "POST" and form.is_valid():
        outcome = _try(request, name=form.cleaned_data["username"], password=form.cleaned_data["password"])
        if outcome.account_id is not None:
            return _enter(request, outcome.account_id)
        refusal = outcome
    context = {
        "form": form,
        "refusal": _refusal_text(refusal) if refusal else "",
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }
    return render(request, "identity/sign_in.html", context, status=_status(request, refusal))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.session.session_key:
        record_sign_out(actor=actor_of(request), session_key=request.session.session_key, now=clock.now())
    logout(request)
    return redirect("identity:sign_in")


def safe_next(request: HttpRequest) -> str:
    """Where to go afterwards: only a path of this installation, else home."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return wanted if is_safe and wanted.startswith("/") else resolve_url(settings.LOGIN_REDIRECT_URL)


def address_of(request: HttpRequest) -> str:
    return rules.network_address(request.META.get("REMOTE_ADDR", ""))


def _try(request: HttpRequest, *, name: str, password: str) -> SignInOutcome:
    return check_sign_in(name=name, password=password, address=address_of(request), now=clock.now())


def _enter(request: HttpRequest, account_id: int) -> HttpResponse:
    account = Account.objects.with_person().get(pk=account_id)
    login(request, account, backend=_BACKEND)
    now = clock.now()
    request.session[SEEN_KEY] = int(now.timestamp())
    session_key = request.session.session_key
    assert session_key is not None
    record_sign_in(
        actor=actor_of_account(account),
        session_key=session_key,
        address=address_of(request),
        agent=request.headers.get("User-Agent", ""),
        now=now,
    )
    response = redirect(safe_next(request))
    if account.language:
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, account.language, samesite="Lax", secure=request.is_secure())
    return response


def _refusal_text(outcome: SignInOutcome) -> str:
    until = timezone.localtime(outcome.until).strftime("%H:%M") if outcome.until else ""
    match outcome.refusal:
        case SignInRefusal.LOCKED:
            return _("密码连续输错多次，为了安全，暂停登录到 %(time)s。忘记密码请找班主任或本单位管理员。") % {"time": until}
        case SignInRefusal.TOO_MANY:
            return _("这个网络地址登录失败次数太多，请在 %(time)s 以后再试。") % {"time": until}
        case SignInRefusal.INACTIVE:
            return _("这个账号已经停用。如有疑问，请联系本单位管理员。")
        case _other:
            return _("账号或密码不对。请检查大小写后再试；连续输错 5 次会暂停登录 15 分钟。")


def _status(request: HttpRequest, refusal: SignInOutcome | None) -> int:
    if refusal is not None:
        return 429 if refusal.until else 401
    return 400 if request.method == "POST" else 200
