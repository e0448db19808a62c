"""Sweeping: files that nothing points to, and snapshots that nobody can still be reading."""

from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction

from shuren.datahub.data import Sweep
from shuren.datahub.models import StoredSnapshot
from shuren.datahub.selectors.snapshots import lake_folder, path_of
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM, Actor

GRACE = timedelta(hours=1)


def sweep(*, now: datetime, grace: timedelta = GRACE, actor: Actor = SYSTEM) -> Sweep:
    """Remove superseded snapshots and orphaned files older than `grace`; kept snapshots stay.

    The row goes before the file: a kill between the two leaves an orphan, which the next sweep takes.
    """
    snapshots, freed = _sweep_snapshots(now - grace)
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


def _sweep_snapshots(before: datetime) -> tuple[int, int]:
    count = freed = 0
    for stored in StoredSnapshot.objects.filter(is_current=False, is_kept=False, superseded_at__lt=before).order_by("pk"):
        with transaction.atomic():
            deleted, _rows = StoredSnapshot.objects.filter(pk=stored.pk, is_current=False, is_kept=False).delete()
        if deleted:
            path_of(stored).unlink(missing_ok=True)
            count += 1
            freed += stored.bytes
    return count, freed


def _sweep_orphans(before: datetime) -> tuple[int, int]:
    candidates = {path.relative_to(lake_folder()).as_posix(): path for path in _old_files(before)}
    known: set[str] = set()
    names = sorted(candidates)
    for start in range(0, len(names), 500):
        known.update(StoredSnapshot.objects.filter(file__in=names[start : start + 500]).values_list("file", flat=True))
    freed = 0
    orphans = [candidates[name] for name in names if name not in known]
    for path in orphans:
        freed += path.stat().st_size
        path.unlink(missing_ok=True)
    return len(orphans), freed


def _old_files(before: datetime) -> list[Path]:
    folder = lake_folder()
    if not folder.exists():
        return []
    found = [*folder.rglob("*.parquet"), *folder.rglob("*.parquet.tmp")]
    return [path for path in found if path.stat().st_mtime < before.timestamp()]
