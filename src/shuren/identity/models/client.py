"""Apps that may ask for tokens, and the secrets by which they prove themselves."""

from django.db import models

from shuren.identity.data import ClientStatus


class Client(models.Model):
    """An app as OAuth and OpenID Connect know it; the field names are those of RFC 7591.

    `tokens_from` is when the oldest token still good was issued: moving it ends all of them at once. `org` bounds what
    the client reaches in its own name. Whether a governed client may be used is asked of the register of apps each time.
    """

    client_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=80)
    status = models.CharField(max_length=10, default=ClientStatus.ACTIVE)
    auth = models.CharField(max_length=30)
    grant_types = models.JSONField(default=list)
    scopes = models.JSONField(default=list)
    redirect_uris = models.JSONField(default=list)
    post_logout_redirect_uris = models.JSONField(default=list)
    jwks = models.JSONField(null=True)
    jwks_uri = models.CharField(max_length=500, blank=True)
    subject_type = models.CharField(max_length=10)
    sector = models.CharField(max_length=255)
    is_first_party = models.BooleanField(default=False)
    is_governed = models.BooleanField(default=False)
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, null=True, related_name="+")
    backchannel_logout_uri = models.CharField(max_length=500, blank=True)
    id_token_alg = models.CharField(max_length=10, default="RS256")
    purpose = models.CharField(max_length=60)
    tokens_from = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["-created_at", "-id"], name="client_created")]

    def __str__(self) -> str:
        return self.client_id


class ClientSecret(models.Model):
    """A keyed hash of a 256-bit secret; several at once let an app change over without a pause."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="secrets")
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=8)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.client_id} …{self.hint}"
