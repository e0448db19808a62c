"""An officer asks: through the lake's gate with their own scope, or through a grant, and keeps the answer for themselves."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter

import pyarrow as pa
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.datahub.models import QuestionAnswer, SavedQuestion
from shuren.datahub.rules.workbench.answers import packed
from shuren.datahub.selectors.workbench import Desk, access_workbench
from shuren.datahub.services.ask import ask_lake
from shuren.datahub.services.sharing.read import ask_shared
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid

ANSWER_ROWS = 10_000
SECONDS = 30.0
KEPT = 20
KEPT_FOR = timedelta(days=7)
_MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on its way: its text, where it began, and the saved question that it is."""

    sql: str
    dataset: str = ""
    grant_id: int | None = None
    title: str = ""
    composition: dict[str, object] = field(default_factory=dict, hash=False)
    question: SavedQuestion | None = None

    @classmethod
    def of_question(cls, row: SavedQuestion) -> "Asked":
        return cls(row.sql, row.dataset, row.grant_id, row.title, row.composition, row)


def ask_question(*, actor: Actor, asked: Asked, purpose: str, now: datetime) -> QuestionAnswer:
    """Ask and keep the answer, at most 10,000 rows; of those asked by hand the newest 20 are kept for a week.

    Whoever asks gets the rows of their own branches, whosever the question is.
    """
    desk = access_workbench(actor=actor, now=now)
    answer = answered(desk, actor, asked, purpose, now)
    with transaction.atomic():
        answer.save()
        mine = QuestionAnswer.objects.filter(person_id=answer.person_id, schedule__isnull=True).order_by("-pk")
        QuestionAnswer.objects.filter(pk__in=list(mine.values_list("pk", flat=True)[KEPT:])).delete()
    return answer


def answered(desk: Desk, actor: Actor, asked: Asked, purpose: str, now: datetime) -> QuestionAnswer:
    """The answer, not kept yet; the question stands in the audit before it is answered."""
    began = perf_counter()
    table, is_cut = _table(desk, actor, asked, purpose, now)
    content = packed(table)
    if len(content) > _MOST_BYTES:
        raise Invalid(_("结果太大，页面放不下。"), remedy=_("请少选几列，或先汇总。"))
    return QuestionAnswer(
        person_id=actor.person_id or 0,
        question=asked.question,
        title=asked.title,
        dataset=asked.dataset,
        grant_id=asked.grant_id,
        sql=asked.sql,
        composition=asked.composition,
        purpose=purpose[:200],
        scope=[] if asked.grant_id is not None else list(desk.paths),
        content=content,
        rows=table.num_rows,
        is_cut=is_cut,
        seconds=perf_counter() - began,
        at=now,
    )


def sweep_answers(*, now: datetime) -> int:
    """Forget answers that were asked for by hand a week ago; returns how many."""
    gone, _models = QuestionAnswer.objects.filter(schedule__isnull=True, at__lt=now - KEPT_FOR).delete()
    return gone


def _table(desk: Desk, actor: Actor, asked: Asked, purpose: str, now: datetime) -> tuple[pa.Table, bool]:
    if asked.grant_id is not None:
        table = ask_shared(actor=actor, grant_id=asked.grant_id, sql=asked.sql, most_rows=ANSWER_ROWS, now=now)
        return table, table.num_rows >= ANSWER_ROWS
    reader = desk.reader(purpose, most_rows=ANSWER_ROWS + 1, seconds=SECONDS)
    table = ask_lake(asked.sql, reader=reader, actor=actor, now=now)
    return table.slice(0, ANSWER_ROWS), table.num_rows > ANSWER_ROWS
