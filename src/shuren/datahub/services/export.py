"""Taking rows out of the lake, which always leaves an entry in the audit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from shuren.datahub.selectors.rows import scan_partition
from shuren.datahub.selectors.snapshots import stored_snapshot
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
    stored = stored_snapshot(dataset, partition)
    audit.record(
        actor=actor,
        action="datahub.partition_exported",
        target=f"snapshot:{stored.pk}",
        details={"dataset": dataset, "partition": stored.partition, "format": format, "rows": stored.rows},
        now=now,
    )
    rows = 0
    writer: pa_csv.CSVWriter | pq.ParquetWriter | None = None
    try:
        for batch in scan_partition(dataset, partition, columns=columns, snapshot=stored.pk):
            if writer is None:
                writer = pa_csv.CSVWriter(target, batch.schema) if format == "csv" else pq.ParquetWriter(target, batch.schema)
            writer.write_table(pa.Table.from_batches([batch]))
            rows += batch.num_rows
    finally:
        if writer is not None:
            writer.close()
    return rows
