"""One row per findable thing. What it is found by lies beside: an FTS5 table on SQLite, a tsvector on PostgreSQL."""

from django.db import models

from shuren.kernel.fields import PathField


class Entry(models.Model):
    """What a hit shows; `object_id` is a row id of the app that owns `kind`."""

    kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField()
    title = models.CharField(max_length=200)
    text = models.CharField(max_length=500, blank=True)
    path = PathField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="search_entry_once")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.object_id} {self.title}"
