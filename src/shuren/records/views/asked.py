"""The frame of every xAPI resource: versions, credentials, parameters, and what answers and errors look like."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from shuren.identity.api import actor_of, admit_bearer, bearer_of
from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.kernel.errors import Invalid, Refused, ShurenError
from shuren.records.rules.faults import MalformedStatement
from shuren.records.rules.preconditions import UnseenDocument
from shuren.records.rules.requests import NEW, OLD, Message, check_names, parameters, read_form, version_of
from shuren.records.services.callers import Caller, OverQuota, Unauthorized, caller_by_secret, caller_of
from shuren.records.services.cmi5.sessions import caller_by_session

VERSION_HEADER = "X-Experience-API-Version"
THROUGH_HEADER = "X-Experience-API-Consistent-Through"
_NO_VERSION = f"{VERSION_HEADER} is missing."
_KNOWN_CLIENTS = 10_000
# The version in which each client spoke last: an error about a missing version header is told in that one.
_spoken: dict[str, str] = {}


class TooLarge(ShurenError):
    """More than one request may carry (413)."""

    status = 413


class MethodNotAllowed(ShurenError):
    """The resource has no such method (405)."""

    status = 405


@dataclass(frozen=True, slots=True)
class Door:
    """What a method of a resource asks for: one of these scopes, and parameters by exact name."""

    scopes: frozenset[str]
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that may be answered. `version` is `1.0.3` or `2.0.0`; HEAD comes as GET; header names in lower case."""

    version: str
    method: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    caller: Caller
    issuer: str
    now: datetime

    @property
    def scopes(self) -> frozenset[str]:
        return self.caller.scopes

    @property
    def client(self) -> str:
        return self.caller.client_id

    @property
    def authority(self) -> dict[str, Any]:
        return self.caller.authority

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


Served = Callable[[Call], HttpResponse]
View = Callable[[HttpRequest], HttpResponse]


@dataclass(slots=True)
class _Told:
    """What is known of a request so far, for the headers of whatever answer it gets."""

    version: str = OLD
    extra: dict[str, str] = field(default_factory=dict)


def lrs_resource(doors: Mapping[str, Door]) -> Callable[[Served], View]:
    """A view for programs with credentials of their own; sessions are not looked at. HEAD is answered as GET."""

    def mark(serve: Served) -> View:
        @csrf_exempt
        @open_door
        @wraps(serve)
        def served(request: HttpRequest) -> HttpResponse:
            told = _Told()
            if request.method == "OPTIONS":
                return _finished(HttpResponse(status=204, headers={"Allow": _allowed(doors)}), told, doors)
            try:
                response = serve(_call(request, doors, told))
            except (ShurenError, MalformedStatement) as error:
                response = fault(error)
            if response.status_code == 405:
                response.headers["Allow"] = _allowed(doors)
            return _finished(response, told, doors)

        return served

    return mark


def answer_to_anybody(request: HttpRequest, content: Any) -> HttpResponse:
    """The answer of a resource that is open to all, to GET and HEAD alone."""
    doors = {"GET": Door(frozenset())}
    if request.method == "OPTIONS":
        return _finished(HttpResponse(status=204), _Told(), doors)
    if request.method not in ("GET", "HEAD"):
        response = fault(MethodNotAllowed(f"Allowed here: {_allowed(doors)}."))
        response.headers["Allow"] = _allowed(doors)
        return _finished(response, _Told(), doors)
    try:
        told = _Told(version_of(request.headers.get(VERSION_HEADER)) or OLD)
    except Invalid:
        told = _Told()
    return _finished(json_answer(content), told, doors)


def fault(error: Exception) -> HttpResponse:
    """An error in the shape that the whole API has, but for the one that the specification wants in plain text."""
    status = error.status if isinstance(error, ShurenError) else 400
    if isinstance(error, UnseenDocument):
        return HttpResponse(str(error), status=status, content_type="text/plain; charset=utf-8")
    told = {"status": status, "message": str(error), "remedy": ""}
    response = json_answer({"error": told}, status=status)
    if isinstance(error, OverQuota):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def json_answer(content: Any, status: int = 200) -> HttpResponse:
    body = json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return HttpResponse(body, status=status, content_type="application/json")


def issuer_of(request: HttpRequest) -> str:
    """Our own address, as clients know it and as accounts in statements name it."""
    return str(settings.SHUREN_PUBLIC_URL) or request.build_absolute_uri("/").rstrip("/")


def _call(request: HttpRequest, doors: Mapping[str, Door], told: _Told) -> Call:
    """Read, admit and check a request, in the order in which its faults are told: method, version, who, scope, parameters."""
    now, issuer = clock.now(), issuer_of(request)
    message, named = _as_meant(message_of(request))
    method = "GET" if message.method == "HEAD" else message.method
    if method not in doors:
        told.version = named or OLD
        raise MethodNotAllowed(f"Allowed here: {_allowed(doors)}.")
    told.version = named or OLD
    if named is None and "authorization" not in message.headers:
        raise Invalid(_NO_VERSION)
    caller = admitted(request, message, issuer, told.extra, now=now)
    told.version = named or _spoken.get(caller.client_id, OLD)
    if named is None:
        raise Invalid(_NO_VERSION)
    _note_version(caller.client_id, named)
    door = doors[method]
    if not caller.may(*door.scopes):
        raise Refused(f"One of these scopes is needed: {', '.join(sorted(door.scopes))}.")
    check_names(message.params, required=door.required, optional=door.optional)
    return Call(
        version=named,
        method=method,
        params=message.params,
        headers=message.headers,
        body=message.body,
        caller=caller,
        issuer=issuer,
        now=now,
    )


def _as_meant(message: Message) -> tuple[Message, str | None]:
    """The request, or the one that its form stands for, and the version it is asked in."""
    named = version_of_message(message)
    if message.method != "POST" or "method" not in message.params:
        return message, named
    meant = message if named == NEW else read_form(message)
    if version_of_message(meant) == NEW:
        raise Invalid("2.0 knows no requests in forms.")
    return meant, version_of_message(meant)


def version_of_message(message: Message) -> str | None:
    return version_of(message.headers.get(VERSION_HEADER.lower()))


def message_of(request: HttpRequest) -> Message:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    length = request.META.get("CONTENT_LENGTH") or "0"
    if limit is not None and length.isdigit() and int(length) > limit:
        raise TooLarge(f"At most {limit} bytes.")
    return Message(
        method=request.method or "",
        params=parameters(request.META.get("QUERY_STRING", "")),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.body,
    )


def admitted(request: HttpRequest, message: Message, issuer: str, extra: dict[str, str], *, now: datetime) -> Caller:
    """Who calls; a header that an answer to anybody else must carry is left in `extra`."""
    header = message.headers.get("authorization", "")
    scheme = header.partition(" ")[0].lower()
    if scheme == "basic":
        try:
            found = caller_by_session(header=header, issuer=issuer, now=now)
            return found or caller_by_secret(header=header, issuer=issuer, now=now)
        except Unauthorized:
            extra["WWW-Authenticate"] = 'Basic realm="xapi"'
            raise
    if scheme == "bearer" and "Authorization" not in request.headers:
        raise Unauthorized("A token is sent in the header of the request itself.")
    bearer = bearer_of(request) if scheme == "bearer" else None
    if bearer is None or not admit_bearer(request):
        extra["WWW-Authenticate"] = 'Bearer realm="xapi"'
        raise Unauthorized("Send a client's id and secret by HTTP Basic, or an access token.")
    return caller_of(bearer, actor=actor_of(request), issuer=issuer)


def _note_version(client_id: str, version: str) -> None:
    if _spoken.get(client_id) != version:
        if len(_spoken) >= _KNOWN_CLIENTS:
            _spoken.clear()
        _spoken[client_id] = version


def _allowed(doors: Mapping[str, Door]) -> str:
    return ", ".join(sorted({*doors, "OPTIONS", *(("HEAD",) if "GET" in doors else ())}))


def _finished(response: HttpResponse, told: _Told, doors: Mapping[str, Door]) -> HttpResponse:
    """Headers of every answer. Clients that live in a browser call from their own origin; no cookie counts here, so any may."""
    headers = response.headers
    headers[VERSION_HEADER] = told.version
    headers.setdefault(THROUGH_HEADER, moment_text(clock.now()))
    headers["Access-Control-Allow-Origin"] = "*"
    headers["Access-Control-Allow-Methods"] = _allowed(doors)
    headers["Access-Control-Allow-Headers"] = f"Authorization, Content-Type, If-Match, If-None-Match, {VERSION_HEADER}"
    headers["Access-Control-Expose-Headers"] = f"ETag, Last-Modified, {VERSION_HEADER}, {THROUGH_HEADER}"
    headers["Cache-Control"] = "no-cache"
    for name, value in told.extra.items():
        headers[name] = value
    return response


def moment_text(moment: datetime) -> str:
    """A moment in UTC with milliseconds, as the specification writes them."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
