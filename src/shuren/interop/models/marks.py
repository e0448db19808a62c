"""The gradebook that systems keep here over OneRoster: line items, results and what they refer to."""

from django.db import models

from shuren.kernel.fields import BytewiseField, PathField


class Mark(models.Model):
    """One object of a gradebook as its system wrote it; `kind` is the name of its collection.

    `owner` is the app that wrote it and alone reads it, empty for the house's own systems, which share theirs. `body` holds
    what the standard has a field for; the columns beside it repeat what is looked up.
    """

    owner = BytewiseField(max_length=64, blank=True)
    kind = models.CharField(max_length=24)
    sourced_id = BytewiseField(max_length=64)
    body = models.JSONField(default=dict)
    org_path = PathField()
    class_org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, null=True, related_name="+")
    person = models.ForeignKey("directory.Person", on_delete=models.PROTECT, null=True, related_name="+")
    line_item = BytewiseField(max_length=64, blank=True)
    modified_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "kind", "sourced_id"], name="mark_once")]
        indexes = [
            models.Index(fields=["class_org", "kind", "owner"], name="mark_class"),
            models.Index(fields=["line_item", "kind", "owner"], name="mark_line_item"),
            models.Index(fields=["owner", "kind", "modified_at"], name="mark_modified"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.sourced_id}"
