"""Access taken in an emergency."""

from django.db import models

from shuren.directory.data import Role
from shuren.directory.models.orgs import Org
from shuren.directory.models.people import Person
from shuren.directory.models.rosters import choices
from shuren.kernel.fields import PathField


class BreakGlass(models.Model):
    """Somebody opened one person, or one branch, beyond their own right; it ends by itself and is looked into afterwards.

    `org_path` is the branch, or where the person is; `closed_at` is set when it ended, earlier than `end_at` if given up.
    """

    holder = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="broken_glass")
    account_id = models.BigIntegerField(null=True)
    role = models.CharField(max_length=20, choices=choices(Role))
    subject = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="opened_by_break_glass")
    org = models.ForeignKey(Org, on_delete=models.PROTECT, null=True, related_name="+")
    org_path = PathField()
    reason = models.CharField(max_length=300)
    begin_at = models.DateTimeField()
    end_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    review_by = models.DateTimeField()
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    is_justified = models.BooleanField(null=True)
    finding = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["holder", "end_at"], name="break_glass_holder"),
            models.Index(fields=["org_path", "-begin_at"], name="break_glass_path"),
            models.Index(fields=["review_by"], name="break_glass_review", condition=models.Q(reviewed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.holder_id} {self.org_path} {self.begin_at:%Y-%m-%d %H:%M}"
