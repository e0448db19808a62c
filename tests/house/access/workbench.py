"""The query workbench: officers, heads and school administrators ask; an answer is found by who asked alone."""

import pyarrow as pa

from shuren.datahub.api import offer_dataset, write_partition
from shuren.datahub.data import DatasetSpec
from shuren.datahub.models import QuestionAnswer, QuestionVersion, SavedQuestion
from shuren.datahub.rules.workbench.answers import packed
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from tests.cast import Cast
from tests.house.access.frame import MANAGERS, NOBODY, Address, Area, act, call, form, page, roles

ASKERS = MANAGERS | roles("head")
COUNTY = roles("county_officer")
# The near question is the county officer's and shared: those of the county's branch open it. The far one is the far head's.
OPENERS = COUNTY | roles("head school_admin")

ADDRESSES: dict[str, Address] = {
    "datahub:workbench": page(ASKERS),
    "datahub:compose_question": form(ASKERS, ASKERS, dataset="asked_dataset"),
    "datahub:workbench_sql": form(ASKERS),
    "datahub:question_answers": page(ASKERS),
    "datahub:question_answer": page(COUNTY, NOBODY, answer_id="answer"),
    "datahub:question_file": page(COUNTY, NOBODY, answer_id="answer"),
    "datahub:save_question": form(COUNTY, NOBODY, answer_id="answer"),
    "datahub:keep_version": act(COUNTY, NOBODY, answer_id="answer"),
    "datahub:saved_questions": page(ASKERS),
    "datahub:saved_question": form(OPENERS, NOBODY, question_id="question"),
    "datahub:change_question": form(COUNTY, NOBODY, question_id="question"),
    "datahub:schedule_question": form(COUNTY, NOBODY, question_id="question"),
    "datahub:unschedule_question": act(COUNTY, NOBODY, question_id="question"),
    "datahub:copy_question": act(OPENERS, NOBODY, question_id="question"),
    "datahub:delete_question": act(COUNTY, NOBODY, question_id="question"),
    "datahub:restore_question": act(NOBODY, NOBODY, question_id="question"),
    "api-v1:list_saved_questions": call(ASKERS),
    "api-v1:read_question_answer": call(COUNTY, NOBODY, question_id="question"),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """A dataset that everybody at a desk finds, and a question with its answer, of the county's officer and of the far head."""
    name = "casework.asked_form"
    offer_dataset(DatasetSpec(name, ("year",), name, "L2", "datahub", scope_column="org_path"))
    table = pa.table({"org_path": [cast.orgs["county"].path], "mark": [71]})
    write_partition(name, {"year": 2026}, table, actor=SYSTEM, now=cast.now)
    questions, answers = [], []
    for key, org, is_shared in (("county_officer", "county", True), ("far_head", "far_school", False)):
        told = {"title": "体质", "dataset": name, "sql": "SELECT mark FROM casework_asked_form"}
        owner = cast.people[key].id
        path = cast.orgs[org].path
        question = SavedQuestion.objects.create(**told, owner_id=owner, org_path=path, is_shared=is_shared, changed_at=cast.now)
        QuestionVersion.objects.create(question=question, number=1, sql=question.sql, at=cast.now)
        answer = QuestionAnswer.objects.create(
            **told, question=question, person_id=owner, purpose="核对", scope=[path], content=packed(table), rows=1, at=cast.now
        )
        questions.append(ids.encode("saved_question", question.pk))
        answers.append(ids.encode("question_answer", answer.pk))
    return {
        "asked_dataset": (name, name),
        "question": (questions[0], questions[1]),
        "answer": (answers[0], answers[1]),
    }


AREA = Area(ADDRESSES, places)
