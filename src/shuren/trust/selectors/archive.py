"""Batches of the audit trail with their proofs, for an auditor or the archive."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from shuren.kernel.models import AuditEntry
from shuren.trust.models import AuditBatch
from shuren.trust.rules.log.archive import batch_lines
from shuren.trust.selectors.log import proofs_of
from shuren.trust.selectors.trail import bytes_of_audit_entry, ids_of_batch

_AT_ONCE = 50


def lines_of_batches(batches: Sequence[AuditBatch]) -> Iterator[bytes]:
    """The lines of `rules.log.archive` for those of the batches that a head covers."""
    proofs = proofs_of([batch.entry_id for batch in batches])
    for batch in batches:
        if batch.entry_id not in proofs:
            continue
        entries = AuditEntry.objects.in_bulk(ids_of_batch(batch.ranges.all()))
        yield from batch_lines(proofs[batch.entry_id], [bytes_of_audit_entry(entries[number]) for number in sorted(entries)])


def audit_evidence(*, since: datetime | None = None, until: datetime | None = None) -> Iterator[bytes]:
    """Every batch under a head whose newest entry lies between the two moments; callers checked the right and audit it.

    What was archived is not in it: those files are of the same form and are handed over as they are.
    """
    rows = AuditBatch.objects.filter(archived_at__isnull=True, entry__leaf_index__isnull=False)
    if since:
        rows = rows.filter(newest_at__gte=since)
    if until:
        rows = rows.filter(newest_at__lte=until)
    last = 0
    while True:
        batches = list(rows.filter(pk__gt=last).order_by("pk").prefetch_related("ranges")[:_AT_ONCE])
        if not batches:
            return
        last = batches[-1].pk
        yield from lines_of_batches(batches)
