"""The apps of the signed-in person: what they may have, and taking it back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shuren.identity.api import actor_of
from shuren.identity.selectors.app_consents import apps_of_account
from shuren.identity.services.oauth.consent import withdraw_app as withdraw
from shuren.identity.views.oauth.words import scope_lines
from shuren.kernel import clock, ids


@never_cache
@require_GET
def apps(request: HttpRequest) -> HttpResponse:
    account_id = actor_of(request).account_id
    assert account_id is not None
    found = [(app, scope_lines(app.scopes)) for app in apps_of_account(account_id, now=clock.now())]
    return render(request, "identity/oauth/apps.html", {"apps": found})


@require_POST
def withdraw_app(request: HttpRequest, client_id: str) -> HttpResponse:
    withdraw(actor=actor_of(request), client_pk=ids.decode("client", client_id), now=clock.now())
    messages.success(request, _("已收回。这个应用不能再使用您的账号。"))
    return redirect("identity:apps")
