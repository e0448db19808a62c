"""Roles on branches, given by people."""

from django.db import models

from shuren.directory.data import Role
from shuren.directory.models.orgs import Org
from shuren.directory.models.people import Person
from shuren.directory.models.rosters import choices
from shuren.kernel.fields import PathField


class Grant(models.Model):
    """A role on a branch, given by a person who holds it with the right to delegate (or by the installation).

    `source` is the grant it was delegated from; revoking that one revokes this one too. A strong role has `confirm_by` and
    is in force only once somebody else has confirmed it. `certify_by` is set while somebody is asked whether it is still needed.
    `office` is set where the role is to be entered in the roster once it is confirmed: the affiliation's sourced id, dates and
    primacy, and the import that asked for it.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(max_length=20, choices=choices(Role))
    org = models.ForeignKey(Org, on_delete=models.PROTECT, related_name="grants")
    org_path = PathField()
    purpose = models.CharField(max_length=60, blank=True)
    begin_at = models.DateTimeField()
    end_at = models.DateTimeField(null=True)
    granted_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="given_grants")
    may_delegate = models.BooleanField(default=False)
    revoked_at = models.DateTimeField(null=True)
    source = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="delegated")

    confirm_by = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    certified_at = models.DateTimeField(null=True)
    certify_by = models.DateTimeField(null=True)
    office = models.JSONField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["person", "role"], name="grant_person"),
            models.Index(fields=["org_path"], name="grant_path"),
            models.Index(fields=["end_at"], name="grant_end", condition=models.Q(revoked_at__isnull=True)),
            models.Index(fields=["certify_by"], name="grant_certify", condition=models.Q(certify_by__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.role} {self.org_path}"
