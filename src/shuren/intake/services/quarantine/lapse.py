"""No row stays in quarantine for ever: after its time what stood in it is erased, mended or not."""

from datetime import date, datetime

from django.db import transaction

from shuren.intake.data import QuarantineState
from shuren.intake.models import QuarantinedRow
from shuren.kernel import audit
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM

_AT_ONCE = 1_000


def lapse_rows(*, now: datetime) -> int:
    """Erase what is past its last day; returns how many rows had still been waiting. Run daily; a kill leaves whole steps."""
    lapsed = 0
    while step := _lapse(day_of(now), now):
        lapsed += step - 1
    return lapsed


@transaction.atomic
def _lapse(today: date, now: datetime) -> int:
    """One step: one more than the rows that lapsed, 0 when nothing is left to erase."""
    due = QuarantinedRow.objects.filter(kept_until__lt=today, sealed__isnull=False)
    chosen = list(due.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
    if not chosen:
        return 0
    rows = QuarantinedRow.objects.filter(pk__in=chosen)
    count = rows.filter(state=QuarantineState.WAITING).update(state=QuarantineState.LAPSED, ended_at=now)
    rows.update(sealed=None)
    details = {"rows": count, "erased": len(chosen)}
    audit.record(actor=SYSTEM, action="intake.rows_lapsed", target="quarantine:all", details=details, now=now)
    return count + 1
