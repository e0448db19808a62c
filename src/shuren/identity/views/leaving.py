"""Sending a browser on to somebody else's address: by redirect, by a page in between, or by a form that posts itself."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from shuren.identity.rules.addresses import origin_of


class Onward(HttpResponse):
    """A redirect to an address that was found among the registered ones."""

    status_code = 302

    def __init__(self, url: str) -> None:
        assert urlsplit(url).scheme in {"http", "https"}
        super().__init__(headers={"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def onward_page(request: HttpRequest, url: str, *, name: str) -> HttpResponse:
    """A page that moves on by itself.

    After a form was sent browsers let `form-action` stop redirects to other places; a page in between starts afresh.
    """
    response = render(request, "identity/onward.html", {"url": url, "name": name})
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def post_page(request: HttpRequest, url: str, fields: Mapping[str, str], *, name: str) -> HttpResponse:
    """A form to somebody else's address that sends itself, or by its button; nothing else may come from this page."""
    response = render(request, "identity/post_on.html", {"url": url, "fields": fields, "name": name})
    nonce = str(request.csp_nonce)  # type: ignore[attr-defined]  # set by the middleware of the front
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
        f"img-src 'self' data:; font-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action {origin_of(url)}"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
