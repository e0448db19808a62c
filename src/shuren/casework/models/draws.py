"""Double-random draws, as published: the frozen pools, what was committed before, what came later, the result."""

from django.db import models

from shuren.casework.data import DrawState
from shuren.casework.models.definitions import DefinitionVersion
from shuren.kernel.fields import PathField


class Draw(models.Model):
    """A draw. `commitment` is the digest of the sealed `secret`; with `contribution` it makes the seed.

    `objects_pool` and `inspectors_pool` are the pools in the order in which they were frozen, `result` what came out.
    `statement` is all that was published before anybody contributed; it and the contribution stand in the evidence log.
    """

    title = models.CharField(max_length=200)
    definition_version = models.ForeignKey(DefinitionVersion, on_delete=models.PROTECT, null=True, related_name="+")
    purpose = models.CharField(max_length=20, default="inspection")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    org_path = PathField()
    state = models.CharField(max_length=12, choices=[(state.value, state.value) for state in DrawState])
    rules = models.JSONField(default=dict)
    objects_pool = models.JSONField(default=list)
    inspectors_pool = models.JSONField(default=list)
    pools_digest = models.CharField(max_length=64, blank=True)
    secret_sealed = models.BinaryField(null=True)
    commitment = models.CharField(max_length=64, blank=True)
    statement = models.JSONField(default=dict)
    statement_digest = models.CharField(max_length=64, blank=True)
    statement_entry_id = models.BigIntegerField(null=True)
    contributor = models.CharField(max_length=200, blank=True)
    contributor_person_id = models.BigIntegerField(null=True)
    contributed_at = models.DateTimeField(null=True)
    contribution_entry_id = models.BigIntegerField(null=True)
    reveal_due_at = models.DateTimeField(null=True)
    contribution_due_at = models.DateTimeField(null=True)
    contribution = models.CharField(max_length=500, blank=True)
    secret = models.CharField(max_length=64, blank=True)
    seed = models.CharField(max_length=64, blank=True)
    result = models.JSONField(default=list)
    made_at = models.DateTimeField()
    made_by_id = models.BigIntegerField(null=True)
    committed_at = models.DateTimeField(null=True)
    drawn_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["org_path", "-made_at"], name="draw_place"),
            models.Index(fields=["contributor_person_id", "-made_at"], name="draw_contributor"),
            models.Index(fields=["pools_digest"], name="draw_pools"),
        ]

    def __str__(self) -> str:
        return self.title
