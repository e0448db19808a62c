"""Offering a dataset while the house runs: what a definition describes, not what an app declares at its start."""

from dataclasses import asdict
from datetime import timedelta

from django.db import transaction

from shuren.datahub.data import DatasetSpec
from shuren.datahub.models import Dataset
from shuren.datahub.rules.catalogue import declared
from shuren.datahub.rules.names import check_spec
from shuren.kernel import clock
from shuren.work.api import enqueue

_REFRESH = "shuren.datahub.jobs.refresh_catalogue"
# Several are offered one after the other; they are looked at together.
_SOON = timedelta(seconds=5)


@transaction.atomic
def offer_dataset(spec: DatasetSpec) -> None:
    """Keep `spec` in the lake's table of contents, where every process finds it; the catalogue follows in a moment.

    Its words, owner, grade and columns may change later.
    What an app declares cannot be offered, and the partition keys stay what they were: raises `ValueError`.
    """
    check_spec(spec)
    if any(known.name == spec.name for known in declared()):
        raise ValueError(f"dataset {spec.name} is declared by an app")
    words = {
        "description": spec.description[:300],
        "title_zh": spec.title_zh[:200],
        "title_en": spec.title_en[:200],
        "grade": spec.grade,
        "owner": spec.owner[:80],
        "columns": {name: asdict(column) for name, column in spec.columns.items()},
        "scope_column": spec.scope_column,
        "org_column": spec.org_column,
        "sort_by": list(spec.sort_by),
        "keep_days": spec.keep_days,
    }
    stored, is_new = Dataset.objects.get_or_create(
        name=spec.name, defaults={"partition_keys": list(spec.partition_keys), **words}
    )
    if tuple(stored.partition_keys) != spec.partition_keys:
        raise ValueError(f"dataset {spec.name} is cut by {stored.partition_keys}")
    if is_new:
        enqueue(_REFRESH, key=_REFRESH, run_after=clock.now() + _SOON)
    else:
        Dataset.objects.filter(pk=stored.pk).update(**words)
