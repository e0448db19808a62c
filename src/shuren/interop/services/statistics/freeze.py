"""Freezing: a submitted form and everything it was made of never change again, and the evidence log says what they were."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.interop.data import ReportState
from shuren.interop.models import StatisticsReport
from shuren.interop.selectors.statistics.reports import access_report, digest_of
from shuren.interop.selectors.statistics.templates import title_of
from shuren.interop.selectors.statistics.units import SUMMING
from shuren.kernel import audit, events
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict
from shuren.trust import api as trust
from shuren.trust.data import Business
from shuren.work import api as work

_WRITTEN = ("state", "frozen_at", "digest", "log_entry_id", "parts")
_AT_ONCE = 500


@transaction.atomic
def freeze_report(*, actor: Actor, report_id: int, now: datetime) -> int:
    """Freeze the form of the top unit, whose sum nobody above returns any more, in a job; returns the job's id."""
    row = access_report(actor=actor, id=report_id, now=now, locked=True)
    if row.state != ReportState.SUBMITTED or not row.is_counted:
        raise Conflict(_("只有已经提交的表可以冻结。"))
    if row.above_id is not None:
        raise Conflict(_("这张表由最上级汇总以后一起冻结。"))
    details = {"key": row.key, "year": row.year, "version": row.version}
    target = f"statistics_report:{row.pk}"
    audit.record(actor=actor, action="interop.statistics_freezing", target=target, details=details, now=now)
    return work.enqueue(
        "shuren.interop.jobs.freeze_statistics",
        {"report_id": row.pk},
        key=f"statistics:{row.pk}:freeze",
        title=gettext_lazy("冻结“%(title)s”"),
        title_words={"title": title_of(row.template)},
        actor=actor,
    )


def freeze_made_of(*, report_id: int, on_progress: Callable[[int, int], None], now: datetime) -> int:
    """Freeze a report after all its parts, from the bottom up, in one transaction; returns how many were frozen.

    The digest of a sum covers the digests of its parts, so that the top one stands for all. Publishes
    `interop.statistics_frozen`.
    """
    with transaction.atomic():
        top = StatisticsReport.objects.select_for_update(of=("self",)).get(pk=report_id)
        if top.state != ReportState.SUBMITTED:
            return 0
        layers = _layers(top)
        frozen: dict[str, str] = {}
        done, total = 0, sum(len(layer) for layer in layers)
        for layer in reversed(layers):
            for start in range(0, len(layer), _AT_ONCE):
                some = layer[start : start + _AT_ONCE]
                _freeze(some, frozen, now)
                done += len(some)
                on_progress(done, total)
        details = {"key": top.key, "year": top.year, "reports": total, "digest": frozen[str(top.pk)]}
        audit.record(
            actor=SYSTEM, action="interop.statistics_frozen", target=f"statistics_report:{top.pk}", details=details, now=now
        )
        events.publish("interop.statistics_frozen", {"report_id": top.pk, "key": top.key, "year": top.year}, now=now)
    return total


def _layers(top: StatisticsReport) -> list[list[int]]:
    """The reports by row id: the top one, what it was made of, what those were made of."""
    layers = [[top.pk]]
    parts = list(top.parts)
    while parts:
        layer = [int(pk) for pk in parts]
        layers.append(layer)
        below: list[str] = []
        for start in range(0, len(layer), _AT_ONCE):
            rows = StatisticsReport.objects.filter(pk__in=layer[start : start + _AT_ONCE], is_sum=True)
            for told in rows.values_list("parts", flat=True):
                below += told
        parts = below
    return layers


def _freeze(pks: list[int], frozen: dict[str, str], now: datetime) -> None:
    rows = list(StatisticsReport.objects.filter(pk__in=pks).select_related("template", "org").order_by("pk"))
    fresh = [row for row in rows if row.state != ReportState.FROZEN]
    frozen |= {str(row.pk): row.digest for row in rows if row.state == ReportState.FROZEN}
    for row in fresh:
        row.parts = {pk: frozen[pk] for pk in row.parts}
        row.digest, row.state, row.frozen_at = digest_of(row), ReportState.FROZEN.value, now
        frozen[str(row.pk)] = row.digest
    items = [(f"statistics_report:{row.pk}", bytes.fromhex(row.digest)) for row in fresh]
    entries = trust.anchor_many(business=Business.AUDIT, items=items, now=now)
    for row, entry in zip(fresh, entries, strict=True):
        row.log_entry_id = entry
    StatisticsReport.objects.bulk_update(fresh, _WRITTEN)


def may_be_frozen(row: StatisticsReport) -> bool:
    """Whether the page offers it: the top unit's own form, submitted."""
    is_top = row.above_id is None and row.org.type in SUMMING
    return is_top and row.state == ReportState.SUBMITTED and row.is_counted
