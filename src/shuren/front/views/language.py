"""The language to read in."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from shuren.front.forms import LanguageForm
from shuren.identity.api import actor_of, choose_language
from shuren.kernel.doors import open_door


@open_door
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Read on in the chosen language, here by a cookie and at the next sign-in by the account."""
    wanted = request.POST.get("next", "")
    is_safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    response = redirect(wanted if is_safe and wanted.startswith("/") else "front:home")
    form = LanguageForm(request.POST)
    if form.is_valid():
        chosen = form.cleaned_data["language"]
        translation.activate(chosen)
        if actor_of(request).account_id is not None:
            choose_language(actor=actor_of(request), language=chosen)
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, chosen, max_age=365 * 86_400, samesite="Lax", secure=request.is_secure()
        )
    return response
