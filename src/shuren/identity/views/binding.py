"""Parents come to their child: the code typed, the account found or made."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from shuren.identity.api import actor_of
from shuren.identity.data import Binding, SignInMethod
from shuren.identity.forms.binding import CodeForm, NewGuardianForm, RelationForm
from shuren.identity.selectors.bindings import binding_by_id
from shuren.identity.services.binding import TooManyTries, bind_guardian, find_binding, register_guardian
from shuren.identity.services.passwords import PasswordRefused
from shuren.identity.views.entry import RiskRefused, receive, visit_of
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.kernel.errors import Conflict, Invalid, NotFound

_FOUND = "binding"
_LASTS = timedelta(minutes=30)


@open_door
@sensitive_post_parameters("code")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def bind(request: HttpRequest) -> HttpResponse:
    """Which child, proved by a code and a name."""
    form = CodeForm(request.POST if request.method == "POST" else None, initial={"code": request.GET.get("code", "")[:20]})
    if request.method != "POST" or not form.is_valid():
        return render(request, "identity/bind.html", {"form": form}, status=400 if form.errors else 200)
    now = clock.now()
    try:
        found = find_binding(**form.cleaned_data, visit=visit_of(request), now=now)
    except (Invalid, TooManyTries) as fault:
        form.add_error(None, str(fault))
        return render(request, "identity/bind.html", {"form": form}, status=fault.status)
    request.session[_FOUND] = {"code": found.code_id, "at": now.timestamp()}
    return redirect("identity:bind_to")


@open_door
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def bind_to(request: HttpRequest) -> HttpResponse:
    """Which guardian: whoever is signed in, or somebody new."""
    binding = _found(request)
    if binding is None:
        return redirect("identity:bind")
    is_known = actor_of(request).person_id is not None
    form = (RelationForm if is_known else NewGuardianForm)(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        answer = _bind(request, binding, form) if is_known else _register(request, binding, form)
        if answer is not None:
            return answer
    context = {
        "form": form,
        "binding": binding,
        "is_known": is_known,
        "sign_in": reverse("identity:sign_in") + "?" + urlencode({"next": reverse("identity:bind_to")}),
    }
    return render(request, "identity/bind_to.html", context, status=400 if form.errors else 200)


def _found(request: HttpRequest) -> Binding | None:
    kept: Mapping[str, Any] | None = request.session.get(_FOUND)
    now = clock.now()
    if kept is None or not 0 <= now.timestamp() - kept["at"] < _LASTS.total_seconds():
        return None
    try:
        return binding_by_id(kept["code"], now=now)
    except NotFound as gone:
        messages.error(request, str(gone))
        return None


def _bind(request: HttpRequest, binding: Binding, form: RelationForm) -> HttpResponse | None:
    try:
        bind_guardian(actor=actor_of(request), binding=binding, relation=form.cleaned_data["relation"], now=clock.now())
    except (Conflict, Invalid) as fault:
        form.add_error(None, str(fault))
        return None
    request.session.pop(_FOUND, None)
    messages.success(request, _("绑定好了：现在可以查看%(name)s的情况。") % {"name": binding.ward_name})
    return redirect("front:home")


def _register(request: HttpRequest, binding: Binding, form: RelationForm) -> HttpResponse | None:
    try:
        account_id = register_guardian(binding=binding, **form.cleaned_data, now=clock.now())
    except PasswordRefused as fault:
        form.add_error("password", fault.reasons)
        return None
    except (Conflict, Invalid) as fault:
        form.add_error(None, str(fault))
        return None
    request.session.pop(_FOUND, None)
    try:
        answer = receive(request, account_id, (SignInMethod.PASSWORD,), next_url=reverse("front:home"))
    except RiskRefused:
        return redirect("identity:sign_in")
    messages.success(request, _("绑定好了：现在可以查看%(name)s的情况。") % {"name": binding.ward_name})
    return answer
