"""Where forms of others are brought in, and ours are given to others."""

import tempfile
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.casework.data import DefinitionKind
from shuren.casework.rules.xlsform.form import FormRead
from shuren.casework.selectors.xlsform import form_in_file
from shuren.casework.services.builder.hand_out import export_xlsform
from shuren.casework.services.builder.keep import begin_draft
from shuren.casework.views.builder_forms import ImportForm
from shuren.casework.views.builder_pages import check_builder, draft_url, list_url, orgs_built
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.errors import Invalid
from shuren.pages.api import Sheet, form_page, workbook_response

_SHOWN = 200


@never_cache
@require_http_methods(["GET", "POST"])
def import_form(request: HttpRequest) -> HttpResponseBase:
    """A draft out of an XLSForm workbook; where something cannot be taken over nothing is written, and all of it is told."""
    actor, now = actor_of(request), clock.now()
    check_builder(actor, now)
    form = ImportForm(*((request.POST, request.FILES) if request.method == "POST" else ()), orgs=orgs_built(actor, now))
    told: dict[str, Any] = {}

    def save() -> str:
        said = form.cleaned_data
        read = _read(said["file"])
        told.update(_report(read))
        if read.is_refused:
            raise Invalid(_("有带不进来的内容，没有建草稿。请按下面的表改好文件再选一次。"))
        if read.findings and not said["leaves_out"]:
            raise Invalid(_("有些次要内容带不进来，还没有建草稿。可以照下面的表改文件，或勾选“其余照样带入”再选一次文件。"))
        title = said["title"] or read.title or Path(said["file"].name).stem
        org_id = ids.decode("org", said["org"])
        return draft_url(
            begin_draft(actor=actor, kind=DefinitionKind.FORM, org_id=org_id, title=title, parts=read.parts, now=now)
        )

    title = _("带入别处的表单")
    return form_page(
        request,
        form,
        save,
        title=title,
        submit=_("检查并带入"),
        back=list_url(),
        lead=_("把用 XLSForm 编好的问卷变成这里的表单草稿，题目、选项、分组、条件和公式一起带来。"),
        breadcrumbs=[{"label": _("表单与流程"), "url": list_url()}, {"label": title, "url": ""}],
        template="casework/builder_import.html",
        more=told,
    )


@never_cache
@require_safe
def export_form(request: HttpRequest, definition_id: str) -> FileResponse:
    pk = ids.decode("definition", definition_id)
    title, tables = export_xlsform(actor=actor_of(request), definition_id=pk, now=clock.now())
    return workbook_response(title, [Sheet(name, header, rows) for name, header, rows in tables])


def _report(read: FormRead) -> dict[str, Any]:
    """What has to be changed, and what may stay behind."""
    shown = read.findings[:_SHOWN]
    minor = [finding for finding in shown if not finding.is_error]
    refused = [finding for finding in shown if finding.is_error]
    return {"refused": refused, "minor": minor, "more": max(0, len(read.findings) - _SHOWN)}


def _read(upload: "UploadedFile[bytes]") -> FormRead:
    name = upload.name or ""
    with tempfile.TemporaryDirectory(prefix="xlsform-") as folder:
        path = Path(folder) / "form"
        with path.open("wb") as file:
            file.writelines(upload.chunks())
        return form_in_file(path, file_name=name)
