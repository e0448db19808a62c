"""People's rights in their own data as cases: a correction by one, a deletion by two, nobody in their own matter."""

import pytest
from django.apps import apps
from tests.cast import Cast

from shuren.casework.data import CaseState, WorkState
from shuren.casework.models import Case, WorkItem
from shuren.casework.services.cases.decide import decide_work
from shuren.casework.services.cases.file import save_draft
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.follow_people import follow_merge
from shuren.casework.services.form_refused import FormRefused
from shuren.casework.services.subject_requests import FLOW, ask_about_data, take_over_requests
from shuren.directory import api as directory
from shuren.kernel.errors import NotFound

pytestmark = pytest.mark.django_db
PHONE = "13800000001"


def asked(cast: Cast, by: str = "parent", about: str = "pupil", **told: object) -> Case:
    """A request handed in."""
    case = ask_about_data(actor=cast.actor(by), person_id=cast.people[about].id, now=cast.now)
    data = {**case.data, "which": "手机号", "reason": "换了号码", **told}
    save_draft(actor=cast.actor(by), case_id=case.pk, data=data, base_revision=case.revision, now=cast.now)
    return submit_case(actor=cast.actor(by), case_id=case.pk, now=cast.now)


def answer(cast: Cast, case: Case, by: str, outcome: str = "agree", comment: str = "已核实") -> Case:
    item = WorkItem.objects.get(case=case, assignee_id=cast.people[by].id, state=WorkState.OPEN.value)
    return decide_work(actor=cast.actor(by), work_id=item.pk, outcome=outcome, comment=comment, now=cast.now)


def deletion(cast: Cast, **who: str) -> Case:
    return asked(cast, kind="delete", understood=True, **who)


def test_a_request_fills_in_whose_data_it_is_and_is_begun_once(cast: Cast) -> None:
    case = ask_about_data(actor=cast.actor("parent"), person_id=cast.people["pupil"].id, now=cast.now)
    assert (case.data["name"], case.data["asker"], case.org_id) == ("张三", "guardian", cast.orgs["school"].id)
    assert ask_about_data(actor=cast.actor("parent"), person_id=cast.people["pupil"].id, now=cast.now).pk == case.pk
    with pytest.raises(FormRefused):
        submit_case(actor=cast.actor("parent"), case_id=case.pk, now=cast.now)
    for stranger in ("teacher", "head", "far_parent"):
        with pytest.raises(NotFound):
            ask_about_data(actor=cast.actor(stranger), person_id=cast.people["pupil"].id, now=cast.now)


def test_a_correction_takes_one_answer(cast: Cast) -> None:
    case = asked(cast, kind="correct", proposed="13900000000")
    assert set(WorkItem.objects.filter(case=case).values_list("assignee_id", flat=True)) == {
        cast.people["head"].id,
        cast.people["school_admin"].id,
    }
    done = answer(cast, case, "school_admin")
    assert (done.state, done.end) == (CaseState.CLOSED, "granted")


def test_a_deletion_takes_two_and_keeps_the_record(cast: Cast) -> None:
    person = apps.get_model("directory.Person").objects
    person.filter(pk=cast.people["pupil"].id).update(phone=PHONE)
    case = deletion(cast)
    half = answer(cast, case, "school_admin")
    assert half.state == CaseState.RUNNING
    assert person.get(pk=cast.people["pupil"].id).phone == PHONE
    assert not WorkItem.objects.filter(case=case, stage_run__stage="second", assignee_id=cast.people["school_admin"].id).exists()
    assert answer(cast, case, "head").end == "granted"
    pupil = person.get(pk=cast.people["pupil"].id)
    assert (pupil.phone, pupil.name) == ("", "张三")


def test_a_refusal_changes_nothing_and_says_why(cast: Cast) -> None:
    apps.get_model("directory.Person").objects.filter(pk=cast.people["pupil"].id).update(phone=PHONE)
    case = deletion(cast)
    assert answer(cast, case, "head", "refuse", "学籍依法保存").end == "refused"
    assert apps.get_model("directory.Person").objects.get(pk=cast.people["pupil"].id).phone == PHONE


def test_nobody_answers_in_their_own_matter(cast: Cast) -> None:
    case = asked(cast, by="head", about="head", kind="correct", proposed="13900000000")
    assert list(WorkItem.objects.filter(case=case).values_list("assignee_id", flat=True)) == [cast.people["school_admin"].id]


def test_requests_from_before_go_on_as_cases(cast: Cast) -> None:
    left = apps.get_model("directory.SubjectRequest").objects.create(
        subject_id=cast.people["pupil"].id,
        asked_by_id=cast.people["parent"].id,
        kind="delete",
        body="不再使用",
        org_path=cast.orgs["school"].path,
        at=cast.now,
        due_at=cast.now,
    )
    assert take_over_requests(now=cast.now) == 1
    case = Case.objects.get(definition__key=FLOW)
    assert (case.filer_id, case.data["reason"]) == (cast.people["parent"].id, "不再使用")
    left.refresh_from_db()
    assert case.number in left.answer
    assert directory.requests_left() == []
    assert take_over_requests(now=cast.now) == 0


def test_cases_follow_a_person_who_was_entered_twice(cast: Cast) -> None:
    case = asked(cast, kind="correct", proposed="13900000000")
    kept = cast.people["far_parent"].id
    assert follow_merge(kept_id=kept, dropped_id=cast.people["parent"].id, now=cast.now) >= 1
    case.refresh_from_db()
    assert case.filer_id == kept
    assert follow_merge(kept_id=kept, dropped_id=cast.people["parent"].id, now=cast.now) == 0


def test_the_copy_of_everything_on_file_holds_cases_and_opinions(cast: Cast) -> None:
    case = asked(cast, kind="correct", proposed="13900000000")
    answer(cast, case, "school_admin")
    copy = directory.give_subject_data(actor=cast.actor("parent"), person_id=cast.people["pupil"].id, now=cast.now)
    assert [row["number"] for row in copy["cases"]] == [case.number]  # type: ignore[attr-defined]
    own = directory.give_subject_data(actor=cast.actor("school_admin"), person_id=cast.people["school_admin"].id, now=cast.now)
    assert [row["comment"] for row in own["opinions"]] == ["已核实"]  # type: ignore[attr-defined]
