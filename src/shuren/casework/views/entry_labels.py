"""Labels with a QR code, to stick on things."""

from itertools import islice

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.casework.selectors.entries import Register
from shuren.casework.selectors.entry_lists import EntryQuery, count_entries, entries_stream
from shuren.casework.services.registers.give_out import LABELS_AT_ONCE, labels_pdf
from shuren.casework.views.register_parts import base_url, entry_query, list_spec, register_in, register_url, trail
from shuren.identity.api import actor_of
from shuren.kernel import audit, clock
from shuren.kernel.errors import Conflict, NotFound
from shuren.pages.api import list_query
from shuren.pages.data import PdfUnavailable


@never_cache
@require_safe
def register_labels(request: HttpRequest, key: str) -> HttpResponseBase:
    """How many labels the list would print, or with `format=pdf` the sheet."""
    register = register_in(request, key)
    if not register.spec.has_labels:
        raise NotFound(_("这个台账没有标签。"))
    now = clock.now()

    spec = list_spec(register, name="labels", actor=actor_of(request))
    asked = list_query(request, spec)
    query = entry_query(register, asked)
    if request.GET.get("format") == "pdf":
        details = {"register": register.key, "form": "pdf", "search": asked.search, **asked.filters}
        target = f"definition:{register.definition.pk}"
        audit.record(actor=actor_of(request), action="casework.labels_printed", target=target, details=details, now=now)
        return _sheet(request, register, query)
    count, is_exact = count_entries(register, query)
    context = {
        "title": _("打印“%(register)s”的标签") % {"register": register.title},
        "breadcrumbs": trail(register, (_("标签"), "")),
        "count": f"{count:,}",
        "is_exact": is_exact,
        "is_cut": count > LABELS_AT_ONCE,
        "limit": LABELS_AT_ONCE,
        "fields": [(name, value) for name, value in request.GET.items() if name not in ("page", "format", "export")],
        "filters": [(one, asked.filters.get(one.key, "")) for one in spec.filters if one.choices],
        "cancel_url": register_url(register),
    }
    return render(request, "casework/register_label_page.html", context)


def _sheet(request: HttpRequest, register: Register, query: EntryQuery) -> HttpResponseBase:
    rows = list(islice(entries_stream(register, query), LABELS_AT_ONCE))
    try:
        content = labels_pdf(register, rows, base_url=base_url(request), now=clock.now())
    except PdfUnavailable as error:
        remedy = _("请管理员安装系统软件包 %(package)s。") % {"package": error.package}
        raise Conflict(_("这台服务器现在不能制作 PDF。"), remedy=remedy) from error
    response = HttpResponse(content, content_type="application/pdf")
    name = _("%(register)s标签.pdf") % {"register": register.title}
    response.headers["Content-Disposition"] = content_disposition_header(False, name) or ""
    return response
