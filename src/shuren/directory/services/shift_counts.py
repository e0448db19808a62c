"""Keep the counters right when one row changes; big changes are recounted by a job instead."""

from collections.abc import Collection

from django.db.models import F

from shuren.directory.data import CountKind
from shuren.directory.models import OrgCount


def shift_counts(org_ids: Collection[int], kind: CountKind, by: int) -> None:
    """Add `by` to the counters of each org, making those that do not exist yet."""
    OrgCount.objects.bulk_create([OrgCount(org_id=org_id, kind=kind.value, value=0) for org_id in org_ids], ignore_conflicts=True)
    OrgCount.objects.filter(org_id__in=org_ids, kind=kind.value).update(value=F("value") + by)
