"""Accounts and the passwords they used before."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class AccountManager(BaseUserManager["Account"]):
    """Finds an account by its username, whatever the case it is typed in."""

    def get_by_natural_key(self, username: str | None) -> "Account":
        return self.get(username=(username or "").strip().lower())

    def with_person(self) -> models.QuerySet["Account"]:
        """Accounts joined with the person's everyday columns, as every signed-in request needs them."""
        # All columns: to leave two of them out costs more than to read them.
        return self.select_related("person")


class Account(AbstractBaseUser):
    """A way in for one person. `password` is unusable until credentials are issued.

    `tieless_since` is when the person was first found to belong nowhere; `sleep_reason` says why an account sleeps.
    """

    last_login = None  # last_sign_in_at says it, and is not written by a signal
    person = models.OneToOneField("directory.Person", on_delete=models.CASCADE, null=True, related_name="account")
    username = models.CharField(max_length=80, unique=True)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    password_changed_at = models.DateTimeField(null=True)
    failed_count = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    asleep_since = models.DateTimeField(null=True)
    sleep_reason = models.CharField(max_length=10, blank=True)
    tieless_since = models.DateTimeField(null=True)
    first_sign_in_at = models.DateTimeField(null=True)
    last_sign_in_at = models.DateTimeField(null=True)
    language = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField()

    objects = AccountManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = []

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="account_asleep", condition=models.Q(is_active=False)),
            models.Index(fields=["id"], name="account_never_out", condition=models.Q(password_changed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.username

    @property
    def called(self) -> str:
        """The person's name, which a look-up may have brought as `person_name`; without a person the username."""
        read: str | None = self.__dict__.get("person_name")
        return read or (self.person.name if self.person else self.username)


class FormerUsername(models.Model):
    """A username that went with an account merged into this one: its owner may still type it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="former_usernames")
    username = models.CharField(max_length=80, unique=True)
    merged_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.username


class FormerPassword(models.Model):
    """A hash that an account used before."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="former_passwords")
    password = models.CharField(max_length=128)
    replaced_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.account_id} {self.replaced_at:%Y-%m-%d}"
