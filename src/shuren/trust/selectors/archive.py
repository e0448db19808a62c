"""Batches of the audit trail with their proofs, and the files of those that were archived."""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.kernel.errors import NotFound
from shuren.kernel.models import AuditEntry
from shuren.trust.data import ArchiveFile, AuditSearch
from shuren.trust.models import AuditBatch
from shuren.trust.rules.log.archive import ArchivedBatch, ArchiveTorn, ArchiveWriter, parts_of
from shuren.trust.selectors.audit import AuditPage
from shuren.trust.selectors.log import proofs_of
from shuren.trust.selectors.trail import bytes_of_audit_entry, ids_of_batch

ARCHIVED = "trust.trail_archived"
# Entries of a batch may be older than the batch before it, by as long as a transaction takes.
_SKEW = timedelta(days=1)
_FILES_AT_ONCE = 20
_AT_ONCE = 2_000
UNREADABLE = (OSError, EOFError, zlib.error, ArchiveTorn)


def lines_of_batches(batches: Sequence[AuditBatch], writer: ArchiveWriter) -> Iterator[bytes]:
    """The lines of `rules.log.archive` for those of the batches that a head covers."""
    proofs = proofs_of([batch.entry_id for batch in batches])
    for batch in batches:
        if batch.entry_id not in proofs:
            continue
        entries = AuditEntry.objects.in_bulk(ids_of_batch(batch.ranges.all()))
        lines = [bytes_of_audit_entry(entries[number]) for number in sorted(entries)]
        yield from writer.batch(proofs[batch.entry_id], lines)


def archive_path(name: str) -> Path:
    """Where the file of this name lies; one that is no plain name lies nowhere and is not looked for."""
    return Path(settings.SHUREN_AUDIT_ARCHIVE) / Path(name).name


def archive_files(*, since: datetime | None = None, until: datetime | None = None) -> list[ArchiveFile]:
    """The files that hold entries of this time, newest first; callers checked the right to look."""
    columns = ("archive", "count", "newest_at", "archived_at")
    rows = AuditBatch.objects.exclude(archive="").order_by("archive", "pk").values_list(*columns)
    found: list[ArchiveFile] = []
    for name, batches in groupby(rows, key=lambda row: row[0]):
        some = list(batches)
        path = archive_path(name)
        found.append(
            ArchiveFile(
                name=name,
                begin_at=found[-1].end_at if found else None,
                end_at=max(newest for _name, _count, newest, _at in some),
                batches=len(some),
                entries=sum(count for _name, count, _newest, _at in some),
                size=path.stat().st_size if path.is_file() else None,
                archived_at=some[0][3],
            )
        )
    is_early = [until is not None and file.begin_at is not None and file.begin_at - _SKEW > until for file in found]
    kept = [file for file, is_out in zip(found, is_early, strict=True) if not is_out and (since is None or file.end_at >= since)]
    return kept[::-1]


def archive_file(name: str) -> Path:
    """The file that batches name so; raises `NotFound`, also for one that is no longer there."""
    path = archive_path(name)
    if path.name != name or not AuditBatch.objects.filter(archive=name).exists() or not path.is_file():
        raise NotFound(_("没有这份归档文件。"), remedy=_("请运行 shuren verify records 核对归档。"))
    return path


def archived_page(search: AuditSearch, *, before: str = "", size: int = 50) -> AuditPage:
    """Archived entries that fit, newest first, below the cursor `before` of an earlier page; callers checked the right.

    Files are read from the newest on, a few at most for one page: `has_too_many_names` then asks for fewer days.
    """
    files = archive_files(since=search.since, until=search.until)
    name, _colon, place = before.partition(":")
    rows: list[AuditEntry] = []
    broken: list[str] = []
    for number, file in enumerate(file for file in files if not name or file.name <= name):
        begin = int(place) if file.name == name and place.isdecimal() and len(place) < 10 else 0
        if number == _FILES_AT_ONCE or len(rows) == size:
            return AuditPage(rows, f"{file.name}:{begin}", has_too_many_names=len(rows) < size, broken=tuple(broken))
        try:
            fitting = sorted(_fitting(file.name, search), key=lambda entry: (entry.at, entry.pk), reverse=True)
        except UNREADABLE:
            broken.append(file.name)
            continue
        end = begin + size - len(rows)
        rows += fitting[begin:end]
        if len(fitting) > end:
            return AuditPage(rows, f"{file.name}:{end}", broken=tuple(broken))
    return AuditPage(rows, "", broken=tuple(broken))


def archived_stream(search: AuditSearch) -> Iterator[AuditEntry]:
    """Every archived entry that fits, newest first; files that cannot be read are passed over."""
    before = ""
    while True:
        page = archived_page(search, before=before, size=_AT_ONCE)
        yield from page.rows
        before = page.next_cursor
        if not before:
            return


def archived_batches(name: str) -> Iterator[ArchivedBatch]:
    """The batches of a file, nothing verified; raises one of `UNREADABLE`."""
    with gzip.open(archive_path(name)) as lines:
        for part in parts_of(lines):
            if isinstance(part, ArchivedBatch):
                yield part


def entry_of_line(line: bytes) -> AuditEntry:
    """An entry as it stood in the trail, not saved; raises `ArchiveTorn`."""
    try:
        fields = json.loads(line)
        return AuditEntry(**{**fields, "at": datetime.fromisoformat(fields["at"])})
    except (ValueError, TypeError, KeyError) as error:
        raise ArchiveTorn(f"an entry cannot be read: {error}") from None


def _fitting(name: str, search: AuditSearch) -> Iterator[AuditEntry]:
    for batch in archived_batches(name):
        yield from (entry for entry in map(entry_of_line, batch.entries) if _fits(entry, search))


def _fits(entry: AuditEntry, search: AuditSearch) -> bool:
    return (
        (entry.action in search.actions if search.actions else entry.action.startswith(search.action))
        and entry.actor_name.startswith(search.actor_name)
        and search.target in ("", entry.target)
        and (search.since is None or entry.at >= search.since)
        and (search.until is None or entry.at <= search.until)
    )
