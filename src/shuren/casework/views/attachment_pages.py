"""Files of cases and entries, and whom a form may name."""

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from shuren.casework.rules.specs.form import FieldType
from shuren.casework.selectors.attachments import KIND, access_attachment
from shuren.casework.selectors.parties import parties_like
from shuren.casework.services.attachments import record_reading
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.errors import NotFound

_INLINE = ("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; object-src 'self'; frame-ancestors 'none'"


@never_cache
@require_safe
def attachment(request: HttpRequest, attachment_id: str) -> HttpResponseBase:
    """Pictures and PDF open in the browser, all else is downloaded; reading what others brought, or L4, is written down."""
    actor, now = actor_of(request), clock.now()
    file = access_attachment(actor=actor, id=ids.decode(KIND, attachment_id), now=now)
    try:
        stream = file.path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(_("这个文件已经不在了。"), remedy=_("请联系上传的人重新上传。")) from error
    if request.method == "GET" and (file.is_sensitive or file.added_by_id != actor.person_id):
        record_reading(actor=actor, file=file, now=now)
    response = FileResponse(stream, content_type=file.media_type)
    response.headers["Content-Disposition"] = content_disposition_header(file.media_type not in _INLINE, file.name) or ""
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@require_GET
def form_worker(request: HttpRequest) -> HttpResponse:
    """The script that opens form pages off-line, for the addresses of forms, wherever casework is mounted."""
    response = render(
        request, "casework/form_worker.js", {"seconds": settings.SESSION_COOKIE_AGE}, content_type="text/javascript"
    )
    response.headers["Service-Worker-Allowed"] = "/"
    return response


@never_cache
@require_GET
def parties(request: HttpRequest) -> HttpResponse:
    """Suggestions while typing: `kind` is person, org or entry (of `register`), `q` what was typed."""
    kind = request.GET.get("kind", "")
    if kind not in ("person", "org", "entry"):
        raise NotFound(_("没有这个页面。"))
    found = parties_like(
        actor=actor_of(request),
        kind=FieldType(kind),
        words=request.GET.get("q", "")[:60],
        now=clock.now(),
        register=request.GET.get("register", "")[:100],
    )
    return JsonResponse({"rows": [{"id": party.id, "name": party.name, "note": party.note} for party in found]})
