"""What a running unit calls: the address that hands out its token, and the files of its course.

Files come from others and are not trusted. Their policy puts every page of theirs into a sandbox with an origin of its own:
it has no cookie, storage or page of this installation, and talks to nothing but xAPI and the files of its own course.
"""

from collections.abc import Iterator
from pathlib import Path

from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from shuren.kernel import clock
from shuren.kernel.doors import open_door
from shuren.records.rules.cmi5.packages import byte_range, served_as
from shuren.records.selectors.cmi5.content import content_file
from shuren.records.services.cmi5.sessions import FetchFault, fetch_token
from shuren.records.views.asked import issuer_of

_FAULTS = {
    FetchFault.USED: "The token was handed out before, or the session is over. Launch the unit again.",
    FetchFault.UNKNOWN: "This is the address of no session.",
}
_SANDBOX = "allow-scripts allow-forms allow-modals allow-popups allow-downloads allow-pointer-lock allow-presentation"
_CHUNK = 256 * 1024


@open_door
@csrf_exempt
@never_cache
@require_http_methods(["POST", "OPTIONS"])
def fetch(request: HttpRequest, key: str) -> HttpResponseBase:
    """The token, once; a fault is told with 200, too, as cmi5 wants it (8.2.2)."""
    if request.method == "OPTIONS":
        return _open_to_pages(HttpResponse(status=204), "POST, OPTIONS")
    found = fetch_token(key=key, now=clock.now())
    if found.fault is not None:
        told = {"error-code": found.fault.value, "error-text": _FAULTS[found.fault]}
    else:
        told = {"auth-token": found.token}
    return _open_to_pages(JsonResponse(told), "POST, OPTIONS")


@open_door
@csrf_exempt
@xframe_options_exempt
@require_http_methods(["GET", "HEAD", "OPTIONS"])
def content(request: HttpRequest, told: str, name: str) -> HttpResponseBase:
    """One file of a course, to whoever has its address of today."""
    if request.method == "OPTIONS":
        return _open_to_pages(HttpResponse(status=204), "GET, HEAD, OPTIONS")
    path = content_file(told, name)
    media_type, is_shown = served_as(name)
    response = _file(request, path, media_type)
    if not is_shown:
        response.headers["Content-Disposition"] = content_disposition_header(True, path.name) or "attachment"
    headers = response.headers
    headers["Content-Security-Policy"] = _policy(issuer_of(request), told)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    headers["Cache-Control"] = "private, max-age=3600"
    return _open_to_pages(response, "GET, HEAD, OPTIONS")


def _policy(issuer: str, told: str) -> str:
    own = f"{issuer}/cmi5/content/{told}/"
    loaded = f"{own} data: blob:"
    return "; ".join(
        (
            f"sandbox {_SANDBOX}",
            "default-src 'none'",
            f"script-src {own} blob: 'unsafe-inline' 'unsafe-eval'",
            f"style-src {loaded} 'unsafe-inline'",
            f"img-src {loaded}",
            f"media-src {loaded}",
            f"font-src {loaded}",
            f"frame-src {own} blob:",
            f"worker-src {own} blob:",
            f"connect-src {own} {issuer}/xapi/ {issuer}/cmi5/fetch/ data: blob:",
            "form-action 'none'",
            f"base-uri {own}",
        )
    )


def _file(request: HttpRequest, path: Path, media_type: str) -> HttpResponseBase:
    """Whole, or the piece that a player of sound or film asks for."""
    size = path.stat().st_size
    asked = byte_range(request.headers.get("Range", ""), size)
    if asked is None:
        response: HttpResponseBase = FileResponse(path.open("rb"), content_type=media_type)
    else:
        first, last = asked
        response = StreamingHttpResponse(_piece(path, first, last), status=206, content_type=media_type)
        response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        response.headers["Content-Length"] = str(last - first + 1)
    response.headers["Accept-Ranges"] = "bytes"
    return response


def _piece(path: Path, first: int, last: int) -> Iterator[bytes]:
    left = last - first + 1
    with path.open("rb") as file:
        file.seek(first)
        while left and (chunk := file.read(min(_CHUNK, left))):
            left -= len(chunk)
            yield chunk


def _open_to_pages(response: HttpResponseBase, methods: str) -> HttpResponseBase:
    """A sandboxed page has no origin that could be named; no cookie counts here, so any may call."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Methods"] = methods
    response.headers["Access-Control-Allow-Headers"] = "Content-Type, Range, Authorization"
    return response
