"""Sweeping: files that nothing points to, and snapshots that nobody can still be reading."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from shuren.datahub.data import Sweep
from shuren.datahub.models import ArchivedFile, Dataset, StoredSnapshot
from shuren.datahub.selectors.catalogue import spec_named
from shuren.datahub.selectors.storage import store
from shuren.datahub.services.write import locked_dataset
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import NotFound

GRACE = timedelta(hours=1)


def sweep(*, now: datetime, grace: timedelta = GRACE, actor: Actor = SYSTEM) -> Sweep:
    """Remove superseded snapshots and orphaned files older than `grace`; kept snapshots and held datasets stay.

    A dataset's `keep_days` lengthen the grace of its snapshots. The row goes before the file: a kill between the two
    leaves an orphan, which the next sweep takes.
    """
    snapshots, freed = 0, 0
    for dataset in Dataset.objects.filter(held_reason="", snapshots__is_current=False).distinct().order_by("pk"):
        count, size = _sweep_snapshots(dataset, now - max(grace, timedelta(days=_keep_days(dataset))))
        snapshots, freed = snapshots + count, freed + size
    files, orphaned = _sweep_orphans(now - grace)
    swept = Sweep(snapshots=snapshots, files=files, bytes=freed + orphaned)
    if snapshots or files:
        audit.record(
            actor=actor,
            action="datahub.lake_swept",
            target="lake:0",
            details={"snapshots": snapshots, "files": files, "bytes": swept.bytes},
            now=now,
        )
    return swept


def hold_dataset(dataset: str, *, reason: str, actor: Actor, now: datetime) -> None:
    """Nothing of the dataset is swept until it is released: a court, an audit or an appeal needs it as it was."""
    _set_hold(dataset, reason.strip()[:200] or "-", "datahub.dataset_held", actor, now)


def release_dataset(dataset: str, *, actor: Actor, now: datetime) -> None:
    _set_hold(dataset, "", "datahub.dataset_released", actor, now)


@transaction.atomic
def _set_hold(dataset: str, reason: str, action: str, actor: Actor, now: datetime) -> None:
    stored = locked_dataset(spec_named(dataset))
    if stored.held_reason != reason:
        Dataset.objects.filter(pk=stored.pk).update(held_reason=reason)
        audit.record(actor=actor, action=action, target=f"dataset:{stored.name}", details={"reason": reason}, now=now)


def _keep_days(dataset: Dataset) -> int:
    try:
        return spec_named(dataset.name).keep_days
    except NotFound:
        return dataset.keep_days


def _sweep_snapshots(dataset: Dataset, before: datetime) -> tuple[int, int]:
    count = freed = 0
    old = StoredSnapshot.objects.filter(dataset=dataset, is_current=False, is_kept=False, superseded_at__lt=before)
    for stored in old.order_by("pk"):
        if not _forget(stored):
            continue
        store().remove(stored.file)
        count += 1
        freed += stored.bytes
    return count, freed


@transaction.atomic
def _forget(stored: StoredSnapshot) -> bool:
    """Take the row away, and note up to when the dataset's past can no longer be read whole."""
    held = Dataset.objects.select_for_update().get(pk=stored.dataset_id)
    if held.held_reason:
        return False
    deleted, _rows = StoredSnapshot.objects.filter(pk=stored.pk, is_current=False, is_kept=False).delete()
    if deleted:
        earlier = Q(forgotten_until__isnull=True) | Q(forgotten_until__lt=stored.superseded_at)
        Dataset.objects.filter(earlier, pk=stored.dataset_id).update(forgotten_until=stored.superseded_at)
    return bool(deleted)


def _sweep_orphans(before: datetime) -> tuple[int, int]:
    lake = store()
    names = sorted(lake.files_before(before))
    known: set[str] = set()
    for start in range(0, len(names), 500):
        some = names[start : start + 500]
        known.update(StoredSnapshot.objects.filter(file__in=some).values_list("file", flat=True))
        known.update(
            ArchivedFile.objects.filter(file__in=some, archive__destroyed_at__isnull=True).values_list("file", flat=True)
        )
    orphans = [name for name in names if name not in known]
    return len(orphans), sum(lake.remove(name) for name in orphans)
