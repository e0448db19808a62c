"""Whether the audit trail still is what was anchored: entries in the table, files of the archive, and nothing between."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from shuren.kernel.models import AuditEntry
from shuren.trust.data import Business, DigestAlgorithm
from shuren.trust.models import AuditBatch, LogEntry
from shuren.trust.rules.log.archive import ArchivedBatch, fault_of_batch
from shuren.trust.rules.log.merkle import TreeHash, folded, tree_hash
from shuren.trust.selectors.archive import ARCHIVED, UNREADABLE, archive_path, archived_batches, entry_of_line
from shuren.trust.selectors.log import the_log
from shuren.trust.selectors.note_keys import log_keys
from shuren.trust.selectors.trail import TRAIL, bytes_of_audit_entry, ids_of_batch, unbatched_count

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class _Archiving:
    """What the audit trail itself says about a file: when it was written, and its SHA-256 where that was noted."""

    at: datetime
    sha256: str


def faults_of_trail(*, on_progress: Callable[[int], None] = lambda _count: None) -> Iterator[str]:
    """Batches that no longer hold what was anchored, in the table or the archive, and entries that slipped in afterwards."""
    log = the_log()
    if log is None:
        return
    try:
        hasher = tree_hash(DigestAlgorithm(log.hash_algorithm))
    except ValueError as error:
        yield str(error)
        return
    trail = LogEntry.objects.filter(business=Business.AUDIT.value, subject__startswith=TRAIL)
    if trail.filter(audit_batch__isnull=True).exists():
        yield "a batch of the audit trail is gone"
    if unbatched_count() > 0:
        yield f"{unbatched_count()} audit entries slipped in after their neighbours were anchored"
    yield from _faults_of_table(hasher, on_progress)
    yield from _faults_of_archive()


def _faults_of_table(hasher: TreeHash, on_progress: Callable[[int], None]) -> Iterator[str]:
    seen = 0
    batches = AuditBatch.objects.filter(archived_at__isnull=True)
    for batch in batches.select_related("entry").prefetch_related("ranges").order_by("pk").iterator(chunk_size=100):
        ids = ids_of_batch(batch.ranges.all())
        entries = AuditEntry.objects.in_bulk(ids)
        leaves = [hasher.leaf(bytes_of_audit_entry(entries[number])) for number in sorted(entries)]
        is_whole = len(ids) == len(entries) == batch.count and folded(leaves, hasher) == bytes(batch.entry.digest)
        if not is_whole or batch.archive or batch.newest_at != max(entry.at for entry in entries.values()):
            yield f"audit entries {batch.entry.subject.removeprefix(TRAIL)} are not what was anchored"
        seen += batch.count
        on_progress(seen)


def _faults_of_archive() -> Iterator[str]:
    """Every batch that left the table must stand in its file, and the trail must tell of every file."""
    told = {
        str(entry.details.get("file")): _Archiving(entry.at, str(entry.details.get("sha256", "")))
        for entry in AuditEntry.objects.filter(action=ARCHIVED).order_by("pk")
    }
    archived = AuditBatch.objects.filter(archived_at__isnull=False)
    names = list(archived.order_by("archive").values_list("archive", flat=True).distinct())
    for name in names:
        rows = archived.filter(archive=name).select_related("entry").prefetch_related("ranges")
        yield from _faults_of_file(name, {row.entry.subject: row for row in rows}, told)
    for name in names:
        # Only now: an old file was told of by an entry that may lie in a later one.
        yield from _faults_of_story(
            name, set(archived.filter(archive=name).values_list("archived_at", flat=True)), told.get(name)
        )


def _faults_of_file(name: str, wanted: dict[str, AuditBatch], told: dict[str, _Archiving]) -> Iterator[str]:
    keys = log_keys()
    try:
        for batch in archived_batches(name):
            row = wanted.pop(batch.proof.subject, None)
            fault = fault_of_batch(batch, log_keys=keys)
            if row is None:
                yield f"archive {name}: audit entries {batch.proof.subject.removeprefix(TRAIL)} do not belong there"
            elif fault or not _is_of_row(batch, row):
                yield f"archive {name}: audit entries {batch.proof.subject.removeprefix(TRAIL)} are not what was anchored"
            else:
                told.update(_archivings_in(batch))
    except UNREADABLE as error:
        yield f"archive {name}: {error}"
    for subject in wanted:
        yield f"archive {name}: audit entries {subject.removeprefix(TRAIL)} are gone"


def _is_of_row(batch: ArchivedBatch, row: AuditBatch) -> bool:
    entries = [entry_of_line(line) for line in batch.entries]
    return (
        batch.proof.digest == bytes(row.entry.digest)
        and batch.proof.leaf_index == row.entry.leaf_index
        and len(entries) == row.count
        and [entry.pk for entry in entries] == ids_of_batch(row.ranges.all())
        and row.newest_at == max(entry.at for entry in entries)
    )


def _archivings_in(batch: ArchivedBatch) -> dict[str, _Archiving]:
    found = (entry_of_line(line) for line in batch.entries if ARCHIVED.encode() in line)
    return {
        str(entry.details.get("file")): _Archiving(entry.at, str(entry.details.get("sha256", "")))
        for entry in found
        if entry.action == ARCHIVED
    }


def _faults_of_story(name: str, moments: set[datetime | None], told: _Archiving | None) -> Iterator[str]:
    if told is None:
        yield f"archive {name}: no entry of the audit trail tells that it was written"
    elif moments != {told.at}:
        yield f"archive {name}: it was not written at the moment that its batches bear"
    elif told.sha256 and told.sha256 != file_digest(name):
        yield f"archive {name}: the file is not the one that was written"


def file_digest(name: str) -> str:
    """SHA-256 of a file of the archive, in hex; empty where it cannot be read."""
    state = hashlib.sha256()
    try:
        with archive_path(name).open("rb") as file:
            while block := file.read(_BLOCK):
                state.update(block)
    except OSError:
        return ""
    return state.hexdigest()
