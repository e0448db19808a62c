"""Where the answers of a frozen collection lie in the lake."""

from shuren.casework.models import Collection
from shuren.casework.rules.collections import dataset_name
from shuren.casework.rules.specs.form import FieldType
from shuren.casework.selectors.definitions import form_of
from shuren.datahub import api as datahub
from shuren.datahub.data import Snapshot
from shuren.kernel import ids

PARTITION = "collection"


def dataset_names(row: Collection) -> list[str]:
    """The dataset of the form's fields, then one for each of its tables."""
    form = form_of(row.form_version_id)
    tables = [field.key for field in form.fields if field.type is FieldType.TABLE]
    return [dataset_name(form.key), *(dataset_name(form.key, table) for table in tables)]


def frozen_datasets(row: Collection) -> list[Snapshot]:
    """The snapshots that the collection was frozen into, the main one first."""
    partition = {PARTITION: row.snapshot or ids.encode("collection", row.pk)}
    found = [datahub.snapshot_of(name, partition) for name in dataset_names(row)]
    return [snapshot for snapshot in found if snapshot is not None]
