"""Sending our runs on as OpenLineage events: in their order, tried again, given up at last."""

import json
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F

from shuren.datahub.models import LineageRun
from shuren.datahub.selectors.told_runs import events_of
from shuren.kernel import audit, outward
from shuren.kernel.data import SYSTEM

_PAUSES = (5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400)
_CLAIM = timedelta(seconds=60)
_AT_ONCE = 200
_MAX_ANSWER = 64 * 1024
_CALL_SECONDS = 10.0


def send_runs(*, now: datetime) -> int:
    """Send what is due; returns how many were taken. A receiver that does not answer ends the turn.

    A run is claimed for a minute before it is sent, so that a killed worker neither loses nor doubles it for long; whoever
    receives it twice can tell by the run's id.
    """
    if not settings.SHUREN_OPENLINEAGE_URL:
        return 0
    taken = 0
    due = LineageRun.objects.filter(is_ours=True, next_at__lte=now, folded_at__isnull=False).order_by("pk")
    for pk in list(due.values_list("pk", flat=True)[:_AT_ONCE]):
        if not LineageRun.objects.filter(pk=pk, next_at__lte=now).update(next_at=now + _CLAIM, attempts=F("attempts") + 1):
            continue
        row = LineageRun.objects.get(pk=pk)
        is_taken, is_silent = _send(row)
        _settle(row, is_taken, now)
        taken += is_taken
        if is_silent:
            break
    return taken


def _send(row: LineageRun) -> tuple[bool, bool]:
    headers = {"Content-Type": "application/json"}
    if settings.SHUREN_OPENLINEAGE_TOKEN:
        headers["Authorization"] = f"Bearer {settings.SHUREN_OPENLINEAGE_TOKEN}"
    body = json.dumps(next(events_of([row])), ensure_ascii=False).encode()
    try:
        answer = outward.call(
            settings.SHUREN_OPENLINEAGE_URL,
            method="POST",
            body=body,
            headers=headers,
            max_bytes=_MAX_ANSWER,
            seconds=_CALL_SECONDS,
        )
    except (outward.OutwardRefused, outward.OutwardFailed):
        return False, True
    return 200 <= answer.status < 300, False


def _settle(row: LineageRun, is_taken: bool, now: datetime) -> None:
    mine = LineageRun.objects.filter(pk=row.pk)
    if is_taken:
        mine.update(next_at=None, sent_at=now)
    elif row.attempts <= len(_PAUSES):
        mine.update(next_at=now + timedelta(seconds=_PAUSES[row.attempts - 1]))
    else:
        mine.update(next_at=None)
        details = {"run": row.run_id, "attempts": row.attempts}
        audit.record(actor=SYSTEM, action="datahub.lineage_given_up", target="catalogue:0", details=details, now=now)
