"""Rows go into quarantine with the import that left them out, and come out with the one that brings them.

The check writes them down before anything is applied, seen by nobody; the transaction that shows the import shows them too.
So whatever kills a run in between, every row of the file is either in the records, or in quarantine, or still to be applied.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.intake.data import BadRow, QuarantineState, RowContent
from shuren.intake.models import ImportRun, QuarantinedRow
from shuren.intake.rules.kinds import kind_named
from shuren.intake.rules.quarantine import PURPOSE, kept_until, packed
from shuren.intake.selectors.imports import run_of
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM, Actor
from shuren.trust import api as trust

_AT_ONCE = 500
# What was brought in again is kept as long as that can be undone.
_SETTLED_KEPT = timedelta(days=8)


def set_aside(import_id: int, rows: Iterable[BadRow], *, now: datetime) -> int:
    """Write down the rows that a check leaves out, in place of those of an earlier check; returns how many.

    Nobody sees them before `record_applied`.
    """
    run = run_of(import_id)
    forget_pending(run)
    count = 0
    waiting = iter(rows)
    while some := list(islice(waiting, _AT_ONCE)):
        with transaction.atomic():
            QuarantinedRow.objects.bulk_create(_row(run, row, now) for row in some)
        count += len(some)
    return count


def _row(run: ImportRun, bad: BadRow, now: datetime) -> QuarantinedRow:
    content = RowContent(bad.header, bad.cells, bad.findings)
    return QuarantinedRow(
        run=run,
        kind=run.kind,
        topic=topic_of(run),
        org_id=bad.org_id,
        org_path=bad.org_path,
        file=bad.place.file[:255],
        sheet=bad.place.sheet[:100],
        row=bad.place.row,
        reason=bad.findings[0].reason[:200],
        fault_count=len(bad.findings),
        sealed=trust.seal(packed(content), purpose=PURPOSE),
        quarantined_at=now,
        kept_until=kept_until(day_of(now), settings.SHUREN_QUARANTINE_DAYS),
    )


def topic_of(run: ImportRun) -> str:
    """What the file is about, as its kind names it."""
    kind = kind_named(run.kind)
    return str(run.options.get(kind.topic, "")) if kind and kind.topic else ""


def forget_pending(run: ImportRun) -> None:
    """A new check looks at the whole file again."""
    QuarantinedRow.objects.filter(run=run, state=QuarantineState.PENDING).delete()


def show_quarantined(run: ImportRun, *, now: datetime) -> int:
    """Within the transaction that shows an import: what it left out waits from now on, what it brought in waits no more.

    Publishes `intake.rows_quarantined` and `intake.rows_settled`, each {import_id, kind, rows}.
    """
    pending = QuarantinedRow.objects.filter(run=run, state=QuarantineState.PENDING)
    until = kept_until(day_of(now), settings.SHUREN_QUARANTINE_DAYS)
    shown = pending.update(state=QuarantineState.WAITING, quarantined_at=now, kept_until=until)
    _tell(run, "intake.rows_quarantined", shown, SYSTEM, now)
    sent = QuarantinedRow.objects.filter(sent_run_id=run.pk, state=QuarantineState.WAITING)
    settled = sent.update(state=QuarantineState.SETTLED, ended_at=now, kept_until=day_of(now) + _SETTLED_KEPT)
    _tell(run, "intake.rows_settled", settled, SYSTEM, now)
    return shown


def take_back_quarantined(run: ImportRun, *, actor: Actor, now: datetime) -> None:
    """Within the transaction that undoes an import: what it left out is given up, what it brought in waits again."""
    own = QuarantinedRow.objects.filter(run=run, state=QuarantineState.WAITING)
    given_up = own.update(
        state=QuarantineState.DISCARDED, ended_at=now, end_reason=_("这次导入已撤销"), sealed=None, sent_run_id=None
    )
    _tell(run, "intake.rows_discarded", given_up, actor, now)
    brought = QuarantinedRow.objects.filter(sent_run_id=run.pk, state=QuarantineState.SETTLED, sealed__isnull=False)
    until = kept_until(day_of(now), settings.SHUREN_QUARANTINE_DAYS)
    again = brought.update(state=QuarantineState.WAITING, ended_at=None, sent_run_id=None, kept_until=until)
    _tell(run, "intake.rows_quarantined", again, actor, now)


def _tell(run: ImportRun, name: str, rows: int, actor: Actor, now: datetime) -> None:
    if not rows:
        return
    details: Mapping[str, Any] = {"kind": run.kind, "rows": rows}
    audit.record(actor=actor, action=name, target=f"import:{run.pk}", details=details, now=now)
    events.publish(name, {"import_id": run.pk, **details}, now=now)
