"""Two append-only tables: events on their way up the house, and the audit of who did what."""

from django.db import models

from shuren.kernel.fields import BytewiseField


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
    actor_name = BytewiseField(max_length=100)
    actor_role = models.CharField(max_length=30, blank=True)
    action = BytewiseField(max_length=100)
    target = BytewiseField(max_length=100)
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_at"),
            models.Index(fields=["target", "-at", "-id"], name="audit_by_target"),
            models.Index(fields=["action", "-at", "-id"], name="audit_by_action"),
            models.Index(fields=["actor_name", "-at", "-id"], name="audit_by_name"),
            models.Index(fields=["actor_name", "action", "-at", "-id"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.action} {self.target}"
