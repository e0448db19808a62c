"""What collections decide without a database."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.casework.data import CaseResult, CaseState, TargetState
from shuren.casework.rules.collections import (
    Choice,
    choice_in,
    counted_fields,
    dataset_name,
    difference,
    form_grade,
    is_late,
    may_be_urged,
    takes_new_case,
    target_state,
)
from shuren.casework.rules.specs.form import FormSpec
from shuren.directory.data import OrgData, OrgStatus, OrgType
from shuren.standards.data import Grade

NOW = datetime(2026, 10, 12, 1, 0, tzinfo=UTC)
numbers = st.floats(min_value=-1e9, max_value=1e9, allow_nan=False)


def org(id: int, *, is_rural: bool | None = None) -> OrgData:
    return OrgData(id, f"o{id}", "", "", "学校", "", OrgType.SCHOOL, OrgStatus.ACTIVE, f"1/{id}/", 2, 1, is_rural=is_rural)


def test_a_choice_takes_only_whom_it_names_and_comes_back_as_it_was_kept() -> None:
    choice = Choice(frozenset({1, 2}), is_rural=True, exempt_ids=frozenset({2}))
    taken = [choice.takes(org(1, is_rural=True)), choice.takes(org(1)), choice.takes(org(3, is_rural=True))]
    assert taken == [True, False, False]
    assert Choice(is_rural=False).takes(org(9, is_rural=False))
    assert Choice().takes(org(9))
    assert choice_in(choice.kept()) == choice
    assert choice_in({}) == Choice()


@pytest.mark.parametrize(
    ("state", "result", "stands"),
    [
        (CaseState.DRAFT, "", TargetState.DRAFT),
        (CaseState.RUNNING, "", TargetState.SUBMITTED),
        (CaseState.RETURNED, "", TargetState.RETURNED),
        (CaseState.CLOSED, CaseResult.GRANTED, TargetState.ACCEPTED),
        (CaseState.CLOSED, CaseResult.DONE, TargetState.ACCEPTED),
        (CaseState.CLOSED, CaseResult.REFUSED, TargetState.RETURNED),
        (CaseState.WITHDRAWN, "", TargetState.DRAFT),
        (CaseState.CANCELLED, "", TargetState.MISSING),
    ],
)
def test_an_org_stands_where_its_case_stands(state: CaseState, result: str, stands: TargetState) -> None:
    assert target_state(state, result) is stands


def test_only_what_is_over_and_was_not_accepted_is_begun_anew() -> None:
    anew = {(state, result) for state in CaseState for result in CaseResult if takes_new_case(state, result)}
    assert (CaseState.CLOSED, CaseResult.REFUSED) in anew
    assert (CaseState.WITHDRAWN, CaseResult.DONE) in anew
    assert (
        not {(CaseState.CLOSED, CaseResult.DONE), (CaseState.DRAFT, CaseResult.DONE), (CaseState.RUNNING, CaseResult.DONE)} & anew
    )


def test_late_is_whoever_owes_an_answer_past_the_due_time() -> None:
    before = NOW - timedelta(seconds=1)
    late = {state for state in TargetState if is_late(state, before, NOW)}
    assert late == {TargetState.MISSING, TargetState.DRAFT, TargetState.RETURNED}
    assert not is_late(TargetState.MISSING, NOW, NOW)


def test_nobody_is_urged_twice_in_an_hour() -> None:
    assert may_be_urged(TargetState.MISSING, None, NOW)
    assert not may_be_urged(TargetState.MISSING, NOW - timedelta(minutes=59), NOW)
    assert may_be_urged(TargetState.DRAFT, NOW - timedelta(hours=1), NOW)
    assert not may_be_urged(TargetState.SUBMITTED, None, NOW)
    assert not may_be_urged(TargetState.EXEMPT, None, NOW)


@given(was=numbers, is_now=numbers, factor=st.floats(min_value=1.01, max_value=100))
def test_a_difference_is_flagged_alike_both_ways(was: float, is_now: float, factor: float) -> None:
    there, back = difference(was, is_now, factor=factor), difference(is_now, was, factor=factor)
    assert there.change == pytest.approx(-back.change) if back.change is not None else there.change is None
    ratio = abs(is_now / was) if was else None
    if ratio and not (0.99 < ratio / factor < 1.01 or 0.99 < ratio * factor < 1.01):
        assert there.is_flagged == back.is_flagged


@given(value=numbers, factor=st.floats(min_value=1.01, max_value=100))
def test_what_did_not_change_is_not_flagged(value: float, factor: float) -> None:
    assert not difference(value, value, factor=factor).is_flagged


@pytest.mark.parametrize(
    ("was", "is_now", "is_flagged"),
    [
        (100, 149, False),
        (100, 151, True),
        (100, 66, True),
        (0, 3, True),
        (3, 0, True),
        (0, 0, False),
        (5, -5, True),
        (None, 3, False),
    ],
)
def test_which_figures_are_flagged_at_one_and_a_half(was: object, is_now: object, is_flagged: bool) -> None:
    assert difference(was, is_now, factor=1.5).is_flagged is is_flagged


def test_text_and_truth_are_no_figures() -> None:
    assert difference("n/a", True, factor=2).change is None
    assert difference("3", "4.5", factor=2).change == 1.5


def form(fields: list[dict[str, object]]) -> FormSpec:
    return FormSpec.model_validate(
        {"key": "collect.basics", "title": "基本情况", "sections": [{"key": "main", "title": "主要", "fields": fields}]}
    )


def test_a_form_is_graded_by_its_most_careful_field() -> None:
    plain = {"key": "pupils", "title": "学生数", "type": "integer", "grade": "L1"}
    inner = {"key": "phone", "title": "电话", "type": "text", "grade": "L3"}
    table = {"key": "leaders", "title": "负责人", "type": "table", "columns": [inner]}
    assert form_grade(form([plain]).fields) is Grade.PUBLIC
    assert form_grade(form([plain, table]).fields) is Grade.PERSONAL
    assert [field.key for field in counted_fields(form([plain, table]))] == ["pupils"]


def test_datasets_are_named_by_the_form_and_never_too_long() -> None:
    assert dataset_name("collect.basics") == "casework.collect_basics"
    assert dataset_name("collect.basics", "rooms") == "casework.collect_basics__rooms"
    long = [dataset_name("collect." + "a" * 90 + end) for end in "bc"]
    assert len(set(long)) == 2
    assert all(len(name) <= 80 for name in long)
