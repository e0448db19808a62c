"""A collection as a workbook, out and back in."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.casework.services.collections.workbook import receive_workbook, target_workbook
from shuren.casework.views.collection_pages.forms import WorkbookForm
from shuren.casework.views.collection_pages.parts import collection_url, head_of, org_path_at, reach_of
from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose
from shuren.kernel import clock, ids
from shuren.pages.api import form_page
from shuren.work import api as work

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_step_up(Purpose.EXPORT)
@never_cache
@require_safe
def collection_workbook(request: HttpRequest, collection_id: str) -> HttpResponseBase:
    """A row per org in reach that has not answered; `at` narrows it to a branch."""
    reach = reach_of(request, collection_id)
    here = reach.narrowed(org_path_at(request, reach)) if request.GET.get("at") else reach
    response = HttpResponse(target_workbook(actor=actor_of(request), reach=here, now=clock.now()), content_type=XLSX)
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{reach.collection.title}.xlsx") or ""
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def bring_back(request: HttpRequest, collection_id: str) -> HttpResponseBase:
    """The filled workbook comes back; a job reads it."""
    actor, now, reach = actor_of(request), clock.now(), reach_of(request, collection_id)
    form = WorkbookForm(request.POST, request.FILES) if request.method == "POST" else WorkbookForm()

    def save() -> str:
        said = form.cleaned_data
        job_id = receive_workbook(
            actor=actor, collection_id=reach.collection.pk, upload=said["workbook"], is_handed_in=said["is_handed_in"], now=now
        )
        return reverse("casework:brought_back", args=[collection_id, ids.encode("job", job_id)])

    lead = _("没有错误的行会保存成各单位的草稿，有错误的行不改动并逐条列出。")
    back = collection_url(reach.collection, "collection_data")
    crumbs = head_of(reach, "", here=_("交回工作簿"))["breadcrumbs"]
    title, submit = _("交回工作簿"), _("上传并检查")
    return form_page(request, form, save, title=title, submit=submit, back=back, lead=lead, breadcrumbs=crumbs)


@never_cache
@require_safe
def brought_back(request: HttpRequest, collection_id: str, job_id: str) -> HttpResponseBase:
    """How far it is read, and in the end what was kept and what is wrong where."""
    reach = reach_of(request, collection_id)
    job = work.access_job(actor=actor_of(request), id=ids.decode("job", job_id))
    context = {
        **head_of(reach, "", here=_("交回工作簿")),
        "title": _("交回工作簿"),
        "state": None,
        "lead": "",
        "tabs": [],
        "actions": [],
        "job": job,
        "result": job.result or {},
        "again_url": reverse("casework:bring_back_collection", args=[collection_id]),
        "back_url": collection_url(reach.collection),
    }
    return render(request, "casework/collection_taken.html", context)
