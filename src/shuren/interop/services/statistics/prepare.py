"""Forms prepared: what the house holds is filled in, and only the rest is asked; one unit, or all of a branch in a job."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.interop.data import ReportState
from shuren.interop.models import StatisticsReport, StatisticsTemplate
from shuren.interop.rules.statistics.numbers import Cells
from shuren.interop.rules.statistics.reading import Template
from shuren.interop.selectors.statistics.reports import COUNTING, besides_of, counted_parts, latest_reports
from shuren.interop.selectors.statistics.templates import read, template_in_force, title_of
from shuren.interop.selectors.statistics.units import aboves_of, access_unit, filing_units, is_summing
from shuren.interop.services.statistics.compute import held_cells, summed_cells
from shuren.interop.services.statistics.judge import judge
from shuren.kernel import audit
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid
from shuren.work import api as work
from shuren.work.data import JobContext

_AT_ONCE = 25
_FIRST_YEAR = 2000
_WRITTEN = (
    "template",
    "held",
    "values",
    "parts",
    "unknown_count",
    "error_count",
    "warning_count",
    "imbalances",
    "explanations",
    "revision",
    "prepared_at",
)


@transaction.atomic
def prepare_report(*, actor: Actor, org_id: int, key: str, year: int, now: datetime) -> int:
    """Fill a form with what the house holds, or count a begun one anew; what was typed stays. Returns the row id.

    A county, city or province gets the sum of what was submitted to it.
    """
    org = access_unit(actor=actor, id=org_id, now=now)
    row = template_in_force(key)
    template = read(row)
    refuse_early(template, year, day_of(now))
    if is_summing(org):
        report = _summed(org, row, template, year, now)
    else:
        if not filing_units(template.spec, year, [org]):
            raise Invalid(_("这个单位不填报这张表。"), remedy=_("请看填报单位的范围：学校类型和年级。"))
        held = held_cells(template, year, [org], now=now)
        report = _filled(org, row, template, year, held[org.id], now)
    details = {"key": key, "year": year, "org_id": org.id, "unknown": report.unknown_count}
    audit.record(
        actor=actor, action="interop.statistics_prepared", target=f"statistics_report:{report.pk}", details=details, now=now
    )
    return report.pk


def refuse_early(template: Template, year: int, today: date) -> None:
    """A form speaks of a day; before it nothing can be counted."""
    day = template.spec.day(year) if _FIRST_YEAR <= year <= today.year + 1 else None
    if day is None or day > today:
        raise Invalid(_("还没有到标准时点，不能生成。"), remedy=_("请选择已经开始的学年。"))


def _filled(org: OrgData, row: StatisticsTemplate, template: Template, year: int, held: Cells, now: datetime) -> StatisticsReport:
    report = _draft(org, row, year, now)
    report.held = held
    return _kept(report, template)


def _summed(org: OrgData, row: StatisticsTemplate, template: Template, year: int, now: datetime) -> StatisticsReport:
    report = _draft(org, row, year, now)
    report.is_sum = True
    report.values, report.parts = summed_cells(template, counted_parts(org.id, row.key, year))
    return _kept(report, template)


def _draft(org: OrgData, row: StatisticsTemplate, year: int, now: datetime) -> StatisticsReport:
    """The version that may still change: one that was begun, or the first."""
    before = latest_reports([org.id], year=year, keys=[row.key])
    if before and before[0].state in COUNTING:
        raise Conflict(_("这张表已经提交。"), remedy=_("要改就先由上级退回；已经冻结的，请更正。"))
    report = before[0] if before else _new(org.id, aboves_of([org])[org.id], row.key, year)
    report.template, report.prepared_at = row, now
    return report


def _new(org_id: int, above_id: int | None, key: str, year: int) -> StatisticsReport:
    state = ReportState.DRAFT.value
    return StatisticsReport(key=key, org_id=org_id, above_id=above_id, year=year, state=state, revision=0)


def _kept(report: StatisticsReport, template: Template) -> StatisticsReport:
    judge(report, template)
    report.revision += 1
    report.save()
    return report


@transaction.atomic
def prepare_branch(*, actor: Actor, org_id: int, key: str, year: int, now: datetime) -> int:
    """Have a job prepare a form for every unit of a branch that files it and has not submitted it; returns the job's id."""
    org = access_unit(actor=actor, id=org_id, now=now)
    row = template_in_force(key)
    refuse_early(read(row), year, day_of(now))
    if not is_summing(org):
        raise Invalid(_("只有区县、市、省可以为下级成批生成。"))
    audit.record(
        actor=actor,
        action="interop.statistics_branch_prepared",
        target=f"org:{org.id}",
        details={"key": key, "year": year},
        now=now,
    )
    return work.enqueue(
        "shuren.interop.jobs.prepare_statistics",
        {"org_id": org.id, "key": key, "year": year},
        key=f"statistics:{org.id}:{key}:{year}",
        title=gettext_lazy("为下级生成“%(title)s”"),
        title_words={"title": title_of(row)},
        actor=actor,
    )


def prepare_units(*, org_id: int, key: str, year: int, job: JobContext, now: datetime) -> dict[str, int]:
    """Carry the job out, some units at a time; killed, it goes on behind the last that were kept."""
    org = directory.orgs_by_ids([org_id])[org_id]
    row = template_in_force(key)
    template = read(row)
    kinds = (template.spec.filed_by.type,)
    total = directory.count_orgs(org.path, kinds)
    done, after = int(job.state.get("done", 0)), str(job.state.get("after", ""))
    prepared = int(job.state.get("prepared", 0))
    while orgs := directory.orgs_after(org.path, after=after, limit=_AT_ONCE, types=kinds):
        if job.is_cancelled():
            break
        after, done = orgs[-1].path, done + len(orgs)
        with transaction.atomic():
            prepared += _prepare_some(orgs, row, template, year, now)
            job.checkpoint(after=after, done=done, prepared=prepared)
        job.progress(done, total)
    return {"prepared": prepared}


def _prepare_some(orgs: Sequence[OrgData], row: StatisticsTemplate, template: Template, year: int, now: datetime) -> int:
    units = filing_units(template.spec, year, orgs)
    begun = {report.org_id: report for report in latest_reports([unit.id for unit in units], year=year, keys=[row.key])}
    open_units = [unit for unit in units if unit.id not in begun or begun[unit.id].state not in COUNTING]
    if not open_units:
        return 0
    held = held_cells(template, year, open_units, now=now)
    aboves = aboves_of(open_units)
    besides = besides_of(template.spec, [unit.id for unit in open_units], year)
    reports = [begun.get(unit.id) or _new(unit.id, aboves[unit.id], row.key, year) for unit in open_units]
    for report in reports:
        report.template, report.prepared_at, report.held = row, now, held[report.org_id]
        judge(report, template, besides[report.org_id])
        report.revision += 1
    StatisticsReport.objects.bulk_create([report for report in reports if report.pk is None])
    StatisticsReport.objects.bulk_update([report for report in reports if report.org_id in begun], _WRITTEN)
    return len(reports)
