"""Views of front databases and their turns, for programs that watch over them; nothing is written here."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema

from shuren.datahub.data import ViewRunKind, ViewRunState
from shuren.datahub.models import ViewRun, ViewSource
from shuren.datahub.rules.front_views.names import dataset_of
from shuren.datahub.selectors.exchange.nodes import access_exchange
from shuren.datahub.selectors.view_sources import access_view_source, view_runs_of, view_sources
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.paging import SIZES, page_of

router = Router(tags=["exchange"])


class ViewSourceOut(Schema):
    """A view; `row_count` is how many rows it had when it landed last, at `landed_at`. `is_held` waits for a person."""

    id: str
    dataset: str
    title_zh: str
    title_en: str
    org: str
    is_stopped: bool
    is_held: bool
    every_minutes: int
    row_count: int | None
    landed_at: datetime | None
    next_at: datetime | None


class ViewSourcePage(Schema):
    """One page of views by title."""

    rows: list[ViewSourceOut]
    total: int
    is_exact: bool
    page: int


class ViewChangeOut(Schema):
    """What is no longer as it was: a column with its types, or the rows of the whole view."""

    change: str
    column: str
    was: str
    now: str


class ViewRunOut(Schema):
    """A turn: rows that came, counts of values that did not fit by column, of rows left out by reason, and what changed."""

    id: str
    kind: ViewRunKind
    state: ViewRunState
    error: str
    row_count: int
    view_row_count: int | None
    misfits: dict[str, int]
    left_out: dict[str, int]
    unknown_orgs: list[str]
    changes: list[ViewChangeOut]
    begun_at: datetime
    ended_at: datetime | None


class ViewRunPage(Schema):
    """One page of turns, newest first."""

    rows: list[ViewRunOut]
    total: int
    is_exact: bool
    page: int


@router.get("", response=ViewSourcePage, operation_id="list_view_sources", summary="Views of front databases that are read")
def list_view_sources(request: HttpRequest, page: int = 1, size: int = 50) -> ViewSourcePage:
    access_exchange(actor=actor_of(request), now=clock.now())
    found = page_of(view_sources(), _source_out, number=max(1, page), size=_size(size))
    return ViewSourcePage(rows=found.rows, total=found.total, is_exact=found.is_exact, page=found.number)


@router.get("/{source_id}/runs", response=ViewRunPage, operation_id="list_view_runs", summary="Turns of reading a view")
def list_view_runs(request: HttpRequest, source_id: str, page: int = 1, size: int = 50) -> ViewRunPage:
    row = access_view_source(actor=actor_of(request), id=ids.decode("view_source", source_id), now=clock.now())
    found = page_of(view_runs_of(row), _run_out, number=max(1, page), size=_size(size))
    return ViewRunPage(rows=found.rows, total=found.total, is_exact=found.is_exact, page=found.number)


def _source_out(row: ViewSource) -> ViewSourceOut:
    return ViewSourceOut(
        id=ids.encode("view_source", row.pk),
        dataset=dataset_of(row.key),
        title_zh=row.title_zh,
        title_en=row.title_en,
        org=ids.encode("org", row.org_id),
        is_stopped=row.is_stopped,
        is_held=row.is_held,
        every_minutes=row.every_minutes,
        row_count=row.known_rows,
        landed_at=row.landed_at,
        next_at=row.next_at,
    )


def _run_out(row: ViewRun) -> ViewRunOut:
    return ViewRunOut(
        id=ids.encode("view_run", row.pk),
        kind=ViewRunKind(row.kind),
        state=ViewRunState(row.state),
        error=row.error,
        row_count=row.rows,
        view_row_count=row.view_rows,
        misfits=row.misfits,
        left_out=row.left_out,
        unknown_orgs=row.unknown_orgs,
        changes=[ViewChangeOut(**change) for change in row.changes],
        begun_at=row.begun_at,
        ended_at=row.ended_at,
    )


def _size(size: int) -> int:
    return min(max(1, size), SIZES[-1])
