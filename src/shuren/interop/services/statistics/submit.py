"""Forms on their way up the tree: submitted to the unit above, returned by it, and corrected in a new version."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.interop.data import ReportState
from shuren.interop.models import StatisticsReport
from shuren.interop.selectors.statistics.reports import (
    COUNTING,
    access_report,
    counted_parts,
    may_act_above,
)
from shuren.interop.selectors.statistics.templates import read, title_of
from shuren.interop.services.statistics.compute import summed_cells
from shuren.interop.services.statistics.fill import open_report
from shuren.interop.services.statistics.judge import judge
from shuren.kernel import audit, events, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.messaging.api import notify

_LONGEST_REASON = 300


@transaction.atomic
def submit_report(*, actor: Actor, report_id: int, now: datetime) -> StatisticsReport:
    """Hand a whole, balanced form to the unit above, where it counts from now on; publishes `interop.statistics_submitted`.

    A sum must be of what counts below at this moment. The version that counted before gives way.
    """
    row = open_report(actor=actor, report_id=report_id, now=now)
    template = read(row.template)
    if row.is_sum:
        values, parts = summed_cells(template, counted_parts(row.org_id, row.key, row.year))
        if parts != row.parts or values != row.values:
            raise Conflict(_("下级报来的数有变化。"), remedy=_("请重新汇总，核对以后再提交。"))
        if not parts:
            raise Conflict(_("下级还没有提交这张表。"), remedy=_("请先催下级提交。"))
    found = judge(row, template)
    _refuse_incomplete(row, [one.name for one in found if not one.is_error])
    StatisticsReport.objects.filter(org_id=row.org_id, key=row.key, year=row.year, is_counted=True).exclude(pk=row.pk).update(
        is_counted=False
    )
    row.state, row.is_counted = ReportState.SUBMITTED.value, True
    row.submitted_at, row.submitted_by = now, actor.name[:100]
    row.revision += 1
    row.save()
    _record(actor, "interop.statistics_submitted", row, now)
    told = {"report_id": row.pk, "org_id": row.org_id, "key": row.key, "year": row.year}
    events.publish("interop.statistics_submitted", told, now=now)
    return row


def _refuse_incomplete(row: StatisticsReport, warnings: list[str]) -> None:
    if row.unknown_count:
        reason = _("还有 %(count)s 个单元格没有填。") % {"count": row.unknown_count}
        raise Conflict(reason, remedy=_("请填完；没有的填 0。"))
    if row.error_count:
        raise Conflict(_("有 %(count)s 处校核没有通过。") % {"count": row.error_count}, remedy=_("请按提示改正。"))
    if missing := [name for name in warnings if not row.explanations.get(name)]:
        reason = _("有 %(count)s 处提醒还没有说明。") % {"count": len(missing)}
        raise Conflict(reason, remedy=_("核对无误的，请写明原因。"))


@transaction.atomic
def return_report(*, actor: Actor, report_id: int, reason: str, now: datetime) -> StatisticsReport:
    """Give a submitted form back to whoever filed it, with a reason; only the unit above may, while its own sum is open."""
    row = access_report(actor=actor, id=report_id, now=now, locked=True)
    if row.above_id is None or not may_act_above(row, actor=actor, now=now):
        raise NotFound(_("没有找到这份统计报表。"))
    if row.state != ReportState.SUBMITTED or not row.is_latest:
        raise Conflict(_("只有已经提交、还没有冻结的表可以退回。"))
    _require_reason(reason)
    above = StatisticsReport.objects.filter(org_id=row.above_id, key=row.key, year=row.year, is_counted=True).first()
    if above is not None and str(row.pk) in above.parts:
        raise Conflict(_("上级的汇总表已经提交。"), remedy=_("请先退回上级的汇总表，或更正它。"))
    row.state, row.is_counted, row.reason = ReportState.RETURNED.value, False, reason.strip()[:_LONGEST_REASON]
    row.revision += 1
    row.save()
    _record(actor, "interop.statistics_returned", row, now)
    notify(
        person_ids=directory.people_in_charge(row.org_id, Permission.FILE_STATISTICS, now=now),
        title=_("统计报表“%(title)s”被退回") % {"title": title_of(row.template)},
        body=row.reason,
        url=f"/statistics/reports/{ids.encode('statistics_report', row.pk)}/",
        key=f"statistics:{row.pk}:{row.revision}",
        now=now,
    )
    return row


@transaction.atomic
def correct_report(*, actor: Actor, report_id: int, reason: str, now: datetime) -> StatisticsReport:
    """Begin a new version of a form that was submitted or frozen; the old one counts until the new one is submitted."""
    row = access_report(actor=actor, id=report_id, now=now, locked=True)
    if row.state not in COUNTING or not row.is_latest:
        raise Conflict(_("这张表还没有提交，可以直接修改。"))
    _require_reason(reason)
    StatisticsReport.objects.filter(pk=row.pk).update(is_latest=False)
    fresh = StatisticsReport(
        template_id=row.template_id,
        key=row.key,
        org_id=row.org_id,
        above_id=row.above_id,
        year=row.year,
        version=row.version + 1,
        state=ReportState.DRAFT.value,
        is_sum=row.is_sum,
        held=row.held,
        typed=row.typed,
        values=row.values,
        parts={} if row.is_sum else row.parts,
        explanations=row.explanations,
        reason=reason.strip()[:_LONGEST_REASON],
        prepared_at=now,
    )
    judge(fresh, read(row.template))
    fresh.save()
    _record(actor, "interop.statistics_corrected", fresh, now)
    return fresh


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid(_("请写明原因。"))


def _record(actor: Actor, action: str, row: StatisticsReport, now: datetime) -> None:
    details = {"key": row.key, "year": row.year, "org_id": row.org_id, "version": row.version, "reason": row.reason}
    audit.record(actor=actor, action=action, target=f"statistics_report:{row.pk}", details=details, now=now)
