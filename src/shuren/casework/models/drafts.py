"""What is being built on the page and not yet in force."""

from django.db import models

from shuren.casework.data import DefinitionKind
from shuren.casework.models.definitions import Definition
from shuren.kernel.fields import PathField


class DefinitionDraft(models.Model):
    """A body as far as it was built, kept while somebody types; `definition` is what it will be a new version of, if any.

    `revision` grows with every save, so that two who build the same draft are told apart.
    """

    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in DefinitionKind])
    definition = models.OneToOneField(Definition, on_delete=models.CASCADE, null=True, related_name="draft")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    org_path = PathField()
    title = models.CharField(max_length=120)
    body = models.JSONField()
    revision = models.PositiveIntegerField(default=1)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    changed_by_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["org_path", "-changed_at"], name="definition_draft_place")]

    def __str__(self) -> str:
        return f"{self.kind} {self.title}"
