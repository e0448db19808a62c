"""Statistics forms for programs: which there are, what units report in them, cells typed in, and handing in."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema

from shuren.identity.api import actor_of
from shuren.interop.data import ReportState
from shuren.interop.models import StatisticsReport, StatisticsTemplate
from shuren.interop.rest.callers import ERRORS
from shuren.interop.selectors.statistics.reports import access_report, reports_seen
from shuren.interop.selectors.statistics.templates import templates_in_force
from shuren.interop.selectors.statistics.units import access_unit, units_offered
from shuren.interop.services.statistics.fill import fill_report
from shuren.interop.services.statistics.prepare import prepare_report
from shuren.interop.services.statistics.submit import submit_report
from shuren.kernel import clock, ids
from shuren.kernel.paging import SIZES, page_of

router = Router(tags=["statistics"])


class StatisticsTemplateOut(Schema):
    """A form: its key and number, and `body` as its pack says it."""

    key: str
    number: str
    version: int
    title: str
    title_en: str
    body: dict[str, object]


class StatisticsReportOut(Schema):
    """A report of a unit; `values` by line and column: whole numbers, decimals as text, null where nothing is known."""

    id: str
    key: str
    number: str
    org_id: str
    year: int
    version: int
    state: ReportState
    is_sum: bool
    is_counted: bool
    revision: int
    unknown_count: int
    error_count: int
    warning_count: int
    submitted_at: datetime | None
    frozen_at: datetime | None
    digest: str
    values: dict[str, dict[str, int | str | None]]


class StatisticsReportPage(Schema):
    """One page of reports, the latest year first."""

    rows: list[StatisticsReportOut]
    total: int
    is_exact: bool
    page: int


class PrepareIn(Schema):
    """Which form of which unit for which school year (its first calendar year)."""

    org_id: str
    key: str
    year: int


class FillIn(Schema):
    """Cells by line and column, numbers as text; `revision` is the one that was read."""

    cells: dict[str, dict[str, str]]
    explanations: dict[str, str] = {}
    revision: int


@router.get(
    "/templates",
    response={200: list[StatisticsTemplateOut], **ERRORS},
    operation_id="list_statistics_templates",
    summary="Statistics forms in force",
)
def list_statistics_templates(request: HttpRequest) -> list[StatisticsTemplateOut]:
    """For whoever files statistics somewhere."""
    units_offered(actor=actor_of(request), now=clock.now())
    return [_template_out(row) for row in templates_in_force()]


@router.get(
    "/reports",
    response={200: StatisticsReportPage, **ERRORS},
    operation_id="list_statistics_reports",
    summary="Reports of one's units",
)
def list_statistics_reports(
    request: HttpRequest, org_id: str = "", year: int = 0, page: int = 1, size: int = 50
) -> StatisticsReportPage:
    """The latest version of each, of one unit and year where these are given."""
    actor, now = actor_of(request), clock.now()
    units_offered(actor=actor, now=now)
    org = access_unit(actor=actor, id=ids.decode("org", org_id), now=now) if org_id else None
    rows = reports_seen(actor=actor, org=org, year=year or None, now=now)
    found = page_of(rows, _report_out, number=max(1, page), size=min(max(1, size), SIZES[-1]))
    return StatisticsReportPage(rows=found.rows, total=found.total, is_exact=found.is_exact, page=found.number)


@router.post(
    "/reports/prepare",
    response={200: StatisticsReportOut, **ERRORS},
    operation_id="prepare_statistics_report",
    summary="Prepare a report, or count a begun one anew",
)
def prepare_statistics_report(request: HttpRequest, asked: PrepareIn) -> StatisticsReportOut:
    actor, now = actor_of(request), clock.now()
    pk = prepare_report(actor=actor, org_id=ids.decode("org", asked.org_id), key=asked.key, year=asked.year, now=now)
    return _report_out(access_report(actor=actor, id=pk, now=now))


@router.get(
    "/reports/{report_id}",
    response={200: StatisticsReportOut, **ERRORS},
    operation_id="get_statistics_report",
    summary="A report",
)
def get_statistics_report(request: HttpRequest, report_id: str) -> StatisticsReportOut:
    return _report_out(_row(request, report_id))


@router.put(
    "/reports/{report_id}/cells",
    response={200: StatisticsReportOut, **ERRORS},
    operation_id="fill_statistics_report",
    summary="Fill in cells that the platform does not know",
)
def fill_statistics_report(request: HttpRequest, report_id: str, filled: FillIn) -> StatisticsReportOut:
    row = _row(request, report_id)
    cells = {(line, column): text for line, told in filled.cells.items() for column, text in told.items()}
    kept = fill_report(
        actor=actor_of(request),
        report_id=row.pk,
        cells=cells,
        explanations=filled.explanations,
        revision=filled.revision,
        now=clock.now(),
    )
    return _report_out(kept)


@router.post(
    "/reports/{report_id}/submit",
    response={200: StatisticsReportOut, **ERRORS},
    operation_id="submit_statistics_report",
    summary="Hand a report in",
)
def submit_statistics_report(request: HttpRequest, report_id: str) -> StatisticsReportOut:
    row = _row(request, report_id)
    return _report_out(submit_report(actor=actor_of(request), report_id=row.pk, now=clock.now()))


def _row(request: HttpRequest, report_id: str) -> StatisticsReport:
    return access_report(actor=actor_of(request), id=ids.decode("statistics_report", report_id), now=clock.now())


def _template_out(row: StatisticsTemplate) -> StatisticsTemplateOut:
    return StatisticsTemplateOut(
        key=row.key, number=row.number, version=row.version, title=row.title_zh, title_en=row.title_en, body=row.body
    )


def _report_out(row: StatisticsReport) -> StatisticsReportOut:
    return StatisticsReportOut(
        id=ids.encode("statistics_report", row.pk),
        key=row.key,
        number=row.template.number,
        org_id=ids.encode("org", row.org_id),
        year=row.year,
        version=row.version,
        state=ReportState(row.state),
        is_sum=row.is_sum,
        is_counted=row.is_counted,
        revision=row.revision,
        unknown_count=row.unknown_count,
        error_count=row.error_count,
        warning_count=row.warning_count,
        submitted_at=row.submitted_at,
        frozen_at=row.frozen_at,
        digest=row.digest,
        values=row.values,
    )
