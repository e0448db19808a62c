"""Counting what is refused, by day and client."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F

from shuren.kernel import clock
from shuren.kernel.errors import ShurenError
from shuren.records.models import RefusedRequest

_KEPT = timedelta(days=400)


def note_refusal(error: ShurenError, *, client_id: str, now: datetime) -> None:
    """Count a request that was not taken. NUL and halves of surrogate pairs in the words of a fault are left out."""
    words = str(error).encode("utf-8", "ignore").decode().replace("\x00", "")[:300]
    place = {"day": clock.day_of(now), "client_id": client_id, "status": error.status}
    rows = RefusedRequest.objects.filter(**place)
    if rows.update(count=F("count") + 1, last_fault=words, last_at=now):
        return
    try:
        with transaction.atomic():
            RefusedRequest.objects.create(**place, last_fault=words, last_at=now)
    except IntegrityError:  # another process was first
        rows.update(count=F("count") + 1, last_fault=words, last_at=now)


def forget_refusals(*, now: datetime) -> int:
    """Drop counts of more than 400 days ago; returns how many."""
    return RefusedRequest.objects.filter(day__lt=clock.day_of(now) - _KEPT).delete()[0]
