"""Saved questions for programs of signed-in officers: which there are, and what one's own newest answer holds."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from shuren.datahub.models import SavedQuestion
from shuren.datahub.rules.workbench.answers import lines_of, unpacked
from shuren.datahub.selectors.workbench import (
    access_answer,
    access_question,
    access_workbench,
    newest_answer,
    questions_seen,
)
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.paging import SIZES, page_of

router = Router(tags=["workbench"])
PAGE_ROWS = 1_000


class SavedQuestionOut(Schema):
    """A question; `is_mine` where it is the caller's own, `version` grows with its text."""

    id: str
    title: str
    note: str
    dataset: str
    sql: str
    version: int
    is_mine: bool
    is_shared: bool
    changed_at: datetime


class SavedQuestionPage(Schema):
    """One page of questions, newest first."""

    rows: list[SavedQuestionOut]
    total: int
    is_exact: bool
    page: int


class QuestionAnswerOut(Schema):
    """One page of an answer, values by place; `is_cut` where the question found more rows than an answer holds.

    `added` and `removed` are rows beside the answer before, null where there is none to compare with.
    """

    columns: list[str]
    values: list[list[Any]]
    total: int
    page: int
    is_cut: bool
    at: datetime
    due_at: datetime | None
    added: int | None
    removed: int | None


@router.get("/questions", response=SavedQuestionPage, operation_id="list_saved_questions", summary="List saved questions")
def list_saved_questions(request: HttpRequest, search: str = "", page: int = 1, size: int = SIZES[0]) -> SavedQuestionPage:
    """One's own, and those shared in one's branch."""
    actor, now = actor_of(request), clock.now()
    desk = access_workbench(actor=actor, now=now)
    found = page_of(questions_seen(desk, actor=actor, words=search), lambda row: row, number=page, size=size)
    rows = [_question_out(row, is_mine=row.owner_id == actor.person_id) for row in found.rows]
    return SavedQuestionPage(rows=rows, total=found.total, is_exact=found.is_exact, page=found.number)


@router.get(
    "/questions/{question_id}/answer",
    response=QuestionAnswerOut,
    operation_id="read_question_answer",
    summary="Read the newest answer of a saved question",
)
def read_question_answer(request: HttpRequest, question_id: str, page: int = 1, size: int = PAGE_ROWS) -> QuestionAnswerOut:
    """The caller's own newest answer that has rows; 404 where the question was not asked yet."""
    actor, now = actor_of(request), clock.now()
    desk = access_workbench(actor=actor, now=now)
    question = access_question(desk, actor=actor, id=ids.decode("saved_question", question_id))
    answer = access_answer(desk, actor=actor, id=newest_answer(question, actor=actor), now=now)
    size = min(max(1, size), PAGE_ROWS)
    number = min(max(1, page), -(-answer.rows // size) + 1)
    table = unpacked(bytes(answer.content))
    return QuestionAnswerOut(
        columns=list(table.column_names),
        values=[list(line) for line in lines_of(table.slice((number - 1) * size, size))],
        total=answer.rows,
        page=number,
        is_cut=answer.is_cut,
        at=answer.at,
        due_at=answer.due_at,
        added=answer.added,
        removed=answer.removed,
    )


def _question_out(row: SavedQuestion, *, is_mine: bool) -> SavedQuestionOut:
    return SavedQuestionOut(
        id=ids.encode("saved_question", row.pk),
        title=row.title,
        note=row.note,
        dataset=row.dataset,
        sql=row.sql,
        version=row.version,
        is_mine=is_mine,
        is_shared=row.is_shared,
        changed_at=row.changed_at,
    )
