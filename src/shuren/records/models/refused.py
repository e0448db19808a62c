"""What clients sent and what was not taken, counted by day: so that somebody sees it who can tell the client's developer."""

from django.db import models


class RefusedRequest(models.Model):
    """Requests of one client that were refused on one day with one status; `last_fault` is what the client was told last."""

    day = models.DateField()
    client_id = models.CharField(max_length=100)
    status = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField(default=1)
    last_fault = models.CharField(max_length=300)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "client_id", "status"], name="records_refused_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.client_id} {self.status}"
