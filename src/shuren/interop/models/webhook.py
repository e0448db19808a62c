"""Messages to apps."""

from django.db import models

from shuren.interop.data import DeliveryStatus, EventType
from shuren.interop.models.app import App


class WebhookKey(models.Model):
    """A key that signs messages to one app, sealed; an older one keeps signing beside it until `ends_at`."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="webhook_keys")
    sealed = models.BinaryField()
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["app", "-id"], name="webhook_key_app")]

    def __str__(self) -> str:
        return f"{self.app_id} {self.pk}"


class Delivery(models.Model):
    """One message to one app. Messages about one `subject` go out in the order of their ids."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=40, unique=True)
    key = models.CharField(max_length=120)
    event = models.CharField(max_length=24, choices=[(e.value, e.value) for e in EventType])
    subject = models.CharField(max_length=40)
    payload = models.JSONField()
    status = models.CharField(max_length=10, choices=[(s.value, s.value) for s in DeliveryStatus], default=DeliveryStatus.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    answer = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["app", "-id"], name="delivery_app"),
            models.Index(fields=["app", "status", "-id"], name="delivery_app_status"),
            models.Index(fields=["app", "subject", "id"], name="delivery_order", condition=models.Q(status="waiting")),
            models.Index(fields=["app", "next_at", "id"], name="delivery_due", condition=models.Q(status="waiting")),
            models.Index(fields=["created_at"], name="delivery_age"),
        ]
        constraints = [models.UniqueConstraint(fields=["app", "key"], name="delivery_once")]

    def __str__(self) -> str:
        return f"{self.message_id} {self.event}"


class DeliveryTurn(models.Model):
    """Whose turn it is to send to an app: one worker at a time, until `taken_until`; nobody before `rests_until`.

    `failing_since` is when the app stopped answering at all; None while it answers.
    """

    app = models.OneToOneField(App, on_delete=models.CASCADE, primary_key=True, related_name="+")
    taken_until = models.DateTimeField(null=True)
    rests_until = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.app_id)
