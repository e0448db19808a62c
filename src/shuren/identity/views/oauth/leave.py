"""Sending a person back to an app."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from shuren.identity.rules.oauth.asking import with_parameters
from shuren.identity.rules.oauth.uris import origin_of
from shuren.identity.views.oauth.answers import unstored


class Away(HttpResponseRedirect):
    """A redirect to an address that was checked against its registration, private schemes too."""

    def __init__(self, url: str) -> None:
        self.allowed_schemes = [url.partition(":")[0]]
        super().__init__(url)


def leave(request: HttpRequest, uri: str, parameters: Mapping[str, str], *, is_form_post: bool = False) -> HttpResponse:
    """Answer at a checked return address.

    A browser that has just sent one of our forms may not be redirected elsewhere (`form-action 'self'` covers the whole
    chain), so it gets a page that goes on by itself; everybody else is redirected.
    """
    if is_form_post:
        response = render(request, "identity/oauth/form_post.html", {"uri": uri, "parameters": dict(parameters)})
        nonce = str(request.csp_nonce)  # type: ignore[attr-defined]  # set by the middleware of front
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; form-action {origin_of(uri)}; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        return _quiet(response)
    url = with_parameters(uri, parameters) if parameters else uri
    if _comes_from_us(request):
        return _quiet(render(request, "identity/oauth/leave.html", {"url": url}))
    return _quiet(Away(url))


def _comes_from_us(request: HttpRequest) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    referer = request.headers.get("Referer", "")
    return site == "same-origin" or (site is None and referer.startswith(f"{request.scheme}://{request.get_host()}/"))


def _quiet(response: HttpResponse) -> HttpResponse:
    """The address holds a code: it is not stored, and not told to the next page."""
    response.headers["Referrer-Policy"] = "no-referrer"
    return unstored(response)
