"""Which snapshots there are, and where their files lie."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.datahub.data import Snapshot
from shuren.datahub.models import StoredSnapshot
from shuren.datahub.rules.catalogue import spec_of
from shuren.datahub.rules.names import partition_text, partition_values
from shuren.kernel.errors import NotFound


def lake_folder() -> Path:
    return Path(settings.DATA_DIR) / "lake"


def path_of(stored: StoredSnapshot) -> Path:
    return lake_folder() / stored.file


def snapshot_data(stored: StoredSnapshot, dataset: str) -> Snapshot:
    return Snapshot(
        id=stored.pk,
        dataset=dataset,
        partition=stored.partition_values,
        rows=stored.rows,
        bytes=stored.bytes,
        sha256=stored.sha256,
        columns=stored.columns,
        created_at=stored.created_at,
        is_current=stored.is_current,
        superseded_at=stored.superseded_at,
        is_kept=stored.is_kept,
    )


def current(dataset: str, partition: Mapping[str, object]) -> StoredSnapshot | None:
    text = partition_text(partition_values(spec_of(dataset).partition_keys, partition))
    return StoredSnapshot.objects.filter(dataset__name=dataset, partition=text, is_current=True).first()


def stored_snapshot(dataset: str, partition: Mapping[str, object], snapshot: int | None = None) -> StoredSnapshot:
    """The current snapshot of a partition, or an older one by id; `NotFound` when it was never written or is swept."""
    if snapshot is None:
        found = current(dataset, partition)
    else:
        text = partition_text(partition_values(spec_of(dataset).partition_keys, partition))
        found = StoredSnapshot.objects.filter(pk=snapshot, dataset__name=dataset, partition=text).first()
    if found is None:
        raise NotFound(_("数据湖中没有这份数据：%(dataset)s。") % {"dataset": dataset})
    return found


def history(dataset: str, partition: Mapping[str, object]) -> list[Snapshot]:
    """Every snapshot of a partition that can still be read, newest first."""
    text = partition_text(partition_values(spec_of(dataset).partition_keys, partition))
    rows = StoredSnapshot.objects.filter(dataset__name=dataset, partition=text).order_by("-pk")
    return [snapshot_data(row, dataset) for row in rows]


def current_of_datasets(datasets: Iterable[str]) -> dict[str, list[StoredSnapshot]]:
    """The current snapshots of each dataset, by dataset, in order of partition."""
    names = list(datasets)
    found: dict[str, list[StoredSnapshot]] = {name: [] for name in names}
    rows = StoredSnapshot.objects.filter(dataset__name__in=names, is_current=True).select_related("dataset")
    for row in rows.order_by("dataset__name", "partition"):
        found[row.dataset.name].append(row)
    return found
