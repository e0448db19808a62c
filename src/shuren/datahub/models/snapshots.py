"""The lake's table of contents.

A `Dataset` is a name with its partition keys; a `StoredSnapshot` is one immutable Parquet file that holds one
partition, or a piece of it, as it was written at one moment. At most one snapshot of a piece is current: switching it
is the single row change by which new facts become visible.
"""

from django.db import models


class Dataset(models.Model):
    """A declared dataset, first stored when something is written to it.

    Nothing of it is swept while there is a `held_reason`. States before `forgotten_until` can no longer be read whole.
    """

    name = models.CharField(max_length=80, unique=True)
    partition_keys = models.JSONField(default=list)
    description = models.CharField(max_length=300, blank=True)
    title_zh = models.CharField(max_length=200, blank=True)
    title_en = models.CharField(max_length=200, blank=True)
    grade = models.CharField(max_length=2)
    owner = models.CharField(max_length=80, blank=True)
    columns = models.JSONField(default=dict)
    scope_column = models.CharField(max_length=80, blank=True)
    org_column = models.CharField(max_length=80, blank=True)
    sort_by = models.JSONField(default=list)
    keep_days = models.PositiveIntegerField(default=0)
    held_reason = models.CharField(max_length=200, blank=True)
    forgotten_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class StoredSnapshot(models.Model):
    """One file of one partition, or of one piece of it. `file` is relative to the lake."""

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="snapshots")
    partition = models.CharField(max_length=200)
    partition_values = models.JSONField(default=dict)
    piece = models.PositiveIntegerField(default=0)
    file = models.CharField(max_length=400, unique=True)
    rows = models.BigIntegerField()
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    columns = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    is_current = models.BooleanField()
    superseded_at = models.DateTimeField(null=True)
    is_kept = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "partition", "piece"], condition=models.Q(is_current=True), name="snapshot_piece_once"
            )
        ]
        indexes = [
            models.Index(fields=["dataset", "partition", "-id"], name="snapshot_history"),
            models.Index(fields=["superseded_at"], name="snapshot_superseded", condition=models.Q(is_current=False)),
        ]

    def __str__(self) -> str:
        return f"{self.partition}#{self.pk}"
