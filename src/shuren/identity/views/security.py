"""The safety of the own account: passkeys, authenticator app, recovery codes."""

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose
from shuren.identity.forms.factors import CodeForm, PasskeyNameForm
from shuren.identity.models import Account, Passkey
from shuren.identity.presence import is_factor_due, is_weak, set_factor_due
from shuren.identity.selectors.factors import held_factors, passkeys_of, requirement_of
from shuren.identity.services import passkeys, second_factors
from shuren.identity.services.vendors import vendors_here
from shuren.identity.words import method_name
from shuren.kernel import clock, ids
from shuren.kernel.doors import before_entry
from shuren.kernel.errors import Refused

_NEW_TOTP = "new_totp"


@before_entry
@never_cache
@require_GET
def security(request: HttpRequest) -> HttpResponse:
    if is_weak(request):
        raise Refused(_("用图片登录时不能做这件事。"), remedy=_("请用账号和密码重新登录。"))
    account = _account(request)
    requirement, is_in_grace = requirement_of(account, now=clock.now())
    bound = set(account.vendor_bindings.values_list("vendor", flat=True))
    rows = [(ids.encode("passkey", row.pk), row) for row in passkeys_of(account.pk)]
    context = {
        "held": held_factors(account.pk),
        "passkeys": rows,
        "requirement": requirement,
        "is_in_grace": is_in_grace,
        "is_due": is_factor_due(request),
        "vendors": [(vendor.value, method_name(vendor.method), vendor.value in bound) for vendor in vendors_here()],
    }
    return render(request, "identity/security.html", context)


@require_step_up(Purpose.FACTORS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def totp(request: HttpRequest) -> HttpResponse:
    """Show the secret as a QR code and keep it once the app has shown a right number."""
    sealed = request.session.get(_NEW_TOTP)
    if sealed is None or request.method != "POST":
        sealed = request.session[_NEW_TOTP] = second_factors.new_totp_secret()
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            second_factors.confirm_totp(actor=actor_of(request), sealed=sealed, code=form.cleaned_data["code"], now=clock.now())
        except second_factors.WrongCode as error:
            form.add_error("code", str(error))
        else:
            del request.session[_NEW_TOTP]
            messages.success(request, _("验证器应用已经登记。请再留一份备用码。"))
            return redirect("identity:security")
    address = second_factors.totp_address(sealed, username=_account(request).username)
    context = {"form": form, "picture": qr_picture(address), "secret": second_factors.totp_words(sealed)}
    return render(request, "identity/totp.html", context, status=400 if form.errors else 200)


@require_step_up(Purpose.FACTORS)
@require_POST
def remove_totp(request: HttpRequest) -> HttpResponse:
    second_factors.remove_totp(actor=actor_of(request), now=clock.now())
    messages.success(request, _("验证器应用已经删除。"))
    return redirect("identity:security")


@require_step_up(Purpose.FACTORS)
@never_cache
@require_POST
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new codes and show them this once."""
    codes = second_factors.make_recovery_codes(actor=actor_of(request), now=clock.now())
    response = render(request, "identity/recovery_codes.html", {"codes": codes})
    response.headers["Cache-Control"] = "no-store"
    return response


@require_step_up(Purpose.FACTORS)
@require_POST
def rename_passkey(request: HttpRequest, passkey_id: str) -> HttpResponse:
    form = PasskeyNameForm(request.POST)
    if form.is_valid():
        passkeys.rename_passkey(
            actor=actor_of(request), passkey_id=ids.decode("passkey", passkey_id), name=form.cleaned_data["name"], now=clock.now()
        )
        messages.success(request, _("名称已修改。"))
    return redirect("identity:security")


@require_step_up(Purpose.FACTORS)
@require_POST
def remove_passkey(request: HttpRequest, passkey_id: str) -> HttpResponse:
    passkeys.remove_passkey(actor=actor_of(request), passkey_id=ids.decode("passkey", passkey_id), now=clock.now())
    account = _account(request)
    requirement, is_in_grace = requirement_of(account, now=clock.now())
    if requirement == "cryptographic" and not is_in_grace and not Passkey.objects.filter(account=account).exists():
        set_factor_due(request, is_due=True)
    messages.success(request, _("通行密钥已经删除。"))
    return redirect("identity:security")


def qr_picture(text: str) -> str:
    """A QR code as SVG markup, drawn here from `text` alone."""
    drawn = segno.make(text, error="m").svg_inline(scale=5, border=2, dark="#000", light="#fff", omitsize=False)
    return mark_safe(drawn)  # segno writes it, `text` is drawn and not copied


def _account(request: HttpRequest) -> Account:
    return Account.objects.with_person().get(pk=actor_of(request).account_id or 0)
