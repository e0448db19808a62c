"""Running a draw again from its published file: the true one holds, and every manipulation is seen at its step."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shuren.casework.rules.draw_bundles import Step, digest_of, holds, statement_of, verify
from shuren.casework.rules.draw_conflicts import judge_published
from shuren.casework.rules.draws import Ticket, canonical, commitment_of, outcome, pools_of, seed_of, sha256
from shuren.casework.tests.draw_cast import plain_digest, pool, rules
from shuren.trust import api as trust
from shuren.trust.data import DigestAlgorithm

AT = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
SECRET = bytes(range(32))


def sm3(data: bytes) -> bytes:
    return trust.digest(data, DigestAlgorithm.SM3)


def bundle_over(
    pools: dict[str, Any], told: dict[str, Any], *, secret: bytes = SECRET, value: str = "18 24 33"
) -> dict[str, Any]:
    data = canonical(pools)
    statement = statement_of(
        title="2026 年秋季食堂安全检查",
        org="org1",
        org_name="东湖区教育局",
        rules=told,
        digests={"sha256": sha256(data).hex(), "sm3": sm3(data).hex()},
        commitment=commitment_of(secret),
        operator={"id": "p1", "name": "周志强"},
        contributor={"kind": "person", "id": "p2", "name": "冯学文", "what": ""},
        committed_at=AT,
        contribution_due_at=AT + timedelta(days=1),
        reveal_due_at=AT + timedelta(days=2),
    )
    seed = seed_of(secret, value, sha256(data).hex())
    return {
        "protocol": "shuren-draw-1",
        "statement": statement,
        "statement_digest": digest_of(statement),
        "pools": pools,
        "contribution": {"value": value, "by": "p2", "at": (AT + timedelta(hours=3)).isoformat()},
        "secret": secret.hex(),
        "seed": seed.hex(),
        "result": outcome(told, pools, seed),
    }


@pytest.fixture
def bundle() -> dict[str, Any]:
    return bundle_over(pool(30, 12, strata=3), rules(9))


def bad(steps: list[Step]) -> set[str]:
    return {step.name for step in steps if step.is_good is False}


def test_a_true_draw_holds(bundle: dict[str, Any]) -> None:
    again = json.loads(json.dumps(bundle))
    steps = verify(again, sm3=sm3, judge=judge_published)
    assert bad(steps) == set()
    assert all(step.is_good for step in steps)
    assert holds(steps)


def test_digests_are_what_somebody_else_computes(bundle: dict[str, Any]) -> None:
    assert bundle["statement"]["pools_sha256"] == plain_digest(bundle["pools"])
    assert bundle["statement_digest"] == plain_digest(bundle["statement"])


def _drop_object(told: dict[str, Any]) -> None:
    del told["pools"]["objects"][3]


def _rename(told: dict[str, Any]) -> None:
    told["pools"]["objects"][3]["label"] = "另一所学校"


def _reorder(told: dict[str, Any]) -> None:
    told["pools"]["objects"].reverse()


def _forget_conflict(told: dict[str, Any]) -> None:
    told["pools"]["objects"][0]["barred"] = {}


def _swap_secret(told: dict[str, Any]) -> None:
    told["secret"] = "ff" * 32


def _late(told: dict[str, Any]) -> None:
    told["contribution"]["at"] = (AT + timedelta(days=1, seconds=1)).isoformat()


def _early(told: dict[str, Any]) -> None:
    told["contribution"]["at"] = (AT - timedelta(seconds=1)).isoformat()


def _other_value(told: dict[str, Any]) -> None:
    told["contribution"]["value"] = "18 24 34"


def _by_operator(told: dict[str, Any]) -> None:
    told["statement"]["contributor"]["id"] = told["contribution"]["by"] = "p1"


def _swap_result(told: dict[str, Any]) -> None:
    told["result"][0], told["result"][1] = told["result"][1], told["result"][0]


def _fewer(told: dict[str, Any]) -> None:
    told["statement"]["rules"]["count"] = 8
    told["result"] = told["result"][:8]


def _other_seed(told: dict[str, Any]) -> None:
    told["seed"] = "00" * 32


@pytest.mark.parametrize(
    ("change", "steps"),
    [
        (_drop_object, {"pools", "pools_sm3"}),
        (_rename, {"pools", "pools_sm3"}),
        (_reorder, {"pools", "pools_sm3"}),
        (_forget_conflict, {"pools", "pools_sm3", "conflicts"}),
        (_swap_secret, {"commitment", "seed", "result"}),
        (_late, {"times"}),
        (_early, {"times"}),
        (_other_value, {"seed", "result"}),
        (_by_operator, {"statement", "parties"}),
        (_swap_result, {"result"}),
        (_fewer, {"statement"}),
        (_other_seed, {"seed"}),
    ],
)
def test_every_manipulation_is_seen(bundle: dict[str, Any], change: Callable[[dict[str, Any]], None], steps: set[str]) -> None:
    forged = copy.deepcopy(bundle)
    change(forged)
    assert steps <= bad(verify(forged, sm3=sm3, judge=judge_published))


@pytest.mark.parametrize("told", [[], {}, {"protocol": "other"}, "text"])
def test_what_is_no_draw_is_refused(told: Any) -> None:
    assert bad(verify(told, sm3=sm3)) == {"protocol"}


def test_broken_parts_are_faults_and_no_crash(bundle: dict[str, Any]) -> None:
    for part in ("statement", "pools", "contribution", "secret", "seed", "result"):
        for junk in (None, 7, [], {}, "zz"):
            assert not holds(verify({**bundle, part: junk}, sm3=sm3, judge=judge_published)), (part, junk)


def test_hidden_facts_are_said_to_be_hidden() -> None:
    told = rules(2, each=1)
    told["conflicts"] = [{"same_org": False, "when": "object.owner == inspector.spouse", "reason": {"zh": "亲属", "en": ""}}]
    people = [Ticket("p1", "甲"), Ticket("p2", "乙")]
    hidden = pools_of([Ticket("s1", "一校", barred={"p1": 0}), Ticket("s2", "二校")], people)
    step = next(step for step in verify(bundle_over(hidden, told), sm3=sm3, judge=judge_published) if step.name == "conflicts")
    assert step.is_good is None
    assert "not published" in step.detail
    people = [Ticket("p1", "甲", facts={"spouse": "张"}), Ticket("p2", "乙", facts={"spouse": None})]
    shown = pools_of(
        [Ticket("s1", "一校", facts={"owner": "张"}, barred={"p1": 0}), Ticket("s2", "二校", facts={"owner": "李"})], people
    )
    assert holds(verify(bundle_over(shown, told), sm3=sm3, judge=judge_published))
    shown["objects"][0]["barred"] = {}
    assert bad(verify(bundle_over(shown, told), sm3=sm3, judge=judge_published)) == {"conflicts"}
