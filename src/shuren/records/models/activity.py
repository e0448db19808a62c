"""What activities are called and hold, as clients told that may define them."""

from django.db import models


class ActivityDefinition(models.Model):
    """The merged definition of one activity as JSON in ASCII, which takes every letter a client may send.

    `key` is the digest of its IRI, which may be longer than an index takes.
    """

    key = models.CharField(max_length=64, unique=True)
    iri = models.TextField()
    definition = models.TextField(default="{}")
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.iri
