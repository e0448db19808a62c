"""Services that ask by SAML who somebody is, and the sessions they were told of."""

from django.db import models

from shuren.identity.models.account import Account


class SamlService(models.Model):
    """A service provider by its metadata, kept as it was given. Only people of the branch `org` get in.

    One that is not the house's own belongs to an app of the register, by its `client`.
    """

    name = models.CharField(max_length=80)
    entity_id = models.CharField(max_length=500, unique=True)
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    metadata = models.TextField()
    user = models.CharField(max_length=20)
    attributes = models.JSONField(default=list)
    is_first_party = models.BooleanField(default=False)
    client = models.ForeignKey("identity.Client", on_delete=models.PROTECT, null=True, related_name="+")
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.entity_id


class SamlSession(models.Model):
    """What a service was told of one session of ours: enough to end it from either side."""

    service = models.ForeignKey(SamlService, on_delete=models.CASCADE, related_name="sessions")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    sign_in_id = models.BigIntegerField(db_index=True)
    session_index = models.CharField(max_length=64, unique=True)
    name_id = models.CharField(max_length=120)
    begun_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["service", "name_id"], name="saml_session_name")]

    def __str__(self) -> str:
        return f"{self.service_id} {self.begun_at:%Y-%m-%d %H:%M}"
