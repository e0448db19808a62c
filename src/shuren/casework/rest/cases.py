"""Cases and work over HTTP: list, read, file, save, hand in, decide; and a typed document per definition."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language
from ninja import Field, Query, Router, Schema, Status

from shuren.casework.data import CaseState, DefinitionKind
from shuren.casework.models import Case, WorkItem
from shuren.casework.rules.openapi import definition_document
from shuren.casework.selectors.cases import (
    CaseQuery,
    access_case,
    cases_page,
    flow_of_case,
    form_of_case,
    is_party,
    own_cases_page,
)
from shuren.casework.selectors.definitions import definition_named, flow_of, form_of, spec_of
from shuren.casework.selectors.described import access_described
from shuren.casework.selectors.work import access_work, open_work_of, open_work_page
from shuren.casework.services.cases.decide import decide_work
from shuren.casework.services.cases.file import file_case, save_draft
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.cases.trail import note_sensitive_read
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.paging import SIZES, Page

router = Router(tags=["cases"])


class Paging(Schema):
    """Which page, from 1, and how long (at most 200)."""

    page: int = 1
    size: int = 50

    @property
    def bounded(self) -> tuple[int, int]:
        return max(1, self.page), min(max(1, self.size), SIZES[-1])


class CaseOut(Schema):
    """A case as a list shows it; `stage` is the key of the stage it is at, `due_at` when the whole is promised."""

    id: str
    number: str
    title: str
    flow: str = Field(description="Key of the flow; empty for a form that nobody reviews.")
    form: str
    state: CaseState
    stage: str
    result: str
    end: str
    org_id: str
    org_name: str
    revision: int
    filed_at: datetime
    submitted_at: datetime | None
    due_at: datetime | None
    closed_at: datetime | None


class CasePage(Schema):
    """One page of cases; `total` is a lower bound where `is_exact` is false."""

    rows: list[CaseOut]
    total: int
    is_exact: bool
    page: int


class WorkOut(Schema):
    """Something the caller is asked to decide; `outcomes` are the keys that may be answered, the first agrees."""

    id: str
    case_id: str
    case_title: str
    flow: str
    stage: str
    kind: str
    outcomes: list[str]
    opened_at: datetime
    due_at: datetime | None


class WorkPage(Schema):
    """One page of what waits for the caller, what is due first on top."""

    rows: list[WorkOut]
    total: int
    is_exact: bool
    page: int


class CaseDetailOut(CaseOut):
    """One case with its values by field key, what deciders wrote down by stage, and what the caller may decide in it."""

    data: dict[str, Any]
    written: dict[str, Any]
    work: list[WorkOut]


class NewCaseIn(Schema):
    """A case to be filed: a `flow` or a bare `form`, for an org, about a person where there is one."""

    flow: str = ""
    form: str = ""
    org_id: str
    subject_id: str = ""
    data: dict[str, Any] = {}
    title: str = ""


class DraftIn(Schema):
    """What the draft is to hold, all of it, over the revision that the caller read."""

    revision: int
    data: dict[str, Any]


class SavedOut(Schema):
    """The revision to save over next time."""

    revision: int


class DecisionIn(Schema):
    """An answer: one of the item's outcomes; `written` are the stage's own fields, `edits` fields changed in the form.

    Edits name the `revision` of the case that the caller read.
    """

    outcome: str
    comment: str = Field("", max_length=5000)
    written: dict[str, Any] = {}
    edits: dict[str, Any] = {}
    revision: int | None = None


@router.get("/cases", response=CasePage, operation_id="list_cases", summary="Cases in scope, or one's own")
def list_cases(
    request: HttpRequest,
    paging: Query[Paging],
    flow: str = "",
    state: CaseState | None = None,
    search: str = "",
    mine: bool = False,
) -> CasePage:
    """Newest first. With `mine` what the caller filed, drafts too, and what was filed about them or their wards."""
    number, size = paging.bounded
    actor, now, told = actor_of(request), clock.now(), state.value if state else ""
    if mine:
        return _page(own_cases_page(actor=actor, state=told, number=number, size=size, now=now))
    query = CaseQuery(flow=flow, state=told, search=search)
    return _page(cases_page(actor=actor, query=query, number=number, size=size, now=now))


@router.post("/cases", response={201: CaseDetailOut}, operation_id="file_case", summary="File a case")
def create_case(request: HttpRequest, new: NewCaseIn) -> Status[CaseDetailOut]:
    """Makes a draft, filled in with what the region holds already."""
    row = file_case(
        actor=actor_of(request),
        flow=new.flow,
        form=new.form,
        org_id=ids.decode("org", new.org_id),
        subject_person_id=ids.decode("person", new.subject_id) if new.subject_id else None,
        data=new.data,
        title=new.title,
        now=clock.now(),
    )
    return Status(201, _detail(request, row))


@router.get("/cases/{case_id}", response=CaseDetailOut, operation_id="read_case", summary="One case")
def read_case(request: HttpRequest, case_id: str) -> CaseDetailOut:
    """Reading values graded L4 is written into the audit trail, but for one's own case."""
    actor, now = actor_of(request), clock.now()
    row = access_case(actor=actor, id=ids.decode("case", case_id), now=now)
    if not is_party(row, actor, now):
        note_sensitive_read(actor=actor, case=row, now=now)
    return _detail(request, row)


@router.patch("/cases/{case_id}", response=SavedOut, operation_id="save_case", summary="Save a draft")
def save_case(request: HttpRequest, case_id: str, draft: DraftIn) -> SavedOut:
    """Answers 409 where somebody saved meanwhile: read the case again and save over its revision."""
    saved = save_draft(
        actor=actor_of(request),
        case_id=ids.decode("case", case_id),
        data=draft.data,
        base_revision=draft.revision,
        now=clock.now(),
    )
    return SavedOut(revision=saved)


@router.post("/cases/{case_id}/submit", response=CaseDetailOut, operation_id="submit_case", summary="Hand a draft in")
def hand_in(request: HttpRequest, case_id: str) -> CaseDetailOut:
    """Answers 400 with what must be mended, and leaves the draft as it is."""
    row = submit_case(actor=actor_of(request), case_id=ids.decode("case", case_id), now=clock.now())
    return _detail(request, row)


@router.get("/work", response=WorkPage, operation_id="list_work", summary="What waits for the caller")
def list_work(request: HttpRequest, paging: Query[Paging], flow: str = "") -> WorkPage:
    number, size = paging.bounded
    page = open_work_page(actor=actor_of(request), flow=flow, number=number, size=size, now=clock.now())
    return WorkPage(rows=[_work(item) for item in page.rows], total=page.total, is_exact=page.is_exact, page=page.number)


@router.post("/work/{work_id}/decide", response=CaseOut, operation_id="decide_work", summary="Answer an item")
def decide(request: HttpRequest, work_id: str, decision: DecisionIn) -> CaseOut:
    """Answers 409 where somebody was quicker, or has changed what is edited since."""
    actor, now = actor_of(request), clock.now()
    item = access_work(actor=actor, id=ids.decode("work", work_id), now=now)
    row = decide_work(
        actor=actor,
        work_id=item.pk,
        outcome=decision.outcome,
        comment=decision.comment,
        written=decision.written,
        edits=decision.edits,
        base_revision=decision.revision,
        now=now,
    )
    return CaseOut(**_told(row))


@router.get(
    "/definitions/{kind}/{key}/openapi.json",
    response=dict[str, Any],
    operation_id="definition_openapi",
    summary="OpenAPI document of one definition",
)
def definition_openapi(request: HttpRequest, kind: DefinitionKind, key: str) -> dict[str, Any]:
    """OpenAPI 3.1 with the fields of a form, the outcomes of a flow or the states of a register, in the caller's language.

    What an org built itself is described to whoever may start it, builds there, or reads the register.
    """
    definition = access_described(actor=actor_of(request), kind=kind, key=key, now=clock.now())
    assert definition.current is not None
    version, spec = definition.current, spec_of(definition)
    form = None
    if kind is DefinitionKind.FLOW:
        flow = flow_of(version.pk)
        form = form_of(definition_named(DefinitionKind.FORM, flow.form).current_id or 0)
    return definition_document(kind, spec, number=version.number, language=get_language() or "zh-hans", form=form)


def _page(page: Page[Case]) -> CasePage:
    rows = [CaseOut(**_told(row)) for row in page.rows]
    return CasePage(rows=rows, total=page.total, is_exact=page.is_exact, page=page.number)


def _told(row: Case) -> dict[str, Any]:
    org = row.org
    return {
        "id": ids.encode("case", row.pk),
        "number": row.number,
        "title": row.title,
        "flow": row.definition.key if row.flow_version_id else "",
        "form": form_of_case(row).key,
        "state": row.state,
        "stage": row.stage,
        "result": row.result,
        "end": row.end,
        "org_id": ids.encode("org", row.org_id),
        "org_name": org.name,
        "revision": row.revision,
        "filed_at": row.filed_at,
        "submitted_at": row.submitted_at,
        "due_at": row.due_at,
        "closed_at": row.closed_at,
    }


def _detail(request: HttpRequest, row: Case) -> CaseDetailOut:
    own = open_work_of(row.pk, actor=actor_of(request), now=clock.now())
    for item in own:
        item.case = row
    return CaseDetailOut(**_told(row), data=row.data, written=row.written, work=[_work(item) for item in own])


def _work(item: WorkItem) -> WorkOut:
    flow = flow_of_case(item.case)
    stage = flow.stage(item.stage_run.stage) if flow else None
    return WorkOut(
        id=ids.encode("work", item.pk),
        case_id=ids.encode("case", item.case_id),
        case_title=item.case.title,
        flow=flow.key if flow else "",
        stage=item.stage_run.stage,
        kind=item.kind,
        outcomes=[outcome.key for outcome in stage.outcomes] if stage and item.kind != "added" else [],
        opened_at=item.opened_at,
        due_at=item.due_at,
    )
