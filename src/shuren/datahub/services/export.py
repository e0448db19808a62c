"""Taking rows out of the lake, which always leaves an entry in the audit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from shuren.datahub.rules.harmless import harmless
from shuren.datahub.selectors.rows import scan_files
from shuren.datahub.selectors.snapshots import stored_pieces
from shuren.kernel import audit
from shuren.kernel.data import Actor


def export_partition(
    dataset: str,
    partition: Mapping[str, object],
    target: BinaryIO,
    *,
    actor: Actor,
    now: datetime,
    format: str = "csv",  # noqa: A002  # the word of the trade
    columns: Sequence[str] | None = None,
) -> int:
    """Stream a partition into `target` as `csv` or `parquet`; returns the rows written. The caller has checked scope."""
    pieces = stored_pieces(dataset, partition)
    last = pieces[-1]
    audit.record(
        actor=actor,
        action="datahub.partition_exported",
        target=f"snapshot:{last.pk}",
        details={"dataset": dataset, "partition": last.partition, "format": format, "rows": sum(piece.rows for piece in pieces)},
        now=now,
    )
    rows = 0
    writer: pa_csv.CSVWriter | pq.ParquetWriter | None = None
    try:
        for batch in scan_files([piece.file for piece in pieces], columns=columns):
            if writer is None:
                writer = pa_csv.CSVWriter(target, batch.schema) if format == "csv" else pq.ParquetWriter(target, batch.schema)
            writer.write_table(pa.Table.from_batches([harmless(batch) if format == "csv" else batch]))
            rows += batch.num_rows
    finally:
        if writer is not None:
            writer.close()
    return rows
