"""When rows of the roster changed: by their own mark, or by the import that added them."""

from collections.abc import Collection
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from shuren.directory.models import AppliedRoster

# Rows older than the marks.
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
# Of so many imports at most the rows are looked for by their ranges of ids.
_RANGED = 40


def import_moments(import_ids: Collection[int | None]) -> dict[int | None, datetime]:
    """When the rows of each import could first be read."""
    rows = AppliedRoster.objects.filter(pk__in=[id for id in import_ids if id is not None])
    return {id: shown or applied for id, applied, shown in rows.values_list("import_id", "applied_at", "shown_at")}


def modified_q(operator: str, moment: datetime, *, table: str, today: date | None) -> Q:
    """Rows whose last change compares so with a moment; with `today` what ended by its date changed at that midnight.

    Everything after a moment is found by indexes: the marks, the ranges of ids of the imports since, the days of ending.
    """
    since, after = _since(moment, table, today, with_same=True), _since(moment, table, today, with_same=False)
    return {
        ">": after,
        ">=": since,
        "<": ~since,
        "<=": ~after,
        "=": since & ~after,
        "!=": ~since | after,
    }[operator]


def _since(moment: datetime, table: str, today: date | None, *, with_same: bool) -> Q:
    comparison = "gte" if with_same else "gt"
    found = Q(**{f"modified_at__{comparison}": moment})
    if moment <= FIRST if with_same else moment < FIRST:
        found |= Q(modified_at__isnull=True)
    else:
        found |= _imported_q(comparison, moment, table)
    if today is not None:
        day = timezone.localdate(moment)
        is_midnight = moment == datetime(day.year, day.month, day.day, tzinfo=_zone())
        found |= Q(**{f"end_date__{'gte' if with_same and is_midnight else 'gt'}": day, "end_date__lte": today})
    return found


def _imported_q(comparison: str, moment: datetime, table: str) -> Q:
    recent = AppliedRoster.objects.annotate(at=Coalesce("shown_at", "applied_at")).filter(**{f"at__{comparison}": moment})
    found = list(recent.values_list("import_id", "ranges"))
    if len(found) > _RANGED:
        return Q(modified_at__isnull=True, import_id__in=[import_id for import_id, _ranges in found])
    condition = Q(pk__in=())
    for import_id, ranges in found:
        first, end = ranges.get(table, (0, 0))
        if end > first:
            condition |= Q(modified_at__isnull=True, import_id=import_id, pk__gte=first, pk__lt=end)
    return condition


def _zone() -> ZoneInfo:
    zone = timezone.get_current_timezone()
    assert isinstance(zone, ZoneInfo)
    return zone
