"""A notice is one line for one person; what went to many is many rows, written in one go.

People stand on a higher floor, so a person is a plain number here.
"""

from django.db import models


class Notice(models.Model):
    """Something a person should know, with the page to look at."""

    person_id = models.BigIntegerField()
    title = models.CharField(max_length=120)
    body = models.CharField(max_length=500, blank=True)
    url = models.CharField(max_length=200, blank=True)
    key = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["person_id", "-at", "-id"], name="notice_person"),
            models.Index(fields=["person_id"], name="notice_unread", condition=models.Q(read_at__isnull=True)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["person_id", "key"], name="notice_once", condition=~models.Q(key="")),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.title}"
