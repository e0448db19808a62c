"""The own account: who am I, which hats, the password, where I am signed in."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.identity.api import actor_of, wardrobe
from shuren.identity.forms.passwords import PasswordForm
from shuren.identity.models import Account
from shuren.identity.presence import is_weak
from shuren.identity.selectors import sign_ins
from shuren.identity.services import passwords
from shuren.identity.services.sign_in import end_sign_in, note_new_key
from shuren.identity.services.sign_out import sign_out_elsewhere
from shuren.identity.views.entry import safe_next
from shuren.identity.wardrobe import choose_hat
from shuren.kernel import clock, ids
from shuren.kernel.doors import before_entry


@never_cache
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    actor, now = actor_of(request), clock.now()
    assert actor.account_id is not None
    context = {
        "account": request.user,
        "person": directory.people_by_ids([actor.person_id]).get(actor.person_id) if actor.person_id else None,
        "hats": wardrobe(request).hats,
        "leads_class": any(hat.role is Role.CLASS_TEACHER for hat in wardrobe(request).hats),
        "sign_ins": sign_ins.sign_ins_of(actor.account_id, session_key=request.session.session_key, now=now),
    }
    return render(request, "identity/account.html", context)


@before_entry
@sensitive_post_parameters("old", "new", "again")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _changed(request, form):
        messages.success(request, _("密码已修改，其他设备上的登录已全部退出。"))
        return redirect(safe_next(request))
    context = {"form": form, "is_first": isinstance(request.user, Account) and request.user.must_change_password}
    return render(request, "identity/change_password.html", context, status=400 if form.errors else 200)


@require_POST
def end_session(request: HttpRequest, sign_in_id: str) -> HttpResponse:
    end_sign_in(actor=actor_of(request), sign_in_id=ids.decode("sign_in", sign_in_id), now=clock.now())
    messages.success(request, _("已让那台设备退出登录。"))
    return redirect("identity:account")


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    count = sign_out_elsewhere(actor=actor_of(request), kept_session_key=request.session.session_key, now=clock.now())
    messages.success(request, _("已让其他 %(count)d 台设备退出登录。") % {"count": count})
    return redirect("identity:account")


@require_POST
def switch_role(request: HttpRequest) -> HttpResponse:
    """Wear one hat (or all with an empty value); one the person does not have is refused by ignoring it."""
    if is_weak(request):
        return redirect(safe_next(request))
    wanted = request.POST.get("role", "")
    if wanted == "" or wanted in {hat.role.value for hat in wardrobe(request).hats}:
        choose_hat(request, wanted)
    return redirect(safe_next(request))


def _changed(request: HttpRequest, form: PasswordForm) -> bool:
    """Try to change the password; what is wrong is written into the form."""
    try:
        passwords.change_password(
            actor=actor_of(request),
            old=form.cleaned_data["old"],
            new=form.cleaned_data["new"],
            kept_session_key=request.session.session_key,
            now=clock.now(),
        )
    except passwords.WrongPassword as error:
        form.add_error("old", error.message)
        return False
    except passwords.PasswordRefused as error:
        form.add_error("new", error.reasons)
        return False
    _keep_session(request)
    return True


def _keep_session(request: HttpRequest) -> None:
    """The session key is renewed with the password; the list of sign-ins follows it."""
    old_key = request.session.session_key or ""
    account_id = actor_of(request).account_id
    assert account_id is not None
    changed = Account.objects.get(pk=account_id)
    update_session_auth_hash(request, changed)
    note_new_key(old_key=old_key, new_key=request.session.session_key or "")
