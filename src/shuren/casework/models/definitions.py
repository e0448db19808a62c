"""What is defined as data: packs as installed, definitions, and every version that something once ran on."""

from django.db import models
from django.utils.translation import get_language

from shuren.casework.data import DefinitionKind, DefinitionStatus
from shuren.kernel.fields import BytewiseField, PathField


def title_in(title_zh: str, title_en: str) -> str:
    """One of the two, by the reader's language; Chinese where there is no English."""
    return title_en if title_en and (get_language() or "").startswith("en") else title_zh


class Pack(models.Model):
    """A pack as installed; `digest` is over all its files, the region's overrides included."""

    key = models.CharField(max_length=60, primary_key=True)
    title_zh = models.CharField(max_length=120)
    title_en = models.CharField(max_length=120, blank=True)
    version = models.CharField(max_length=20)
    digest = models.CharField(max_length=64)
    overridden = models.JSONField(default=list)
    rows = models.JSONField(default=dict)
    installed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.key} {self.version}"

    @property
    def title(self) -> str:
        """In the reader's language."""
        return title_in(self.title_zh, self.title_en)


class Definition(models.Model):
    """A form, flow, register … by its key; `pack` is empty for what was built on the page, which belongs to `org_id`."""

    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in DefinitionKind])
    key = BytewiseField(max_length=100)
    title_zh = models.CharField(max_length=120)
    title_en = models.CharField(max_length=120, blank=True)
    status = models.CharField(max_length=10, choices=[(status.value, status.value) for status in DefinitionStatus])
    pack = models.ForeignKey(Pack, on_delete=models.PROTECT, null=True, related_name="definitions")
    org = models.ForeignKey("directory.Org", on_delete=models.PROTECT, null=True, related_name="+")
    org_path = PathField(blank=True)
    current = models.ForeignKey("DefinitionVersion", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="definition_once")]
        indexes = [models.Index(fields=["kind", "org_path"], name="definition_place")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"

    @property
    def title(self) -> str:
        """In the reader's language."""
        return title_in(self.title_zh, self.title_en)


class DefinitionVersion(models.Model):
    """The body of a definition as it was from `made_at` on; never changed once something runs on it."""

    definition = models.ForeignKey(Definition, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    body = models.JSONField()
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    made_by_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["definition", "number"], name="definition_version_once")]

    def __str__(self) -> str:
        return f"{self.definition_id} v{self.number}"
