"""The life-cycle rule of a dataset: what its owner set, or what its grade says."""

from collections.abc import Iterable

from shuren.datahub.data import DatasetSpec, LifeCycle, LifeCycleEnd, LifeCycleStart
from shuren.datahub.models import LifeCycleRule
from shuren.datahub.rules.assets import highest
from shuren.datahub.rules.life_cycle import default_life_cycle
from shuren.datahub.selectors.open_data import facts_of


def grade_for_life_cycle(spec: DatasetSpec) -> str:
    """The highest grade of the dataset and its columns: the most careful one decides how long all of it is kept."""
    return highest([spec.grade, *(each.grade for each in facts_of(spec.name).values())], spec.grade)


def life_cycle_of(spec: DatasetSpec) -> LifeCycle:
    return life_cycles_of([spec])[spec.name]


def life_cycles_of(specs: Iterable[DatasetSpec]) -> dict[str, LifeCycle]:
    """The rule of each dataset, by name."""
    specs = list(specs)
    set_by_owners = {row.dataset: row for row in LifeCycleRule.objects.filter(dataset__in=[spec.name for spec in specs])}
    return {
        spec.name: _declared(set_by_owners[spec.name])
        if spec.name in set_by_owners
        else default_life_cycle(grade_for_life_cycle(spec))
        for spec in specs
    }


def _declared(row: LifeCycleRule) -> LifeCycle:
    return LifeCycle(
        basis=row.basis,
        ground=row.ground,
        counted_from=LifeCycleStart(row.counted_from),
        in_use_days=row.in_use_days,
        then=LifeCycleEnd(row.then),
        archived_days=row.archived_days,
        is_declared=True,
    )
