"""What people ask about their own data."""

from django.db import models

from shuren.directory.data import SubjectKind, SubjectState
from shuren.directory.models.people import Person
from shuren.directory.models.rosters import choices
from shuren.kernel.fields import PathField


class SubjectRequest(models.Model):
    """A correction or a deletion asked by the person or a guardian, answered where `org_path` says by `due_at`.

    A deletion is irreversible: `proposed_by` is the first of the two who must agree.
    """

    subject = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="subject_requests")
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=choices(SubjectKind))
    body = models.CharField(max_length=1000)
    org_path = PathField()
    at = models.DateTimeField()
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=choices(SubjectState), default=SubjectState.OPEN.value)
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    answered_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=1000, blank=True)
    escalated_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["org_path", "due_at"], name="subject_request_place"),
            models.Index(fields=["asked_by", "-at"], name="subject_request_asker"),
        ]

    def __str__(self) -> str:
        return f"{self.subject_id} {self.kind} {self.state}"
