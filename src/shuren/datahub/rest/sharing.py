"""Shared data for programs of signed-in officers: what may be shared, one's grants, and rows and answers through them."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Body, Query, Router, Schema
from pydantic import AwareDatetime

from shuren.datahub.data import SharingAttribute, SharingWay
from shuren.datahub.models import SharingGrant
from shuren.datahub.selectors.shared_datasets import SharedDataset, shared_datasets
from shuren.datahub.selectors.sharing import access_sharing, grants_seen
from shuren.datahub.services.sharing.read import PAGE_ROWS, ask_shared
from shuren.datahub.services.sharing.read import read_shared_rows as read_rows
from shuren.directory import api as directory
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.paging import SIZES, page_of, page_of_rows

router = Router(tags=["sharing"])


class SharedDatasetOut(Schema):
    """A dataset with its attribute; `ground` is the law or the condition behind it."""

    dataset: str
    title: str
    owner: str
    grade: str
    attribute: SharingAttribute
    ground: str


class SharedDatasetPage(Schema):
    """One page of datasets by title."""

    rows: list[SharedDatasetOut]
    total: int
    is_exact: bool
    page: int


class SharingGrantOut(Schema):
    """A grant; `masks` has every column granted with what its mask leaves, `is_live` whether it is of use now."""

    id: str
    dataset: str
    org: str
    masks: dict[str, str]
    ways: list[SharingWay]
    begins_at: datetime
    ends_at: datetime
    revoked_at: datetime | None
    is_live: bool
    uses: int


class SharingGrantPage(Schema):
    """One page of grants, newest first."""

    rows: list[SharingGrantOut]
    total: int
    is_exact: bool
    page: int


class SharedRowsPage(Schema):
    """One page of rows as they stood at `as_of`; hand that back to have further pages of the same state."""

    rows: list[dict[str, Any]]
    total: int
    is_exact: bool
    page: int
    as_of: datetime


class SharedRowsQuery(Schema):
    """Which page; `as_of` is that of the first page."""

    page: int = 1
    size: int = 100
    as_of: AwareDatetime | None = None


class SharedQuestionIn(Schema):
    """One SELECT over the granted dataset, named like it with `_` for `.`."""

    sql: str


class SharedAnswerOut(Schema):
    """The answer: the names of its columns, and of each row the values in their order; at most 10,000 rows."""

    columns: list[str]
    values: list[list[Any]]


@router.get("/datasets", response=SharedDatasetPage, operation_id="list_shared_datasets", summary="What may be shared")
def list_shared_datasets(
    request: HttpRequest, search: str = "", attribute: SharingAttribute | None = None, page: int = 1, size: int = 50
) -> SharedDatasetPage:
    access_sharing(actor=actor_of(request), now=clock.now())
    found = shared_datasets(words=search, attribute=attribute.value if attribute else "")
    shown = page_of_rows(found, number=page, size=_size(size))
    rows = [_dataset_out(row) for row in shown.rows]
    return SharedDatasetPage(rows=rows, total=shown.total, is_exact=shown.is_exact, page=shown.number)


@router.get("/grants", response=SharingGrantPage, operation_id="list_sharing_grants", summary="Grants of one's units")
def list_sharing_grants(request: HttpRequest, page: int = 1, size: int = 50) -> SharingGrantPage:
    actor, now = actor_of(request), clock.now()
    access_sharing(actor=actor, now=now)
    found = page_of(grants_seen(actor=actor, now=now, side="got"), lambda row: row, number=max(1, page), size=_size(size))
    orgs = directory.orgs_by_ids({row.applicant_org_id for row in found.rows})
    names = {org_id: org.name for org_id, org in orgs.items()}
    rows = [_grant_out(row, names.get(row.applicant_org_id, ""), now) for row in found.rows]
    return SharingGrantPage(rows=rows, total=found.total, is_exact=found.is_exact, page=found.number)


@router.get("/grants/{grant_id}/rows", response=SharedRowsPage, operation_id="read_shared_rows", summary="Shared rows")
def read_shared_rows(request: HttpRequest, grant_id: str, asked: Query[SharedRowsQuery]) -> SharedRowsPage:
    """The granted columns, masked, of the granted rows, in the order of the columns; every page is written down as a use."""
    number, size = min(max(1, asked.page), 1_000_000), min(max(1, asked.size), PAGE_ROWS)
    found = read_rows(
        actor=actor_of(request),
        grant_id=ids.decode("sharing_grant", grant_id),
        number=number,
        size=size,
        as_of=asked.as_of,
        now=clock.now(),
    )
    total = (number - 1) * size + found.table.num_rows + found.has_more
    is_exact = not found.has_more and (found.table.num_rows > 0 or number == 1)
    return SharedRowsPage(rows=found.table.to_pylist(), total=total, is_exact=is_exact, page=number, as_of=found.as_of)


@router.post("/grants/{grant_id}/query", response=SharedAnswerOut, operation_id="query_shared", summary="Ask shared data in SQL")
def query_shared(request: HttpRequest, grant_id: str, asked: Annotated[SharedQuestionIn, Body()]) -> SharedAnswerOut:
    """400 for what the dialect or the grant does not allow; the question is written down with the columns that it reads."""
    pk = ids.decode("sharing_grant", grant_id)
    table = ask_shared(actor=actor_of(request), grant_id=pk, sql=asked.sql, now=clock.now())
    rows = [list(line) for line in zip(*(column.to_pylist() for column in table.columns), strict=True)]
    return SharedAnswerOut(columns=list(table.column_names), values=rows)


def _dataset_out(row: SharedDataset) -> SharedDatasetOut:
    return SharedDatasetOut(
        dataset=row.spec.name,
        title=row.title,
        owner=row.owner.name,
        grade=row.spec.grade,
        attribute=row.terms.attribute,
        ground=row.terms.ground,
    )


def _grant_out(row: SharingGrant, org: str, now: datetime) -> SharingGrantOut:
    return SharingGrantOut(
        id=ids.encode("sharing_grant", row.pk),
        dataset=row.dataset,
        org=org,
        masks=row.masks,
        ways=[SharingWay(way) for way in row.ways],
        begins_at=row.begins_at,
        ends_at=row.ends_at,
        revoked_at=row.revoked_at,
        is_live=row.revoked_at is None and row.ends_at > now,
        uses=row.uses,
    )


def _size(size: int) -> int:
    return min(max(1, size), SIZES[-1])
