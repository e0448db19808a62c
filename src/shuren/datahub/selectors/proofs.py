"""Whether the lake's files are what the catalogue says."""

from collections.abc import Iterator
from hashlib import sha256

from shuren.datahub.models import ArchivedFile, StoredSnapshot
from shuren.datahub.selectors.storage import store

_BLOCK = 1024 * 1024


def faults_of_lake() -> tuple[int, list[str]]:
    """How many files catalogue and archive name, and what is wrong with them: missing, or other bytes than were written."""
    count, faults = 0, []
    for file, written in _named():
        count += 1
        found = digest_of(file)
        if found is None:
            faults.append(f"{file} is missing")
        elif found != written:
            faults.append(f"{file} holds other bytes than were written")
    return count, faults


def digest_of(file: str) -> str | None:
    """The SHA-256 of a file of the lake in hexadecimal; None where there is none."""
    found = sha256()
    try:
        with store().open(file) as opened:
            while block := opened.read(_BLOCK):
                found.update(block)
    except FileNotFoundError:
        return None
    return found.hexdigest()


def _named() -> Iterator[tuple[str, str]]:
    snapshots = StoredSnapshot.objects.order_by("pk").values_list("file", "sha256")
    archived = ArchivedFile.objects.filter(archive__destroyed_at__isnull=True).order_by("pk").values_list("file", "stored_sha256")
    for rows in (snapshots, archived):
        yield from rows.iterator(chunk_size=1_000)
