"""The whole answer of a question on its way into a file: asked anew, streamed, and written down."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from django.utils.translation import gettext as _

from shuren.datahub.models import QuestionAnswer
from shuren.datahub.rules.sharing import WHOLE
from shuren.datahub.selectors.workbench import access_answer, access_workbench
from shuren.datahub.services.ask import stream_lake
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Refused

_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Exported:
    """The columns and the rows of a file, and the branches whose rows these are."""

    names: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]
    scope_name: str


def export_question(*, actor: Actor, answer_id: int, form: str, now: datetime) -> Exported:
    """Ask an answer's question once more for a file, as the data is now; only time cuts it short, and then it breaks off.

    What was granted for questions alone leaves as no file: `Refused`.
    """
    desk = access_workbench(actor=actor, now=now)
    answer = access_answer(desk, actor=actor, id=answer_id, now=now)
    if answer.grant_id is not None:
        raise Refused(_("共享来的数据不从这里导出。"), remedy=_("授权里包括“文件”的，请到“授权与使用”下载。"))
    reader = desk.reader(answer.purpose, most_rows=WHOLE, seconds=_SECONDS)
    batches = stream_lake(answer.sql, reader=reader, actor=actor, now=now)
    # The first is empty and has the columns: what cannot be answered is refused before a file begins.
    names = tuple(next(batches).schema.names)
    details = {"form": form, "dataset": answer.dataset, "purpose": answer.purpose, "branches": list(desk.paths[:20])}
    audit.record(actor=actor, action="datahub.question_exported", target=_target(answer), details=details, now=now)
    return Exported(names, _rows(batches), desk.scope_name)


def _target(answer: QuestionAnswer) -> str:
    return f"question_answer:{answer.pk}"


def _rows(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[Any, ...]]:
    for batch in batches:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
