from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.utils.http import content_disposition_header
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from shuren.evaluation.data import Level, Report
from shuren.evaluation.rules.charts.pupil import pupil_charts
from shuren.evaluation.rules.charts.report import report_charts
from shuren.evaluation.rules.sheets import pupil_sheets, report_sheets
from shuren.evaluation.selectors.pupils import pupil_report
from shuren.evaluation.selectors.reports import report_of
from shuren.evaluation.selectors.runs import KIND
from shuren.evaluation.services.export import record_download
from shuren.evaluation.views.reports import report_context
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import Conflict
from shuren.pages.api import Sheet, chart_svg, chart_table, pdf_response, workbook_response
from shuren.pages.data import Chart, ChartKind, PdfUnavailable


@sensitive_files()
@require_GET
def report_file(request: HttpRequest, run: str, org: str, form: str) -> HttpResponseBase:
    report = report_of(actor=actor_of(request), run_id=ids.decode(KIND, run), org_id=ids.decode("org", org), now=clock.now())
    return _sent(request, report, form)


@sensitive_files()
@require_GET
def pupil_file(request: HttpRequest, run: str, person: str, form: str) -> HttpResponseBase:
    report = pupil_report(
        actor=actor_of(request), run_id=ids.decode(KIND, run), person_id=ids.decode("person", person), now=clock.now()
    )
    return _sent(request, report, form)


def _sent(request: HttpRequest, report: Report, form: str) -> HttpResponseBase:
    """The report as a file, written into the audit trail once it could be made."""
    response = {"pdf": _pdf, "xlsx": _workbook, "json": _json}[form](report)
    record_download(actor=actor_of(request), report=report, form=form, now=clock.now())
    return response


def _name(report: Report) -> str:
    return f"{report.run.title} {report.unit_name}"


def _json(report: Report) -> HttpResponse:
    response = JsonResponse(dict(report.body), json_dumps_params={"ensure_ascii": False, "indent": 1})
    name = content_disposition_header(True, f"{_name(report)}.json")
    response.headers["Content-Disposition"] = name or ""
    return response


def _workbook(report: Report) -> HttpResponseBase:
    sheets = pupil_sheets(report.body) if report.level is Level.PUPIL else report_sheets(report.body)
    return workbook_response(_name(report), [Sheet(title, header, rows) for title, header, rows in sheets])


def _pdf(report: Report) -> HttpResponse:
    try:
        return pdf_response(print_html(report), _name(report))
    except PdfUnavailable as error:
        raise Conflict(
            _("这台服务器还不能生成 PDF。"), remedy=_("请管理员安装系统软件包 %(package)s。") % {"package": error.package}
        ) from error


def print_html(report: Report) -> str:
    """The report laid out for paper: every chart as a picture with its table below it."""
    is_pupil = report.level is Level.PUPIL
    charts = pupil_charts(report.body) if is_pupil else report_charts(report.body)
    context: dict[str, Any] = report_context(report) | {"charts": {name: _printed(chart) for name, chart in charts.items()}}
    return render_to_string("evaluation/print_pupil.html" if is_pupil else "evaluation/print.html", context)


def _printed(chart: Chart) -> dict[str, Any]:
    """Chart, picture and table; the map goes without a table, because the units below have theirs."""
    svg = mark_safe(chart_svg(chart))  # pages escapes every word where it draws it
    interval_title = chart.interval_title or _("95% 区间")
    table = chart_table(chart, interval_title=interval_title, count_title=_("人数"))
    return {"chart": chart, "svg": svg, "table": None if chart.kind is ChartKind.TILES else table, "notes": table.notes}
