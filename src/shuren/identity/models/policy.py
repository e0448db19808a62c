"""What roles must show, and the networks of schools."""

from django.db import models


class SignInPolicy(models.Model):
    """What holders of a role must show; a role without a row follows `rules.factors.DEFAULT_REQUIREMENTS`."""

    role = models.CharField(max_length=20, unique=True)
    requirement = models.CharField(max_length=20)
    grace_days = models.PositiveSmallIntegerField(default=30)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.role} {self.requirement}"


class SchoolNetwork(models.Model):
    """The address blocks of a school, in CIDR notation, one per line; class pictures open only from inside."""

    org_id = models.BigIntegerField(unique=True)
    networks = models.TextField(blank=True)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.org_id}"
