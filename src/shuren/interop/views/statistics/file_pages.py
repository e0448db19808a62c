"""Forms as files: one as a workbook, out and back in; those of a branch as CSV or JSON."""

import tempfile
from pathlib import Path

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.identity.api import actor_of
from shuren.intake.data import Finding
from shuren.interop.selectors.statistics.reports import access_report
from shuren.interop.selectors.statistics.templates import template_in_force
from shuren.interop.selectors.statistics.units import access_unit
from shuren.interop.services.statistics.export import branch_json, branch_rows
from shuren.interop.services.statistics.read_workbook import WorkbookRefused, take_report_workbook
from shuren.interop.services.statistics.workbook import report_workbook
from shuren.interop.views.statistics.words import crumbs, report_title, report_url
from shuren.kernel import clock, ids
from shuren.kernel.errors import ShurenError
from shuren.pages.api import csv_response, posted

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LARGEST = 5 * 1024 * 1024


class StatisticsFileForm(forms.Form):
    """The workbook that was downloaded, filled in."""

    file = forms.FileField(label=gettext_lazy("Excel 文件"), help_text=gettext_lazy("从这张表下载、填好的 .xlsx"))

    def clean_file(self) -> "UploadedFile[bytes]":
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > _LARGEST or not str(file.name).lower().endswith(".xlsx"):
            raise forms.ValidationError(_("请上传从这张表下载的 .xlsx 文件，不超过 5 MB。"))
        return file


@never_cache
@require_safe
def workbook(request: HttpRequest, report_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_report(actor=actor, id=ids.decode("statistics_report", report_id), now=now)
    response = HttpResponse(report_workbook(actor=actor, row=row, now=now), content_type=XLSX)
    name = f"{row.template.number}-{row.org.name}-{row.year}.xlsx"
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest, report_id: str) -> HttpResponseBase:
    """The filled workbook; with faults nothing is kept, and each is told by its place."""
    actor, now = actor_of(request), clock.now()
    row = access_report(actor=actor, id=ids.decode("statistics_report", report_id), now=now)
    form = StatisticsFileForm(posted(request), request.FILES if request.method == "POST" else None)
    findings: list[Finding] = []
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            _take(request, row.pk, form.cleaned_data["file"])
        except ShurenError as error:
            findings = error.findings if isinstance(error, WorkbookRefused) else []
            status = error.status
            form.add_error(None, str(error))
        else:
            return redirect(report_url(row))
    title = _("从 Excel 填写")
    context = {
        "title": f"{title}：{report_title(row)}",
        "lead": _("只取黄色的单元格；有错误时一个也不保存。"),
        "form": form,
        "findings": findings,
        "submit_label": _("上传"),
        "cancel_url": report_url(row),
        "is_multipart": True,
        "breadcrumbs": crumbs(row, title),
    }
    return render(request, "interop/statistics_upload.html", context, status=status)


def _take(request: HttpRequest, report_id: int, file: "UploadedFile[bytes]") -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "statistics.xlsx"
        with path.open("wb") as target:
            for chunk in file.chunks():
                target.write(chunk)
        name = str(file.name)[:100]
        take_report_workbook(actor=actor_of(request), report_id=report_id, path=path, file_name=name, now=clock.now())


@never_cache
@require_safe
def branch_csv(request: HttpRequest, org_id: str, key: str, year: int) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    org = access_unit(actor=actor, id=ids.decode("org", org_id), now=now)
    row = template_in_force(key)
    header = [
        _("表号"),
        _("单位代码"),
        _("单位名称"),
        _("学年"),
        _("版本"),
        _("状态"),
        _("是汇总"),
        _("行号"),
        _("行"),
        _("列号"),
        _("列"),
        _("数值"),
    ]
    rows = branch_rows(actor=actor, org=org, key=key, year=year, form="csv", now=now)
    return csv_response(f"{row.number}-{org.name}-{year}", header, rows)


@never_cache
@require_safe
def branch_as_json(request: HttpRequest, org_id: str, key: str, year: int) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    org = access_unit(actor=actor, id=ids.decode("org", org_id), now=now)
    row = template_in_force(key)
    parts = branch_json(actor=actor, org=org, key=key, year=year, now=now)
    response = StreamingHttpResponse(parts, content_type="application/json; charset=utf-8")
    name = f"{row.number}-{org.name}-{year}.json"
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response
