"""Writing a partition: the file first, then one row that makes it visible."""

import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.datahub.data import DatasetSpec, PreparedPartition, Snapshot
from shuren.datahub.models import Dataset, StoredSnapshot
from shuren.datahub.rules.catalogue import spec_of
from shuren.datahub.rules.names import partition_text, partition_values
from shuren.datahub.selectors.snapshots import lake_folder, snapshot_data, stored_snapshot
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
    spec = spec_of(dataset)
    values = partition_values(spec.partition_keys, partition)
    folder = lake_folder() / spec.name / partition_text(values)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.parquet"
    written_schema, rows = _write_file(path, _sorted(batches, sort_by), schema)
    return PreparedPartition(
        dataset=spec.name,
        partition=values,
        file=path.relative_to(lake_folder()).as_posix(),
        rows=rows,
        bytes=path.stat().st_size,
        sha256=_digest(path),
        columns={field.name: str(field.type) for field in written_schema},
    )


def publish_partition(prepared: PreparedPartition, *, actor: Actor, now: datetime) -> Snapshot:
    """Make a prepared file the current snapshot of its partition; publishes `datahub.partition_written`."""
    spec = spec_of(prepared.dataset)
    text = partition_text(prepared.partition)
    with transaction.atomic():
        created = StoredSnapshot.objects.create(
            dataset=_switch(spec, text, now),
            partition=text,
            partition_values=dict(prepared.partition),
            file=prepared.file,
            rows=prepared.rows,
            bytes=prepared.bytes,
            sha256=prepared.sha256,
            columns=dict(prepared.columns),
            created_at=now,
            is_current=True,
        )
        details = {"dataset": spec.name, "partition": text, "rows": prepared.rows}
        audit.record(actor=actor, action="datahub.partition_written", target=f"snapshot:{created.pk}", details=details, now=now)
        news = {"dataset": spec.name, "partition": dict(prepared.partition), "snapshot": created.pk}
        events.publish("datahub.partition_written", news, now=now)
    return snapshot_data(created, spec.name)


def drop_partition(dataset: str, partition: Mapping[str, object], *, actor: Actor, now: datetime) -> bool:
    """Make a partition disappear for readers to come; publishes `datahub.partition_dropped`. False if there was none."""
    spec = spec_of(dataset)
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


def _switch(spec: DatasetSpec, text: str, now: datetime) -> Dataset:
    """Retire the current snapshot; the dataset row is the lock that makes two writers follow one another."""
    Dataset.objects.get_or_create(
        name=spec.name,
        defaults={
            "partition_keys": list(spec.partition_keys),
            "description": spec.description,
            "grade": spec.grade,
            "owner": spec.owner,
        },
    )
    stored = Dataset.objects.select_for_update().get(name=spec.name)
    StoredSnapshot.objects.filter(dataset=stored, partition=text, is_current=True).update(is_current=False, superseded_at=now)
    return stored


def _sorted(batches: Iterable[pa.RecordBatch] | pa.Table, sort_by: str | None) -> Iterator[pa.RecordBatch]:
    if sort_by is not None:
        table = batches if isinstance(batches, pa.Table) else pa.Table.from_batches(batches)
        return iter(table.sort_by(sort_by).to_batches(max_chunksize=ROW_GROUP_ROWS))
    return iter(batches.to_batches()) if isinstance(batches, pa.Table) else iter(batches)


def _write_file(path: Path, batches: Iterator[pa.RecordBatch], schema: pa.Schema | None) -> tuple[pa.Schema, int]:
    first = next(batches, None)
    if first is None and schema is None:
        raise Invalid(_("没有可写入的数据，也没有给出列的定义。"))
    chosen: pa.Schema = schema if first is None or schema is not None else first.schema
    unfinished = path.with_suffix(".parquet.tmp")
    rows = 0
    try:
        with pq.ParquetWriter(unfinished, chosen, compression="zstd", compression_level=3) as writer:
            for batch in chain([first] if first is not None else [], batches):
                writer.write_batch(batch, row_group_size=ROW_GROUP_ROWS)
                rows += batch.num_rows
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        unfinished.rename(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return chosen, rows


def _sync_folder(folder: Path) -> None:
    """A renamed file survives a power cut only once its folder is on disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
