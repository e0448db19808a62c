"""Rows of one partition, read from the file of one snapshot."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from shuren.datahub.selectors.snapshots import path_of, stored_snapshot


def read_partition(
    dataset: str,
    partition: Mapping[str, object],
    *,
    columns: Sequence[str] | None = None,
    filters: Sequence[tuple[str, str, Any]] | None = None,
    snapshot: int | None = None,
) -> pa.Table:
    """Rows of a partition that meet every filter `(column, operator, value)`.

    Row groups whose statistics rule a filter out are not read: looking one key up costs one row group when the
    partition was written sorted by that key.
    """
    path = path_of(stored_snapshot(dataset, partition, snapshot))
    return pq.read_table(
        path,
        columns=list(columns) if columns is not None else None,
        filters=list(filters) if filters else None,
        partitioning=None,
        memory_map=True,
        use_threads=filters is None,
    )


def scan_partition(
    dataset: str,
    partition: Mapping[str, object],
    *,
    columns: Sequence[str] | None = None,
    batch_rows: int = 65_536,
    snapshot: int | None = None,
) -> Iterator[pa.RecordBatch]:
    """The rows in file order, at most `batch_rows` at a time; memory stays that of one row group."""
    path = path_of(stored_snapshot(dataset, partition, snapshot))
    with pq.ParquetFile(path, memory_map=True) as file:
        yield from file.iter_batches(batch_size=batch_rows, columns=list(columns) if columns is not None else None)
