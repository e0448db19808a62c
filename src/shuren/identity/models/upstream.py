"""Identity providers above or beside us, and who was found to be whom there."""

from django.db import models

from shuren.identity.models.account import Account


class Upstream(models.Model):
    """A province's platform, a school's directory: whom it names, comes in here without a password of ours.

    Only people who lie in the branch `org` with all that they are. `address` is the issuer (OpenID Connect), the CAS
    address, or the LDAP server. `matching` says how a person is found: by `number`, by `sourced_id`, or only when they
    linked the account themselves (`linked`); `claim` is the claim or attribute that carries it.
    """

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=10)
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    address = models.CharField(max_length=500)
    client_id = models.CharField(max_length=300, blank=True)
    secret_sealed = models.BinaryField(null=True)
    matching = models.CharField(max_length=10)
    claim = models.CharField(max_length=60, blank=True)
    base_dn = models.CharField(max_length=300, blank=True)
    user_attribute = models.CharField(max_length=60, blank=True)
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class UpstreamLink(models.Model):
    """The account of a person here and the subject they are there, found or linked once and kept."""

    upstream = models.ForeignKey(Upstream, on_delete=models.CASCADE, related_name="links")
    subject = models.CharField(max_length=255)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="upstream_links")
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upstream", "subject"], name="upstream_link_subject"),
            models.UniqueConstraint(fields=["upstream", "account"], name="upstream_link_account"),
        ]

    def __str__(self) -> str:
        return f"{self.upstream_id} {self.account_id}"


class UpstreamSession(models.Model):
    """A sign-in that came from above; `key` is a keyed hash of the session there (`sid`, or the CAS ticket)."""

    upstream = models.ForeignKey(Upstream, on_delete=models.CASCADE, related_name="sessions")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    sign_in_id = models.BigIntegerField(unique=True)
    subject = models.CharField(max_length=255)
    key = models.CharField(max_length=64, blank=True)
    begun_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["upstream", "key"], name="upstream_session_key")]

    def __str__(self) -> str:
        return f"{self.upstream_id} {self.begun_at:%Y-%m-%d %H:%M}"
