"""The files of a lake in a bucket, for who carries them elsewhere; in the data folder they lie among its other files."""

from collections.abc import Iterator
from itertools import chain

import pyarrow as pa
from django.conf import settings

from shuren.datahub.data import LakeFile
from shuren.datahub.models import ArchivedFile, StoredSnapshot
from shuren.datahub.selectors.storage import store


def files_in_bucket() -> Iterator[LakeFile]:
    """Every file that catalogue and archive name; none where the lake lies in the data folder."""
    if not settings.SHUREN_LAKE_URL:
        return
    snapshots = StoredSnapshot.objects.order_by("pk").values_list("file", "bytes", "created_at")
    archived = ArchivedFile.objects.filter(archive__destroyed_at__isnull=True).order_by("pk")
    rows = (snapshots, archived.values_list("file", "stored_bytes", "written_at"))
    for told in chain.from_iterable(one.iterator(chunk_size=1_000) for one in rows):
        yield LakeFile(*told)


def open_lake_file(file: str) -> pa.NativeFile:
    """A file of the lake by the name that the catalogue has for it; raises `FileNotFoundError`."""
    return store().open(file)
