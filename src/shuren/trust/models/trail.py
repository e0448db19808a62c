"""Which entries of the audit trail are under which entry of the log: batches, their id ranges, and the gaps between."""

from django.db import models

from shuren.trust.models.log import LogEntry


class AuditBatch(models.Model):
    """Audit entries in one Merkle tree of their own, whose root is the digest of one log entry.

    `newest_at` is the latest moment among them; once archived they stand in the file `archive` and no longer in the trail.
    """

    entry = models.OneToOneField(LogEntry, on_delete=models.PROTECT, related_name="audit_batch")
    count = models.PositiveIntegerField()
    newest_at = models.DateTimeField()
    archive = models.CharField(max_length=200, blank=True)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["newest_at"], name="audit_batch_kept", condition=models.Q(archived_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.count} under {self.entry_id}"


class AuditRange(models.Model):
    """Every id from first to last that was there when the batch was made belongs to it; ranges do not overlap."""

    batch = models.ForeignKey(AuditBatch, on_delete=models.CASCADE, related_name="ranges")
    first_id = models.BigIntegerField(unique=True)
    last_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.first_id}-{self.last_id}"


class AuditGap(models.Model):
    """Ids that were missing between others: taken by a transaction that may still commit.

    `horizon` is the number of the oldest transaction that had not begun when the gap was seen (PostgreSQL): once every
    older one has ended, nothing can fill the gap any more.
    """

    first_id = models.BigIntegerField(unique=True)
    last_id = models.BigIntegerField()
    horizon = models.BigIntegerField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.first_id}-{self.last_id}"
