"""What every row that a roster may write has in common, and the imports that write them."""

from typing import Self, TypeVar

from django.db import models

from shuren.kernel.fields import BytewiseField


def choices(kind: type) -> list[tuple[str, str]]:
    return [(member.value, member.value) for member in kind]  # type: ignore[attr-defined]  # every caller passes a StrEnum


RowT = TypeVar("RowT", bound=models.Model)


class RosterQuerySet(models.QuerySet[RowT]):
    """Rows that a roster may write."""

    def visible(self) -> Self:
        """Without the rows of an import that is still being written; every read outside the importer starts here."""
        return self.exclude(import_id__in=PendingRoster.objects.values("import_id"))


class Roster(models.Model):
    """What every row that a roster may write has in common."""

    sourced_id = BytewiseField(max_length=64)
    row_hash = models.BinaryField(max_length=16, default=b"")
    import_id = models.BigIntegerField(null=True)

    objects = RosterQuerySet.as_manager()

    class Meta:
        abstract = True


class PendingRoster(models.Model):
    """A roster being written in batches; deleting this row is the switch that shows all its rows at once.

    `ranges` names the ids reserved per table, so that a killed import is undone by them.
    """

    import_id = models.BigIntegerField(primary_key=True)
    ranges = models.JSONField(default=dict)
    begun_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"import {self.import_id}"


class AppliedRoster(models.Model):
    """A roster that was applied: what it added (id ranges per table) and when, for the time it may be undone."""

    import_id = models.BigIntegerField(primary_key=True)
    ranges = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    applied_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"import {self.import_id} {self.applied_at:%Y-%m-%d}"
