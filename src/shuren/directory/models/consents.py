"""What people are asked to agree to, what they answered, and what left the house on the strength of it."""

from django.db import models

from shuren.directory.data import ConsentDecision, ConsentWay, DecidedAs
from shuren.directory.models.orgs import Org
from shuren.directory.models.people import Person
from shuren.directory.models.rosters import choices
from shuren.kernel.fields import BytewiseField, PathField


class ConsentText(models.Model):
    """One version of a notice, asked of the people of a branch; never changed once published.

    `recipient` names the app that would receive the data, and is empty for the house itself. `base` is the oldest version
    whose answers still hold: a version that asks for more, or differently, is its own base, so that everybody is asked again.
    """

    org = models.ForeignKey(Org, on_delete=models.PROTECT, related_name="consent_texts")
    org_path = PathField()
    purpose = BytewiseField(max_length=40)
    recipient = BytewiseField(max_length=64, blank=True)
    recipient_name = models.CharField(max_length=120, blank=True)
    version = models.PositiveIntegerField()
    elements = models.JSONField(default=list)
    title_zh = models.CharField(max_length=120)
    body_zh = models.TextField()
    title_en = models.CharField(max_length=120, blank=True)
    body_en = models.TextField(blank=True)
    begin_at = models.DateTimeField()
    end_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    base = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="later")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["org", "purpose", "recipient", "version"], name="consent_text_version_once"),
        ]
        indexes = [
            models.Index(fields=["org_path", "purpose", "recipient"], name="consent_text_place"),
            models.Index(fields=["recipient", "purpose"], name="consent_text_recipient"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.recipient} {self.version}"


class Consent(models.Model):
    """One answer to one version. Answers are added, never changed; `is_current` marks the latest of each side.

    `base` repeats the version's base. `digest` is SHA-256 over what was asked and answered. `entered_by` is set where the
    school entered a paper, `signed_on` where the paper bears a date.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="consents")
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT, related_name="consents")
    base = models.ForeignKey(ConsentText, on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(max_length=10, choices=choices(ConsentDecision))
    decided_as = models.CharField(max_length=10, choices=choices(DecidedAs))
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="given_consents")
    way = models.CharField(max_length=10, choices=choices(ConsentWay))
    entered_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    signed_on = models.DateField(null=True)
    at = models.DateTimeField()
    digest = BytewiseField(max_length=64)
    is_current = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "base", "decided_as"], condition=models.Q(is_current=True), name="consent_current_once"
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-at"], name="consent_person"),
            models.Index(fields=["base", "is_current", "decision"], name="consent_coverage"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.decision} {self.text_id}"


class Disclosure(models.Model):
    """That a recipient was shown elements of a person on a day: one row a day for the same elements and purpose."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="disclosures")
    recipient = BytewiseField(max_length=64)
    purpose = BytewiseField(max_length=40)
    elements = BytewiseField(max_length=400)
    day = models.DateField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "day", "recipient", "purpose", "elements"], name="disclosure_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.recipient} {self.day}"
