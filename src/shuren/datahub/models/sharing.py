"""What may be shared on which terms, who applied for it, what was granted, and every use that was made of it."""

from django.db import models
from django.db.models import Q

from shuren.datahub.data import ApplicationState, SharingAttribute, SharingWay

_ATTRIBUTES = [(one.value, one.value) for one in SharingAttribute]
_STATES = [(one.value, one.value) for one in ApplicationState]
_WAYS = [(one.value, one.value) for one in SharingWay]


class SharingTerms(models.Model):
    """The attribute that an owner gave a dataset; without a row its grade says. `ground` is the law, or the condition."""

    dataset = models.CharField(max_length=80, primary_key=True)
    attribute = models.CharField(max_length=13, choices=_ATTRIBUTES)
    ground = models.CharField(max_length=500, blank=True)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.dataset} {self.attribute}"


class SharingApplication(models.Model):
    """A unit asks for columns of a dataset, of the branches `org_ids`; at most one of its applications for it is open."""

    dataset = models.CharField(max_length=80)
    applicant_org_id = models.BigIntegerField()
    owner_org_id = models.BigIntegerField()
    purpose = models.CharField(max_length=500)
    columns = models.JSONField(default=list)
    org_ids = models.JSONField(default=list)
    ways = models.JSONField(default=list)
    ends_on = models.DateField()
    state = models.CharField(max_length=10, choices=_STATES, default=ApplicationState.OPEN.value)
    reason = models.CharField(max_length=500, blank=True)
    applied_by = models.BigIntegerField(null=True)
    applied_at = models.DateTimeField()
    decided_by = models.BigIntegerField(null=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "applicant_org_id"],
                condition=Q(state=ApplicationState.OPEN.value),
                name="sharing_application_open_once",
            )
        ]
        indexes = [
            models.Index(fields=["applicant_org_id", "-id"], name="sharing_application_mine"),
            models.Index(fields=["owner_org_id", "state", "id"], name="sharing_application_todo"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} {self.applicant_org_id} {self.state}"


class SharingGrant(models.Model):
    """What came of an application: `masks` has every column granted with its `MaskStyle`. It ends by itself at `ends_at`."""

    application = models.OneToOneField(SharingApplication, on_delete=models.PROTECT, related_name="grant")
    dataset = models.CharField(max_length=80)
    applicant_org_id = models.BigIntegerField()
    owner_org_id = models.BigIntegerField()
    masks = models.JSONField(default=dict)
    org_ids = models.JSONField(default=list)
    ways = models.JSONField(default=list)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    uses = models.PositiveIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["applicant_org_id", "-id"], name="sharing_grant_mine"),
            models.Index(fields=["owner_org_id", "-id"], name="sharing_grant_given"),
            models.Index(fields=["ends_at"], name="sharing_grant_end", condition=Q(revoked_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} {self.applicant_org_id} {self.ends_at:%Y-%m-%d}"


class SharingUse(models.Model):
    """One use of a grant: who, when, by which way, how many rows, and the columns that were read."""

    grant = models.ForeignKey(SharingGrant, on_delete=models.PROTECT, related_name="traces")
    person_id = models.BigIntegerField(null=True)
    way = models.CharField(max_length=5, choices=_WAYS)
    rows = models.BigIntegerField()
    columns = models.JSONField(default=list)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["grant", "-id"], name="sharing_use_of_grant")]

    def __str__(self) -> str:
        return f"{self.grant_id} {self.way} {self.rows}"
