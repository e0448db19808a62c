"""The pure rules of flows: votes, conditions, numbers, pools; a run of whatever decisions ends or waits for somebody."""

from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.casework.rules.assignees import Candidate, drawn, named_values, org_asked, without_conflicts
from shuren.casework.rules.numbers import case_number, is_case_number
from shuren.casework.rules.specs.flow import Decide, FlowSpec, StageSpec
from shuren.casework.rules.stages import (
    FlowStuck,
    Tally,
    blind_verdict,
    merged_written,
    stages_before,
    step_to,
    values_of,
    verdict_of,
)
from shuren.casework.tests.flows import AGREE, REFUSE, flow, stage
from shuren.directory.data import OrgData, OrgStatus, OrgType

MODES = st.sampled_from([Decide.ONE, Decide.ALL, Decide.QUORUM, Decide.SEQUENCE])


def stage_of(decide: Decide, quorum: int = 1) -> StageSpec:
    more: dict[str, Any] = {"decide": decide}
    if decide is Decide.QUORUM:
        more["quorum"] = quorum
    if decide is Decide.BLIND:
        more |= {"score": "points", "tolerance": 5, "arbiter": {"role": "head"}}
    return StageSpec.model_validate(stage(**more))


@given(MODES, st.integers(1, 12), st.integers(1, 12), st.data())
def test_votes_always_come_to_something(decide: Decide, asked: int, quorum: int, data: st.DataObject) -> None:
    """Whoever votes whatever: before everybody answered or with the last answer the stage is decided, and only once."""
    spec, tally = stage_of(decide, quorum), Tally(asked)
    verdict = None
    for _ in range(asked):
        chosen = data.draw(st.sampled_from(["agree", "refuse"]))
        is_agreed = chosen == "agree"
        tally = Tally(asked, tally.agreed + is_agreed, tally.differed + (not is_agreed))
        verdict = verdict_of(spec, tally, chosen)
        if not verdict.is_waiting:
            break
    assert verdict is not None
    assert not verdict.is_waiting
    if decide is Decide.QUORUM:
        assert verdict.is_agreed == (tally.agreed >= min(quorum, asked))
    elif decide is not Decide.ONE:
        assert verdict.is_agreed == (tally.differed == 0)


@pytest.mark.parametrize(
    ("votes", "outcome", "to_arbiter"),
    [
        ([("agree", 80)], "", False),
        ([("agree", 80), ("agree", 85)], "agree", False),
        ([("refuse", 50), ("refuse", 48)], "refuse", False),
        ([("agree", 80), ("agree", 85.5)], "", True),
        ([("agree", 80), ("refuse", 80)], "", True),
        ([("agree", 80), ("agree", None)], "", True),
    ],
)
def test_two_who_judge_apart(votes: list[tuple[str, Any]], outcome: str, to_arbiter: bool) -> None:
    verdict = blind_verdict(stage_of(Decide.BLIND), votes)
    assert (verdict.outcome, verdict.needs_arbiter) == (outcome, to_arbiter)
    assert verdict.is_waiting == (len(votes) < 2)


TARGETS = ["one", "two", "three", "four", "filer", "end:granted", "end:refused"]


@given(st.lists(st.tuples(st.sampled_from(TARGETS), st.booleans()), min_size=4, max_size=4), st.sampled_from(TARGETS[:4]))
def test_skipping_comes_to_an_end_or_says_that_it_does_not(leads: list[tuple[str, bool]], start: str) -> None:
    stages = [
        stage(key, when="" if is_asked else "false", outcomes=[{**AGREE, "to": to}])
        for key, (to, is_asked) in zip(TARGETS[:4], leads, strict=True)
    ]
    spec = FlowSpec.model_validate(flow(*stages))
    try:
        step = step_to(spec, start, lambda text: text != "false")
    except FlowStuck:
        skipping = {key: to for key, (to, is_asked) in zip(TARGETS[:4], leads, strict=True) if not is_asked}
        seen, at = set(), start
        while at in skipping and at not in seen:
            seen.add(at)
            at = skipping[at]
        assert at in seen
        return
    assert step.stage is None or not step.stage.when
    assert len(set(step.skipped)) == len(step.skipped)
    assert step.is_filers or step.stage is not None or step.end is not None


def test_a_flow_that_names_what_is_not_there_is_stuck() -> None:
    spec = FlowSpec.model_validate(flow())
    for to in ("nowhere", "end:nothing"):
        with pytest.raises(FlowStuck):
            step_to(spec, to, bool)


def test_where_a_case_may_be_returned_to() -> None:
    spec = FlowSpec.model_validate(flow(stage("one"), stage("two"), stage("three")))
    assert [one.key for one in stages_before(spec, "three", ["two", "one", "three"])] == ["one", "two"]
    assert stages_before(spec, "one", ["one"]) == []


def test_what_several_wrote_is_one() -> None:
    assert merged_written([{"points": 80, "why": "好"}, {"points": 85, "why": "一般"}]) == {"points": 82.5, "why": "一般"}
    assert merged_written([{"points": 80}]) == {"points": 80}
    assert values_of({"days": 2, "points": 1}, {"review": {"points": 80}, "odd": None}) == {"days": 2, "points": 80}


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_numbers_differ_and_check_themselves(first: int, second: int) -> None:
    one, other = (case_number("QJ", date(2026, 9, 1), row) for row in (first, second))
    assert (one == other) == (first % 999_999_937 == second % 999_999_937)
    assert is_case_number(one)
    assert is_case_number(one.lower())
    assert len(one) <= 30


@given(st.integers(1, 10**9), st.data())
def test_a_slip_in_a_number_is_seen(row: int, data: st.DataObject) -> None:
    number = case_number("QJ", date(2026, 9, 1), row)
    place = data.draw(st.integers(0, len(number) - 1).filter(lambda at: number[at].isdigit()))
    digit = data.draw(st.sampled_from("0123456789").filter(lambda one: one != number[place]))
    assert not is_case_number(number[:place] + digit + number[place + 1 :])


PATHS = st.lists(st.sampled_from(["1/2/3/", "1/2/4/", "1/5/6/", "1/2/3/7/"]), max_size=3).map(frozenset)


@given(st.lists(PATHS, max_size=20), st.integers(1, 5), st.integers(0, 1000))
def test_nobody_with_a_conflict_is_drawn(paths: list[frozenset[str]], count: int, seed: int) -> None:
    pool = [Candidate(number, some) for number, some in enumerate(paths)]
    free = without_conflicts(
        pool, avoid=("same_org", "filer", "asked_before"), org_path="1/2/3/", branch_path="1/2/", filer_id=0, asked_before={1}
    )
    assert {one.person_id for one in free} == {
        one.person_id for one in pool if one.person_id > 1 and not any(path.startswith("1/2/3/") for path in one.paths)
    }
    found = drawn(free, count, Random(seed))
    assert len(found) == len(set(found)) == min(count, len(free))
    assert set(found) <= set(free)
    strict = without_conflicts(pool, avoid=("same_branch",), org_path="", branch_path="1/2/", filer_id=None, asked_before=())
    assert all(not path.startswith("1/2/") for one in strict for path in one.paths)


def test_named_values_and_orgs() -> None:
    data = {"one": {"id": "x"}, "rows": [{"who": {"id": "a"}}, {}, {"who": {"id": "b"}}]}
    assert named_values(data, "one") == [{"id": "x"}]
    assert named_values(data, "rows.who") == [{"id": "a"}, {"id": "b"}]
    assert named_values(data, "none") == named_values(data, "one.part") == []
    kinds = [OrgType.CLASS, OrgType.SCHOOL, OrgType.GROUP, OrgType.COUNTY]
    line = [
        OrgData(number, "", "", "", kind, "", kind, OrgStatus.ACTIVE, f"{number}/", 4 - number, None)
        for number, kind in enumerate(kinds)
    ]
    found = [org.type if org else None for org in (org_asked(line, at) for at in ("here", "above", "school", "city"))]
    assert found == [OrgType.CLASS, OrgType.COUNTY, OrgType.SCHOOL, None]
    assert org_asked([], "here") is None
    assert REFUSE["needs_reason"]
