"""Files of the lake put back into a bucket by who carried them elsewhere; the rows that name them come by themselves."""

from collections.abc import Iterator

from django.conf import settings

from shuren.datahub.selectors.storage import store
from shuren.kernel.errors import Conflict


def place_in_bucket(file: str, blocks: Iterator[bytes], *, size: int) -> bool:
    """Put a file back whole or not at all; False where the lake lies in the data folder and somebody else puts it there.

    A file never changes: one of this name and length is there already and stays, and nothing of `blocks` is asked for.
    """
    if not settings.SHUREN_LAKE_URL:
        return False
    lake = store()
    if lake.filesystem.get_file_info(lake.key(file)).size == size:
        return True
    with lake.writing(file) as sink:
        for block in blocks:
            sink.write(block)
        if sink.bytes != size:
            raise Conflict(f"{file}: {sink.bytes} != {size}")
    return True
