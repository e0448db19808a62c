"""A draw from its registers to its result: in order, by different people, and with nothing changed on the way."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from tests.cast import Cast

from shuren.casework.data import DrawState
from shuren.casework.models import Draw
from shuren.casework.rules.draw_bundles import digests_on_record, verify
from shuren.casework.selectors.draws import access_draw, access_run, bundle_of, draws_beside, public_draw, state_of
from shuren.casework.services.draws.commit import commit_draw
from shuren.casework.services.draws.contribute import contribute_to_draw
from shuren.casework.services.draws.prepare import discard_draw, prepare_draw, prepare_lottery
from shuren.casework.services.draws.run import run_draw
from shuren.casework.tests.draw_registers import committed, drawn, independent, prepared, put_registers, second_officer
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.kernel.models import AuditEntry
from shuren.trust import api as trust
from shuren.trust.data import DigestAlgorithm

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def registers(cast: Cast, define: Any, settings: Any, tmp_path: Path) -> None:
    settings.SHUREN_EVIDENCE_DIR = tmp_path / "evidence"
    put_registers(cast, define)


def sm3(data: bytes) -> bytes:
    return trust.digest(data, DigestAlgorithm.SM3)


def by_label(draw: Draw) -> dict[str, dict[str, Any]]:
    return {ticket["label"]: ticket for ticket in [*draw.objects_pool, *draw.inspectors_pool]}


def test_pools_are_what_the_registers_hold(cast: Cast) -> None:
    draw = prepared(cast)
    assert len(draw.objects_pool) == 10
    assert "食堂10" not in by_label(draw)
    assert len(draw.inspectors_pool) == 8
    assert draw.rules["count"] == 5
    found = by_label(draw)
    assert set(found["食堂2"]["barred"]) == {found["检查员0"]["id"], found["检查员1"]["id"]}
    assert found["食堂2"]["barred"][found["检查员1"]["id"]] == 1
    assert set(found["食堂3"]["barred"]) == set()
    assert found["食堂2"]["facts"] == {}, "who owns it is personal and stays inside"


def test_a_whole_draw_can_be_run_again_from_its_file(cast: Cast) -> None:
    draw = Draw.objects.get(pk=drawn(cast).pk)
    steps = verify(bundle_of(draw, now=cast.now), sm3=sm3)
    assert [step for step in steps if step.is_good is False] == []
    assert len(draw.result) == 5
    barred = {ticket["id"]: set(ticket["barred"]) for ticket in draw.objects_pool}
    assert all(not barred[row["object"]] & set(row["inspectors"]) for row in draw.result)
    kinds = [ticket["stratum"] for ticket in draw.objects_pool if ticket["id"] in {row["object"] for row in draw.result}]
    assert sorted(kinds.count(kind) for kind in ("小学", "幼儿园")) == [2, 3]


def test_commitment_and_contribution_stand_in_the_evidence_log(cast: Cast) -> None:
    draw = drawn(cast)
    trust.grow_log(now=cast.now + timedelta(hours=2))
    proofs = trust.proofs_of([draw.statement_entry_id, draw.contribution_entry_id])
    statement, contribution = proofs[draw.statement_entry_id], proofs[draw.contribution_entry_id]
    assert statement.digest.hex() == draw.statement_digest
    assert statement.at < contribution.at
    told = bundle_of(draw, now=cast.now)
    assert contribution.digest.hex() == digests_on_record(told)["contribution"]
    assert set(told["proofs"]) == {"statement", "contribution"}


def test_what_is_changed_later_no_longer_fits_the_evidence_log(cast: Cast) -> None:
    draw = drawn(cast)
    assert list(trust.faults_of_records()) == []
    Draw.objects.filter(pk=draw.pk).update(contribution="另一个数", statement=draw.statement | {"title": "另一个名称"})
    faults = list(trust.faults_of_records())
    assert f"draw:{draw.pk} is not what was put on record" in faults
    assert f"draw_contribution:{draw.pk} is not what was put on record" in faults


def test_the_secret_is_sealed_until_the_draw(cast: Cast) -> None:
    draw = committed(cast)
    assert draw.secret == ""
    assert not {"secret", "seed", "result"} & bundle_of(draw, now=cast.now).keys()
    secret = trust.unseal(draw.secret_sealed, purpose="casework.draw_secret")
    assert secret.hex() not in str(list(AuditEntry.objects.values_list("details", flat=True)))
    contribute_to_draw(actor=cast.actor("head"), draw_id=draw.pk, value="7", now=cast.now + timedelta(hours=1))
    done = run_draw(actor=cast.actor("county_officer"), draw_id=draw.pk, now=cast.now + timedelta(hours=2))
    assert bundle_of(done, now=cast.now)["secret"] == secret.hex()


def test_the_operator_is_no_third_party(cast: Cast) -> None:
    draw, officer = prepared(cast), cast.actor("county_officer")
    with pytest.raises(Invalid, match="操作人不能同时是第三方"):
        commit_draw(actor=officer, draw_id=draw.pk, contributor=independent(cast, "county_officer"), now=cast.now)
    second_officer(cast)
    with pytest.raises(Invalid, match="同一职务"):
        commit_draw(actor=officer, draw_id=draw.pk, contributor=independent(cast, "staff"), now=cast.now)
    assert Draw.objects.get().state == DrawState.PREPARING


def test_whoever_contributes_does_not_draw(cast: Cast) -> None:
    draw = prepared(cast)
    officer, above = cast.actor("county_officer"), cast.actor("city_officer")
    commit_draw(actor=officer, draw_id=draw.pk, contributor=independent(cast, "city_officer"), now=cast.now)
    later = cast.now + timedelta(hours=1)
    contribute_to_draw(actor=above, draw_id=draw.pk, value="7", now=later)
    with pytest.raises(NotFound):
        run_draw(actor=above, draw_id=draw.pk, now=later)
    assert run_draw(actor=officer, draw_id=draw.pk, now=later).state == DrawState.DRAWN


def test_only_the_named_one_contributes_once_and_in_time(cast: Cast) -> None:
    draw = committed(cast)
    with pytest.raises(NotFound):
        contribute_to_draw(actor=cast.actor("county_officer"), draw_id=draw.pk, value="1", now=cast.now)
    with pytest.raises(Conflict, match="作废"):
        contribute_to_draw(actor=cast.actor("head"), draw_id=draw.pk, value="1", now=cast.now + timedelta(hours=25))
    contribute_to_draw(actor=cast.actor("head"), draw_id=draw.pk, value="1", now=cast.now + timedelta(hours=23))
    with pytest.raises(Conflict, match="不能更改"):
        contribute_to_draw(actor=cast.actor("head"), draw_id=draw.pk, value="2", now=cast.now + timedelta(hours=23))
    assert Draw.objects.get().contribution == "1"


def test_who_waits_too_long_abandons_the_draw_in_sight_of_all(cast: Cast) -> None:
    draw = committed(cast)
    contribute_to_draw(actor=cast.actor("head"), draw_id=draw.pk, value="1", now=cast.now + timedelta(hours=1))
    late = cast.now + timedelta(hours=49)
    with pytest.raises(Conflict, match="作废"):
        run_draw(actor=cast.actor("county_officer"), draw_id=draw.pk, now=late)
    found = public_draw(draw.pk)
    assert state_of(found, now=late) == DrawState.ABANDONED
    assert bundle_of(found, now=late)["state"] == "abandoned"


def test_a_second_draw_stands_beside_the_first(cast: Cast) -> None:
    first, second = committed(cast), committed(cast)
    waiting = prepared(cast)
    assert list(draws_beside(first)) == [second]
    assert list(draws_beside(second)) == [first]
    assert set(draws_beside(waiting)) == {first, second}
    Draw.objects.filter(pk=second.pk).update(committed_at=cast.now + timedelta(days=31), pools_digest="00" * 32)
    assert list(draws_beside(first)) == []


def test_steps_do_not_change_places(cast: Cast) -> None:
    officer, draw = cast.actor("county_officer"), prepared(cast)
    with pytest.raises(Conflict):
        run_draw(actor=officer, draw_id=draw.pk, now=cast.now)
    commit_draw(actor=officer, draw_id=draw.pk, contributor=independent(cast), now=cast.now)
    for act in (
        lambda: run_draw(actor=officer, draw_id=draw.pk, now=cast.now),
        lambda: commit_draw(actor=officer, draw_id=draw.pk, contributor=independent(cast), now=cast.now),
        lambda: discard_draw(actor=officer, draw_id=draw.pk, now=cast.now),
    ):
        with pytest.raises(Conflict):
            act()


@pytest.mark.parametrize("column", ["objects_pool", "secret_sealed"])
def test_what_was_swapped_after_the_commitment_does_not_draw(cast: Cast, column: str) -> None:
    draw = committed(cast)
    contribute_to_draw(actor=cast.actor("head"), draw_id=draw.pk, value="1", now=cast.now + timedelta(hours=1))
    swapped = draw.objects_pool[1:] if column == "objects_pool" else trust.seal(bytes(32), purpose="casework.draw_secret")
    Draw.objects.filter(pk=draw.pk).update(**{column: swapped})
    with pytest.raises(Conflict, match="与公布的承诺不符"):
        run_draw(actor=cast.actor("county_officer"), draw_id=draw.pk, now=cast.now + timedelta(hours=2))


@pytest.mark.parametrize("step", ["commit", "contribute", "run"])
def test_a_kill_in_a_step_leaves_the_step_before_and_it_can_be_done_again(cast: Cast, step: str) -> None:
    """The transaction of the step is cut off before its end, as a kill would."""
    officer, head, later = cast.actor("county_officer"), cast.actor("head"), cast.now + timedelta(hours=1)
    draw = prepared(cast)
    acts = {
        "commit": lambda: commit_draw(actor=officer, draw_id=draw.pk, contributor=independent(cast), now=cast.now),
        "contribute": lambda: contribute_to_draw(actor=head, draw_id=draw.pk, value="1", now=later),
        "run": lambda: run_draw(actor=officer, draw_id=draw.pk, now=later),
    }
    for name, act in acts.items():
        if name == step:
            before = Draw.objects.values().get()
            with pytest.raises(KeyboardInterrupt):
                _killed(act)
            assert Draw.objects.values().get() == before
            assert list(trust.faults_of_records()) == []
        act()
    assert [s for s in verify(bundle_of(Draw.objects.get(), now=later), sm3=sm3) if s.is_good is False] == []


def test_an_object_nobody_may_inspect_is_named(cast: Cast, define: Any) -> None:
    everybody = [{"when": "object.name == '食堂7' and inspector.name != '检查员3'", "reason": "申请回避"}]
    put_registers_again = {"conflicts": everybody}
    define("draw", _draw(**put_registers_again))
    with pytest.raises(Invalid, match="食堂7"):
        prepared(cast)


def test_only_offices_named_by_the_draw_run_it_in_their_branch(cast: Cast) -> None:
    for key in ("head", "teacher", "expert", "system_admin"):
        with pytest.raises(NotFound):
            prepare_draw(actor=cast.actor(key), key="sup.canteen_draw", org_id=cast.orgs["county"].id, now=cast.now)
    with pytest.raises(NotFound):
        prepare_draw(
            actor=cast.actor("county_officer"), key="sup.canteen_draw", org_id=cast.orgs["other_county"].id, now=cast.now
        )


def test_the_third_party_sees_the_draw_but_does_not_run_it(cast: Cast) -> None:
    draw = committed(cast)
    assert access_draw(actor=cast.actor("head"), id=draw.pk, now=cast.now) == draw
    with pytest.raises(NotFound):
        access_run(actor=cast.actor("head"), id=draw.pk, now=cast.now)
    with pytest.raises(NotFound):
        access_draw(actor=cast.actor("far_head"), id=draw.pk, now=cast.now)


def test_nothing_is_public_before_the_commitment(cast: Cast) -> None:
    draw = prepared(cast)
    with pytest.raises(NotFound):
        public_draw(draw.pk)
    discard_draw(actor=cast.actor("county_officer"), draw_id=draw.pk, now=cast.now)
    assert not Draw.objects.exists()


def test_a_lottery_needs_more_applicants_than_places(cast: Cast) -> None:
    with pytest.raises(Invalid, match="不需要摇号"):
        prepare_lottery(
            actor=cast.actor("head"),
            flow="gov.enrol",
            stage="",
            org_id=cast.orgs["school"].id,
            places=3,
            title="摇号",
            now=cast.now,
        )


@transaction.atomic
def _killed(act: Callable[[], object]) -> None:
    act()
    raise KeyboardInterrupt


def _draw(**changes: Any) -> dict[str, Any]:
    return {
        "key": "sup.canteen_draw",
        "title": "食堂安全双随机抽查",
        "objects": "sup.canteens",
        "inspectors": "sup.inspectors",
        "count": 3,
        **changes,
    }
