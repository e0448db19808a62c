"""Every move of a case, on the cast."""

from datetime import timedelta

import pytest
from tests.cast import Cast

from shuren.casework.data import CaseResult, CaseState
from shuren.casework.models import Case, CaseEvent, StageRun, WorkItem
from shuren.casework.selectors.cases import access_case
from shuren.casework.selectors.work import access_work, open_work
from shuren.casework.services.cases.cancel import cancel_case
from shuren.casework.services.cases.decide import decide_batch, decide_work
from shuren.casework.services.cases.file import save_draft
from shuren.casework.services.cases.share import add_signer, end_delegation, hand_over_work, set_delegation, urge_case
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.cases.turn_back import return_case, withdraw_case
from shuren.casework.services.form_refused import FormRefused
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.flows import AGREE, LEAVE_FORM, REFUSE, filed, flow, open_item, stage, submitted, titles_to
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.kernel.models import AuditEntry, Event


@pytest.fixture
def leave(define: Define) -> None:
    define("form", LEAVE_FORM)
    define("flow", flow())


def events_of(case: Case) -> list[str]:
    return list(CaseEvent.objects.filter(case=case).order_by("id").values_list("act", flat=True))


@pytest.mark.usefixtures("leave")
def test_a_case_goes_from_a_draft_to_its_end(cast: Cast) -> None:
    case = filed(cast)
    assert (case.state, case.data["days"], case.number[:2]) == ("draft", 2, "QJ")
    with pytest.raises(NotFound):
        access_case(actor=cast.actor("head"), id=case.pk, now=cast.now)
    submit_case(actor=cast.actor("class_teacher"), case_id=case.pk, now=cast.now)
    item = open_item(case)
    assert (item.role, item.org_id, item.assignee_id) == ("head", cast.orgs["school"].id, None)
    assert titles_to(cast, "head") == ["待办：校长审批"]
    decide_work(actor=cast.actor("head"), work_id=item.pk, outcome="agree", comment="注意休息", now=cast.now)
    case.refresh_from_db()
    assert (case.state, case.result, case.end) == (CaseState.CLOSED, CaseResult.GRANTED, "granted")
    assert events_of(case) == ["filed", "submitted", "entered", "decided", "closed"]
    names = list(Event.objects.filter(name__startswith="casework.").order_by("id").values_list("name", flat=True))
    assert names == ["casework.case_submitted", "casework.case_decided", "casework.case_closed"]
    closed = Event.objects.get(name="casework.case_closed").payload
    assert (closed["result"], closed["end"], closed["flow"], closed["form"]) == (
        "granted",
        "granted",
        "office.leave",
        "office.leave_form",
    )
    assert titles_to(cast, "class_teacher") == ["已办结：准予"]
    assert AuditEntry.objects.filter(action="casework.work_decided", target=f"case:{case.pk}").count() == 1


@pytest.mark.usefixtures("leave")
def test_only_who_may_file_files(cast: Cast) -> None:
    for person, org in (("pupil", "class"), ("far_class_teacher", "class"), ("head", "school")):
        with pytest.raises(Refused, match="不能为"):
            filed(cast, by=person, org=org)
    assert Case.objects.count() == 0


@pytest.mark.usefixtures("leave")
def test_a_draft_tells_two_fillers_apart(cast: Cast) -> None:
    case, actor = filed(cast), cast.actor("class_teacher")
    assert save_draft(actor=actor, case_id=case.pk, data={"reason": "开会", "days": "x"}, base_revision=1, now=cast.now) == 2
    with pytest.raises(Conflict, match="别处已经保存过"):
        save_draft(actor=actor, case_id=case.pk, data={"reason": "旧"}, base_revision=1, now=cast.now)
    case.refresh_from_db()
    assert case.data == {"reason": "开会", "days": "x"}
    with pytest.raises(FormRefused) as refused:
        submit_case(actor=actor, case_id=case.pk, now=cast.now)
    assert [fault.path for fault in refused.value.faults] == ["days"]
    assert Case.objects.get().state == "draft"


@pytest.mark.usefixtures("leave")
def test_all_faults_are_told_at_once(cast: Cast) -> None:
    case = filed(cast, data={"reason": "", "days": 99})
    with pytest.raises(FormRefused) as refused:
        submit_case(actor=cast.actor("class_teacher"), case_id=case.pk, now=cast.now)
    assert {fault.path for fault in refused.value.faults} == {"reason", "days"}


@pytest.mark.usefixtures("leave")
def test_a_reason_is_asked_for_a_refusal(cast: Cast) -> None:
    item = open_item(submitted(cast))
    with pytest.raises(Invalid, match="要写明理由"):
        decide_work(actor=cast.actor("head"), work_id=item.pk, outcome="refuse", now=cast.now)
    case = decide_work(actor=cast.actor("head"), work_id=item.pk, outcome="refuse", comment="人手不够", now=cast.now)
    assert (case.result, case.end) == ("refused", "refused")


@pytest.mark.usefixtures("leave")
def test_only_who_holds_the_office_answers(cast: Cast) -> None:
    item = open_item(submitted(cast))
    for person in ("class_teacher", "school_admin", "county_officer", "far_head", "pupil"):
        with pytest.raises(NotFound):
            decide_work(actor=cast.actor(person), work_id=item.pk, outcome="agree", now=cast.now)
    decide_work(actor=cast.actor("head"), work_id=item.pk, outcome="agree", now=cast.now)
    with pytest.raises(Conflict, match="已经有人处理"):
        decide_work(actor=cast.actor("head"), work_id=item.pk, outcome="agree", now=cast.now)


@pytest.mark.usefixtures("leave")
def test_who_may_see_a_case(cast: Cast) -> None:
    case = submitted(cast)
    seeing = {"class_teacher", "head", "school_admin", "county_officer", "city_officer", "province_officer"}
    for person in cast.people:
        if person in seeing:
            assert access_case(actor=cast.actor(person), id=case.pk, now=cast.now).pk == case.pk
        else:
            with pytest.raises(NotFound):
                access_case(actor=cast.actor(person), id=case.pk, now=cast.now)


def test_guardians_see_the_case_of_their_ward_and_roles_what_the_flow_shows_them(cast: Cast, define: Define) -> None:
    define("form", LEAVE_FORM)
    define("flow", flow(see=["staff"]))
    case = submitted(cast, subject_person_id=cast.people["pupil"].id)
    assert case.title == "教师请假 · 张三"
    for person in ("pupil", "parent", "staff"):
        assert access_case(actor=cast.actor(person), id=case.pk, now=cast.now).pk == case.pk
    for person in ("far_parent", "classmate", "expert"):
        with pytest.raises(NotFound):
            access_case(actor=cast.actor(person), id=case.pk, now=cast.now)


@pytest.mark.usefixtures("leave")
def test_the_filer_takes_a_case_back_until_it_is_closed(cast: Cast) -> None:
    case = submitted(cast)
    with pytest.raises(Refused):
        withdraw_case(actor=cast.actor("school_admin"), case_id=case.pk, now=cast.now)
    withdraw_case(actor=cast.actor("class_teacher"), case_id=case.pk, reason="不去了", now=cast.now)
    assert Case.objects.get(pk=case.pk).state == "withdrawn"
    assert not WorkItem.objects.filter(case=case, state="open").exists()
    with pytest.raises(Conflict):
        withdraw_case(actor=cast.actor("class_teacher"), case_id=case.pk, now=cast.now)


@pytest.mark.usefixtures("leave")
def test_officers_call_a_case_off_but_not_their_own(cast: Cast) -> None:
    case = submitted(cast, by="school_admin", org="school")
    with pytest.raises(Refused):
        cancel_case(actor=cast.actor("school_admin"), case_id=case.pk, reason="我的", now=cast.now)
    with pytest.raises(Invalid, match="写明理由"):
        cancel_case(actor=cast.actor("county_officer"), case_id=case.pk, reason=" ", now=cast.now)
    cancel_case(actor=cast.actor("county_officer"), case_id=case.pk, reason="重复", now=cast.now)
    assert Case.objects.get(pk=case.pk).state == "cancelled"
    assert titles_to(cast, "school_admin") == ["办件已被取消"]


def two_stages(**changes: object) -> dict[str, object]:
    onward = {**AGREE, "to": "county"}
    return flow(
        stage(outcomes=[onward, REFUSE, {"key": "mend", "title": "补正", "to": "filer", "needs_reason": True}]),
        stage("county", title="区里审批", who={"role": "county_officer", "at": "above"}, **changes),
    )


@pytest.fixture
def two(define: Define) -> None:
    define("form", LEAVE_FORM)
    define("flow", two_stages(edits=["days"]))


@pytest.mark.usefixtures("two")
def test_a_case_goes_back_to_an_earlier_stage_and_to_the_filer(cast: Cast) -> None:
    case = submitted(cast)
    decide_work(actor=cast.actor("head"), work_id=open_item(case).pk, outcome="agree", now=cast.now)
    officer = cast.actor("county_officer")
    with pytest.raises(Invalid, match="只能退回"):
        return_case(actor=officer, work_id=open_item(case).pk, to="county", reason="?", now=cast.now)
    return_case(actor=officer, work_id=open_item(case).pk, to="review", reason="请校长再看", now=cast.now)
    case.refresh_from_db()
    assert (case.state, case.stage) == ("running", "review")
    assert StageRun.objects.filter(case=case, stage="review").count() == 2
    return_case(actor=cast.actor("head"), work_id=open_item(case).pk, to="filer", reason="写清楚", now=cast.now)
    case.refresh_from_db()
    assert (case.state, case.stage) == ("returned", "")
    assert not WorkItem.objects.filter(case=case, state="open").exists()
    save_draft(
        actor=cast.actor("class_teacher"),
        case_id=case.pk,
        data={"reason": "看牙", "days": 1},
        base_revision=case.revision,
        now=cast.now,
    )
    submit_case(actor=cast.actor("class_teacher"), case_id=case.pk, now=cast.now)
    case.refresh_from_db()
    assert (case.state, case.stage, case.data["reason"]) == ("running", "review", "看牙")
    assert "corrected" in events_of(case)


@pytest.mark.usefixtures("two")
def test_an_outcome_may_lead_to_the_filer(cast: Cast) -> None:
    case = submitted(cast)
    decide_work(actor=cast.actor("head"), work_id=open_item(case).pk, outcome="mend", comment="缺证明", now=cast.now)
    case.refresh_from_db()
    assert case.state == "returned"
    assert Event.objects.get(name="casework.case_returned").payload["reason"] == "缺证明"


@pytest.mark.usefixtures("two")
def test_a_stage_changes_only_the_fields_it_may(cast: Cast) -> None:
    case = submitted(cast)
    seen = {"base_revision": case.revision}
    with pytest.raises(Refused, match="不能修改"):
        decide_work(
            actor=cast.actor("head"), work_id=open_item(case).pk, outcome="agree", edits={"days": 1}, **seen, now=cast.now
        )
    decide_work(actor=cast.actor("head"), work_id=open_item(case).pk, outcome="agree", now=cast.now)
    officer, item = cast.actor("county_officer"), open_item(case)
    with pytest.raises(FormRefused):
        decide_work(actor=officer, work_id=item.pk, outcome="agree", edits={"days": 99}, **seen, now=cast.now)
    decide_work(actor=officer, work_id=item.pk, outcome="agree", edits={"days": 1}, **seen, now=cast.now)
    case.refresh_from_db()
    assert case.data["days"] == 1
    assert CaseEvent.objects.get(case=case, act="corrected").details == {"changed": {"days": {"was": 2, "is": 1}}}


@pytest.mark.usefixtures("leave")
def test_work_is_handed_over_to_a_colleague_only(cast: Cast) -> None:
    item, head = open_item(submitted(cast)), cast.actor("head")
    with pytest.raises(Refused, match="同事"):
        hand_over_work(actor=head, work_id=item.pk, person_id=cast.people["far_head"].id, now=cast.now)
    hand_over_work(actor=head, work_id=item.pk, person_id=cast.people["school_admin"].id, reason="出差", now=cast.now)
    with pytest.raises(NotFound):
        decide_work(actor=head, work_id=item.pk, outcome="agree", now=cast.now)
    assert titles_to(cast, "school_admin") == ["转办给您：校长审批"]
    assert decide_work(actor=cast.actor("school_admin"), work_id=item.pk, outcome="agree", now=cast.now).state == "closed"


@pytest.mark.usefixtures("leave")
def test_an_added_signer_is_heard_first(cast: Cast) -> None:
    case, head = submitted(cast), cast.actor("head")
    item = open_item(case)
    with pytest.raises(Invalid):
        add_signer(actor=head, work_id=item.pk, person_ids=[head.person_id or 0], now=cast.now)
    (added,) = add_signer(
        actor=head, work_id=item.pk, person_ids=[cast.people["school_admin"].id], question="课排得开吗", now=cast.now
    )
    with pytest.raises(Conflict, match="还没有给出意见"):
        decide_work(actor=head, work_id=item.pk, outcome="agree", now=cast.now)
    with pytest.raises(Invalid, match="写下您的意见"):
        decide_work(actor=cast.actor("school_admin"), work_id=added.pk, outcome="", now=cast.now)
    decide_work(actor=cast.actor("school_admin"), work_id=added.pk, outcome="", comment="排得开", now=cast.now)
    assert StageRun.objects.get(case=case).agreed == 0
    assert decide_work(actor=head, work_id=item.pk, outcome="agree", now=cast.now).state == "closed"


@pytest.mark.usefixtures("leave")
def test_a_case_is_urged_once_an_hour(cast: Cast) -> None:
    case, filer = submitted(cast), cast.actor("class_teacher")
    assert urge_case(actor=filer, case_id=case.pk, now=cast.now) == 1
    with pytest.raises(Conflict, match="一小时内"):
        urge_case(actor=filer, case_id=case.pk, now=cast.now + timedelta(minutes=59))
    assert urge_case(actor=filer, case_id=case.pk, now=cast.now + timedelta(hours=1)) == 1
    with pytest.raises(NotFound):
        urge_case(actor=cast.actor("far_head"), case_id=case.pk, now=cast.now + timedelta(hours=3))
    assert open_item(case).urges == 2
    assert titles_to(cast, "head").count(f"催办：{case.title}") == 2


@pytest.mark.usefixtures("leave")
def test_work_falls_to_the_delegate_and_back(cast: Cast) -> None:
    case, admin = submitted(cast), cast.actor("school_admin")
    row = set_delegation(
        actor=cast.actor("head"),
        delegate_id=admin.person_id or 0,
        begin_at=cast.now,
        end_at=cast.now + timedelta(days=3),
        now=cast.now,
    )
    item = open_item(case)
    assert [one.pk for one in open_work(actor=admin, now=cast.now)] == [item.pk]
    assert not open_work(actor=admin, now=cast.now + timedelta(days=3)).exists()
    end_delegation(actor=cast.actor("head"), delegation_id=row.pk, now=cast.now)
    with pytest.raises(NotFound):
        access_work(actor=admin, id=item.pk, now=cast.now)
    set_delegation(
        actor=cast.actor("head"),
        delegate_id=admin.person_id or 0,
        begin_at=cast.now,
        end_at=cast.now + timedelta(days=3),
        flow="office.leave",
        now=cast.now,
    )
    decide_work(actor=admin, work_id=item.pk, outcome="agree", now=cast.now)
    item.refresh_from_db()
    assert (item.done_by_id, item.for_person_id) == (admin.person_id, cast.people["head"].id)


@pytest.mark.usefixtures("leave")
def test_a_delegation_has_bounds(cast: Cast) -> None:
    head, admin = cast.actor("head"), cast.people["school_admin"].id
    later = cast.now + timedelta(days=1)
    with pytest.raises(Invalid):
        set_delegation(actor=head, delegate_id=admin, begin_at=later, end_at=cast.now, now=cast.now)
    with pytest.raises(Refused):
        set_delegation(actor=head, delegate_id=cast.people["far_head"].id, begin_at=cast.now, end_at=later, now=cast.now)
    set_delegation(actor=head, delegate_id=admin, begin_at=cast.now, end_at=later, now=cast.now)
    with pytest.raises(Conflict, match="已经委托过"):
        set_delegation(actor=head, delegate_id=admin, begin_at=cast.now, end_at=later, now=cast.now)


@pytest.mark.usefixtures("leave")
def test_many_are_approved_at_once_with_a_result_each(cast: Cast) -> None:
    cases = [submitted(cast) for _ in range(3)]
    ids = [open_item(case).pk for case in cases]
    withdraw_case(actor=cast.actor("class_teacher"), case_id=cases[1].pk, now=cast.now)
    batch = decide_batch(actor=cast.actor("head"), work_ids=[*ids, 10**9], outcome="", comment="同意", now=cast.now)
    assert batch.done == (ids[0], ids[2])
    assert [work_id for work_id, _why in batch.refused] == [ids[1], 10**9]
    assert sorted(Case.objects.values_list("state", flat=True)) == ["closed", "closed", "withdrawn"]
