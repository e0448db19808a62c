"""Rows about runs, each step audited and told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from shuren.backups.data import RunData, RunKind, RunState
from shuren.backups.models import Run
from shuren.backups.selectors.runs import run_data
from shuren.kernel import audit, events
from shuren.kernel.data import Actor

_DONE = {
    RunKind.BACKUP: "backups.backup_made",
    RunKind.BASE: "backups.base_made",
    RunKind.RESTORE: "backups.restored",
    RunKind.DRILL: "backups.drilled",
    RunKind.PRUNE: "backups.pruned",
}
_FAILED = {RunKind.DRILL: "backups.drill_failed"}
_SHOWN_PROBLEMS = 50


@transaction.atomic
def begin_run(kind: RunKind, *, now: datetime, manifest: str = "") -> int:
    """A row for a run that begins; the lock is held, so that runs of this kind that still stand as running were killed."""
    if kind in (RunKind.BACKUP, RunKind.PRUNE, RunKind.BASE):
        Run.objects.filter(kind=kind, state=RunState.RUNNING).update(state=RunState.BROKEN, finished_at=now)
    row = Run.objects.create(kind=kind.value, state=RunState.RUNNING.value, started_at=now, manifest=manifest)
    return row.pk


@transaction.atomic
def end_run(
    run_id: int,
    *,
    actor: Actor,
    now: datetime,
    state: RunState,
    manifest: str = "",
    figures: Mapping[str, int] | None = None,
    targets: Sequence[str] = (),
    problems: Sequence[str] = (),
    report: Mapping[str, Any] | None = None,
    signature: str = "",
) -> RunData:
    """Close a run; publishes `backups.backup_made`, `.backup_failed`, `.restored`, `.drilled`, `.drill_failed` or `.pruned`."""
    row = Run.objects.select_for_update().get(pk=run_id)
    row.state, row.finished_at = state.value, now
    row.manifest = manifest or row.manifest
    row.targets, row.problems = list(targets), list(problems)[:_SHOWN_PROBLEMS]
    row.report, row.signature = dict(report or {}), signature
    for name, value in (figures or {}).items():
        setattr(row, name, value)
    row.save()
    kind = RunKind(row.kind)
    is_good = state in (RunState.DONE, RunState.PARTIAL)
    name = _DONE[kind] if is_good else _FAILED.get(kind, "backups.backup_failed")
    details = {
        "backup": row.manifest,
        "bytes": row.bytes,
        "stored": row.stored,
        "targets": row.targets,
        "problems": row.problems[:5],
    }
    audit.record(actor=actor, action=name, target=f"backup_run:{row.pk}", details=details, now=now)
    events.publish(name, {"run_id": row.pk, "backup": row.manifest}, now=now)
    return run_data(row)
