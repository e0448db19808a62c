"""Where accounts are signed in, and attempts that were refused."""

from django.db import models

from shuren.identity.models.account import Account


class SignIn(models.Model):
    """A session of an account, listed so that its owner can end it from elsewhere."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    address = models.CharField(max_length=64, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    methods = models.CharField(max_length=100, blank=True)
    place = models.CharField(max_length=80, blank=True)
    risks = models.CharField(max_length=100, blank=True)
    begun_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["account", "-seen_at"], name="sign_in_account")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.begun_at:%Y-%m-%d %H:%M}"


class Failure(models.Model):
    """Refused attempts within one window, by origin: `address:<ip>`, `pair:<whose>:<from where>`, `strange:<whose>`.

    `whose` is an account or the blind index of a name nobody has. Until `blocked_until` the origin waits.
    """

    key = models.CharField(max_length=160, primary_key=True)
    window_began_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["window_began_at"], name="failure_window")]

    def __str__(self) -> str:
        return f"{self.key} {self.count}"
