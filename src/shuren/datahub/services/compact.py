"""Compaction: a partition that came in many pieces becomes one sorted file, by one switch."""

import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
from django.conf import settings
from django.db import transaction
from django.db.models import Count
from sqlglot import exp

from shuren.datahub.data import Snapshot
from shuren.datahub.models import StoredSnapshot
from shuren.datahub.rules.dialect import DIALECT
from shuren.datahub.rules.names import partition_text
from shuren.datahub.selectors.catalogue import spec_named
from shuren.datahub.selectors.rows import scan_files, schema_of
from shuren.datahub.selectors.snapshots import snapshot_data, stored_pieces
from shuren.datahub.selectors.storage import store
from shuren.datahub.services.write import locked_dataset, stored_file, write_file
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM, Actor

# Fewer pieces than these are read as fast as one.
PIECES = 8
_BATCH_ROWS = 65_536
_MEMORY = "512MB"


def compact_partition(dataset: str, partition: Mapping[str, object], *, now: datetime, actor: Actor = SYSTEM) -> Snapshot | None:
    """Gather the pieces of a partition into one file; None where there is nothing to gather, or it was written anew meanwhile.

    Pieces that come while this runs stay beside the new file. The old pieces stay readable until they are swept.
    """
    spec = spec_named(dataset)
    pieces = stored_pieces(dataset, partition)
    if len(pieces) < 2:
        return None
    values = pieces[0].partition_values
    files = [piece.file for piece in pieces]
    file = f"{spec.name}/{partition_text(values)}/{uuid.uuid4().hex}.parquet"
    prepared = write_file(spec.name, values, file, _gathered(files, spec.sort_by), schema_of(files))
    if prepared.rows != sum(piece.rows for piece in pieces):
        raise RuntimeError(f"{file} holds {prepared.rows} rows, its pieces {sum(piece.rows for piece in pieces)}")
    with transaction.atomic():
        stored = locked_dataset(spec)
        ids = [piece.pk for piece in pieces]
        if StoredSnapshot.objects.filter(pk__in=ids, is_current=True).update(is_current=False, superseded_at=now) != len(ids):
            transaction.set_rollback(True)
            store().remove(file)
            return None
        created = stored_file(stored, prepared, piece=pieces[0].piece, now=now)
        audit.record(
            actor=actor,
            action="datahub.partition_compacted",
            target=f"snapshot:{created.pk}",
            details={"dataset": spec.name, "partition": created.partition, "pieces": len(ids), "rows": prepared.rows},
            now=now,
        )
    return snapshot_data(created, spec.name)


def compact_lake(*, now: datetime, pieces: int = PIECES, actor: Actor = SYSTEM) -> int:
    """Compact every partition that lies in at least so many pieces; how many were."""
    current = StoredSnapshot.objects.filter(is_current=True)
    many = current.values("dataset__name", "partition").annotate(pieces=Count("pk")).filter(pieces__gte=pieces)
    done = 0
    for name, partition in list(many.order_by("dataset__name", "partition").values_list("dataset__name", "partition")):
        one = StoredSnapshot.objects.filter(dataset__name=name, partition=partition, is_current=True).first()
        if one is not None and compact_partition(name, one.partition_values, now=now, actor=actor) is not None:
            done += 1
    return done


def _gathered(files: Sequence[str], sort_by: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of all files; sorted outside memory where an order is asked for."""
    rows = scan_files(files, batch_rows=_BATCH_ROWS)
    if not sort_by:
        yield from rows
        return
    schema = schema_of(files)
    spill = Path(settings.DATA_DIR) / "scratch" / f"sort-{uuid.uuid4().hex}"
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY,
        "temp_directory": str(spill),
        "threads": "2",
    }
    order = [exp.Ordered(this=exp.column(name, quoted=True), nulls_first=False) for name in sort_by]
    question = exp.select("*").from_("pieces").order_by(*order).sql(dialect=DIALECT)
    try:
        with closing(duckdb.connect(":memory:", config=config)) as connection:
            connection.register("pieces", pa.RecordBatchReader.from_batches(schema, rows))
            for batch in connection.sql(question).to_arrow_reader(_BATCH_ROWS):
                yield batch.cast(schema)
    finally:
        shutil.rmtree(spill, ignore_errors=True)
