"""The door: sign in, sign out, and the queue before it."""

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuren.identity.api import actor_of
from shuren.identity.data import SignInMethod, SignInOutcome, SignInRefusal
from shuren.identity.forms.sign_in import SignInForm
from shuren.identity.services.sign_in import knock, record_sign_out
from shuren.identity.services.vendors import vendors_here
from shuren.identity.turnstile import Turn, turnstile
from shuren.identity.views.door_cookie import mark_browser
from shuren.identity.views.entry import RiskRefused, receive, safe_next, visit_of
from shuren.identity.words import method_name
from shuren.kernel import clock
from shuren.kernel.doors import before_entry, open_door
from shuren.messaging import api as messaging
from shuren.messaging.data import Channel


@open_door
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if actor_of(request).account_id is not None:
        return redirect(safe_next(request))
    form = SignInForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _door(request, form, status=400 if form.errors else 200)
    with turnstile.passage(request.POST.get("ticket", "")[:300]) as turn:
        return _enter(request, form) if turn.is_now else _queue(request, form, turn)


def _enter(request: HttpRequest, form: SignInForm) -> HttpResponse:
    name, password = form.cleaned_data["username"], form.cleaned_data["password"]
    known = knock(name=name, password=password, visit=visit_of(request), now=clock.now())
    if known.outcome.account_id is None:
        return _refuse(request, form, known.outcome)
    try:
        return receive(request, known.outcome.account_id, (SignInMethod.PASSWORD,), next_url=safe_next(request), known=known)
    except RiskRefused as refused:
        return _door(request, form, refusal=str(refused), status=403)


@open_door
@never_cache
@require_GET
def queue(request: HttpRequest) -> JsonResponse:
    """Whose turn it is, for the page to ask before it sends name and password."""
    turn = turnstile.peek(request.GET.get("ticket", "")[:300])
    again = 0 if turn.is_now else turn.retry_after
    return JsonResponse({"seconds": round(turn.seconds, 1), "place": turn.place, "ticket": turn.ticket, "again": again})


@before_entry
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if request.session.session_key:
        record_sign_out(actor=actor_of(request), session_key=request.session.session_key, now=clock.now())
    logout(request)
    return redirect("identity:sign_in")


def vendor_choices() -> list[tuple[str, str]]:
    """The vendors that can open this door, with their names."""
    return [(vendor.value, method_name(vendor.method)) for vendor in vendors_here()]


def _door(request: HttpRequest, form: SignInForm, *, refusal: str = "", turn: Turn | None = None, status: int) -> HttpResponse:
    context = {
        "form": form,
        "refusal": refusal,
        "next": request.POST.get("next") or request.GET.get("next", ""),
        "turn": turn,
        "vendors": vendor_choices(),
        "has_sms": messaging.gateway_settings(Channel.SMS.value) is not None,
    }
    return mark_browser(request, render(request, "identity/sign_in.html", context, status=status))


def _queue(request: HttpRequest, form: SignInForm, turn: Turn) -> HttpResponse:
    text = _("现在登录的人很多。您排在第 %(place)d 位，大约还要等 %(seconds)d 秒，请稍后再点“登录”。")
    refusal = text % {"place": turn.place, "seconds": max(1, round(turn.seconds))}
    response = _door(request, form, refusal=refusal, turn=turn, status=503)
    response.headers["Retry-After"] = str(turn.retry_after)
    # Django's own mark: a crowd that waits is no fault of the server, and would fill its log.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _refuse(request: HttpRequest, form: SignInForm, outcome: SignInOutcome) -> HttpResponse:
    response = _door(request, form, refusal=_refusal_text(outcome), status=429 if outcome.until else 401)
    if outcome.until:
        response.headers["Retry-After"] = str(max(1, int((outcome.until - clock.now()).total_seconds()) + 1))
    return response


def _refusal_text(outcome: SignInOutcome) -> str:
    until = timezone.localtime(outcome.until).strftime("%H:%M") if outcome.until else ""
    match outcome.refusal:
        case SignInRefusal.LOCKED:
            return _("密码连续输错多次，为了安全，这台设备暂停登录到 %(time)s。忘记密码请找班主任或本单位管理员。") % {
                "time": until
            }
        case SignInRefusal.TOO_MANY:
            return _("这个网络里登录失败的次数太多，请过一会儿再试。")
        case SignInRefusal.ASLEEP:
            return _("这个账号已经休眠。请班主任或本单位管理员唤醒后再登录。")
        case SignInRefusal.INACTIVE:
            return _("这个账号已经停用。如有疑问，请联系本单位管理员。")
        case _other:
            return _("账号或密码不对。请检查大小写后再试；连续输错 5 次要等一会儿才能再试。")
