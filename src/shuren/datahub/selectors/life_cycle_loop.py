"""The closed loop of a dataset: from the runs that collected it to the certificates of what was destroyed, as kept elsewhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Sum

from shuren.datahub.data import AssetKind, AssetRef, DestructionState
from shuren.datahub.models import (
    ArchivedPartition,
    CatalogueAsset,
    Destruction,
    LineageTouch,
    OpenDataset,
    SharingGrant,
    StoredSnapshot,
)
from shuren.kernel import audit

# Questions to the lake are looked for among so many newest entries of so many days.
_ENTRIES = 5_000
ASKED_DAYS = 90
_ASKED = "datahub.lake_asked"


@dataclass(frozen=True, slots=True)
class LoopStage:
    """One stage: how often or how much, and when last; `is_least` where there may be more. `asset_id` is the catalogue's."""

    key: str
    count: int
    last_at: datetime | None
    asset_id: int | None = None
    is_least: bool = False


def loop_of(dataset: str, *, now: datetime) -> list[LoopStage]:
    """The stages in their order: collected, stored, computed, asked, shared, opened, archived, destroyed."""
    asset = CatalogueAsset.objects.filter(key=AssetRef(AssetKind.DATASET, dataset).key).first()
    stored = StoredSnapshot.objects.filter(dataset__name=dataset, is_current=True)
    shared = SharingGrant.objects.filter(dataset=dataset).aggregate(uses=Sum("uses"), last=Max("used_at"))
    opened = OpenDataset.objects.filter(source=dataset, opened_at__isnull=False)
    archived = ArchivedPartition.objects.filter(dataset=dataset)
    destroyed = Destruction.objects.filter(dataset=dataset, state=DestructionState.DONE)
    return [
        _runs("collected", asset, is_output=True),
        LoopStage("stored", stored.values("partition").distinct().count(), stored.aggregate(last=Max("created_at"))["last"]),
        _runs("computed", asset, is_output=False),
        _asked(dataset, now),
        LoopStage("shared", shared["uses"] or 0, shared["last"]),
        LoopStage("opened", opened.count(), opened.aggregate(last=Max("opened_at"))["last"]),
        LoopStage("archived", archived.count(), archived.aggregate(last=Max("archived_at"))["last"]),
        LoopStage("destroyed", destroyed.count(), destroyed.aggregate(last=Max("done_at"))["last"]),
    ]


def _runs(key: str, asset: CatalogueAsset | None, *, is_output: bool) -> LoopStage:
    if asset is None:
        return LoopStage(key, 0, None)
    touches = LineageTouch.objects.filter(asset=asset, is_output=is_output)
    last = touches.select_related("run").order_by("-run_id").first()
    return LoopStage(key, touches.count(), last.run.began_at if last else None, asset.pk)


def _asked(dataset: str, now: datetime) -> LoopStage:
    entries = audit.entries(action=_ASKED, since=now - timedelta(days=ASKED_DAYS))
    looked, count, last = 0, 0, None
    for at, details in entries.values_list("at", "details")[:_ENTRIES]:
        looked += 1
        if dataset in details.get("datasets", ()):
            count, last = count + 1, last or at
    return LoopStage("asked", count, last, is_least=looked == _ENTRIES)
