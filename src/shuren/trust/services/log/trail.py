"""The audit trail into the log, in batches; ids that commit late are waited for, none is passed over."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction

from shuren.kernel.models import AuditEntry
from shuren.trust.data import Business, DigestAlgorithm
from shuren.trust.models import AuditBatch, AuditGap, AuditRange, Log
from shuren.trust.rules.log.merkle import folded, tree_hash
from shuren.trust.rules.log.trail import reading_of, rest_of_gap
from shuren.trust.selectors.trail import (
    TRAIL,
    bytes_of_audit_entry,
    last_seen_id,
    next_transaction,
    oldest_transaction,
    open_gaps,
)
from shuren.trust.services.log.anchoring import anchor
from shuren.trust.services.log.growing import opened_log

BATCH = 1_000
# Between taking an id and getting a number a transaction is invisible for microseconds; this is ample for them.
GAP_LEAST_AGE = timedelta(minutes=10)


def anchor_trail(*, now: datetime, limit: int = 200) -> int:
    """Anchor what the trail has got since, at most `limit` batches, and late ids first; returns how many entries."""
    opened_log(now=now)
    count = _fill_gaps(now=now)
    for _number in range(limit):
        batch = _anchor_next(now=now)
        count += batch
        if batch < BATCH:
            break
    return count


@transaction.atomic
def _anchor_next(*, now: datetime) -> int:
    Log.objects.select_for_update().get(pk=1)
    after = last_seen_id()
    entries = list(AuditEntry.objects.filter(pk__gt=after).order_by("pk")[:BATCH])
    if not entries:
        return 0
    # Asked after reading: whoever holds a lower id has begun by now.
    horizon = next_transaction()
    reading = reading_of([entry.pk for entry in entries], after=after)
    _anchor_batch(entries, reading.ranges, now=now)
    if connection.vendor == "postgresql":
        AuditGap.objects.bulk_create(
            AuditGap(first_id=first, last_id=last, horizon=horizon, seen_at=now) for first, last in reading.gaps
        )
    return len(entries)


@transaction.atomic
def _fill_gaps(*, now: datetime) -> int:
    Log.objects.select_for_update().get(pk=1)
    # Asked before reading: what had ended by then is either there now or never will be.
    oldest = oldest_transaction()
    count = 0
    for gap in open_gaps():
        late = list(AuditEntry.objects.filter(pk__gte=gap.first_id, pk__lte=gap.last_id).order_by("pk"))
        left = rest_of_gap((gap.first_id, gap.last_id), [entry.pk for entry in late])
        if late:
            _anchor_batch(late, reading_of([entry.pk for entry in late], after=gap.first_id - 1).ranges, now=now)
            count += len(late)
        is_over = oldest >= gap.horizon and now - gap.seen_at >= GAP_LEAST_AGE
        if is_over or late:
            gap.delete()
        if late and not is_over:
            AuditGap.objects.bulk_create(
                AuditGap(first_id=first, last_id=last, horizon=gap.horizon, seen_at=gap.seen_at) for first, last in left
            )
    return count


def _anchor_batch(entries: Sequence[AuditEntry], ranges: Sequence[tuple[int, int]], *, now: datetime) -> None:
    log = Log.objects.get(pk=1)
    hasher = tree_hash(DigestAlgorithm(log.hash_algorithm))
    root = folded([hasher.leaf(bytes_of_audit_entry(entry)) for entry in entries], hasher)
    subject = f"{TRAIL}{entries[0].pk}-{entries[-1].pk}"
    batch = AuditBatch.objects.create(
        entry_id=anchor(business=Business.AUDIT, subject=subject, digest=root, now=now),
        count=len(entries),
        newest_at=max(entry.at for entry in entries),
    )
    AuditRange.objects.bulk_create(AuditRange(batch=batch, first_id=first, last_id=last) for first, last in ranges)
