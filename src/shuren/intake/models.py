"""An import, from the file as it came to the change it made, and the rows of it that were not let in.

The file and its findings lie beside it in the data folder, `imports/<id>/`.
"""

from django.db import models

from shuren.intake.data import ImportStatus, QuarantineState
from shuren.kernel.fields import PathField


class ImportRun(models.Model):
    """`groups` counts the findings: a list of {column, reason, remedy, is_error, count, kept}."""

    kind = models.CharField(max_length=40)
    status = models.CharField(
        max_length=10, choices=[(s.value, s.value) for s in ImportStatus], default=ImportStatus.UPLOADED.value
    )
    file_name = models.CharField(max_length=255)
    stored_name = models.CharField(max_length=40)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    options = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    difference = models.JSONField(default=dict)
    groups = models.JSONField(default=list)
    error_count = models.PositiveBigIntegerField(default=0)
    warning_count = models.PositiveBigIntegerField(default=0)
    job_id = models.BigIntegerField(null=True)
    error = models.TextField(blank=True)
    owner_account_id = models.BigIntegerField(null=True)
    owner_person_id = models.BigIntegerField(null=True)
    owner_name = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["kind", "-id"], name="import_kind"),
            models.Index(fields=["owner_account_id", "-id"], name="import_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}#{self.pk} {self.status} {self.file_name}"


class QuarantinedRow(models.Model):
    """A row that an applied import left out, whole and sealed (`rules.quarantine`), for its unit to mend until `kept_until`.

    What it says is part of no record of truth. `reason` is the first thing found in it; a row that has ended keeps its place
    and reason, and loses what stood in it.
    """

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="quarantined")
    kind = models.CharField(max_length=40)
    topic = models.CharField(max_length=120, blank=True)
    org_id = models.BigIntegerField(null=True)
    org_path = PathField(blank=True)
    file = models.CharField(max_length=255)
    sheet = models.CharField(max_length=100, blank=True)
    row = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=200)
    fault_count = models.PositiveIntegerField()
    sealed = models.BinaryField(null=True)
    state = models.CharField(
        max_length=10, choices=[(s.value, s.value) for s in QuarantineState], default=QuarantineState.PENDING.value
    )
    quarantined_at = models.DateTimeField()
    corrected_at = models.DateTimeField(null=True)
    kept_until = models.DateField()
    sent_run_id = models.BigIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "file", "sheet", "row"], name="quarantined_row_once")]
        indexes = [
            models.Index(fields=["state", "org_path", "id"], name="quarantined_row_unit"),
            models.Index(fields=["run", "state", "id"], name="quarantined_row_run"),
            models.Index(fields=["sent_run_id"], name="quarantined_row_sent"),
            models.Index(fields=["state", "kept_until"], name="quarantined_row_end"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.file} {self.sheet} {self.row} {self.state}"
