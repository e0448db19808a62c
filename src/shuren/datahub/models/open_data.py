"""What the region opens to everybody: a dataset with its number, and the versions that were published of it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language

from shuren.datahub.data import OpenState
from shuren.kernel.fields import PathField


class OpenDataset(models.Model):
    """One address under `/open/`, kept for ever. The number comes with the first publication.

    `source` is the dataset of the lake; `words` is what a search looks through.
    """

    number = models.CharField(max_length=20, null=True, unique=True)
    org_id = models.BigIntegerField()
    org_path = PathField()
    source = models.CharField(max_length=80)
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    licence = models.CharField(max_length=40)
    keywords = models.JSONField(default=list)
    words = models.TextField(blank=True)
    opened_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["-opened_at", "-id"], name="open_dataset_newest"),
            models.Index(fields=["source"], name="open_dataset_source"),
        ]

    def __str__(self) -> str:
        return self.number or self.title_zh

    @property
    def title(self) -> str:
        """In the reader's language."""
        return self.title_en if self.title_en and (get_language() or "").startswith("en") else self.title_zh

    @property
    def lake_name(self) -> str:
        """The dataset of the lake that holds what was published."""
        return f"open.{(self.number or '').lower().replace('-', '_')}"


class OpenVersion(models.Model):
    """One declaration on its way to the public: checked, approved by a second person, published once.

    `check_found` is the `OpenCheck`, `preview` the first rows as they would be published, without noise; `digest` is over
    all of them. `rows`, `bytes` and `sha256` are of the Parquet file, `csv_sha256` of the same rows as CSV.
    """

    dataset = models.ForeignKey(OpenDataset, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in OpenState])
    declaration = models.JSONField()
    titles = models.JSONField(default=dict)
    note = models.CharField(max_length=300, blank=True)
    check_found = models.JSONField(default=dict)
    preview = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    checked_at = models.DateTimeField(null=True)
    asked_by = models.BigIntegerField(null=True)
    asked_at = models.DateTimeField(null=True)
    decided_by = models.BigIntegerField(null=True)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    rows = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    csv_bytes = models.BigIntegerField(default=0)
    csv_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "number"], name="open_version_once"),
            models.UniqueConstraint(
                fields=["dataset"], condition=Q(state__in=["draft", "waiting", "refused"]), name="open_version_one_in_hand"
            ),
        ]
        indexes = [models.Index(fields=["state", "-id"], name="open_version_state")]

    def __str__(self) -> str:
        return f"{self.dataset} v{self.number}"
