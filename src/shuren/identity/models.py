"""Who may come in.

An account belongs to one person (or to none: an installation's first administrator). `SignIn` lists where it is
signed in, `FormerPassword` keeps the last hashes so that they are not used again, `Failure` counts refused attempts
of names that do not exist and of network addresses.
"""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class AccountManager(BaseUserManager["Account"]):
    """Finds an account by its username, whatever the case it is typed in."""

    def get_by_natural_key(self, username: str | None) -> "Account":
        return self.get(username=(username or "").strip().lower())

    def with_person(self) -> models.QuerySet["Account"]:
        """Accounts joined with the person's everyday columns, as every signed-in request needs them."""
        return self.select_related("person").defer("person__national_id_sealed", "person__row_hash")


class Account(AbstractBaseUser):
    """A way in for one person. `password` is unusable until credentials are issued."""

    last_login = None  # last_sign_in_at says it, and is not written by a signal
    person = models.OneToOneField("directory.Person", on_delete=models.CASCADE, null=True, related_name="account")
    username = models.CharField(max_length=80, unique=True)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    password_changed_at = models.DateTimeField(null=True)
    failed_count = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    last_sign_in_at = models.DateTimeField(null=True)
    language = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField()

    objects = AccountManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = []

    def __str__(self) -> str:
        return self.username


class SignIn(models.Model):
    """A session of an account, listed so that its owner can end it from elsewhere."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    address = models.CharField(max_length=64, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    begun_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["account", "-seen_at"], name="sign_in_account")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.begun_at:%Y-%m-%d %H:%M}"


class FormerPassword(models.Model):
    """A hash that an account used before."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="former_passwords")
    password = models.CharField(max_length=128)
    replaced_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.account_id} {self.replaced_at:%Y-%m-%d}"


class Failure(models.Model):
    """Refused attempts within one window, by `address:<ip>` or by the blind index of a name nobody has."""

    key = models.CharField(max_length=100, primary_key=True)
    window_began_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["window_began_at"], name="failure_window")]

    def __str__(self) -> str:
        return f"{self.key} {self.count}"
