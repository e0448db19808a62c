"""Rows of one partition, read from the files of its snapshots."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from shuren.datahub.selectors.snapshots import AsOf, stored_pieces
from shuren.datahub.selectors.storage import store

_Filters = Sequence[tuple[str, str, Any]]


def read_partition(
    dataset: str,
    partition: Mapping[str, object],
    *,
    columns: Sequence[str] | None = None,
    filters: _Filters | None = None,
    snapshot: int | None = None,
    as_of: AsOf | None = None,
) -> pa.Table:
    """Rows of a partition that meet every filter `(column, operator, value)`; `as_of` a moment, or just after a snapshot's id.

    Row groups whose statistics rule a filter out are not read, and of the others only the filtered columns until one
    holds a row that is asked for: looking one key up costs one row group when the partition was written sorted by it.
    """
    files = [piece.file for piece in stored_pieces(dataset, partition, snapshot=snapshot, as_of=as_of)]
    found = [_read_file(file, columns, filters) for file in files]
    return found[0] if len(found) == 1 else pa.concat_tables(found, promote_options="permissive")


def scan_partition(
    dataset: str,
    partition: Mapping[str, object],
    *,
    columns: Sequence[str] | None = None,
    batch_rows: int = 65_536,
    snapshot: int | None = None,
    as_of: AsOf | None = None,
) -> Iterator[pa.RecordBatch]:
    """The rows in file order, at most `batch_rows` at a time; memory stays that of one row group."""
    files = [piece.file for piece in stored_pieces(dataset, partition, snapshot=snapshot, as_of=as_of)]
    yield from scan_files(files, columns=columns, batch_rows=batch_rows)


def scan_files(
    files: Sequence[str], *, columns: Sequence[str] | None = None, batch_rows: int = 65_536
) -> Iterator[pa.RecordBatch]:
    """The rows of several files in one schema: what a file lacks is null there."""
    schema = schema_of(files)
    if columns is not None:
        schema = pa.schema([schema.field(name) for name in columns])
    for file in files:
        with store().open(file) as source, pq.ParquetFile(source) as opened:
            wanted = [name for name in schema.names if name in opened.schema_arrow.names]
            for batch in opened.iter_batches(batch_size=batch_rows, columns=wanted):
                yield batch if batch.schema.equals(schema) else _in_schema(batch, schema)


def schema_of(files: Sequence[str]) -> pa.Schema:
    found = []
    for file in files:
        with store().open(file) as source:
            found.append(pq.read_schema(source))
    return found[0] if len(found) == 1 else pa.unify_schemas(found, promote_options="permissive")


def _in_schema(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    arrays = [
        batch.column(field.name).cast(field.type) if field.name in batch.schema.names else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _read_file(file: str, columns: Sequence[str] | None, filters: _Filters | None) -> pa.Table:
    wanted = list(columns) if columns is not None else None
    with store().open(file) as source, pq.ParquetFile(source) as opened:
        if not filters:
            return opened.read(columns=wanted)
        asked = pq.filters_to_expression(list(filters))
        filtered = list(dict.fromkeys(column for column, _operator, _value in filters))

        def read(group: int, names: list[str] | None) -> pa.Table:
            return opened.read_row_group(group, columns=names, use_threads=False).filter(asked)

        hits = [group for group in _possible_groups(file, asked) if read(group, filtered).num_rows]
        names = [*wanted, *(column for column in filtered if column not in wanted)] if wanted is not None else None
        parts = [read(group, names) for group in hits]
        found = pa.concat_tables(parts) if parts else opened.schema_arrow.empty_table()
    return found.select(wanted) if wanted is not None else found


def _possible_groups(file: str, asked: ds.Expression) -> list[int]:
    """Row groups that their statistics do not rule out."""
    (fragment,) = ds.dataset(store().key(file), format="parquet", filesystem=store().filesystem).get_fragments()
    return [group.id for group in fragment.subset(asked).row_groups]
