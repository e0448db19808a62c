"""The catalogue of data and lineage: names and grades, for those who may ask others for data."""

from dataclasses import replace
from datetime import UTC, datetime

from shuren.datahub.data import AssetKind
from shuren.datahub.models import CatalogueAsset
from shuren.kernel import ids
from tests.cast import Cast
from tests.house.access.frame import MANAGERS, NOBODY, Address, Area, call, page, roles

READERS = MANAGERS | roles("head")
_NOW = datetime(2026, 9, 1, tzinfo=UTC)

CATALOGUE: dict[str, Address] = {
    "datahub:catalogue": page(READERS),
    "datahub:find_lineage": page(NOBODY),
    "datahub:lineage_events": page(READERS),
    "datahub:asset": page(READERS, READERS, asset_id="asset"),
    "datahub:policy_schema": page(READERS),
    # The cast's assets are tables, which have none.
    "datahub:policy": page(NOBODY, asset_id="asset"),
    "datahub:asset_lineage": page(READERS, READERS, asset_id="asset"),
    "datahub:asset_runs": page(READERS, READERS, asset_id="asset"),
    "api-v1:list_assets": call(READERS),
    "api-v1:read_asset": call(READERS, READERS, asset_id="asset"),
    "api-v1:list_asset_columns": call(READERS, READERS, asset_id="asset"),
    "api-v1:list_lineage": call(READERS, READERS, asset_id="asset"),
    # For tokens of apps alone.
    "api-v1:report_lineage": replace(call(NOBODY), methods=("POST",), denied=frozenset({401})),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """Two assets: where they lie is nowhere, so both are near."""
    made = [
        CatalogueAsset.objects.create(
            kind=AssetKind.TABLE.value, name=name, key=f"table:{name}", title_zh=name, added_at=_NOW, changed_at=_NOW
        )
        for name in ("near_table", "far_table")
    ]
    return {"asset": (ids.encode("asset", made[0].pk), ids.encode("asset", made[1].pk))}


AREA = Area(CATALOGUE, places)
