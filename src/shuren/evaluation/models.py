"""A run declares what is measured and how; its unit reports hold one compressed body per org; scores lie in the lake."""

from django.db import models

from shuren.evaluation.data import Level, RunStatus
from shuren.kernel.fields import PathField


class EvaluationRun(models.Model):
    """One declared measurement. The declaration never changes after it is hashed; the results may be made again."""

    assessment = models.ForeignKey("assessment.Assessment", on_delete=models.PROTECT, related_name="+")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    org_path = PathField()
    title = models.CharField(max_length=200)
    programme = models.CharField(max_length=100)
    scale_key = models.CharField(max_length=100)
    held_date = models.DateField(null=True)
    is_simulated = models.BooleanField(default=False)
    source_note = models.TextField(blank=True)
    declaration = models.JSONField()
    declaration_hash = models.CharField(max_length=64)
    status = models.CharField(max_length=12, choices=[(s.value, s.value) for s in RunStatus], default=RunStatus.DECLARED.value)
    calibration = models.JSONField(default=dict)
    certificate = models.JSONField(default=dict)
    truth = models.JSONField(default=list)
    job_id = models.BigIntegerField(null=True)
    error = models.TextField(blank=True)
    declared_by_id = models.BigIntegerField(null=True)
    declared_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["org_path"], name="evaluation_run_path"),
            models.Index(fields=["programme", "held_date"], name="evaluation_run_programme"),
        ]

    def __str__(self) -> str:
        return self.title


class UnitReport(models.Model):
    """The numbers of one org in one run, as deflated JSON; a withheld unit has a row that says so and nothing else."""

    run = models.ForeignKey(EvaluationRun, on_delete=models.CASCADE, related_name="unit_reports")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    org_path = PathField()
    level = models.CharField(max_length=10, choices=[(level.value, level.value) for level in Level])
    is_withheld = models.BooleanField(default=False)
    body = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "org"], name="unit_report_once")]
        indexes = [models.Index(fields=["org_path", "run"], name="unit_report_path")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.level} {self.org_id}"
