"""Two append-only tables: events on their way up the house, and the audit of who did what."""

from django.db import models


class Event(models.Model):
    """An outbox row, written in the transaction of the change it tells of; the worker turns it into jobs."""

    name = models.CharField(max_length=100)
    payload = models.JSONField(default=dict)
    published_at = models.DateTimeField()
    dispatched_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="event_undispatched", condition=models.Q(dispatched_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.name}#{self.pk}"


class AuditEntry(models.Model):
    """Who did what to which thing, and when. Never updated, never deleted by the application."""

    at = models.DateTimeField()
    actor_person_id = models.BigIntegerField(null=True)
    actor_account_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=100)
    actor_role = models.CharField(max_length=30, blank=True)
    action = models.CharField(max_length=100)
    target = models.CharField(max_length=100)
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_at"),
            models.Index(fields=["actor_account_id", "-at"], name="audit_actor"),
            models.Index(fields=["target", "-at"], name="audit_target"),
            models.Index(fields=["action", "-at"], name="audit_action"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.action} {self.target}"
