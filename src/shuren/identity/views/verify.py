"""The second factor at the door, and who is there once more before something sensitive."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from shuren.identity.api import actor_of, step_up_due
from shuren.identity.data import Purpose, Requirement, SignInMethod
from shuren.identity.forms.factors import CodeForm, ConfirmForm
from shuren.identity.models import Account
from shuren.identity.presence import is_weak, note_verified
from shuren.identity.selectors.factors import held_factors, requirement_of
from shuren.identity.services import codes
from shuren.identity.services.passwords import WrongPassword, confirm_password
from shuren.identity.services.second_factors import TooManyTries, WrongCode, verify_code
from shuren.identity.views.entry import complete, pending_of, safe_next, safe_path, visit_of
from shuren.kernel import clock
from shuren.kernel.doors import before_entry, open_door
from shuren.kernel.errors import Conflict, Invalid, Refused, ShurenError
from shuren.messaging.api import masked_address as masked_to
from shuren.messaging.data import Channel


@open_door
@sensitive_post_parameters("code")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    kept = pending_of(request)
    if kept is None:
        return redirect("identity:sign_in")
    account = Account.objects.with_person().get(pk=kept["account"])
    if request.POST.get("channel"):
        return _send(request, account)
    form = CodeForm(request.POST if request.method == "POST" else None)
    status = 400 if form.errors else 200
    if request.method == "POST" and form.is_valid():
        try:
            method = verify_code(account=account, code=form.cleaned_data["code"], visit=visit_of(request), now=clock.now())
            return complete(request, method)
        except (WrongCode, TooManyTries) as error:
            form.add_error("code", str(error))
            status = 429 if isinstance(error, TooManyTries) else 401
    return _page(request, account, form, status=status)


def _send(request: HttpRequest, account: Account) -> HttpResponse:
    form = CodeForm()
    if not _channels(request, account):
        raise Refused(_("您的身份要用通行密钥或验证器应用验证，不能用短信或邮件。"), remedy=_("都丢了的话，请用一个备用码。"))
    try:
        channel = Channel(request.POST["channel"])
        sent_to = masked_to(codes.send_code(account=account, channel=channel, now=clock.now()))
    except (ValueError, Invalid, Conflict) as error:
        form = CodeForm({"code": ""})
        form.errors["code"] = form.error_class([str(error) if isinstance(error, ShurenError) else _("没有这种方式。")])
        return _page(request, account, form, status=429 if isinstance(error, Conflict) else 400)
    return _page(request, account, form, sent_to=sent_to, status=200)


def _page(request: HttpRequest, account: Account, form: CodeForm, *, sent_to: str = "", status: int) -> HttpResponse:
    kept = pending_of(request) or {"reasons": []}
    context = {
        "form": form,
        "held": held_factors(account.pk),
        "reasons": kept["reasons"],
        "channels": [(channel.value, masked_to(to)) for channel, to in _channels(request, account).items()],
        "sent_to": sent_to,
    }
    return render(request, "identity/verify.html", context, status=status)


def _channels(request: HttpRequest, account: Account) -> dict[Channel, str]:
    """Where a code can be sent that lets this person in: nowhere, where the role demands cryptography and some is held."""
    requirement, _is_in_grace = requirement_of(account, now=clock.now())
    if requirement is Requirement.CRYPTOGRAPHIC and held_factors(account.pk).has_second:
        return {}
    kept = pending_of(request) or {"methods": []}
    return codes.fresh_channels(account, [SignInMethod(word) for word in kept["methods"]])


@before_entry
@sensitive_post_parameters("password", "code")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Ask for the best factor the person holds; with none, for the password.

    Where a `file` waits behind it, one comes back here to take it: a download leaves the page it began on standing.
    """
    if is_weak(request):
        raise Refused(_("用图片登录时不能做这件事。"), remedy=_("请用账号和密码重新登录。"))
    actor = actor_of(request)
    assert actor.account_id is not None
    file = safe_path(request, request.GET["file"]) if request.GET.get("file") else ""
    if file and request.method != "POST" and not step_up_due(request, Purpose.EXPORT):
        return render(request, "identity/file_ready.html", {"file": file, "next": safe_next(request)})
    wanted = request.get_full_path() if file else safe_next(request)
    held = held_factors(actor.account_id)
    data = request.POST if request.method == "POST" else None
    form: CodeForm | ConfirmForm = CodeForm(data) if held.has_second else ConfirmForm(data)
    if data is not None and form.is_valid() and _confirmed(request, form):
        return redirect(wanted)
    context = {"form": form, "held": held, "next": wanted, "is_file": bool(file)}
    return render(request, "identity/confirm.html", context, status=400 if form.errors else 200)


def _confirmed(request: HttpRequest, form: CodeForm | ConfirmForm) -> bool:
    """Try what was typed; what is wrong is written into the form."""
    actor, now = actor_of(request), clock.now()
    try:
        if isinstance(form, ConfirmForm):
            confirm_password(actor=actor, password=form.cleaned_data["password"], now=now)
            note_verified(request, (SignInMethod.PASSWORD,), now=now)
        else:
            account = Account.objects.get(pk=actor.account_id or 0)
            method = verify_code(account=account, code=form.cleaned_data["code"], visit=visit_of(request), now=now)
            note_verified(request, (SignInMethod.PASSWORD, method), now=now)
    except (WrongPassword, Conflict, WrongCode) as error:
        form.add_error(next(iter(form.fields)), str(error))
        return False
    return True
