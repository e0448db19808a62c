"""Cases counted by where they stand: the counters say what the cases say, whatever happened in between."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from tests.cast import Cast

from shuren.casework.models import Case, CaseTally, Definition
from shuren.casework.selectors.burden import burden_by_form, burden_by_org
from shuren.casework.selectors.case_statistics import flow_figures
from shuren.casework.services import tally_cases as tallying
from shuren.casework.services.cases.decide import decide_work
from shuren.casework.services.cases.turn_back import return_case, withdraw_case
from shuren.casework.services.tally_cases import recount_cases, tally_cases
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.flows import LEAVE_FORM, filed, flow, open_item, stage, submitted
from shuren.directory import api as directory
from shuren.kernel.data import SYSTEM


@pytest.fixture
def leave(define: Define) -> Definition:
    define("form", LEAVE_FORM)
    return define("flow", flow(stage(due={"working_days": 2})))


def counted(org: str | None, cast: Cast) -> dict[tuple[str, str], int]:
    """What the tally says of an org, or of the region."""
    rows = CaseTally.objects.filter(org_id=cast.orgs[org].id if org else None, cases__gt=0)
    return {(row.state, row.stage): row.cases for row in rows}


def standing() -> dict[tuple[str, str], int]:
    return dict(Counter(Case.objects.values_list("state", "stage")))


def decided(cast: Cast, case: Case, outcome: str = "agree") -> None:
    decide_work(actor=cast.actor("head"), work_id=open_item(case).pk, outcome=outcome, comment="理由", now=cast.now)


def test_a_case_is_counted_where_it_stands_each_time(cast: Cast, leave: Definition) -> None:
    case = filed(cast)
    assert tally_cases() == 1
    assert tally_cases() == 0
    assert counted("school", cast) == counted(None, cast) == {("draft", ""): 1}
    case, other, third = (submitted(cast) for _ in range(3))
    decided(cast, other)
    return_case(actor=cast.actor("head"), work_id=open_item(third).pk, to="filer", reason="补充", now=cast.now)
    assert tally_cases() == 3
    assert counted("school", cast) == standing()
    withdraw_case(actor=cast.actor("class_teacher"), case_id=case.pk, reason="不请了", now=cast.now)
    assert tally_cases() == 1
    assert counted("school", cast) == counted(None, cast) == standing()
    assert sum(standing().values()) == 4
    assert CaseTally.objects.filter(cases__lt=0).count() == 0


def test_what_a_kill_interrupts_is_counted_the_next_time(cast: Cast, leave: Definition, monkeypatch: pytest.MonkeyPatch) -> None:
    submitted(cast)

    def fail(*_given: Any, **_more: Any) -> None:
        raise OSError("killed")

    with monkeypatch.context() as broken:
        broken.setattr(tallying, "_write", lambda *given: (CaseTally.objects.create(definition=leave, state="x"), fail())[0])
        with pytest.raises(OSError, match="killed"):
            tally_cases()
    assert not CaseTally.objects.exists()
    assert tally_cases() == 1
    assert counted(None, cast) == standing()


def test_few_at_a_time_come_to_the_same(cast: Cast, leave: Definition) -> None:
    for _ in range(5):
        submitted(cast)
    assert [tally_cases(limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert counted("school", cast) == standing() == {("running", "review"): 5}


def test_a_recount_puts_right_what_is_wrong_and_counts_nothing_twice(cast: Cast, leave: Definition) -> None:
    first, _second = submitted(cast), submitted(cast)
    tally_cases()
    assert recount_cases(definition_id=leave.pk) == 0
    decided(cast, first)
    # What moved since waits for its turn, and is not counted by both.
    CaseTally.objects.filter(org__isnull=True).update(cases=7, asked=1)
    CaseTally.objects.filter(org__isnull=False).delete()
    CaseTally.objects.create(definition=leave, state="closed", cases=3)
    assert recount_cases(definition_id=leave.pk) == 3
    assert counted("school", cast) == counted(None, cast) == {("running", "review"): 2}
    tally_cases()
    assert counted("school", cast) == counted(None, cast) == standing()
    sums = CaseTally.objects.filter(org__isnull=True).values_list("asked", "cases")
    assert sum(asked for asked, _cases in sums) == sum(Case.objects.values_list("asked", flat=True))


def test_counts_move_with_the_school(cast: Cast, leave: Definition) -> None:
    submitted(cast)
    tally_cases()
    far = cast.orgs["far_county"]
    directory.move_org(actor=SYSTEM, org_id=cast.orgs["school"].id, parent_id=far.id, now=cast.now)
    officer = cast.actor("county_officer")
    assert burden_by_org(actor=officer, definition=leave, now=cast.now).total == 0
    city = burden_by_org(actor=cast.actor("province_officer"), definition=leave, now=cast.now)
    assert [(row.name, row.cases) for row in city.rows] == [(cast.orgs["school"].name, 1)]
    assert recount_cases(definition_id=leave.pk) == 0


def test_pages_read_the_counters_within_the_readers_branch(cast: Cast, leave: Definition) -> None:
    case, _other = submitted(cast), submitted(cast)
    decided(cast, case)
    submitted(cast, by="far_class_teacher", org="far_class")
    tally_cases()
    now = cast.now + timedelta(days=9)
    figures = {who: flow_figures(actor=cast.actor(who), definition=leave, now=now) for who in ("province_officer", "head")}
    assert figures["province_officer"].states == {"running": 2, "closed": 1}
    assert figures["head"].states == {"running": 1, "closed": 1}
    for who, live in (("province_officer", 2), ("head", 1)):
        (review,) = figures[who].stages
        assert (review.live, review.late) == (live, live)
    early = flow_figures(actor=cast.actor("head"), definition=leave, now=cast.now)
    assert early.stages[0].late == 0
    forms = {
        who: [(one.cases, one.asked) for one in burden_by_form(actor=cast.actor(who), now=now).rows if one.cases]
        for who in ("province_officer", "head")
    }
    each = case.asked
    assert forms == {"province_officer": [(3, 3 * each)], "head": [(2, 2 * each)]}
    schools = burden_by_org(actor=cast.actor("province_officer"), definition=leave, size=1, now=now)
    assert (schools.total, [(one.name, one.cases) for one in schools.rows]) == (2, [(cast.orgs["school"].name, 2)])
