"""What every row that a roster may write has in common, and the imports that write them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

from django.db import models

from shuren.kernel import clock
from shuren.kernel.fields import BytewiseField


def choices(kind: type) -> list[tuple[str, str]]:
    return [(member.value, member.value) for member in kind]  # type: ignore[attr-defined]  # every caller passes a StrEnum


RowT = TypeVar("RowT", bound=models.Model)


def moment() -> datetime:
    """Now, rounded up to the millisecond in which others are told of a change: whoever asks for what came after, finds it."""
    now = clock.now()
    return now + timedelta(microseconds=-now.microsecond % 1000)


class RosterQuerySet(models.QuerySet[RowT]):
    """Rows that a roster may write."""

    def visible(self) -> Self:
        """Without the rows of an import that is still being written; every read outside the importer starts here."""
        return self.exclude(import_id__in=PendingRoster.objects.values("import_id"))

    def update(self, **changes: Any) -> int:
        """Every change of a roster row says when it was made."""
        if issubclass(self.model, Roster):
            changes.setdefault("modified_at", moment())
        return super().update(**changes)

    def bulk_create(self, objs: Iterable[RowT], *args: Any, **options: Any) -> list[RowT]:
        rows, at = list(objs), moment()
        for row in rows:
            if isinstance(row, Roster) and row.import_id is None:
                row.modified_at = row.modified_at or at
        return super().bulk_create(rows, *args, **options)


class Roster(models.Model):
    """What every row that a roster may write has in common.

    `modified_at` is when the row was last written by hand, or changed or ended by an import. An import that adds a row leaves
    it empty: the row is as old as the import (`AppliedRoster.applied_at`), and adding millions costs nothing more.
    """

    sourced_id = BytewiseField(max_length=64)
    row_hash = models.BinaryField(max_length=16, default=b"")
    import_id = models.BigIntegerField(null=True)
    modified_at = models.DateTimeField(null=True, editable=False)

    objects = RosterQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(
        self,
        *,
        force_insert: bool | tuple[models.base.ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        self.modified_at = moment()
        super().save(
            force_insert=force_insert,
            force_update=force_update,
            using=using,
            update_fields=None if update_fields is None else {*update_fields, "modified_at"},
        )


class Tie(Roster):
    """A row that says where a person belongs: written by hand, it changes what is told of the person too."""

    class Meta:
        abstract = True

    def save(self, **options: Any) -> None:
        super().save(**options)
        person = self._meta.get_field("person").related_model
        assert isinstance(person, type)
        person._default_manager.filter(pk=self.person_id).update(modified_at=self.modified_at)  # type: ignore[attr-defined]


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
    """A roster that was applied: what it added (id ranges per table) and when, for the time it may be undone.

    `shown_at` is when its rows could first be read; empty for rosters older than the column.
    """

    import_id = models.BigIntegerField(primary_key=True)
    ranges = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    applied_at = models.DateTimeField()
    shown_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"import {self.import_id} {self.applied_at:%Y-%m-%d}"
