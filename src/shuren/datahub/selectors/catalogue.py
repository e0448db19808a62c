"""Which datasets there are: those the apps declare, and those that were offered while the house ran."""

from shuren.datahub.data import ColumnSpec, DatasetSpec
from shuren.datahub.models import Dataset
from shuren.datahub.rules import catalogue
from shuren.kernel.errors import NotFound


def spec_named(name: str) -> DatasetSpec:
    """A dataset by its name, whichever process offered it."""
    try:
        return catalogue.spec_of(name)
    except NotFound:
        stored = Dataset.objects.filter(name=name).first()
        if stored is None:
            raise
        return _spec(stored)


def known_datasets() -> tuple[DatasetSpec, ...]:
    """Every declared or offered dataset, by name."""
    declared = {spec.name: spec for spec in catalogue.declared()}
    offered = {stored.name: _spec(stored) for stored in Dataset.objects.exclude(name__in=declared)}
    return tuple(spec for _name, spec in sorted((declared | offered).items()))


def _spec(stored: Dataset) -> DatasetSpec:
    return DatasetSpec(
        stored.name,
        tuple(stored.partition_keys),
        stored.description,
        stored.grade,
        stored.owner,
        columns={name: ColumnSpec(**said) for name, said in stored.columns.items()},
        scope_column=stored.scope_column,
        org_column=stored.org_column,
        sort_by=tuple(stored.sort_by),
        keep_days=stored.keep_days,
    )
