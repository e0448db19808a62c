"""Rules of quality that packs brought, runs of the rules in force, and the score of every org in each."""

from django.db import models

from shuren.kernel.fields import PathField


class RuleFile(models.Model):
    """A file of rules that a pack brought, as it said them; `key` is `<pack>.<name of the file>`."""

    key = models.CharField(max_length=80, unique=True)
    pack = models.CharField(max_length=40)
    said = models.JSONField()
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.key


class QualityRun(models.Model):
    """One run over one dataset; `key` names the data, rules and day it depends on. The current one is what pages show."""

    dataset = models.CharField(max_length=80)
    key = models.CharField(max_length=64)
    day = models.DateField()
    rules = models.PositiveIntegerField()
    rows = models.BigIntegerField()
    measured_at = models.DateTimeField()
    shown_at = models.DateTimeField(null=True)
    is_current = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset"], condition=models.Q(is_current=True), name="quality_run_current_once")
        ]

    def __str__(self) -> str:
        return f"{self.dataset} {self.day:%Y-%m-%d}"


class QualityScore(models.Model):
    """What the rules found in an org and below; `score` is None where nothing was looked at that counts.

    `by_dimension` holds a score or None per dimension.
    """

    run = models.ForeignKey(QualityRun, on_delete=models.CASCADE, related_name="scores")
    org_id = models.BigIntegerField()
    org_path = PathField()
    org_type = models.CharField(max_length=20)
    checked = models.BigIntegerField()
    failed = models.BigIntegerField()
    score = models.FloatField(null=True)
    by_dimension = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "org_path"], name="quality_score_once")]
        indexes = [
            models.Index(fields=["run", "org_type", "score", "id"], name="quality_score_rank"),
            models.Index(fields=["org_id", "run"], name="quality_score_of_org"),
        ]

    def __str__(self) -> str:
        return f"{self.org_path} {self.score}"
