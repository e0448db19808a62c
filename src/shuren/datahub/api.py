"""The lake's face. Callers have checked who may see what: the lake itself knows datasets, not people."""

from collections.abc import Mapping

from shuren.datahub.data import Snapshot
from shuren.datahub.rules.catalogue import declare as declare_dataset
from shuren.datahub.rules.catalogue import declared as declared_datasets
from shuren.datahub.selectors.rows import read_partition, scan_partition
from shuren.datahub.selectors.snapshots import current, history, snapshot_data
from shuren.datahub.selectors.sql import query
from shuren.datahub.services.export import export_partition
from shuren.datahub.services.sweep import sweep
from shuren.datahub.services.write import drop_partition, keep_snapshot, prepare_partition, publish_partition, write_partition

__all__ = [
    "declare_dataset",
    "declared_datasets",
    "drop_partition",
    "export_partition",
    "keep_snapshot",
    "prepare_partition",
    "publish_partition",
    "query",
    "read_partition",
    "scan_partition",
    "snapshot_of",
    "snapshots_of",
    "sweep",
    "write_partition",
]


def snapshot_of(dataset: str, partition: Mapping[str, object]) -> Snapshot | None:
    """The current snapshot of a partition, or None when nothing was ever written or it was dropped."""
    stored = current(dataset, partition)
    return snapshot_data(stored, dataset) if stored is not None else None


def snapshots_of(dataset: str, partition: Mapping[str, object]) -> list[Snapshot]:
    """Every readable snapshot of a partition, newest first: the states one may travel back to."""
    return history(dataset, partition)
