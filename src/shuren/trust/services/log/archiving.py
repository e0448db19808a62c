"""Audit entries with their proofs leave: for the archive once they were kept long enough, or for an auditor who asks."""

import gzip
import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

from shuren.kernel import audit
from shuren.kernel.data import SYSTEM
from shuren.kernel.files import sync_folder
from shuren.kernel.models import AuditEntry
from shuren.trust.models import AuditBatch
from shuren.trust.rules.log.archive import ArchiveWriter, closing_line, faults_of_archive
from shuren.trust.selectors.archive import lines_of_batches
from shuren.trust.selectors.log import the_log
from shuren.trust.selectors.note_keys import log_keys
from shuren.trust.selectors.trail_checks import file_digest
from shuren.trust.services.log.signing import signed_note

LEAST_DAYS = 180
_BATCHES_A_FILE = 100
_AT_ONCE = 50


class ArchiveBroken(Exception):
    """What was written does not prove what stands in the trail: nothing is deleted."""


def archive_trail(*, now: datetime) -> dict[str, int]:
    """Move entries older than `SHUREN_AUDIT_KEPT_DAYS` into files below `archive/audit`; returns how many files and entries.

    A file is written, synced and read again with its proofs before one transaction deletes its entries. Killed in
    between, the next run writes the same file anew. Only batches under a signed head leave.
    """
    days = max(LEAST_DAYS, int(settings.SHUREN_AUDIT_KEPT_DAYS))
    log = the_log()
    done = {"files": 0, "entries": 0}
    while log is not None:
        due = AuditBatch.objects.filter(
            archived_at__isnull=True, newest_at__lt=now - timedelta(days=days), entry__leaf_index__lt=log.size
        )
        batches = list(due.order_by("pk").prefetch_related("ranges")[:_BATCHES_A_FILE])
        if not batches:
            break
        path = Path(settings.SHUREN_AUDIT_ARCHIVE) / f"{batches[0].pk:012d}-{batches[-1].pk:012d}.jsonl.gz"
        _write(path, batches, now=now)
        done["entries"] += _forget(batches, path.name, now=now)
        done["files"] += 1
    return done


def hand_out_trail(*, name: str, now: datetime, since: datetime | None = None, until: datetime | None = None) -> Iterator[bytes]:
    """Lines of a file with every batch under a head whose newest entry lies between the two moments; callers audit it.

    What was archived is not in it: those files are of the same form and are handed over as they are.
    """
    rows = AuditBatch.objects.filter(archived_at__isnull=True, entry__leaf_index__isnull=False)
    if since:
        rows = rows.filter(newest_at__gte=since)
    if until:
        rows = rows.filter(newest_at__lte=until)
    writer, last = ArchiveWriter(), 0
    while batches := list(rows.filter(pk__gt=last).order_by("pk").prefetch_related("ranges")[:_AT_ONCE]):
        last = batches[-1].pk
        yield from lines_of_batches(batches, writer)
    if writer.batches:
        yield _closed(writer, name=name, after="", now=now)


def _closed(writer: ArchiveWriter, *, name: str, after: str, now: datetime) -> bytes:
    log = the_log()
    assert log is not None
    return closing_line(signed_note(writer.closing_text(origin=log.origin, name=name, after=after), now=now))


def _file_before() -> str:
    rows = AuditBatch.objects.exclude(archive="").order_by("-archived_at", "-pk")
    return rows.values_list("archive", flat=True).first() or ""


def _write(path: Path, batches: Sequence[AuditBatch], *, now: datetime) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with draft.open("wb") as raw:
        # No name and no time inside: the same entries give the same bytes.
        with gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as file:
            writer = ArchiveWriter()
            file.writelines(lines_of_batches(batches, writer))
            file.write(_closed(writer, name=path.name, after=_file_before(), now=now))
        raw.flush()
        os.fsync(raw.fileno())
    with gzip.open(draft) as file:
        fault = next(faults_of_archive(file, log_keys=log_keys()), "")
    if fault:
        raise ArchiveBroken(fault)
    draft.replace(path)
    sync_folder(path.parent)


@transaction.atomic
def _forget(batches: Sequence[AuditBatch], name: str, *, now: datetime) -> int:
    count = 0
    for batch in batches:
        for span in batch.ranges.all():
            count += AuditEntry.objects.filter(pk__gte=span.first_id, pk__lte=span.last_id).delete()[0]
    AuditBatch.objects.filter(pk__in=[batch.pk for batch in batches]).update(archive=name, archived_at=now)
    # On record with the trail itself: whoever takes a file away, or marks entries as archived that never were, is noticed.
    details = {"file": name, "entries": count, "batches": len(batches), "sha256": file_digest(name)}
    audit.record(actor=SYSTEM, action="trust.trail_archived", target=f"audit_batch:{batches[0].pk}", details=details, now=now)
    return count
