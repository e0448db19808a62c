"""Kept counters, read."""

from collections.abc import Collection

from shuren.directory.data import CountKind
from shuren.directory.models import OrgCount


def count_of(org_id: int, kind: CountKind) -> int:
    """The kept count of an org and everything below it; 0 where nothing was counted."""
    return OrgCount.objects.filter(org_id=org_id, kind=kind.value).values_list("value", flat=True).first() or 0


def counts_of(org_ids: Collection[int]) -> dict[int, dict[CountKind, int]]:
    found: dict[int, dict[CountKind, int]] = {id: {} for id in org_ids}
    rows = OrgCount.objects.filter(org_id__in=org_ids, kind__in=[kind.value for kind in CountKind])
    for org_id, kind, value in rows.values_list("org_id", "kind", "value"):
        found[org_id][CountKind(kind)] = value
    return found
