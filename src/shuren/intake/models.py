"""One table: an import, from the file as it came to the change it made.

The file and its findings lie beside it in the data folder, `imports/<id>/`.
"""

from django.db import models

from shuren.intake.data import ImportStatus


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
