"""Whether the lake's files are what the catalogue says."""

from hashlib import sha256

from shuren.datahub.models import StoredSnapshot
from shuren.datahub.selectors.storage import store

_BLOCK = 1024 * 1024


def faults_of_lake() -> tuple[int, list[str]]:
    """How many files the catalogue names, and what is wrong with them: missing, or other bytes than were written."""
    count, faults = 0, []
    lake = store()
    for stored in StoredSnapshot.objects.order_by("pk").iterator(chunk_size=1_000):
        count += 1
        found = sha256()
        try:
            with lake.open(stored.file) as file:
                while block := file.read(_BLOCK):
                    found.update(block)
        except FileNotFoundError:
            faults.append(f"{stored.file} is missing")
            continue
        if found.hexdigest() != stored.sha256:
            faults.append(f"{stored.file} holds other bytes than were written")
    return count, faults
