"""How long data are kept, what was archived, and what was destroyed with which proof.

A `LifeCycleRule` is what an owner set for a dataset. An `ArchivedPartition` lies sealed beside the lake, in one
`ArchivedFile` for each file it had. A `Destruction` goes from a plan over two people to a certificate, and has a
`DestroyedFile` for everything it took away.
"""

from django.db import models
from django.db.models import Q

from shuren.datahub.data import ArchiveState, DestructionState, LifeCycleEnd, LifeCycleStart

_OPEN = [state.value for state in DestructionState if state not in (DestructionState.DONE, DestructionState.REFUSED)]


class LifeCycleRule(models.Model):
    """The rule that an owner set; a dataset without one has what its grade says."""

    dataset = models.CharField(max_length=80, primary_key=True)
    basis = models.CharField(max_length=20)
    ground = models.CharField(max_length=300, blank=True)
    counted_from = models.CharField(max_length=10, choices=[(one.value, one.value) for one in LifeCycleStart])
    in_use_days = models.PositiveIntegerField(null=True)
    then = models.CharField(max_length=10, choices=[(one.value, one.value) for one in LifeCycleEnd])
    archived_days = models.PositiveIntegerField(null=True)
    changed_by = models.BigIntegerField(null=True)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.dataset} {self.then}"


class ArchivedPartition(models.Model):
    """A partition that left the lake for the archive; `rows` and `bytes` are those that readers saw."""

    dataset = models.CharField(max_length=80)
    partition = models.CharField(max_length=200)
    partition_values = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=[(one.value, one.value) for one in ArchiveState])
    rows = models.BigIntegerField()
    bytes = models.BigIntegerField()
    written_at = models.DateTimeField()
    archived_at = models.DateTimeField()
    recall_reason = models.CharField(max_length=300, blank=True)
    recalled_by = models.BigIntegerField(null=True)
    recalled_until = models.DateField(null=True)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["dataset", "partition"], name="archived_partition_place"),
            models.Index(fields=["recalled_until"], name="archived_partition_back", condition=Q(recalled_until__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.dataset}/{self.partition}"


class ArchivedFile(models.Model):
    """One sealed file; `sha256`, `rows`, `bytes` are of what lies in it, `stored_*` of the sealed file itself.

    The key is gone once it is destroyed. `snapshot_id`, `was_current`, `was_kept` and `written_at` are what the snapshot had
    and gets back when it is recalled.
    """

    archive = models.ForeignKey(ArchivedPartition, on_delete=models.PROTECT, related_name="files")
    file = models.CharField(max_length=400, unique=True)
    key_sealed = models.BinaryField(null=True)
    snapshot_id = models.BigIntegerField()
    piece = models.PositiveIntegerField()
    columns = models.JSONField(default=dict)
    rows = models.BigIntegerField()
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    stored_bytes = models.BigIntegerField()
    stored_sha256 = models.CharField(max_length=64)
    written_at = models.DateTimeField()
    was_current = models.BooleanField()
    was_kept = models.BooleanField()

    def __str__(self) -> str:
        return self.file


class Destruction(models.Model):
    """Partitions of a dataset on their way to destruction; at most one of a dataset is open.

    `partitions` is what people approve: [partition, rows, bytes, files, kept, due day, digest] of each, the digest over its
    files. `certificate` is signed as it stands by version `key_version` of the key, `log_entry_id` its entry of the evidence log.
    """

    dataset = models.CharField(max_length=80)
    owner_org_id = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=[(one.value, one.value) for one in DestructionState])
    policy = models.JSONField(default=dict)
    partitions = models.JSONField(default=list)
    rows = models.BigIntegerField()
    bytes = models.BigIntegerField()
    planned_at = models.DateTimeField()
    ground = models.CharField(max_length=500, blank=True)
    proposed_by = models.BigIntegerField(null=True)
    proposed_at = models.DateTimeField(null=True)
    decided_by = models.BigIntegerField(null=True)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    began_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    number = models.CharField(max_length=20, null=True, unique=True)
    certificate = models.JSONField(default=dict)
    signature = models.CharField(max_length=200, blank=True)
    key_version = models.PositiveIntegerField(null=True)
    log_entry_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset"], condition=Q(state__in=_OPEN), name="destruction_open_once"),
        ]
        indexes = [models.Index(fields=["owner_org_id", "state", "-id"], name="destruction_of_owner")]

    def __str__(self) -> str:
        return self.number or f"{self.dataset} {self.state}"


class DestroyedFile(models.Model):
    """One file that is taken away; `kind` is `snapshot` or `archived`, `removed_at` empty until it is known to be gone."""

    destruction = models.ForeignKey(Destruction, on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(max_length=10)
    partition = models.CharField(max_length=200)
    file = models.CharField(max_length=400)
    rows = models.BigIntegerField()
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    written_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["destruction", "file"], name="destroyed_file_once")]

    def __str__(self) -> str:
        return self.file
