"""Notices inside, and messages to the outside.

A notice is one line for one person; what went to many is many rows, written in one go. An outbox message goes through
a gateway, or is only recorded where there is none; what it says is sealed until it has gone. People stand on a higher
floor, so a person is a plain number here.
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


class OutboxMessage(models.Model):
    """One message to one address outside; `key` sends it once however often it is asked for."""

    channel = models.CharField(max_length=20)
    to_masked = models.CharField(max_length=120)
    text_masked = models.CharField(max_length=500)
    body_sealed = models.BinaryField(null=True)
    key = models.CharField(max_length=100, unique=True)
    state = models.CharField(max_length=20)
    error = models.CharField(max_length=200, blank=True)
    receipt = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["-at", "-id"], name="outbox_newest"),
            models.Index(fields=["channel", "-at"], name="outbox_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.to_masked}"
