"""Rows of one partition, read from the file of one snapshot."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
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

    Row groups whose statistics rule a filter out are not read, and of the others only the filtered columns until one
    holds a row that is asked for: looking one key up costs one row group when the partition was written sorted by it.
    """
    path = path_of(stored_snapshot(dataset, partition, snapshot))
    wanted = list(columns) if columns is not None else None
    if not filters:
        return pq.read_table(path, columns=wanted, partitioning=None, memory_map=True)
    asked = pq.filters_to_expression(list(filters))
    filtered = list(dict.fromkeys(column for column, _operator, _value in filters))
    with pq.ParquetFile(path, memory_map=True) as file:

        def read(group: int, names: list[str] | None) -> pa.Table:
            return file.read_row_group(group, columns=names, use_threads=False).filter(asked)

        hits = [group for group in _possible_groups(path, asked) if read(group, filtered).num_rows]
        names = [*wanted, *(column for column in filtered if column not in wanted)] if wanted is not None else None
        parts = [read(group, names) for group in hits]
        found = pa.concat_tables(parts) if parts else file.schema_arrow.empty_table()
    return found.select(wanted) if wanted is not None else found


def _possible_groups(path: Path, asked: ds.Expression) -> list[int]:
    """Row groups that their statistics do not rule out."""
    (fragment,) = ds.dataset(path, format="parquet").get_fragments()
    return [group.id for group in fragment.subset(asked).row_groups]


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
