"""House rules of every response: who must be signed in, what browsers may load, and what an error looks like."""

import secrets
from collections.abc import Callable
from functools import partial
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from shuren.front import errors
from shuren.identity.api import actor_of, must_change_password
from shuren.kernel.errors import ShurenError
from shuren.kernel.reading import reading

# Everything else asks for a sign-in. Names are those of the URL patterns.
PUBLIC_VIEWS = frozenset({"identity:sign_in", "front:health", "front:language"})
# What a person with a first password may still reach.
UNCHANGED_PASSWORD_VIEWS = PUBLIC_VIEWS | {"identity:change_password", "identity:sign_out"}
PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()"


class ReadingMiddleware:
    """Lets what a page asks repeatedly be answered once, where the request changes nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        with reading():
            return self.get_response(request)


class PolicyMiddleware:
    """Refuses strangers, turns expected errors into pages, and sets the security headers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.csp_nonce = SimpleLazyObject(partial(secrets.token_urlsafe, 16))  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", _content_policy(str(request.csp_nonce)))  # type: ignore[attr-defined]
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if not response.headers.get("Cache-Control"):
            response.headers["Cache-Control"] = "private, no-cache"
        return response

    def process_view(
        self, request: HttpRequest, view: object, args: list[object], kwargs: dict[str, object]
    ) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name in PUBLIC_VIEWS:
            return None
        if actor_of(request).account_id is None:
            return _ask_for_sign_in(request)
        if name not in UNCHANGED_PASSWORD_VIEWS and must_change_password(request):
            return _send(request, reverse("identity:change_password"))
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return errors.expected_error(request, error) if isinstance(error, ShurenError) else None


def _ask_for_sign_in(request: HttpRequest) -> HttpResponse:
    if errors.wants_json(request):
        return errors.json_error(401, "请先登录。", "")
    path = request.get_full_path() if request.method == "GET" and not request.headers.get("HX-Request") else "/"
    question = "" if path == "/" else "?" + urlencode({"next": path})
    return _send(request, reverse("identity:sign_in") + question)


def _send(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect; a fragment request is told to move the whole page, or it would draw the form inside a table."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)


def _content_policy(nonce: str) -> str:
    return (
        "default-src 'self'; "
        f"script-src 'self' 'nonce-{nonce}'; "
        f"style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
