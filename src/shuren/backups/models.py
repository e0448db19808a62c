"""What was backed up, restored, proved and pruned, one row a run; who asked stands in the audit trail."""

from django.db import models

from shuren.backups.data import RunKind, RunState


class Run(models.Model):
    """One run. `report` is what a drill found, `signature` the signature over its canonical JSON."""

    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in RunKind])
    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in RunState])
    manifest = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    bytes = models.BigIntegerField(default=0)
    stored = models.BigIntegerField(default=0)
    files = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    targets = models.JSONField(default=list)
    problems = models.JSONField(default=list)
    report = models.JSONField(default=dict)
    signature = models.CharField(max_length=400, blank=True)

    class Meta:
        indexes = [models.Index(fields=["kind", "state", "-started_at"], name="backup_run_latest")]

    def __str__(self) -> str:
        return f"{self.kind}#{self.pk} {self.state}"
