"""Runs become edges: counted once each, some hundred runs at a time."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from shuren.datahub.data import ColumnFlow, RunState
from shuren.datahub.models import LineageEvent, LineageRun, LineageTouch
from shuren.datahub.services.draw_edges import Drawn, Edge, edges_of, ensure_assets, ref_of, write_edges
from shuren.datahub.services.record_run import flows_in
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM

AT_ONCE = 100
KEPT = timedelta(days=400)
_TELLING = (RunState.COMPLETE.value, RunState.EVENT.value)


def fold_runs(*, now: datetime) -> int:
    """Draw the edges of every run that ended and was not looked at yet; returns how many runs."""
    folded = 0
    while some := _fold_some(now):
        folded += some
    return folded


@transaction.atomic
def _fold_some(now: datetime) -> int:
    waiting = LineageRun.objects.filter(folded_at__isnull=True, state__in=_TELLING).order_by("pk")
    rows = list(waiting.select_for_update(skip_locked=True)[:AT_ONCE])
    if not rows:
        return 0
    ids = ensure_assets((ref_of(key) for row in rows for key in _named(row)), now=now)
    drawn: dict[Edge, Drawn] = {}
    touches = []
    for row in rows:
        at, step = row.ended_at or row.began_at, 0 if row.is_counted or row.state == RunState.EVENT else 1
        for edge in edges_of(_flows(row), ids):
            each = drawn.setdefault(edge, Drawn(row.job, 0, at, at))
            each.runs += step
            each.job, each.first_at, each.last_at = row.job, min(each.first_at, at), max(each.last_at, at)
        for keys, is_output in ((row.inputs, False), (row.outputs, True)):
            touches += [LineageTouch(run=row, asset_id=ids[key], is_output=is_output) for key in keys]
    write_edges(drawn)
    LineageTouch.objects.bulk_create(touches, ignore_conflicts=True, batch_size=500)
    LineageRun.objects.filter(pk__in=[row.pk for row in rows]).update(folded_at=now, is_counted=True)
    details = {"runs": len(rows), "edges": len(drawn)}
    audit.record(actor=SYSTEM, action="datahub.lineage_drawn", target="catalogue:0", details=details, now=now)
    return len(rows)


def _named(row: LineageRun) -> Iterable[str]:
    yield from row.inputs
    yield from row.outputs
    for source, _column, target, _to in row.flows:
        yield source
        yield target


def _flows(row: LineageRun) -> Iterable[ColumnFlow]:
    for source, column, target, to_column in flows_in(row):
        yield ColumnFlow(ref_of(source), ref_of(target), column, to_column)


def sweep_runs(*, now: datetime) -> int:
    """Forget runs and events of long ago, some at a time; their edges stay."""
    swept = 0
    for model, moment in ((LineageRun, "began_at"), (LineageEvent, "received_at")):
        old = list(model.objects.filter(**{f"{moment}__lt": now - KEPT}).order_by(moment).values_list("pk", flat=True)[:5_000])
        for start in range(0, len(old), 500):
            swept += model.objects.filter(pk__in=old[start : start + 500]).delete()[0]
    if swept:
        audit.record(actor=SYSTEM, action="datahub.lineage_swept", target="catalogue:0", details={"rows": swept}, now=now)
    return swept
