"""House rules of every response: who must be signed in, what browsers may load, and what an error looks like."""

import secrets
from collections.abc import Callable
from functools import partial
from time import perf_counter
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from shuren.front import errors
from shuren.identity.api import actor_of, admit_bearer, bearer_of, confine_bearer, step_due
from shuren.identity.data import AppFault
from shuren.interop import api as interop
from shuren.interop.data import AppData
from shuren.kernel import clock
from shuren.kernel.doors import is_open
from shuren.kernel.errors import ShurenError
from shuren.kernel.reading import reading
from shuren.standards import api as standards

_ONEROSTER = "/ims/oneroster/"
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
        response = _in_shape(request, self.get_response(request))
        # What a door refused was rolled back with the rest of the write; its count is kept once that is over.
        standards.keep_refusals(now=clock.now())
        response.headers.setdefault("Content-Security-Policy", _content_policy(str(request.csp_nonce)))  # type: ignore[attr-defined]
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if not response.headers.get("Cache-Control"):
            response.headers["Cache-Control"] = "private, no-cache"
        return response

    def process_view(
        self, request: HttpRequest, view: object, args: list[object], kwargs: dict[str, object]
    ) -> HttpResponse | None:
        if is_open(view):
            return None
        if errors.wants_json(request) and request.headers.get("Authorization", "").lower().startswith("bearer "):
            return None if admit_bearer(request) else _refuse_token()
        if actor_of(request).account_id is None:
            return _ask_for_sign_in(request)
        try:
            url = step_due(request, view)
        except ShurenError as error:
            return errors.expected_error(request, error)
        if url is not None and errors.wants_json(request):
            return errors.json_error(403, "请先在网页上完成这一步。", url)
        return None if url is None else _send(request, url)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return errors.expected_error(request, error) if isinstance(error, ShurenError) else None


class AppMiddleware:
    """Holds apps of the register that call with a token to what they may: the branches that chose them, and their quota.

    Clients that the installation itself registered are not in the register and pass through. Where people are let into
    apps, and tokens given, identity asks the same register (`SHUREN_APP_GATE`).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = perf_counter()
        response = self.get_response(request)
        app: AppData | None = getattr(request, "_shuren_app", None)
        if app is not None:
            outcome = "error" if response.status_code >= 500 else "done"
            interop.record_outcome(app, outcome=outcome, milliseconds=1000 * (perf_counter() - began), now=clock.now())
        return response

    def process_view(
        self, request: HttpRequest, view: object, args: list[object], kwargs: dict[str, object]
    ) -> HttpResponse | None:
        is_bearing = request.headers.get("Authorization", "").lower().startswith("bearer ")
        return _hold(request) if is_bearing else None


def _in_shape(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Under the root of OneRoster every error has the shape of that standard, whoever in the house raised it."""
    if response.status_code < 400 or not request.path.startswith(_ONEROSTER) or hasattr(response, "is_shaped"):
        return response
    words = response.reason_phrase
    shaped = JsonResponse(interop.status_info(response.status_code, words), status=response.status_code)
    for name in ("Retry-After", "WWW-Authenticate", "Allow"):
        if name in response.headers:
            shaped.headers[name] = response.headers[name]
    return shaped


def _hold(request: HttpRequest) -> HttpResponse | None:
    bearer = bearer_of(request)
    app = interop.app_of_client(bearer.client_id) if bearer else None
    if app is None:
        return None
    refusal = interop.refusal_of(app, actor=None, now=clock.now())
    if refusal is not None and refusal.fault is AppFault.OVER_QUOTA:
        response = errors.json_error(429, _("调用太多，超出了配额。"), _("请按 Retry-After 说的秒数等一等再调用。"))
        response.headers["Retry-After"] = str(refusal.retry_after)
        return response
    if refusal is not None:
        return _refuse_token()
    request._shuren_app = app  # type: ignore[attr-defined]  # read when the answer is known
    confine_bearer(request, paths=interop.paths_of_app(app))
    return None


def _refuse_token() -> HttpResponse:
    """RFC 6750 3.1; a bad token is never made good by a session that came along."""
    response = errors.json_error(401, _("访问令牌无效或已过期。"), _("请重新获取访问令牌。"))
    response.headers["WWW-Authenticate"] = 'Bearer realm="shuren", error="invalid_token"'
    return response


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
