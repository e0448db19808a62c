"""Reports, as those see them who file statistics of their unit or of one above it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.interop.data import ReportState
from shuren.interop.models import StatisticsReport
from shuren.interop.rules.statistics.numbers import Cells
from shuren.interop.rules.statistics.spec import TemplateSpec
from shuren.interop.rules.statistics.statement import statement_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import path_q
from shuren.trust import api as trust
from shuren.trust.data import DigestAlgorithm

COUNTING = (ReportState.SUBMITTED.value, ReportState.FROZEN.value)


def access_report(*, actor: Actor, id: int, now: datetime, locked: bool = False) -> StatisticsReport:
    """A report of a unit where `actor` may file statistics; otherwise `NotFound`."""
    rows = StatisticsReport.objects.select_for_update(of=("self",)) if locked else StatisticsReport.objects.all()
    row = rows.select_related("template", "org", "above").filter(pk=id).first()
    scope = directory.scope_of(actor=actor, permission=Permission.FILE_STATISTICS, now=now)
    if row is None or not scope.covers(row.org.path):
        raise NotFound(_("没有找到这份统计报表。"))
    return row


def may_act_above(row: StatisticsReport, *, actor: Actor, now: datetime) -> bool:
    """Whether `actor` files statistics for the unit that the report was submitted to."""
    scope = directory.scope_of(actor=actor, permission=Permission.FILE_STATISTICS, now=now)
    return row.above is not None and scope.covers(row.above.path)


def reports_seen(
    *, actor: Actor, year: int | None = None, org: OrgData | None = None, now: datetime
) -> QuerySet[StatisticsReport]:
    """The latest versions in the branches where `actor` files statistics."""
    scope = directory.scope_of(actor=actor, permission=Permission.FILE_STATISTICS, now=now)
    rows = StatisticsReport.objects.select_related("template", "org").filter(path_q("org__path", scope.paths), is_latest=True)
    rows = rows.filter(year=year) if year else rows
    rows = rows.filter(org_id=org.id) if org else rows
    return rows.order_by("-year", "org__path", "key")


def latest_reports(org_ids: Collection[int], *, year: int, keys: Collection[str] | None = None) -> list[StatisticsReport]:
    """The version that is worked on, of each form and unit."""
    rows = StatisticsReport.objects.filter(org_id__in=list(org_ids), year=year, is_latest=True)
    return list(rows.filter(key__in=list(keys)) if keys is not None else rows)


def latest_report(org_id: int, key: str, year: int) -> StatisticsReport | None:
    return StatisticsReport.objects.filter(org_id=org_id, key=key, year=year, is_latest=True).first()


def counted_parts(above_id: int, key: str, year: int) -> QuerySet[StatisticsReport]:
    """What was submitted to a unit and counts there, in order of the tree."""
    return StatisticsReport.objects.filter(above_id=above_id, key=key, year=year, is_counted=True).order_by("org__path")


def report_of_last_year(row: StatisticsReport) -> StatisticsReport | None:
    """What the unit reported in the form the year before."""
    return StatisticsReport.objects.filter(org_id=row.org_id, key=row.key, year=row.year - 1, is_counted=True).first()


@dataclass(frozen=True, slots=True)
class Beside:
    """What a report is compared with: the year before, and the other forms of its unit by their keys."""

    last: Cells | None = None
    others: Mapping[str, Cells | None] = field(default_factory=dict)


def besides_of(template: TemplateSpec, org_ids: Collection[int], year: int) -> dict[int, Beside]:
    """For each unit what its checks compare with, in two statements however many units there are."""
    keys = {key for check in template.checks for key in check.forms.values()}
    ids = list(org_ids)
    counted = StatisticsReport.objects.filter(org_id__in=ids, key=template.key, year=year - 1, is_counted=True)
    last = dict(counted.values_list("org_id", "values"))
    others: dict[int, dict[str, Cells | None]] = {id: dict.fromkeys(keys) for id in ids}
    if keys:
        beside = StatisticsReport.objects.filter(org_id__in=ids, key__in=keys, year=year, is_latest=True)
        for org_id, key, values in beside.values_list("org_id", "key", "values"):
            others[org_id][key] = values
    return {id: Beside(last.get(id), others[id]) for id in ids}


def versions_of(row: StatisticsReport) -> list[StatisticsReport]:
    """Every version of a report, newest first."""
    rows = StatisticsReport.objects.filter(org_id=row.org_id, key=row.key, year=row.year)
    return list(rows.order_by("-version"))


def counted_reports_of_branch(path: str, key: str, year: int) -> QuerySet[StatisticsReport]:
    """What counts of a form in a branch, unit by unit, sums among them."""
    rows = StatisticsReport.objects.filter(path_q("org__path", [path]), key=key, year=year, is_counted=True)
    return rows.order_by("org__path")


def digest_of(row: StatisticsReport) -> str:
    """SM3 over everything that the report says, in hexadecimal; `template` and `org` are loaded."""
    statement = statement_of(
        form=row.key,
        template=row.template.digest,
        unit=row.org.sourced_id,
        year=row.year,
        version=row.version,
        values=row.values,
        explanations=row.explanations,
        parts=row.parts,
        reason=row.reason,
    )
    return trust.digest(statement, DigestAlgorithm.SM3).hex()


def reports_on_record() -> Iterator[tuple[int, list[bytes]]]:
    """Every frozen report with its digest as it stands now, for the evidence log."""
    rows = StatisticsReport.objects.filter(state=ReportState.FROZEN.value).select_related("org", "template").order_by("pk")
    for row in rows.iterator(chunk_size=500):
        yield row.pk, [bytes.fromhex(digest_of(row))]
