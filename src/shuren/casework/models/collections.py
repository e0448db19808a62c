"""Collections: a form issued to a branch of the tree, and where each org stands."""

from django.db import models

from shuren.casework.data import CollectionState, TargetState
from shuren.casework.models.cases import Case
from shuren.casework.models.definitions import Definition, DefinitionVersion
from shuren.kernel.fields import PathField


class Collection(models.Model):
    """A form issued by `org` to every org of `types` in its branch `path`; `before` is the last one of the same kind.

    `choice` narrows it further (`rules.collections.Choice`); `frozen_with` says whose data froze: `accepted` or `submitted`.
    `snapshot` is the public id that the partitions in the lake are cut by. The jobs' ids let pages show how far they are.
    With `repeats` (week, month, term, year) another one with `repeat_workdays` to fill it in follows, in the name of the same
    `issued_by_id`; being followed once at most, a period is issued once.
    """

    title = models.CharField(max_length=200)
    note = models.TextField(blank=True)
    definition = models.ForeignKey(Definition, on_delete=models.PROTECT, null=True, related_name="+")
    form_version = models.ForeignKey(DefinitionVersion, on_delete=models.PROTECT, related_name="+")
    flow_version = models.ForeignKey(DefinitionVersion, on_delete=models.PROTECT, null=True, related_name="+")
    period = models.CharField(max_length=40, blank=True)
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    path = PathField()
    types = models.JSONField(default=list)
    filled_by = models.JSONField(default=list)
    choice = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in CollectionState])
    before = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    issued_by_id = models.BigIntegerField(null=True)
    issued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    frozen_at = models.DateTimeField(null=True)
    frozen_with = models.CharField(max_length=10, blank=True)
    repeats = models.CharField(max_length=5, blank=True)
    repeat_workdays = models.PositiveSmallIntegerField(default=0)
    follows = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="followed_by")
    snapshot = models.CharField(max_length=200, blank=True)
    issue_job_id = models.BigIntegerField(null=True)
    urge_job_id = models.BigIntegerField(null=True)
    freeze_job_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["path", "-issued_at"], name="collection_place")]

    def __str__(self) -> str:
        return self.title


class CollectionTarget(models.Model):
    """One org of a collection; the case is made when somebody there begins to fill it in.

    `earlier_case` is what was accepted before it was opened again; `reason` says why an org is exempt, or why it was opened.
    """

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="targets")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, related_name="+")
    org_path = PathField()
    case = models.OneToOneField(Case, on_delete=models.PROTECT, null=True, related_name="target")
    earlier_case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in TargetState])
    due_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    urged_at = models.DateTimeField(null=True)
    urges = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["collection", "org"], name="target_once")]
        indexes = [
            models.Index(fields=["collection", "org_path", "state"], name="target_place"),
            models.Index(fields=["org", "state"], name="target_org"),
        ]

    def __str__(self) -> str:
        return f"{self.collection_id} {self.org_id} {self.state}"
