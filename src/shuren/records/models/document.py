"""Documents of learning: states, and profiles of activities and agents, kept as they were sent."""

from django.db import models

from shuren.records.rules.documents import DocumentKind


class Document(models.Model):
    """One document. `key` is the digest of all that tells it apart, `shelf` of what a list of documents is asked by.

    `person` is who it is about where the agent is somebody of this installation.
    """

    key = models.CharField(max_length=64, unique=True)
    shelf = models.CharField(max_length=64, db_index=True)
    kind = models.CharField(max_length=8, choices=[(kind.value, kind.name) for kind in DocumentKind])
    space = models.CharField(max_length=100, blank=True)
    activity = models.TextField(blank=True)
    agent = models.TextField(blank=True)
    registration = models.CharField(max_length=36, blank=True)
    document_id = models.TextField()
    person = models.ForeignKey("directory.Person", on_delete=models.CASCADE, null=True, related_name="+")
    content_type = models.CharField(max_length=255)
    content = models.BinaryField()
    etag = models.CharField(max_length=40)
    client_id = models.CharField(max_length=100)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.document_id}"
