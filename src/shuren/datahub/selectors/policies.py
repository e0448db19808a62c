"""The policy of each dataset, put together from what it declares, what holds it and what was opened of it."""

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.datahub.data import AssetKind, DatasetSpec
from shuren.datahub.models import CatalogueAsset, Dataset, OpenDataset
from shuren.datahub.rules.policy import policy_of
from shuren.datahub.selectors.catalogue import column_titles, spec_named
from shuren.datahub.selectors.life_cycle_rules import life_cycle_of
from shuren.datahub.selectors.open_data import OPEN, facts_of
from shuren.kernel.errors import NotFound

_FORMATS = ("parquet", "csv")


def dataset_policy(asset: CatalogueAsset) -> dict[str, object]:
    """The policy of an asset that the caller has accessed; `NotFound` for what is no dataset."""
    if asset.kind != AssetKind.DATASET:
        raise NotFound(_("没有找到这份数据。"))
    return policy_in_force(spec_named(asset.name))


def policy_in_force(spec: DatasetSpec) -> dict[str, object]:
    """The same for a dataset: what pages show as a file, and what jobs obey."""
    held = Dataset.objects.filter(name=spec.name).values_list("held_reason", flat=True).first()
    opened = OpenDataset.objects.filter(source=spec.name, opened_at__isnull=False, withdrawn_at__isnull=True)
    facts = facts_of(spec.name)
    return policy_of(
        spec,
        facts,
        {name: column_titles(spec, name) for name in facts},
        life_cycle_of(spec),
        permission=OPEN.value,
        least_group=settings.SHUREN_OPEN_K,
        held_reason=held or "",
        opened_as=[str(number) for number in opened.order_by("number").values_list("number", flat=True)],
        formats=_FORMATS,
    )
