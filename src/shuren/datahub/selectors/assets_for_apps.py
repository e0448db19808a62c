"""The catalogue as other apps read it: records and addresses."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.http import urlencode

from shuren.datahub.data import Asset, AssetColumn, AssetKind, AssetRef
from shuren.datahub.models import CatalogueAsset
from shuren.datahub.selectors.assets import filtered_assets, may_read_catalogue
from shuren.kernel.data import Actor


def catalogue_assets(*, kind: str = "", grade: str = "", has_columns: bool = True) -> Iterator[Asset]:
    """What stands in the catalogue, streamed: for catalogues in other formats. Callers ask who may read."""
    rows = filtered_assets(kind=kind, grade=grade)
    if has_columns:
        rows = rows.prefetch_related("columns")
    for row in rows.iterator(chunk_size=100):
        columns = sorted(row.columns.all(), key=lambda each: each.position) if has_columns else []
        yield Asset(
            kind=AssetKind(row.kind),
            name=row.name,
            title_zh=row.title_zh,
            title_en=row.title_en,
            owner=row.owner,
            grade=row.grade,
            description=row.description,
            columns=tuple(
                AssetColumn(each.name, each.type, each.title_zh, each.title_en, each.element, each.grade) for each in columns
            ),
        )


def lineage_url(ref: AssetRef, *, actor: Actor, now: datetime, column: str = "") -> str:
    """Where a reader sees what an asset came from; empty where they may not, or where it is not known yet."""
    if not may_read_catalogue(actor=actor, now=now) or not CatalogueAsset.objects.filter(key=ref.key).exists():
        return ""
    asked = {"key": ref.key} | ({"column": column} if column else {})
    return f"{reverse('datahub:find_lineage')}?{urlencode(asked)}"
