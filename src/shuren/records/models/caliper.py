"""What sensors told by Caliper: events that happened once, and entities as they were described last."""

from django.db import models


class CaliperEvent(models.Model):
    """One event. A client tells an event once: told again by its id it is passed over. `body` is JSON in ASCII.

    `month` (`2026-11`) is that of the event itself, not of its arrival; `person` who acted, if it is somebody here.
    """

    event_id = models.UUIDField()
    client_id = models.CharField(max_length=100)
    sensor = models.TextField()
    type = models.CharField(max_length=40)
    action = models.CharField(max_length=40)
    actor = models.TextField()
    object = models.TextField()
    person = models.ForeignKey("directory.Person", on_delete=models.CASCADE, null=True, related_name="+")
    at = models.DateTimeField()
    month = models.CharField(max_length=7)
    received_at = models.DateTimeField()
    body = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event_id", "client_id"], name="records_caliper_event_once")]
        indexes = [models.Index(fields=["month", "type"], name="records_caliper_month")]

    def __str__(self) -> str:
        return f"{self.type} {self.action} {self.event_id}"


class CaliperEntity(models.Model):
    """What a client said last of one thing; `key` is the digest of client and IRI."""

    key = models.CharField(max_length=64, unique=True)
    client_id = models.CharField(max_length=100)
    iri = models.TextField()
    type = models.CharField(max_length=40)
    body = models.TextField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.type} {self.iri}"
