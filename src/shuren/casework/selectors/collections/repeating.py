"""Collections that come again by themselves, and when."""

from django.db.models import QuerySet

from shuren.casework.data import CollectionState, DefinitionStatus
from shuren.casework.models import Collection
from shuren.casework.rules.periods import Period, next_period
from shuren.kernel.clock import day_of


def repeating_collections() -> QuerySet[Collection]:
    """Those that another one is to follow: none has yet, they were not called off, and their definition is in force."""
    rows = Collection.objects.filter(definition__status=DefinitionStatus.IN_FORCE.value, followed_by__isnull=True)
    return rows.exclude(repeats="").exclude(state=CollectionState.CANCELLED.value)


def next_period_of(row: Collection) -> Period | None:
    """The period whose begin brings the next one, never that for which `row` was issued ahead of time; None where none comes."""
    if not row.repeats or not repeating_collections().filter(pk=row.pk).exists():
        return None
    coming = next_period(row.repeats, day_of(row.issued_at))
    return next_period(row.repeats, coming.begin) if coming.label == row.period else coming
