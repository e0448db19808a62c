"""What an account can show beside its password.

Nothing here is readable by whoever reads the database: public keys open nothing, the secret of one-time codes is
sealed, recovery codes are keyed hashes.
"""

from django.db import models

from shuren.identity.models.account import Account


class Passkey(models.Model):
    """A WebAuthn credential. `credential` is the attested credential data as its authenticator gave it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="passkeys")
    credential_id = models.CharField(max_length=1400, unique=True)
    credential = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    name = models.CharField(max_length=60)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.account_id} {self.name}"


class TotpSecret(models.Model):
    """The sealed secret of an authenticator app (RFC 6238); `last_counter` is the newest step used, refused again."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="totp")
    secret_sealed = models.BinaryField()
    last_counter = models.BigIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.account_id}"


class RecoveryCode(models.Model):
    """A code that replaces a lost factor once."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "code_hash"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.pk}"


class OneTimeCode(models.Model):
    """A code sent by SMS or e-mail: the newest per account and channel counts, for five minutes and five tries."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="one_time_codes")
    channel = models.CharField(max_length=20)
    to_hash = models.CharField(max_length=64)
    code_hash = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["account", "channel", "-sent_at"], name="one_time_code_account"),
            models.Index(fields=["to_hash", "-sent_at"], name="one_time_code_number"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.channel}"


class Device(models.Model):
    """A browser in which an account came in before, known by the hash of its device cookie."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="devices")
    token_hash = models.CharField(max_length=64)
    prefix = models.CharField(max_length=50, blank=True)
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "token_hash"], name="device_once")]
        indexes = [models.Index(fields=["account", "prefix"], name="device_network")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.prefix}"
