"""What people allowed apps, and what came of it."""

from django.db import models


class Authorization(models.Model):
    """A family of tokens: one code, the access tokens and the line of refresh tokens that came of one sign-in to an app.

    `redeemed_at` makes the code good once, `generation` names the only refresh token still good. `sign_in` is the row
    of the session it hangs on (no foreign key: the row goes when the session ends, and with it what is not
    `is_offline`). `issuer` is kept so that later notices name the same one,
    `id_claims` are those asked for in the ID token itself.
    """

    client = models.ForeignKey("identity.Client", on_delete=models.CASCADE, related_name="authorizations")
    account = models.ForeignKey("identity.Account", on_delete=models.CASCADE, related_name="authorizations")
    sign_in = models.BigIntegerField(null=True)
    scopes = models.TextField()
    issuer = models.CharField(max_length=255)
    redirect_uri = models.CharField(max_length=500, blank=True)
    code_challenge = models.CharField(max_length=64, blank=True)
    nonce = models.TextField(blank=True)
    id_claims = models.TextField(blank=True)
    authenticated_at = models.DateTimeField()
    acr = models.CharField(max_length=60, blank=True)
    amr = models.CharField(max_length=60, blank=True)
    is_offline = models.BooleanField(default=False)
    begun_at = models.DateTimeField()
    redeemed_at = models.DateTimeField(null=True)
    refreshed_at = models.DateTimeField(null=True)
    generation = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["account", "client"], name="authorization_account"),
            models.Index(fields=["sign_in"], name="authorization_sign_in", condition=models.Q(sign_in__isnull=False)),
            models.Index(fields=["expires_at"], name="authorization_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.client_id}/{self.account_id} {self.begun_at:%Y-%m-%d %H:%M}"


class AppConsent(models.Model):
    """What a person said when an app asked for their data: allowed these scopes, or refused."""

    account = models.ForeignKey("identity.Account", on_delete=models.CASCADE, related_name="app_consents")
    client = models.ForeignKey("identity.Client", on_delete=models.CASCADE, related_name="+")
    scopes = models.TextField()
    is_allowed = models.BooleanField()
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "client"], name="one_consent_per_app")]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.client_id} {'+' if self.is_allowed else '-'}"


class DeviceRequest(models.Model):
    """A device without keyboard that waits for its person (RFC 8628); codes are kept as keyed hashes."""

    client = models.ForeignKey("identity.Client", on_delete=models.CASCADE, related_name="+")
    device_digest = models.CharField(max_length=64, unique=True)
    user_digest = models.CharField(max_length=64, unique=True)
    scopes = models.TextField()
    issuer = models.CharField(max_length=255)
    status = models.CharField(max_length=10)
    authorization = models.ForeignKey(Authorization, on_delete=models.CASCADE, null=True, related_name="+")
    interval = models.PositiveSmallIntegerField(default=5)
    polled_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.client_id} {self.status}"


class PushedRequest(models.Model):
    """The parameters of an authorization request that came by the back door (RFC 9126), used once."""

    client = models.ForeignKey("identity.Client", on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    parameters = models.JSONField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.client_id} {self.expires_at:%H:%M:%S}"


class SpentValue(models.Model):
    """A keyed hash of what is not taken a second time: revoked access tokens, ids of assertions."""

    digest = models.CharField(max_length=64, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.digest[:8]
