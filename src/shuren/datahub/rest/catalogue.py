"""The catalogue for programs of signed-in officers: names, grades and lineage, never values."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Query, Router, Schema

from shuren.datahub.data import AssetKind
from shuren.datahub.models import CatalogueAsset, CatalogueColumn
from shuren.datahub.selectors.assets import (
    access_asset,
    access_catalogue,
    assets,
    columns_of,
    edges_beside,
    neighbour_of,
)
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.paging import SIZES, page_of

router = Router(tags=["catalogue"])


class AssetOut(Schema):
    """One thing of the catalogue; `retired_at` says since when nobody names it any more."""

    id: str
    kind: AssetKind
    name: str
    title: str
    title_en: str
    owner: str
    grade: str
    description: str
    columns: int
    changed_at: datetime
    retired_at: datetime | None


class AssetPage(Schema):
    """One page of assets by title; `total` is a lower bound where `is_exact` is false."""

    rows: list[AssetOut]
    total: int
    is_exact: bool
    page: int


class AssetQuery(Schema):
    """What to look for: words of the name, the description or a column's name; `state` `retired` for what is gone."""

    search: str = ""
    kind: AssetKind | None = None
    owner: str = ""
    grade: str = ""
    state: str = ""
    page: int = 1
    size: int = 50


class ColumnOut(Schema):
    """One column of an asset."""

    name: str
    type: str
    title: str
    title_en: str
    element: str
    grade: str


class ColumnPage(Schema):
    """One page of columns in their order."""

    rows: list[ColumnOut]
    total: int
    is_exact: bool
    page: int


class EdgeOut(Schema):
    """One step: the asset at the other end, its column and ours, and the runs that went there; 0 for a definition alone."""

    asset: AssetOut
    column: str
    own_column: str
    job: str
    runs: int
    first_at: datetime
    last_at: datetime


class EdgePage(Schema):
    """One page of steps."""

    rows: list[EdgeOut]
    total: int
    is_exact: bool
    page: int


class EdgeQuery(Schema):
    """Where to look: `up` to what it came from, else to what it is used for; of the whole, or of one column."""

    up: bool = True
    column: str = ""
    page: int = 1
    size: int = 50


@router.get("/assets", response=AssetPage, operation_id="list_assets", summary="The catalogue of data")
def list_assets(request: HttpRequest, asked: Query[AssetQuery]) -> AssetPage:
    actor, now = actor_of(request), clock.now()
    access_catalogue(actor=actor, now=now)
    rows = assets(
        actor=actor,
        now=now,
        kind=asked.kind.value if asked.kind else "",
        owner=asked.owner,
        grade=asked.grade,
        search=_text(asked.search),
        state=asked.state,
    )
    page = page_of(rows, _asset_out, number=_number(asked.page), size=_size(asked.size))
    return AssetPage(rows=page.rows, total=page.total, is_exact=page.is_exact, page=page.number)


@router.get("/assets/{asset_id}", response=AssetOut, operation_id="read_asset", summary="One asset")
def read_asset(request: HttpRequest, asset_id: str) -> AssetOut:
    return _asset_out(_asset(request, asset_id))


@router.get("/assets/{asset_id}/columns", response=ColumnPage, operation_id="list_asset_columns", summary="Columns of an asset")
def list_asset_columns(request: HttpRequest, asset_id: str, search: str = "", page: int = 1, size: int = 50) -> ColumnPage:
    rows = columns_of(_asset(request, asset_id), search=_text(search))
    found = page_of(rows, _column_out, number=_number(page), size=_size(size))
    return ColumnPage(rows=found.rows, total=found.total, is_exact=found.is_exact, page=found.number)


@router.get("/assets/{asset_id}/lineage", response=EdgePage, operation_id="list_lineage", summary="One step of lineage")
def list_lineage(request: HttpRequest, asset_id: str, asked: Query[EdgeQuery]) -> EdgePage:
    rows = edges_beside(_asset(request, asset_id).pk, is_up=asked.up, column=_text(asked.column)[:200])
    page = page_of(rows, lambda edge: edge, number=_number(asked.page), size=_size(asked.size))
    found = [
        EdgeOut(
            asset=_asset_out(neighbour_of(edge, is_up=asked.up).asset),
            column=edge.source_column if asked.up else edge.target_column,
            own_column=edge.target_column if asked.up else edge.source_column,
            job=edge.job,
            runs=edge.runs,
            first_at=edge.first_at,
            last_at=edge.last_at,
        )
        for edge in page.rows
    ]
    return EdgePage(rows=found, total=page.total, is_exact=page.is_exact, page=page.number)


def _asset(request: HttpRequest, asset_id: str) -> CatalogueAsset:
    return access_asset(actor=actor_of(request), id=ids.decode("asset", asset_id), now=clock.now())


def _asset_out(row: CatalogueAsset) -> AssetOut:
    return AssetOut(
        id=ids.encode("asset", row.pk),
        kind=AssetKind(row.kind),
        name=row.name,
        title=row.title_zh,
        title_en=row.title_en,
        owner=row.owner,
        grade=row.grade,
        description=row.description,
        columns=row.column_count,
        changed_at=row.changed_at,
        retired_at=row.retired_at,
    )


def _column_out(row: CatalogueColumn) -> ColumnOut:
    return ColumnOut(
        name=row.name, type=row.type, title=row.title_zh, title_en=row.title_en, element=row.element, grade=row.grade
    )


def _text(value: str) -> str:
    return value.replace("\x00", "")


def _number(page: int) -> int:
    return min(max(1, page), 1_000_000)


def _size(size: int) -> int:
    return min(max(1, size), SIZES[-1])
