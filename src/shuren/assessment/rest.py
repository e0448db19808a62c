"""Tests over HTTP, read only; ids are the opaque ones."""

from datetime import date

from django.http import HttpRequest
from ninja import Router, Schema

from shuren.assessment.data import AssessmentData
from shuren.assessment.selectors.assessments import access_assessment, assessment_data, item_results, listed_assessments
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.paging import page_of

router = Router(tags=["assessment"])


class AssessmentOut(Schema):
    """A test that was held."""

    id: str
    code: str
    name: str
    subjects: list[str]
    grade: str
    held_date: date | None
    is_simulated: bool
    source_note: str
    population_note: str
    pupils: int
    items: int


class ItemOut(Schema):
    """An item and how it went in the whole population; shares lie between 0 and 1."""

    code: str
    position: int
    subject: str
    content_domain: str
    cognitive_domain: str
    knowledge_units: list[str]
    max_score: int
    given: int
    omitted: int
    not_reached: int
    mean_share: float | None
    discrimination: float | None


class AssessmentList(Schema):
    """One page of tests; `total` is a lower bound where `is_exact` is false."""

    rows: list[AssessmentOut]
    total: int
    is_exact: bool
    page: int


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]  # set by the middleware of identity
    return actor


def _out(row: AssessmentData) -> AssessmentOut:
    return AssessmentOut(
        id=row.public_id,
        code=row.code,
        name=row.name,
        subjects=list(row.subjects),
        grade=row.grade,
        held_date=row.held_date,
        is_simulated=row.is_simulated,
        source_note=row.source_note,
        population_note=row.population_note,
        pupils=row.pupils,
        items=row.item_count,
    )


@router.get("/", response=AssessmentList)
def list_assessments(request: HttpRequest, search: str = "", page: int = 1, size: int = 50) -> AssessmentList:
    found = listed_assessments(actor=_actor(request), now=clock.now(), search=search)
    rows = page_of(found, assessment_data, number=page, size=size)
    return AssessmentList(rows=[_out(row) for row in rows.rows], total=rows.total, is_exact=rows.is_exact, page=rows.number)


@router.get("/{assessment_id}/", response=AssessmentOut)
def read_assessment(request: HttpRequest, assessment_id: str) -> AssessmentOut:
    return _out(access_assessment(actor=_actor(request), id=ids.decode("assessment", assessment_id), now=clock.now()))


@router.get("/{assessment_id}/items/", response=list[ItemOut])
def list_items(request: HttpRequest, assessment_id: str) -> list[ItemOut]:
    found = access_assessment(actor=_actor(request), id=ids.decode("assessment", assessment_id), now=clock.now())
    return [
        ItemOut(
            code=one.item.code,
            position=one.item.position,
            subject=one.item.subject,
            content_domain=one.item.content_domain,
            cognitive_domain=one.item.cognitive_domain,
            knowledge_units=list(one.item.knowledge_units),
            max_score=one.item.max_score,
            given=one.given,
            omitted=one.omitted,
            not_reached=one.not_reached,
            mean_share=one.mean_share,
            discrimination=one.discrimination,
        )
        for one in item_results(found.id)
    ]
