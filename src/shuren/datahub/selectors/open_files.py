"""The published files of open data, read from the lake."""

from collections.abc import Iterator

from shuren.datahub.models import OpenVersion
from shuren.datahub.selectors.rows import read_partition
from shuren.datahub.selectors.snapshots import stored_snapshot
from shuren.datahub.selectors.storage import store

_CHUNK = 256 * 1024


def rows_of(version: OpenVersion, *, first: int, size: int) -> tuple[tuple[str, ...], list[tuple[object, ...]], int]:
    """The names of the columns, rows `first` and on, and how many there are."""
    table = read_partition(version.dataset.lake_name, {"version": version.number})
    columns = [column.to_pylist() for column in table.slice(first, size).columns]
    return tuple(table.column_names), list(zip(*columns, strict=True)), table.num_rows


def file_of(version: OpenVersion) -> Iterator[bytes]:
    """The Parquet file as it lies there; `NotFound` before the first byte where it is gone."""
    source = store().open(stored_snapshot(version.dataset.lake_name, {"version": version.number}).file)

    def chunks() -> Iterator[bytes]:
        with source:
            while chunk := source.read(_CHUNK):
                yield chunk

    return chunks()
