"""The catalogue of what data there is, the runs that moved it, and the edges that runs leave."""

from django.db import models
from django.utils.translation import get_language

from shuren.datahub.data import AssetKind, RunState
from shuren.kernel.fields import BytewiseField

KINDS = [(kind.value, kind.value) for kind in AssetKind]


class CatalogueAsset(models.Model):
    """One thing of the catalogue. `digest` is over what was said of it: nothing is written while that stays.

    `is_declared` is False for what only runs have named. `words` is what a search looks through.
    """

    kind = models.CharField(max_length=10, choices=KINDS)
    name = models.CharField(max_length=400)
    key = BytewiseField(max_length=420, unique=True)
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True)
    owner = models.CharField(max_length=80, blank=True)
    grade = models.CharField(max_length=2, blank=True)
    description = models.CharField(max_length=500, blank=True)
    words = models.TextField(blank=True)
    column_count = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=200, blank=True)
    is_declared = models.BooleanField(default=True)
    added_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["kind", "title_zh", "id"], name="asset_kind"),
            models.Index(fields=["title_zh", "id"], name="asset_title"),
            models.Index(fields=["owner", "id"], name="asset_owner"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def title(self) -> str:
        """In the reader's language."""
        return self.title_en if self.title_en and (get_language() or "").startswith("en") else self.title_zh


class CatalogueColumn(models.Model):
    """One column of an asset, in its place."""

    asset = models.ForeignKey(CatalogueAsset, on_delete=models.CASCADE, related_name="columns")
    position = models.PositiveIntegerField()
    name = BytewiseField(max_length=200)
    type = models.CharField(max_length=60, blank=True)
    title_zh = models.CharField(max_length=200, blank=True)
    title_en = models.CharField(max_length=200, blank=True)
    element = models.CharField(max_length=80, blank=True)
    grade = models.CharField(max_length=2, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["asset", "name"], name="asset_column_once")]
        indexes = [
            models.Index(fields=["asset", "position"], name="asset_column_place"),
            models.Index(fields=["name"], name="asset_column_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        """In the reader's language."""
        return self.title_en if self.title_en and (get_language() or "").startswith("en") else self.title_zh


class LineageRun(models.Model):
    """One run of a job: what it read, what it wrote, and which column went where; written once by our own jobs.

    `inputs`, `outputs` are keys of assets, `flows` lists of [source key, source column, target key, target column].
    `facts` says which of many runs it was, ids only. `folded_at` is empty until its edges are known.
    """

    run_id = models.CharField(max_length=80)
    namespace = models.CharField(max_length=300)
    job = models.CharField(max_length=300)
    key = models.CharField(max_length=160, null=True, unique=True)
    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in RunState])
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    inputs = models.JSONField(default=list)
    outputs = models.JSONField(default=list)
    flows = models.JSONField(default=list)
    sql = models.TextField(blank=True)
    producer = models.CharField(max_length=300, blank=True)
    facts = models.JSONField(default=dict)
    is_ours = models.BooleanField(default=True)
    is_counted = models.BooleanField(default=False)
    folded_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run_id", "namespace", "job"], name="lineage_run_once")]
        indexes = [
            models.Index(fields=["id"], name="lineage_run_unfolded", condition=models.Q(folded_at__isnull=True)),
            models.Index(fields=["next_at", "id"], name="lineage_run_due", condition=models.Q(next_at__isnull=False)),
            models.Index(fields=["began_at"], name="lineage_run_began"),
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.run_id}"


class LineageEvent(models.Model):
    """An event that came in, as it came: `mark` tells whether it came before."""

    mark = models.CharField(max_length=64, unique=True)
    body = models.JSONField()
    client_id = models.CharField(max_length=100, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["received_at"], name="lineage_event_age")]

    def __str__(self) -> str:
        return self.mark


class LineageTouch(models.Model):
    """That a run read or wrote an asset: how the runs of an asset are found."""

    run = models.ForeignKey(LineageRun, on_delete=models.CASCADE, related_name="touches")
    asset = models.ForeignKey(CatalogueAsset, on_delete=models.CASCADE, related_name="touches")
    is_output = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["asset", "run", "is_output"], name="lineage_touch_once")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.asset_id}"


class LineageEdge(models.Model):
    """Values went from `source` to `target`; both columns empty for the whole. `runs` counts, 0 for what is only defined."""

    source = models.ForeignKey(CatalogueAsset, on_delete=models.CASCADE, related_name="edges_out")
    target = models.ForeignKey(CatalogueAsset, on_delete=models.CASCADE, related_name="edges_in")
    source_column = BytewiseField(max_length=200, blank=True)
    target_column = BytewiseField(max_length=200, blank=True)
    job = models.CharField(max_length=300, blank=True)
    runs = models.BigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    is_defined = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "target", "source_column", "target_column"], name="lineage_edge_once")
        ]
        indexes = [
            models.Index(fields=["target", "target_column", "source"], name="lineage_edge_in"),
            models.Index(fields=["source", "source_column", "target"], name="lineage_edge_out"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id}.{self.source_column} {self.target_id}.{self.target_column}"
