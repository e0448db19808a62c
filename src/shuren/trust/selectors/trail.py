"""The audit trail as the log sees it."""

from collections.abc import Iterable
from datetime import UTC

from django.db import connection
from django.db.models import Max, Sum

from shuren.kernel.models import AuditEntry
from shuren.trust.models import AuditBatch, AuditGap, AuditRange
from shuren.trust.rules.log.trail import trail_bytes

# What subjects of batches begin with; the log keeps other things of the trail's business too, each under a word of its own.
TRAIL = "audit:"
# What is hashed of an audit entry. A column that comes later needs a version of its own, or old batches no longer hold.
_HASHED = ("id", "at", "actor_person_id", "actor_account_id", "actor_name", "actor_role", "action", "target", "details")


def bytes_of_audit_entry(entry: AuditEntry) -> bytes:
    fields = {name: getattr(entry, name) for name in _HASHED}
    return trail_bytes(fields | {"at": entry.at.astimezone(UTC).isoformat(timespec="microseconds")})


def last_seen_id() -> int:
    """The highest id of the trail that is in a batch."""
    highest: int | None = AuditRange.objects.aggregate(value=Max("last_id"))["value"]
    return highest or 0


def unbatched_count() -> int:
    """How many entries up to the newest batch belong to none, those in open gaps not counted."""
    rows = AuditEntry.objects.filter(pk__lte=last_seen_id())
    batched: int | None = AuditBatch.objects.filter(archived_at__isnull=True).aggregate(value=Sum("count"))["value"]
    late = sum(AuditEntry.objects.filter(pk__gte=gap.first_id, pk__lte=gap.last_id).count() for gap in open_gaps())
    return rows.count() - (batched or 0) - late


def range_of(audit_id: int) -> AuditRange | None:
    """The range, and with it the batch, that an audit entry is in; None while it waits."""
    found = AuditRange.objects.filter(first_id__lte=audit_id).order_by("-first_id").first()
    return found if found and audit_id <= found.last_id else None


def ids_of_batch(ranges: Iterable[AuditRange]) -> list[int]:
    return [
        number for span in sorted(ranges, key=lambda span: span.first_id) for number in range(span.first_id, span.last_id + 1)
    ]


def open_gaps() -> list[AuditGap]:
    return list(AuditGap.objects.order_by("first_id"))


def next_transaction() -> int:
    """The number that no transaction has reached yet; 0 where only one can write at a time."""
    return _number("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")


def oldest_transaction() -> int:
    """The number of the oldest transaction still under way; 0 where only one can write at a time."""
    return _number("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


def _number(query: str) -> int:
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])
