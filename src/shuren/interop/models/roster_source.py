"""Systems of others from which a branch takes its roster over OneRoster, and every turn of taking it."""

from django.db import models
from django.db.models import Q

from shuren.interop.data import PullKind, PullStatus, SourceMode
from shuren.kernel.fields import BytewiseField


class RosterSource(models.Model):
    """A OneRoster service that an officer wrote down for a branch.

    What it tells is imported with the rights of the owner, as if they had brought a file. `seen_at` is the clock of the other
    side from which the next turn asks for changes; empty: everything is read. `top_id` is the org there that stands for ours.
    """

    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    address = models.CharField(max_length=300)
    token_address = models.CharField(max_length=300)
    client_id = models.CharField(max_length=200)
    secret_sealed = models.BinaryField()
    scope = models.CharField(max_length=600, blank=True)
    takes = models.JSONField(default=list)
    is_same_top = models.BooleanField(default=False)
    mode = models.CharField(max_length=8, choices=[(m.value, m.value) for m in SourceMode])
    hours = models.PositiveSmallIntegerField(default=0)
    full_days = models.PositiveSmallIntegerField(default=7)
    is_paused = models.BooleanField(default=False)
    pause_reason = models.CharField(max_length=20, blank=True)
    owner_account_id = models.BigIntegerField(null=True)
    owner_person_id = models.BigIntegerField(null=True)
    owner_name = models.CharField(max_length=100)
    top_id = BytewiseField(max_length=64, blank=True)
    seen_at = models.DateTimeField(null=True)
    full_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="roster_source_due", condition=Q(is_paused=False))]

    def __str__(self) -> str:
        return f"{self.pk} {self.name}"


class RosterPull(models.Model):
    """One turn of taking a roster: pages landed so far, what was wrong with them, and the import that they became.

    `place` is the page to ask for next: {resource, offset, total}. `error` and `faults` hold codes and values, no sentences.
    """

    source = models.ForeignKey(RosterSource, on_delete=models.CASCADE, related_name="pulls")
    kind = models.CharField(max_length=8, choices=[(k.value, k.value) for k in PullKind])
    status = models.CharField(max_length=10, choices=[(s.value, s.value) for s in PullStatus])
    since = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    place = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    left_out = models.JSONField(default=dict)
    changes = models.JSONField(default=dict)
    faults = models.JSONField(default=list)
    fault_count = models.PositiveIntegerField(default=0)
    error = models.JSONField(default=dict)
    tries = models.PositiveSmallIntegerField(default=0)
    import_id = models.BigIntegerField(null=True)
    asked_by = models.CharField(max_length=100, blank=True)
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source"], condition=Q(ended_at__isnull=True), name="roster_pull_open")]
        indexes = [
            models.Index(fields=["source", "-id"], name="roster_pull_source"),
            models.Index(fields=["import_id"], name="roster_pull_import"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.pk} {self.status}"
