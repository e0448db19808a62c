"""Writing a partition: the file first, then one row that makes it visible."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from shuren.datahub.data import DatasetSpec, PreparedPartition, Snapshot
from shuren.datahub.models import Dataset, StoredSnapshot
from shuren.datahub.rules.names import partition_text, partition_values
from shuren.datahub.selectors.catalogue import spec_named
from shuren.datahub.selectors.snapshots import snapshot_data, stored_snapshot
from shuren.datahub.selectors.storage import store
from shuren.datahub.services.one_source import refuse_competing_columns
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid

ROW_GROUP_ROWS = 32_768


def write_partition(
    dataset: str,
    partition: Mapping[str, object],
    batches: Iterable[pa.RecordBatch] | pa.Table,
    *,
    actor: Actor,
    now: datetime,
    schema: pa.Schema | None = None,
    sort_by: str | None = None,
) -> Snapshot:
    """Write a partition anew and make it current; publishes `datahub.partition_written`.

    Batches are streamed to a file that nobody sees; a kill leaves the old snapshot. Inside a caller's transaction the
    new snapshot becomes visible when that commits. `schema` is needed only when there may be no batch at all.
    `sort_by` gathers the rows in memory and sorts them by that column, for fast look-up by it.
    """
    prepared = prepare_partition(dataset, partition, batches, schema=schema, sort_by=sort_by)
    return publish_partition(prepared, actor=actor, now=now)


def prepare_partition(
    dataset: str,
    partition: Mapping[str, object],
    batches: Iterable[pa.RecordBatch] | pa.Table,
    *,
    schema: pa.Schema | None = None,
    sort_by: str | None = None,
) -> PreparedPartition:
    """Write the file only, outside any transaction; it is swept unless `publish_partition` follows within the hour."""
    spec = spec_named(dataset)
    values = partition_values(spec.partition_keys, partition)
    file = f"{spec.name}/{partition_text(values)}/{uuid.uuid4().hex}.parquet"
    return write_file(spec.name, values, file, _sorted(batches, sort_by), schema)


def publish_partition(prepared: PreparedPartition, *, actor: Actor, now: datetime) -> Snapshot:
    """Make a prepared file the current snapshot of its partition; publishes `datahub.partition_written`."""
    spec = spec_named(prepared.dataset)
    text = partition_text(prepared.partition)
    with transaction.atomic():
        stored = locked_dataset(spec)
        StoredSnapshot.objects.filter(dataset=stored, partition=text, is_current=True).update(is_current=False, superseded_at=now)
        return _published(stored, prepared, piece=0, actor=actor, now=now)


def append_partition(
    dataset: str,
    partition: Mapping[str, object],
    batches: Iterable[pa.RecordBatch] | pa.Table,
    *,
    actor: Actor,
    now: datetime,
    schema: pa.Schema | None = None,
) -> Snapshot:
    """Add a piece to a partition; those that are there stay. Publishes `datahub.partition_written`.

    Pieces are gathered into one file by `compact_partition`; a reader sees all pieces of one moment.
    """
    return append_prepared(prepare_partition(dataset, partition, batches, schema=schema), actor=actor, now=now)


def append_prepared(prepared: PreparedPartition, *, actor: Actor, now: datetime) -> Snapshot:
    """Make a prepared file one more piece of its partition; publishes `datahub.partition_written`."""
    spec = spec_named(prepared.dataset)
    text = partition_text(prepared.partition)
    with transaction.atomic():
        stored = locked_dataset(spec)
        last = StoredSnapshot.objects.filter(dataset=stored, partition=text, is_current=True).aggregate(last=Max("piece"))["last"]
        return _published(stored, prepared, piece=0 if last is None else last + 1, actor=actor, now=now)


def _published(stored: Dataset, prepared: PreparedPartition, *, piece: int, actor: Actor, now: datetime) -> Snapshot:
    created = stored_file(stored, prepared, piece=piece, now=now)
    details = {"dataset": stored.name, "partition": created.partition, "rows": prepared.rows}
    audit.record(actor=actor, action="datahub.partition_written", target=f"snapshot:{created.pk}", details=details, now=now)
    news = {"dataset": stored.name, "partition": dict(prepared.partition), "snapshot": created.pk}
    events.publish("datahub.partition_written", news, now=now)
    return snapshot_data(created, stored.name)


def stored_file(stored: Dataset, prepared: PreparedPartition, *, piece: int, now: datetime) -> StoredSnapshot:
    """The row by which a file is seen."""
    return StoredSnapshot.objects.create(
        dataset=stored,
        partition=partition_text(prepared.partition),
        partition_values=dict(prepared.partition),
        piece=piece,
        file=prepared.file,
        rows=prepared.rows,
        bytes=prepared.bytes,
        sha256=prepared.sha256,
        columns=dict(prepared.columns),
        created_at=now,
        is_current=True,
    )


def drop_partition(dataset: str, partition: Mapping[str, object], *, actor: Actor, now: datetime) -> bool:
    """Make a partition disappear for readers to come; publishes `datahub.partition_dropped`. False if there was none."""
    spec = spec_named(dataset)
    values = partition_values(spec.partition_keys, partition)
    text = partition_text(values)
    with transaction.atomic():
        dropped = StoredSnapshot.objects.filter(dataset__name=spec.name, partition=text, is_current=True).update(
            is_current=False, superseded_at=now
        )
        if dropped:
            audit.record(
                actor=actor,
                action="datahub.partition_dropped",
                target=f"dataset:{spec.name}",
                details={"partition": text},
                now=now,
            )
            events.publish("datahub.partition_dropped", {"dataset": spec.name, "partition": values}, now=now)
    return bool(dropped)


def keep_snapshot(
    dataset: str, partition: Mapping[str, object], snapshot: int, *, reason: str, actor: Actor, now: datetime
) -> None:
    """Exempt a snapshot from sweeping, so that whatever was computed from it can be computed again."""
    with transaction.atomic():
        stored = stored_snapshot(dataset, partition, snapshot)
        if not stored.is_kept:
            StoredSnapshot.objects.filter(pk=stored.pk).update(is_kept=True)
            audit.record(
                actor=actor,
                action="datahub.snapshot_kept",
                target=f"snapshot:{stored.pk}",
                details={"reason": reason[:200]},
                now=now,
            )


def locked_dataset(spec: DatasetSpec) -> Dataset:
    """The dataset's row is the lock that makes two writers follow one another."""
    Dataset.objects.get_or_create(
        name=spec.name,
        defaults={
            "partition_keys": list(spec.partition_keys),
            "description": spec.description,
            "title_zh": spec.title_zh,
            "title_en": spec.title_en,
            "grade": spec.grade,
            "owner": spec.owner,
        },
    )
    return Dataset.objects.select_for_update().get(name=spec.name)


def _sorted(batches: Iterable[pa.RecordBatch] | pa.Table, sort_by: str | None) -> Iterator[pa.RecordBatch]:
    if sort_by is not None:
        table = batches if isinstance(batches, pa.Table) else pa.Table.from_batches(batches)
        return iter(table.sort_by(sort_by).to_batches(max_chunksize=ROW_GROUP_ROWS))
    return iter(batches.to_batches()) if isinstance(batches, pa.Table) else iter(batches)


def write_file(
    dataset: str, values: Mapping[str, str], file: str, batches: Iterator[pa.RecordBatch], schema: pa.Schema | None
) -> PreparedPartition:
    """Stream the batches into `file`, which is there when it is whole."""
    first = next(batches, None)
    if first is None and schema is None:
        raise Invalid(_("没有可写入的数据，也没有给出列的定义。"))
    chosen: pa.Schema = schema if first is None or schema is not None else first.schema
    refuse_competing_columns(dataset, chosen)
    rows = 0
    with (
        store().writing(file) as sink,
        pq.ParquetWriter(pa.PythonFile(sink, mode="w"), chosen, compression="zstd", compression_level=3) as writer,
    ):
        for batch in chain([first] if first is not None else [], batches):
            writer.write_batch(batch, row_group_size=ROW_GROUP_ROWS)
            rows += batch.num_rows
    return PreparedPartition(
        dataset=dataset,
        partition=values,
        file=file,
        rows=rows,
        bytes=sink.bytes,
        sha256=sink.sha256,
        columns={field.name: str(field.type) for field in chosen},
    )
