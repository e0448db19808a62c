"""Hints of a first visit, fetched by the page once it stands."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shuren.kernel import clock
from shuren.pages.selectors import unread_hints
from shuren.pages.services.hints import put_hints_away
from shuren.pages.views.lists import is_partial


@never_cache
@require_GET
def hints(request: HttpRequest) -> HttpResponse:
    """What the account has not put away of the `place`'s hints; 204 when nothing is left to say."""
    place = request.GET.get("place", "")
    left = unread_hints(request.user.pk or 0, place)
    if not left:
        return HttpResponse(status=204)
    return render(request, "pages/_hints.html", {"hints": left, "place": place})


@require_POST
def put_away(request: HttpRequest) -> HttpResponse:
    """Put the hints of a place away for ever."""
    put_hints_away(account_id=request.user.pk or 0, place=request.POST.get("place", ""), now=clock.now())
    if is_partial(request):
        return HttpResponse()
    wanted = request.headers.get("Referer", "")
    is_safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return redirect(wanted if is_safe else "/")
