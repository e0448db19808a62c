"""The hall: for whom clerks file, how applicants rate their cases, what is told to a government platform."""

from django.db import models
from django.db.models import Q

from shuren.casework.data import Satisfaction
from shuren.casework.models.cases import Case
from shuren.casework.models.definitions import Definition
from shuren.kernel.fields import PathField


class Rating(models.Model):
    """One rating of one case. A bad one is put right by `rectify_by`, called back, and only then closed."""

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="rating")
    item = models.ForeignKey(Definition, on_delete=models.PROTECT, null=True, related_name="+")
    org_path = PathField()
    satisfaction = models.CharField(max_length=1, choices=[(grade.value, grade.name) for grade in Satisfaction])
    reasons = models.JSONField(default=list)
    comment = models.CharField(max_length=1000, blank=True)
    rated_at = models.DateTimeField()
    rated_by_id = models.BigIntegerField(null=True)
    channel = models.CharField(max_length=10, default="web")
    rectify_by = models.DateTimeField(null=True)
    rectification = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="+")
    called_back_at = models.DateTimeField(null=True)
    callback_note = models.CharField(max_length=1000, blank=True)
    excluded_at = models.DateTimeField(null=True)
    exclusion_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["org_path", "-rated_at"], name="rating_place"),
            models.Index(fields=["item", "-rated_at"], name="rating_item"),
            models.Index(fields=["rectify_by"], name="rating_due", condition=Q(called_back_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.satisfaction}"


class WindowApplicant(models.Model):
    """For whom a clerk filed at the window: a citizen without an account. Name and phone lie sealed, masked beside them."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="window_applicant")
    name_masked = models.CharField(max_length=40)
    phone_masked = models.CharField(max_length=20)
    told_sealed = models.BinaryField()
    clerk_id = models.BigIntegerField(null=True)
    filed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.case_id} {self.name_masked}"


class Outward(models.Model):
    """A message to a government platform; without a gateway it is written down and goes nowhere (`recorded`)."""

    platform = models.CharField(max_length=40)
    kind = models.CharField(max_length=20)
    subject = models.CharField(max_length=80)
    payload = models.JSONField()
    state = models.CharField(max_length=10)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "id"], name="outward_state"),
            models.Index(fields=["subject"], name="outward_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.platform} {self.kind} {self.subject}"
