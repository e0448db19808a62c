"""The lake's face. Callers have checked who may see what: the lake itself knows datasets, not people."""

from collections.abc import Mapping

from shuren.datahub.data import Snapshot
from shuren.datahub.rules.assets import declare_assets, declare_owner_names
from shuren.datahub.rules.assets import highest as highest_grade
from shuren.datahub.rules.catalogue import declare as declare_dataset
from shuren.datahub.rules.catalogue import declared as declared_datasets
from shuren.datahub.rules.element_sources import flows_from_source
from shuren.datahub.selectors.assets import may_read_catalogue
from shuren.datahub.selectors.assets_for_apps import catalogue_assets, lineage_url
from shuren.datahub.selectors.catalogue import dataset_title, known_datasets
from shuren.datahub.selectors.convergence import precedence_of
from shuren.datahub.selectors.lake_files import files_in_bucket, open_lake_file
from shuren.datahub.selectors.proofs import faults_of_lake
from shuren.datahub.selectors.quality_findings import quality_findings
from shuren.datahub.selectors.quality_rules import quality_rules, rule_faults
from shuren.datahub.selectors.rows import read_partition, scan_partition
from shuren.datahub.selectors.shared_datasets import shared_sources
from shuren.datahub.selectors.snapshots import current, history, snapshot_data
from shuren.datahub.selectors.sql import check_question, datasets_read, query
from shuren.datahub.services.ask import ask_lake
from shuren.datahub.services.compact import compact_lake, compact_partition
from shuren.datahub.services.converge.candidates import put_candidates
from shuren.datahub.services.converge.choose import converge_element, converge_subjects
from shuren.datahub.services.converge.precedence import set_precedence
from shuren.datahub.services.export import export_partition
from shuren.datahub.services.offer import offer_dataset
from shuren.datahub.services.place_file import place_in_bucket
from shuren.datahub.services.quality.keep_rules import keep_pack_rules
from shuren.datahub.services.quality.run import measure_quality
from shuren.datahub.services.record_run import record_run, same_columns
from shuren.datahub.services.sweep import hold_dataset, release_dataset, sweep
from shuren.datahub.services.write import (
    append_partition,
    drop_partition,
    keep_snapshot,
    prepare_partition,
    publish_partition,
    write_partition,
)

__all__ = [
    "append_partition",
    "ask_lake",
    "catalogue_assets",
    "check_question",
    "compact_lake",
    "compact_partition",
    "converge_element",
    "converge_subjects",
    "dataset_title",
    "datasets_read",
    "declare_assets",
    "declare_dataset",
    "declare_owner_names",
    "declared_datasets",
    "drop_partition",
    "export_partition",
    "faults_of_lake",
    "files_in_bucket",
    "flows_from_source",
    "highest_grade",
    "hold_dataset",
    "keep_pack_rules",
    "keep_snapshot",
    "known_datasets",
    "lineage_url",
    "may_read_catalogue",
    "measure_quality",
    "offer_dataset",
    "open_lake_file",
    "place_in_bucket",
    "precedence_of",
    "prepare_partition",
    "publish_partition",
    "put_candidates",
    "quality_findings",
    "quality_rules",
    "query",
    "read_partition",
    "record_run",
    "release_dataset",
    "rule_faults",
    "same_columns",
    "scan_partition",
    "set_precedence",
    "shared_sources",
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
