"""Forms of the national statistics as packs bring them, and what each unit reported in them."""

from django.db import models
from django.db.models import Q

from shuren.interop.data import ReportState
from shuren.kernel.fields import BytewiseField


class StatisticsTemplate(models.Model):
    """One version of a form; reports keep the version they were prepared with. One that left its pack is retired."""

    key = BytewiseField(max_length=100)
    version = models.PositiveIntegerField()
    pack = BytewiseField(max_length=60)
    number = models.CharField(max_length=20)
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True)
    body = models.JSONField()
    digest = BytewiseField(max_length=64)
    is_current = models.BooleanField(default=True)
    is_retired = models.BooleanField(default=False)
    installed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "version"], name="statistics_template_version_once"),
            models.UniqueConstraint(fields=["key"], condition=Q(is_current=True), name="statistics_template_current"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title_zh} {self.version}"


class StatisticsReport(models.Model):
    """A form of a unit for a year, in one version; `is_sum` marks what a county, city or province adds up.

    `held` is what the house answered (nothing where it does not know), `typed` what was filled in by hand, `values` both with
    their sums; all by line and column. `parts` are the reports a sum was made of, by row id, with the revision (once frozen the
    digest) of each. `above` is the unit that it is submitted to. `is_counted` is the one version that counts there,
    `is_latest` the one that is worked on. `imbalances` and `explanations` go by the name of the check.
    """

    template = models.ForeignKey(StatisticsTemplate, on_delete=models.PROTECT, related_name="reports")
    key = BytewiseField(max_length=100)
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    above = models.ForeignKey("directory.Org", on_delete=models.PROTECT, null=True, related_name="+")
    year = models.PositiveSmallIntegerField()
    version = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in ReportState])
    is_sum = models.BooleanField(default=False)
    is_latest = models.BooleanField(default=True)
    is_counted = models.BooleanField(default=False)
    held = models.JSONField(default=dict)
    typed = models.JSONField(default=dict)
    values = models.JSONField(default=dict)
    parts = models.JSONField(default=dict)
    unknown_count = models.PositiveIntegerField(default=0)
    error_count = models.PositiveIntegerField(default=0)
    warning_count = models.PositiveIntegerField(default=0)
    imbalances = models.JSONField(default=list)
    explanations = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=1)
    reason = models.CharField(max_length=300, blank=True)
    prepared_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    submitted_by = models.CharField(max_length=100, blank=True)
    frozen_at = models.DateTimeField(null=True)
    digest = BytewiseField(max_length=64, blank=True)
    log_entry_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["org", "key", "year", "version"], name="statistics_report_version_once"),
            models.UniqueConstraint(fields=["org", "key", "year"], condition=Q(is_latest=True), name="statistics_report_latest"),
            models.UniqueConstraint(
                fields=["org", "key", "year"], condition=Q(is_counted=True), name="statistics_report_counted"
            ),
        ]
        indexes = [
            models.Index(fields=["above", "key", "year"], name="statistics_report_above", condition=Q(is_counted=True)),
            models.Index(fields=["key", "year"], name="statistics_report_year"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.org_id} {self.year} {self.version} {self.state}"
