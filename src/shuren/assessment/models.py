"""Tests that were held, their items, and who took part.

An `Assessment` belongs to the org at the root of its population. Its `Item`s keep their order: item k is column `r<k>`
in the lake, where the responses themselves lie (`assessment.responses`). A `Participation` row says how many pupils of one
district, school or class took part, which is also what decides who may see the test.
"""

from django.db import models

from shuren.assessment.data import AssessmentStatus
from shuren.kernel.fields import PathField


class Assessment(models.Model):
    """A test held once in one population. `content_hash` is the fingerprint of what an import said about it."""

    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    subjects = models.JSONField(default=list)
    grade = models.CharField(max_length=20, blank=True)
    held_date = models.DateField(null=True)
    session = models.CharField(max_length=60, blank=True)
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    org_path = PathField()
    is_simulated = models.BooleanField(default=False)
    source_note = models.CharField(max_length=300, blank=True)
    population_note = models.CharField(max_length=500, blank=True)
    report_scale = models.JSONField(default=dict)
    booklets = models.JSONField(default=list)
    context = models.JSONField(default=list)
    references = models.JSONField(default=list)
    status = models.CharField(max_length=12, choices=[(s.value, s.value) for s in AssessmentStatus], default="pending")
    pupils = models.PositiveIntegerField(default=0)
    snapshot_id = models.BigIntegerField(null=True)
    import_id = models.BigIntegerField(null=True, db_index=True)
    content_hash = models.CharField(max_length=64, blank=True)
    imported_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["org_path"], name="assessment_scope"),
            models.Index(fields=["-held_date", "-id"], name="assessment_held"),
        ]

    def __str__(self) -> str:
        return self.name


class Item(models.Model):
    """One question with what it measures, and how it went in the whole population."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="items")
    code = models.CharField(max_length=60)
    position = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=40, blank=True)
    content_domain = models.CharField(max_length=60, blank=True)
    cognitive_domain = models.CharField(max_length=60, blank=True)
    knowledge_units = models.JSONField(default=list)
    max_score = models.PositiveSmallIntegerField(default=1)
    key = models.CharField(max_length=60, blank=True)
    given = models.PositiveIntegerField(default=0)
    answered = models.PositiveIntegerField(default=0)
    omitted = models.PositiveIntegerField(default=0)
    not_reached = models.PositiveIntegerField(default=0)
    mean_share = models.FloatField(null=True)
    discrimination = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assessment", "code"], name="item_code_once"),
            models.UniqueConstraint(fields=["assessment", "position"], name="item_position_once"),
        ]

    def __str__(self) -> str:
        return self.code


class Participation(models.Model):
    """How many pupils of one district, school or class took part. `org_id` is a directory id, kept without a key."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="participation")
    org_id = models.BigIntegerField()
    org_path = PathField()
    level = models.CharField(max_length=20)
    pupils = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["assessment", "org_id"], name="participation_once")]
        indexes = [models.Index(fields=["org_path", "assessment"], name="participation_scope")]

    def __str__(self) -> str:
        return f"{self.assessment_id} {self.org_path} {self.pupils}"
