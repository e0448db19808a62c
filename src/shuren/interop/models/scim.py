"""What clients of the SCIM service call people and orgs by, and what they let go."""

from django.db import models

from shuren.kernel.fields import BytewiseField


class ScimRecord(models.Model):
    """One client's own view of a person or org: its `externalId`, whether the client entered it, and since when it is gone.

    Only written where a client has something to say; reading leaves no row. `row_id` is a person's or an org's.
    """

    client_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=6, choices=[("user", "user"), ("group", "group")])
    row_id = models.BigIntegerField()
    external_id = BytewiseField(max_length=200, blank=True)
    is_own = models.BooleanField(default=False)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client_id", "kind", "row_id"], name="scim_record_once")]
        indexes = [models.Index(fields=["client_id", "kind", "external_id"], name="scim_record_external")]

    def __str__(self) -> str:
        return f"{self.client_id} {self.kind} {self.row_id}"
