"""Reports over the API, mounted at /api/v1/reports."""

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from shuren.evaluation.data import RunState
from shuren.evaluation.selectors.pupils import pupil_report
from shuren.evaluation.selectors.reports import report_of
from shuren.evaluation.selectors.runs import KIND, access_run, truth_check, visible_runs
from shuren.evaluation.services.export import record_download
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids

router = Router(tags=["reports"])


class RunOut(Schema):
    """A run: what was measured, how it stands, and the fingerprint of its declaration."""

    id: str
    title: str
    programme: str
    status: str
    held_date: date | None
    is_simulated: bool
    source_note: str
    declaration_hash: str
    finished_at: datetime | None


class RunPage(Schema):
    """One page of runs."""

    runs: list[RunOut]
    total: int
    page: int


class TruthOut(Schema):
    """One line of the truth check."""

    key: str
    what: str
    published: str
    found: str
    bar: str
    passed: bool


class RunDetail(RunOut):
    """A run with its declaration, certificate and truth check."""

    declaration: dict[str, Any]
    certificate: dict[str, Any]
    truth: list[TruthOut]


@router.get("/", response=RunPage, summary="Runs the caller may know of, newest first")
def list_runs(request: HttpRequest, page: int = 1, size: int = 50) -> dict[str, Any]:
    found = visible_runs(actor=actor_of(request), now=clock.now(), number=page, size=size)
    return {"runs": [_run(run) for run in found.rows], "total": found.total, "page": found.number}


@router.get("/{run}", response=RunDetail, summary="A run with declaration, certificate and truth check")
def show_run(request: HttpRequest, run: str) -> dict[str, Any]:
    state = access_run(actor=actor_of(request), id=ids.decode(KIND, run), now=clock.now())
    return _run(state) | {
        "declaration": dict(state.declaration),
        "certificate": dict(state.certificate),
        "truth": [TruthOut.from_orm(row) for row in truth_check(state.id)],
    }


@router.get("/{run}/orgs/{org}", summary="The report of an org as shuren.report/1")
def show_report(request: HttpRequest, run: str, org: str) -> dict[str, Any]:
    actor, now = actor_of(request), clock.now()
    report = report_of(actor=actor, run_id=ids.decode(KIND, run), org_id=ids.decode("org", org), now=now)
    record_download(actor=actor, report=report, form="api", now=now)
    return dict(report.body)


@router.get("/{run}/pupils/{person}", summary="A pupil's report as shuren.pupil/1")
def show_pupil(request: HttpRequest, run: str, person: str) -> dict[str, Any]:
    actor, now = actor_of(request), clock.now()
    report = pupil_report(actor=actor, run_id=ids.decode(KIND, run), person_id=ids.decode("person", person), now=now)
    record_download(actor=actor, report=report, form="api", now=now)
    return dict(report.body)


def _run(state: RunState) -> dict[str, Any]:
    return {
        "id": state.public_id,
        "title": state.title,
        "programme": state.programme,
        "status": state.status.value,
        "held_date": state.held_date,
        "is_simulated": state.is_simulated,
        "source_note": state.source_note,
        "declaration_hash": state.declaration_hash,
        "finished_at": state.finished_at,
    }
