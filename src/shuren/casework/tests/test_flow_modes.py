"""Ways of deciding: one, all, a quorum, in turn, apart with an arbiter; and whom a stage asks."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cast import Cast

from shuren.casework.models import Case, Entry, StageRun, WorkItem
from shuren.casework.rules.functions import register_function
from shuren.casework.services.cases.decide import decide_work
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.flows import AGREE, LEAVE_FORM, REFUSE, filed, flow, open_item, stage, submitted
from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid, Refused

JUDGES = ("head", "school_admin", "county_officer")


def judges(cast: Cast, *names: str) -> dict[str, Any]:
    people = [cast.people[name] for name in names or JUDGES]
    return {"judges": [{"person": {"id": person.public_id, "name": person.name}} for person in people]}


@pytest.fixture
def by(define: Define) -> Any:
    define("form", LEAVE_FORM)

    def put(decide: str = "all", **more: Any) -> None:
        who = more.pop("who", {"named_in": "judges.person"})
        define("flow", flow(stage(decide=decide, who=who, **more)))

    return put


def answer(cast: Cast, case: Case, person: str, outcome: str = "agree", **more: Any) -> Case:
    item = open_item(case, assignee_id=cast.people[person].id)
    return decide_work(actor=cast.actor(person), work_id=item.pk, outcome=outcome, comment="理由", now=cast.now, **more)


def counted(case: Case) -> tuple[int, int, int]:
    run = StageRun.objects.filter(case=case).latest("id")
    return run.asked, run.agreed, run.differed


def test_all_must_agree_and_one_no_is_enough(cast: Cast, by: Any) -> None:
    by("all")
    case = submitted(cast, data=judges(cast))
    assert answer(cast, case, "head").state == "running"
    assert answer(cast, case, "school_admin").state == "running"
    assert counted(case) == (3, 2, 0)
    assert answer(cast, case, "county_officer").result == "granted"
    other = submitted(cast, data=judges(cast))
    assert answer(cast, other, "head", "refuse").result == "refused"
    assert WorkItem.objects.filter(case=other, state="dropped").count() == 2


def test_the_first_of_several_decides_where_one_does(cast: Cast, by: Any) -> None:
    by("one")
    case = submitted(cast, data=judges(cast))
    assert answer(cast, case, "school_admin").result == "granted"
    assert WorkItem.objects.filter(case=case, state="dropped").count() == 2


def test_a_quorum_is_reached_or_out_of_reach(cast: Cast, by: Any) -> None:
    by("quorum", quorum=2)
    case = submitted(cast, data=judges(cast))
    answer(cast, case, "head", "refuse")
    answer(cast, case, "school_admin")
    assert answer(cast, case, "county_officer").result == "granted"
    other = submitted(cast, data=judges(cast))
    answer(cast, other, "head", "refuse")
    assert answer(cast, other, "school_admin", "refuse").result == "refused"


def test_in_a_sequence_one_after_the_other_is_asked(cast: Cast, by: Any) -> None:
    by("sequence")
    case = submitted(cast, data=judges(cast))
    assert WorkItem.objects.filter(case=case, state="waiting").count() == 2
    for person in ("head", "school_admin"):
        assert answer(cast, case, person).state == "running"
        assert WorkItem.objects.filter(case=case, state="open").count() == 1
    assert answer(cast, case, "county_officer").result == "granted"


BLIND = {
    "score": "points",
    "tolerance": 5,
    "arbiter": {"role": "province_officer", "at": "province"},
    "fields": [{"key": "points", "title": "分数", "type": "integer", "minimum": 0, "maximum": 100, "required": True}],
}


def test_two_who_judge_apart_agree(cast: Cast, by: Any) -> None:
    by("blind", **BLIND)
    case = submitted(cast, data=judges(cast))
    assert counted(case)[0] == 2
    with pytest.raises(Invalid):
        answer(cast, case, "head")
    answer(cast, case, "head", written={"points": 80})
    case = answer(cast, case, "school_admin", written={"points": 84})
    assert (case.result, case.written) == ("granted", {"review": {"points": 82.0}})


def test_an_arbiter_decides_where_two_are_far_apart(cast: Cast, by: Any) -> None:
    by("blind", **BLIND)
    case = submitted(cast, data=judges(cast))
    answer(cast, case, "head", written={"points": 80})
    assert answer(cast, case, "school_admin", written={"points": 60}).state == "running"
    item = open_item(case, kind="arbitrate")
    case = decide_work(
        actor=cast.actor("province_officer"), work_id=item.pk, outcome="agree", written={"points": 70}, now=cast.now
    )
    assert (case.result, case.written["review"]["points"]) == ("granted", 70)
    assert counted(case)[0] == 3


def test_blind_needs_two(cast: Cast, by: Any) -> None:
    by("blind", **BLIND)
    with pytest.raises(Invalid, match="找不到办理人"):
        submitted(cast, data=judges(cast, "head"))
    assert Case.objects.get().state == "draft"


WHO: list[tuple[dict[str, Any], set[str]]] = [
    ({"role": "head", "at": "school"}, {"head@school"}),
    ({"role": "county_officer", "at": "above"}, {"county_officer@county"}),
    ({"role": "city_officer", "at": "city"}, {"city_officer@city"}),
    ({"role": "class_teacher", "at": "here"}, {"class_teacher@class"}),
    ({"filer": True}, {"class_teacher"}),
    ({"class_teacher": True}, {"class_teacher"}),
    ({"role": "expert", "at": "school", "otherwise": {"role": "head", "at": "school"}}, {"head@school"}),
    ({"function": "casework.test_people"}, {"staff", "head"}),
]


def staff_and_head(*, case: Any, now: Any) -> list[int]:
    found = directory.holders_of(Role.STAFF, [int(case.org_path.split("/")[-3])], now=now)
    heads = directory.holders_of(Role.HEAD, [int(case.org_path.split("/")[-3])], now=now)
    return [person_id for rows in (found, heads) for people in rows.values() for person_id in people]


@pytest.mark.parametrize(("who", "expected"), WHO)
def test_whom_a_stage_asks(cast: Cast, by: Any, who: dict[str, Any], expected: set[str]) -> None:
    register_function("casework.test_people", "shuren.casework.tests.test_flow_modes.staff_and_head")
    by("one", who=who)
    case = submitted(cast)
    names = {person.id: key for key, person in cast.people.items()}
    orgs = {org.id: key for key, org in cast.orgs.items()}
    found = {
        names[item.assignee_id] if item.assignee_id else f"{item.role}@{orgs[item.org_id or 0]}"
        for item in WorkItem.objects.filter(case=case)
    }
    assert found == expected


def test_everybody_in_an_office_is_asked_where_all_decide(cast: Cast, by: Any) -> None:
    by("all", who={"role": "county_officer", "at": "above"})
    case = submitted(cast)
    assert [item.assignee_id for item in WorkItem.objects.filter(case=case)] == [cast.people["county_officer"].id]


def test_every_school_below_is_asked_apart(cast: Cast, define: Define) -> None:
    define("form", LEAVE_FORM)
    who = {"role": "head", "at": "school", "each": True}
    define("flow", flow(stage(decide="all", who=who), filed_by={"roles": ["province_officer"]}))
    case = submitted(cast, by="province_officer", org="province")
    assert counted(case) == (4, 0, 0)
    for person, org in (("head", "school"), ("far_head", "far_school")):
        item = open_item(case, org_id=cast.orgs[org].id)
        decide_work(actor=cast.actor(person), work_id=item.pk, outcome="agree", now=cast.now)
    assert counted(case) == (4, 2, 0)


def test_a_pool_draws_whom_nothing_speaks_against(cast: Cast, define: Define, by: Any) -> None:
    register = define(
        "register",
        {
            "key": "office.experts",
            "title": "专家库",
            "sections": [{"key": "main", "title": "专家", "fields": [{"key": "name", "title": "姓名", "type": "text"}]}],
            "states": [{"key": "active", "title": "在库", "to": ["left"]}, {"key": "left", "title": "退出"}],
        },
    )
    for person, state in (("head", "active"), ("far_head", "active"), ("city_officer", "left"), ("expert", "active")):
        Entry.objects.create(
            register=register,
            org_id=cast.orgs["province"].id,
            org_path=cast.orgs["province"].path,
            subject_id=cast.people[person].id,
            label=person,
            identity=person,
            state=state,
            made_at=cast.now,
            changed_at=cast.now,
        )
    by("all", who={"pool": "office.experts", "count": 5, "avoid": ["same_branch", "filer"]})
    case = submitted(cast, by="school_admin", org="school")
    assert [item.assignee_id for item in WorkItem.objects.filter(case=case)] == [cast.people["far_head"].id]


def test_stages_are_skipped_where_their_condition_is_false(cast: Cast, define: Define) -> None:
    define("form", LEAVE_FORM)
    long = stage("county", who={"role": "county_officer", "at": "above"}, when="days > 3")
    define("flow", flow(stage(outcomes=[{**AGREE, "to": "county"}, REFUSE]), long))
    short, longer = submitted(cast), submitted(cast, data={"days": 5})
    for case in (short, longer):
        decide_work(actor=cast.actor("head"), work_id=open_item(case).pk, outcome="agree", now=cast.now)
        case.refresh_from_db()
    assert (short.state, longer.stage) == ("closed", "county")


def test_nobody_to_ask_leaves_the_draft_as_it_was(cast: Cast, by: Any) -> None:
    by("one", who={"role": "expert", "at": "school"})
    case = filed(cast)
    with pytest.raises(Invalid, match="找不到办理人"):
        submitted(cast)
    assert set(Case.objects.values_list("state", flat=True)) == {"draft"}
    assert case.state == "draft"


def test_a_delegate_does_not_judge_twice(cast: Cast, by: Any) -> None:
    by("blind", **BLIND)
    case = submitted(cast, data=judges(cast))
    answer(cast, case, "head", written={"points": 80})
    item = open_item(case)
    WorkItem.objects.filter(pk=item.pk).update(assignee=cast.people["head"].id)
    with pytest.raises(Refused, match="不能评两次"):
        decide_work(actor=cast.actor("head"), work_id=item.pk, outcome="agree", written={"points": 81}, now=cast.now)


def test_a_great_countersign_costs_the_same_for_everybody(cast: Cast, by: Any) -> None:
    """What a decision costs does not grow with how many decide: linear in all."""
    by("all")
    case = submitted(cast, data=judges(cast))
    run = StageRun.objects.get(case=case)

    def cost() -> int:
        item = WorkItem.objects.filter(case=case, assignee_id=cast.people["head"].id, state="open").first()
        assert item is not None
        with CaptureQueriesContext(
            connection,
        ) as queries:
            decide_work(actor=cast.actor("head"), work_id=item.pk, outcome="agree", now=cast.now)
        return len(queries)

    def many(count: int) -> None:
        items = [
            WorkItem(
                case=case, stage_run=run, kind="decide", state="open", assignee_id=cast.people["head"].id, opened_at=cast.now
            )
            for _ in range(count)
        ]
        WorkItem.objects.bulk_create(items)
        StageRun.objects.filter(pk=run.pk).update(asked=StageRun.objects.get(pk=run.pk).asked + count)

    many(2)
    few = cost()
    many(1000)
    assert cost() == few
    assert few <= 30


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), decide=st.sampled_from(["one", "all", "quorum", "sequence"]))
def test_whatever_is_decided_the_case_ends_or_waits_for_somebody(cast: Cast, by: Any, data: st.DataObject, decide: str) -> None:
    """Counters agree with items after every answer, and nothing stays open once a case is closed."""
    by(decide, **({"quorum": 2} if decide == "quorum" else {}))
    case = submitted(cast, data=judges(cast), now=cast.now + timedelta(seconds=1))
    while True:
        case.refresh_from_db()
        waiting = list(WorkItem.objects.filter(case=case, state="open"))
        assert (case.state == "running") == bool(waiting)
        run = StageRun.objects.get(case=case)
        done = WorkItem.objects.filter(stage_run=run, state="done")
        assert (run.agreed, run.differed) == (done.filter(outcome="agree").count(), done.exclude(outcome="agree").count())
        assert run.asked == WorkItem.objects.filter(stage_run=run).count() == 3
        if not waiting:
            break
        item = data.draw(st.sampled_from(waiting))
        outcome = data.draw(st.sampled_from(["agree", "refuse"]))
        decide_work(actor=SYSTEM, work_id=item.pk, outcome=outcome, comment="随机", now=cast.now)
    assert case.result == ("granted" if run.outcome == "agree" else "refused")
