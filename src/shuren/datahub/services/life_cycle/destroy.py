"""Carrying out what two people decided: rows first, then files, then a look, then the certificate.

Whatever the moment of a kill, the next run goes on where it stopped: the list of files is written in the same transaction that
takes their rows away, each file is marked once it is gone, and the certificate is made in the transaction that ends it.
"""

from datetime import datetime, timedelta

from django.db import transaction

from shuren.datahub.data import ArchiveState, DestructionState
from shuren.datahub.models import ArchivedFile, ArchivedPartition, Dataset, DestroyedFile, Destruction, StoredSnapshot
from shuren.datahub.selectors.life_cycle import held_reason_of
from shuren.datahub.selectors.storage import store
from shuren.datahub.services.life_cycle.certify import certify_destruction
from shuren.datahub.services.life_cycle.decide import destruction_details, refuse_undue
from shuren.datahub.services.sweep import GRACE
from shuren.kernel import audit, events
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict

LATER = GRACE + timedelta(minutes=5)


def carry_out_destruction(*, destruction_id: int, now: datetime, actor: Actor = SYSTEM) -> DestructionState:
    """Destroy and certify; returns where it stands then. Publishes `datahub.data_destroyed` with the certificate.

    It stays `APPROVED` while the dataset is held; it goes back (`REFUSED`) where something changed since it was approved.
    It stays `RUNNING` where a file that no row names is too young to be told from one that is being written: look again
    after `LATER`.
    """
    row = Destruction.objects.get(pk=destruction_id)
    if row.state == DestructionState.APPROVED:
        row = _begin(row, actor, now)
    if row.state == DestructionState.RUNNING:
        _remove(row, now)
        if _is_gone(row, now):
            row = certify_destruction(row, actor=actor, now=now)
    return DestructionState(row.state)


def unfinished() -> list[int]:
    """Destructions that were approved and have no certificate yet."""
    rows = Destruction.objects.filter(state__in=[DestructionState.APPROVED, DestructionState.RUNNING])
    return list(rows.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _begin(row: Destruction, actor: Actor, now: datetime) -> Destruction:
    """Put down every file and take its row away: from here on no reader finds it."""
    stored = Dataset.objects.select_for_update().get(name=row.dataset)
    row.refresh_from_db()
    if row.state != DestructionState.APPROVED or held_reason_of(row.dataset):
        return row
    try:
        refuse_undue(row, now)
    except Conflict as changed:
        row.state, row.reason = DestructionState.REFUSED.value, str(changed)[:500]
        row.decided_by, row.decided_at = None, now
        row.save(update_fields=["state", "reason", "decided_by", "decided_at"])
        details = destruction_details(row, reason=row.reason[:200])
        target = f"destruction:{row.pk}"
        audit.record(actor=actor, action="datahub.destruction_refused", target=target, details=details, now=now)
        return row
    partitions = [line[0] for line in row.partitions]
    snapshots = StoredSnapshot.objects.filter(dataset=stored, partition__in=partitions)
    archives = ArchivedPartition.objects.filter(dataset=row.dataset, partition__in=partitions, destroyed_at__isnull=True)
    archived = ArchivedFile.objects.filter(archive__in=archives).select_related("archive")
    files = [_snapshot_file(row, one) for one in snapshots.order_by("pk")]
    DestroyedFile.objects.bulk_create([*files, *(_archived_file(row, one) for one in archived.order_by("pk"))])
    snapshots.delete()
    archived.update(key_sealed=None)
    archives.update(state=ArchiveState.DESTROYED.value, destroyed_at=now)
    # The past of these partitions can no longer be read whole, and nobody is told that it is merely empty.
    Dataset.objects.filter(pk=stored.pk).update(forgotten_until=now)
    row.state, row.began_at = DestructionState.RUNNING.value, now
    row.save(update_fields=["state", "began_at"])
    details, target = destruction_details(row, files=row.files.count()), f"destruction:{row.pk}"
    audit.record(actor=actor, action="datahub.destruction_begun", target=target, details=details, now=now)
    for partition in partitions:
        events.publish("datahub.partition_dropped", {"dataset": row.dataset, "partition": _values(partition)}, now=now)
    return row


def _remove(row: Destruction, now: datetime) -> None:
    """Each file is marked once it is gone; one that is gone already is marked again."""
    for one in row.files.filter(removed_at__isnull=True).order_by("pk"):
        store().remove(one.file)
        _marked(one, now)


def _marked(one: DestroyedFile, now: datetime) -> None:
    DestroyedFile.objects.filter(pk=one.pk).update(removed_at=now)


def _is_gone(row: Destruction, now: datetime) -> bool:
    """Look once more: no file of the list is there, and none beside them that no row names.

    Such a file may be a copy that a kill left. What is older than the grace is taken too; what is younger may be a write
    under way, which is waited for.
    """
    lake = store()
    there = {file for folder in _folders(row) for file, _at in lake.files_under(folder)}
    left = row.files.filter(file__in=there)
    if left.update(removed_at=None):
        _remove(row, now)
        return False
    for folder in _folders(row):
        for file, at in lake.files_under(folder):
            if _is_named(file):
                continue
            if at > now - GRACE:
                return False
            lake.remove(file)
    return True


def _folders(row: Destruction) -> list[str]:
    names = [f"{row.dataset}/{line[0]}" for line in row.partitions]
    return [*names, *(f"archive/{name}" for name in names)]


def _is_named(file: str) -> bool:
    archived = ArchivedFile.objects.filter(file=file, archive__destroyed_at__isnull=True)
    return StoredSnapshot.objects.filter(file=file).exists() or archived.exists()


def _snapshot_file(row: Destruction, one: StoredSnapshot) -> DestroyedFile:
    return DestroyedFile(
        destruction=row,
        kind="snapshot",
        partition=one.partition,
        file=one.file,
        rows=one.rows,
        bytes=one.bytes,
        sha256=one.sha256,
        written_at=one.created_at,
    )


def _archived_file(row: Destruction, one: ArchivedFile) -> DestroyedFile:
    return DestroyedFile(
        destruction=row,
        kind="archived",
        partition=one.archive.partition,
        file=one.file,
        rows=one.rows,
        bytes=one.stored_bytes,
        sha256=one.stored_sha256,
        written_at=one.written_at,
    )


def _values(partition: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in partition.split("/"))
