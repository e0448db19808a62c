"""Sources of rosters and their turns, for programs that watch over them; nothing is written here."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema

from shuren.identity.api import actor_of
from shuren.interop.data import PullKind, PullStatus, SourceMode
from shuren.interop.models import RosterPull, RosterSource
from shuren.interop.rest.callers import ERRORS
from shuren.interop.selectors.roster_sources import access_source, pulls_of, sources_seen
from shuren.kernel import clock, ids
from shuren.kernel.paging import SIZES, page_of

router = Router(tags=["roster sources"])


class RosterSourceOut(Schema):
    """A source; `seen_at` is the other side's clock from which the next turn asks for changes."""

    id: str
    name: str
    org_id: str
    mode: SourceMode
    is_paused: bool
    seen_at: datetime | None
    full_at: datetime | None
    next_at: datetime | None


class RosterSourcePage(Schema):
    """One page of sources by name."""

    rows: list[RosterSourceOut]
    total: int
    is_exact: bool
    page: int


class RosterFaultOut(Schema):
    """What was wrong with one object: the collection, the page of it, the object, the field, and why."""

    resource: str
    page: int
    id: str
    field: str
    reason: str
    value: str


class RosterPullOut(Schema):
    """A turn: `counts` of objects read, `changes` of rows per kind, and up to 200 of `fault_count` faults."""

    id: str
    kind: PullKind
    status: PullStatus
    error: str
    counts: dict[str, int]
    left_out: dict[str, int]
    changes: dict[str, dict[str, int]]
    fault_count: int
    faults: list[RosterFaultOut]
    begun_at: datetime
    ended_at: datetime | None


class RosterPullPage(Schema):
    """One page of turns, newest first."""

    rows: list[RosterPullOut]
    total: int
    is_exact: bool
    page: int


@router.get("", response={200: RosterSourcePage, **ERRORS}, operation_id="list_roster_sources", summary="Sources of rosters")
def list_roster_sources(request: HttpRequest, page: int = 1, size: int = 50) -> RosterSourcePage:
    """Those of the branches in which one may import rosters."""
    rows = sources_seen(actor=actor_of(request), now=clock.now())
    found = page_of(rows, _source_out, number=max(1, page), size=_size(size))
    return RosterSourcePage(rows=found.rows, total=found.total, is_exact=found.is_exact, page=found.number)


@router.get(
    "/{source_id}/pulls", response={200: RosterPullPage, **ERRORS}, operation_id="list_roster_pulls", summary="Turns of a source"
)
def list_roster_pulls(request: HttpRequest, source_id: str, page: int = 1, size: int = 50) -> RosterPullPage:
    row = access_source(actor=actor_of(request), id=ids.decode("roster_source", source_id), now=clock.now())
    found = page_of(pulls_of(row), _pull_out, number=max(1, page), size=_size(size))
    return RosterPullPage(rows=found.rows, total=found.total, is_exact=found.is_exact, page=found.number)


def _size(size: int) -> int:
    return min(max(1, size), SIZES[-1])


def _source_out(row: RosterSource) -> RosterSourceOut:
    return RosterSourceOut(
        id=ids.encode("roster_source", row.pk),
        name=row.name,
        org_id=ids.encode("org", row.org_id),
        mode=SourceMode(row.mode),
        is_paused=row.is_paused,
        seen_at=row.seen_at,
        full_at=row.full_at,
        next_at=row.next_at,
    )


def _pull_out(row: RosterPull) -> RosterPullOut:
    return RosterPullOut(
        id=ids.encode("roster_pull", row.pk),
        kind=PullKind(row.kind),
        status=PullStatus(row.status),
        error=str(row.error.get("code", "")),
        counts=row.counts,
        left_out=row.left_out,
        changes=row.changes,
        fault_count=row.fault_count,
        faults=[RosterFaultOut(**fault) for fault in row.faults],
        begun_at=row.begun_at,
        ended_at=row.ended_at,
    )
