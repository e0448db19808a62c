"""Forms by unit and year, and how far the units below are."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shuren.directory.data import OrgData
from shuren.identity.api import actor_of
from shuren.interop.models import StatisticsReport, StatisticsTemplate
from shuren.interop.rules.statistics.spec import school_year
from shuren.interop.selectors.statistics.reports import latest_reports
from shuren.interop.selectors.statistics.templates import read, template_in_force, templates_for, title_of
from shuren.interop.selectors.statistics.units import access_unit, filing_units, is_summing, units_below, units_offered
from shuren.interop.services.statistics.prepare import prepare_branch, prepare_report
from shuren.interop.views.statistics.words import (
    index_url,
    progress_url,
    report_status,
    report_url,
    year_choices,
    year_now,
)
from shuren.kernel import clock, ids
from shuren.kernel.paging import page_of_rows
from shuren.pages.api import number_in, render_list
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListSpec


@dataclass(frozen=True, slots=True)
class FormLine:
    """A form of a unit, begun or not."""

    unit: OrgData
    template: StatisticsTemplate
    report: StatisticsReport | None
    year: int

    @property
    def prepare_url(self) -> str:
        return progress_url(self.unit.id, self.template.key, self.year, "prepare_statistics")


def _waiting(report: StatisticsReport | None) -> int | None:
    return report.unknown_count if report else None


def _prepare_action(line: FormLine) -> tuple[Action, ...]:
    if line.report is not None:
        return ()
    word = _("汇总") if is_summing(line.unit) else _("生成")
    return (Action(label=word, url=line.prepare_url, icon="clipboard-list", is_post=True),)


def _columns(*, with_unit: bool) -> tuple[Column[FormLine], ...]:
    first: Column[FormLine] = Column(
        key="name",
        title=_("单位") if with_unit else _("报表"),
        value=lambda line: line.unit.name if with_unit else title_of(line.template),
        url=lambda line: report_url(line.report) if line.report else "",
    )
    number: Column[FormLine] = Column(key="number", title=_("表号"), value=lambda line: line.template.number)
    code: Column[FormLine] = Column(key="code", title=_("单位代码"), value=lambda line: line.unit.code or None)
    return (
        first,
        code if with_unit else number,
        Column(key="state", title=_("状态"), value=lambda line: report_status(line.report), kind=CellKind.STATUS),
        Column(key="unknown", title=_("待填"), value=lambda line: _waiting(line.report), kind=CellKind.NUMBER),
        Column(
            key="errors",
            title=_("校核错误"),
            value=lambda line: line.report.error_count if line.report else None,
            kind=CellKind.NUMBER,
        ),
        Column(
            key="warnings",
            title=_("校核提醒"),
            value=lambda line: line.report.warning_count if line.report else None,
            kind=CellKind.NUMBER,
        ),
        Column(
            key="submitted",
            title=_("报送时间"),
            value=lambda line: line.report.submitted_at if line.report else None,
            kind=CellKind.DATETIME,
        ),
    )


@never_cache
@require_safe
def forms(request: HttpRequest) -> HttpResponseBase:
    """The forms of one unit for a year."""
    actor, now = actor_of(request), clock.now()
    today = clock.day_of(now)
    units = units_offered(actor=actor, now=now)
    asked = request.GET.get("unit", "")
    unit = access_unit(actor=actor, id=ids.decode("org", asked), now=now) if asked else units[0]
    year = number_in(request.GET.get("year", ""), most=9_999) or year_now(today)
    reports = {report.key: report for report in latest_reports([unit.id], year=year)}
    lines = [FormLine(unit, row, reports.get(row.key), year) for row in templates_for(unit, year)]
    spec: ListSpec[FormLine] = ListSpec(
        name="statistics-forms",
        title=_("统计报表"),
        columns=_columns(with_unit=False),
        rows=lambda query: page_of_rows(lines, number=query.number, size=query.size),
        filters=(*_unit_filter(units), Filter(key="year", label=_("学年"), choices=year_choices(today))),
        row_actions=_row_actions,
        empty=EmptyState(
            title=_("没有要填的统计报表"),
            text=_("安装带有统计报表的功能包以后，这里列出本单位要填的表。"),
            icon="table",
        ),
        note=_("%(unit)s，%(year)s 学年。平台已有的数自动算好，只填其余的。") % {"unit": unit.name, "year": school_year(year)},
    )
    return render_list(request, spec)


def _unit_filter(units: list[OrgData]) -> tuple[Filter, ...]:
    """Nobody with one unit is asked which."""
    choices = tuple(Choice(value=one.public_id, label=one.name) for one in units)
    return (Filter(key="unit", label=_("填报单位"), choices=choices),) if len(units) > 1 else ()


def _row_actions(line: FormLine) -> tuple[Action, ...]:
    actions = _prepare_action(line)
    if is_summing(line.unit):
        url = progress_url(line.unit.id, line.template.key, line.year)
        actions = (*actions, Action(label=_("下级进度"), url=url, icon="list-check"))
    return actions


@never_cache
@require_safe
def progress(request: HttpRequest, org_id: str, key: str, year: int) -> HttpResponseBase:
    """How far each unit below is with a form, and what can be done for all of them."""
    actor, now = actor_of(request), clock.now()
    unit = access_unit(actor=actor, id=ids.decode("org", org_id), now=now)
    template = template_in_force(key)
    below = units_below(unit)
    filing = {one.id for one in filing_units(read(template).spec, year, below)}
    owing = [one for one in below if is_summing(one) or one.id in filing]
    reports = {report.org_id: report for report in latest_reports([one.id for one in owing], year=year, keys=[key])}
    lines = [FormLine(one, template, reports.get(one.id), year) for one in owing]
    spec: ListSpec[FormLine] = ListSpec(
        name="statistics-progress",
        title=_("下级进度"),
        columns=_columns(with_unit=True),
        rows=lambda query: page_of_rows(lines, number=query.number, size=query.size),
        row_actions=_prepare_action,
        empty=EmptyState(title=_("下级没有单位要填这张表"), icon="building"),
    )
    done = sum(one.is_counted for one in reports.values())
    title = f"{template.number} {title_of(template)}"
    context = {
        "title": title,
        "lead": _("%(unit)s，%(year)s 学年") % {"unit": unit.name, "year": school_year(year)},
        "facts": [
            Fact(label=_("下级单位"), value=len(owing)),
            Fact(label=_("已生成"), value=len(reports)),
            Fact(label=_("已提交"), value=done),
        ],
        "actions": _progress_actions(unit, key, year),
        "breadcrumbs": [{"label": _("统计报表"), "url": index_url(unit.id, year)}, {"label": title, "url": ""}],
    }
    return render_list(request, spec, template="front/detail.html", context=context)


def _progress_actions(unit: OrgData, key: str, year: int) -> list[Action]:
    return [
        Action(
            label=_("为下级全部生成"),
            url=progress_url(unit.id, key, year, "prepare_statistics_branch"),
            icon="clipboard-list",
            is_primary=True,
            is_post=True,
        ),
        Action(label=_("汇总本级"), url=progress_url(unit.id, key, year, "prepare_statistics"), icon="chart-bar", is_post=True),
        Action(label="CSV", url=progress_url(unit.id, key, year, "statistics_csv"), icon="file-type-csv"),
        Action(label="JSON", url=progress_url(unit.id, key, year, "statistics_json"), icon="file-download"),
    ]


@require_POST
def prepare(request: HttpRequest, org_id: str, key: str, year: int) -> HttpResponseBase:
    pk = ids.decode("org", org_id)
    report_id = prepare_report(actor=actor_of(request), org_id=pk, key=key, year=year, now=clock.now())
    messages.success(request, _("已生成。平台已有的数算好了，请核对，再填其余的。"))
    return redirect("interop:statistics_report", report_id=ids.encode("statistics_report", report_id))


@require_POST
def prepare_all(request: HttpRequest, org_id: str, key: str, year: int) -> HttpResponseBase:
    pk = ids.decode("org", org_id)
    job_id = prepare_branch(actor=actor_of(request), org_id=pk, key=key, year=year, now=clock.now())
    return redirect("front:job", job_id=ids.encode("job", job_id))
