"""A partition leaves the lake for the archive: sealed files first, looked at once more, then one switch."""

import os
import uuid
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.db import transaction
from django.db.models import Q

from shuren.datahub.data import ArchiveState
from shuren.datahub.models import ArchivedFile, ArchivedPartition, Dataset, StoredSnapshot
from shuren.datahub.rules.sealed_files import opened_blocks, sealed_blocks
from shuren.datahub.selectors.storage import store
from shuren.kernel import audit, events
from shuren.kernel.data import SYSTEM, Actor
from shuren.trust import api as trust

PURPOSE = "datahub.archive"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class _Sealed:
    snapshot: StoredSnapshot
    file: str
    key: bytes
    bytes: int
    sha256: str


def archive_partition(dataset: str, partition: str, *, now: datetime, actor: Actor = SYSTEM) -> ArchivedPartition | None:
    """Move what is current or kept of a partition into the archive; publishes `datahub.partition_archived`.

    None where the dataset is held, nothing is there, or it was written meanwhile. What was only called back is put away again
    without writing it anew. Readers who are at it finish: the sweep takes the files within the hour. A kill before the switch
    leaves sealed files that no row names, which the sweep takes.
    """
    rows = _leaving(dataset, partition)
    if not rows:
        return None
    returned = _returned(dataset, partition, rows, actor, now)
    if returned is not None:
        return returned
    sealed = [_seal(row) for row in rows]
    try:
        made = _switch(dataset, partition, sealed, actor, now)
    except BaseException:
        _discard(sealed)
        raise
    if made is None:
        _discard(sealed)
    return made


def _leaving(dataset: str, partition: str) -> list[StoredSnapshot]:
    rows = StoredSnapshot.objects.filter(dataset__name=dataset, partition=partition)
    return list(rows.filter(Q(is_current=True) | Q(is_kept=True)).order_by("pk"))


def _seal(row: StoredSnapshot) -> _Sealed:
    """Write the sealed file, then read it back: nothing leaves the lake before its copy was seen whole."""
    key = os.urandom(_KEY_BYTES)
    folder = row.file.rpartition("/")[0]
    file = f"archive/{folder}/{uuid.uuid4().hex}.sealed"
    with store().writing(file) as sink, store().open(row.file) as source:
        for block in sealed_blocks(source, key=key):
            sink.write(block)
    found = sha256()
    with store().open(file) as source:
        for block in opened_blocks(source, key=key):
            found.update(block)
    if found.hexdigest() != row.sha256:
        store().remove(file)
        raise RuntimeError(f"{row.file} holds other bytes than were written; it was not archived")
    return _Sealed(row, file, key, sink.bytes, sink.sha256)


@transaction.atomic
def _switch(dataset: str, partition: str, sealed: list[_Sealed], actor: Actor, now: datetime) -> ArchivedPartition | None:
    stored = Dataset.objects.select_for_update().get(name=dataset)
    rows = [one.snapshot for one in sealed]
    if stored.held_reason or _marks(_leaving(dataset, partition)) != _marks(rows):
        return None
    made = ArchivedPartition.objects.create(
        dataset=dataset,
        partition=partition,
        partition_values=rows[0].partition_values,
        state=ArchiveState.ARCHIVED.value,
        rows=sum(row.rows for row in rows if row.is_current),
        bytes=sum(row.bytes for row in rows if row.is_current),
        written_at=max(row.created_at for row in rows),
        archived_at=now,
    )
    ArchivedFile.objects.bulk_create([_row(made, one) for one in sealed])
    _put_away(rows, now)
    details = {"dataset": dataset, "partition": partition, "rows": made.rows, "files": len(sealed)}
    target = f"archived_partition:{made.pk}"
    audit.record(actor=actor, action="datahub.partition_archived", target=target, details=details, now=now)
    events.publish("datahub.partition_archived", {"dataset": dataset, "partition": dict(made.partition_values)}, now=now)
    return made


def _row(archive: ArchivedPartition, one: _Sealed) -> ArchivedFile:
    row = one.snapshot
    return ArchivedFile(
        archive=archive,
        file=one.file,
        key_sealed=trust.seal(one.key, purpose=PURPOSE),
        snapshot_id=row.pk,
        piece=row.piece,
        columns=row.columns,
        rows=row.rows,
        bytes=row.bytes,
        sha256=row.sha256,
        stored_bytes=one.bytes,
        stored_sha256=one.sha256,
        written_at=row.created_at,
        was_current=row.is_current,
        was_kept=row.is_kept,
    )


@transaction.atomic
def _returned(dataset: str, partition: str, rows: list[StoredSnapshot], actor: Actor, now: datetime) -> ArchivedPartition | None:
    """The archive that just these files were called back from, put away again; None where they are others."""
    stored = Dataset.objects.select_for_update().get(name=dataset)
    called = ArchivedPartition.objects.filter(dataset=dataset, partition=partition, state=ArchiveState.RECALLED).last()
    if called is None or stored.held_reason:
        return None
    if set(called.files.values_list("snapshot_id", flat=True)) != {row.pk for row in rows}:
        return None
    _put_away(rows, now)
    called.state, called.recalled_until = ArchiveState.ARCHIVED.value, None
    called.save(update_fields=["state", "recalled_until"])
    details = {"dataset": dataset, "partition": partition, "rows": called.rows, "files": 0}
    target = f"archived_partition:{called.pk}"
    audit.record(actor=actor, action="datahub.partition_archived", target=target, details=details, now=now)
    return called


def _put_away(rows: list[StoredSnapshot], now: datetime) -> None:
    ids = [row.pk for row in rows]
    StoredSnapshot.objects.filter(pk__in=ids, is_current=True).update(is_current=False, superseded_at=now)
    StoredSnapshot.objects.filter(pk__in=ids, is_kept=True).update(is_kept=False)


def _marks(rows: list[StoredSnapshot]) -> set[tuple[int, bool, bool]]:
    return {(row.pk, row.is_current, row.is_kept) for row in rows}


def _discard(sealed: list[_Sealed]) -> None:
    for one in sealed:
        store().remove(one.file)
