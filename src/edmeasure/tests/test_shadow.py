"""Adaptive tests by shadow tests: every test keeps the blueprint, and the first form is the best of all."""

import itertools

import numpy as np
import pytest

import edmeasure
from edmeasure import Between, Blueprint, ContentBound, MostInformation, SolverOptions, SumBound
from edmeasure.assembly import shadow

from .conftest import bank_of_table


@pytest.fixture(scope="module")
def bank():
    return bank_of_table("catbank_500_3PL.csv", areas=("algebra", "geometry", "numbers"))


@pytest.fixture(scope="module")
def design(bank):
    rng = np.random.default_rng(2)
    pool = edmeasure.item_pool(bank, attributes={"minutes": rng.integers(1, 6, 500), "form": rng.choice(["a", "b", "c"], 500)})
    blueprint = Blueprint(
        15,
        content=(
            ContentBound({"area": "algebra"}, 5, 5),
            ContentBound({"area": "geometry"}, 4, 6),
            ContentBound({"form": "a"}, 3, 5),
            ContentBound({"minutes": Between(5)}, 0, 2),
        ),
        sums=(SumBound("minutes", 30, 40),),
        enemies=(("Q0", "Q1"), ("Q100", "Q200", "Q300")),
    )
    return edmeasure.shadow_design(bank, pool, blueprint)


@pytest.fixture(scope="module")
def examinees(bank):
    rng = np.random.default_rng(3)
    thetas = rng.normal(size=8)
    return thetas, bank.draw(thetas, rng=rng)


def test_every_test_keeps_the_blueprint(design, examinees):
    found = edmeasure.simulate_shadow_tests(design, examinees[1])
    pool = design.pool
    minutes = pool.numbers("minutes")
    for row in found.items:
        assert len(set(row.tolist())) == 15
        assert pool.items_where({"area": "algebra"})[row].sum() == 5
        assert 4 <= pool.items_where({"area": "geometry"})[row].sum() <= 6
        assert 3 <= pool.items_where({"form": "a"})[row].sum() <= 5
        assert pool.items_where({"minutes": Between(5)})[row].sum() <= 2
        assert 30 <= minutes[row].sum() <= 40
        assert len({0, 1} & set(row.tolist())) <= 1
        assert len({100, 200, 300} & set(row.tolist())) <= 1
    assert "8 tests of 15.0 items" in str(found)


def test_rules_cost_little(design, bank, examinees):
    found = edmeasure.simulate_shadow_tests(design, examinees[1])
    free = edmeasure.simulate_tests(bank, edmeasure.TestRules(max_items=15), examinees[1], rng=np.random.default_rng(0))
    assert found.se.mean() < 1.2 * free.se.mean()


def test_without_rules_it_is_the_adaptive_test(bank, examinees):
    free = edmeasure.shadow_design(bank, edmeasure.item_pool(bank), Blueprint(12), gap=0.0)
    found = edmeasure.simulate_shadow_tests(free, examinees[1])
    plain = edmeasure.simulate_tests(bank, edmeasure.TestRules(max_items=12), examinees[1], rng=np.random.default_rng(0))
    np.testing.assert_array_equal(found.items, plain.items)
    np.testing.assert_allclose(found.theta, plain.theta, atol=1e-9)


def test_every_form_is_the_best_around_what_was_given(design, examinees, monkeypatch):
    """Against the whole program, solved anew."""
    seen = []
    original = shadow._reassembled

    def watched(design, information, is_given, is_closed, before):
        form = original(design, information, is_given, is_closed, before)
        seen.append((information, is_given.copy(), form))
        return form

    monkeypatch.setattr(shadow, "_reassembled", watched)
    edmeasure.simulate_shadow_tests(design, examinees[1][:1])
    assert len(seen) >= 14
    for information, is_given, form in seen[::5]:
        pool = edmeasure.item_pool(
            design.pool.item_ids, points=(0.0,), information=information[:, None], attributes=design.pool.attributes
        )
        fixed = tuple(np.array(pool.item_ids)[is_given].tolist())
        rules = Blueprint(
            15,
            content=design.blueprint.content,
            sums=design.blueprint.sums,
            enemies=design.blueprint.enemies,
            fixed=fixed,
        )
        best = edmeasure.assemble_form(
            pool, rules, MostInformation(), rng=np.random.default_rng(0), options=SolverOptions(solvers=("highs",))
        )
        value = information @ (form.x[:500] > 0.5)
        assert value <= best.objective + 1e-6
        assert value >= (1 - 2 * design.gap) * best.objective


def test_resumed_tests_go_on_with_the_same_item(design, bank, examinees):
    answers = examinees[1][0]
    state = edmeasure.start_test(rng=np.random.default_rng(1))
    for _ in range(3):
        step = edmeasure.next_shadow_step(design, edmeasure.TestState.from_json(state.to_json()))
        state = state.answered(step.item_id, answers[bank.item_ids.index(step.item_id)])
    batch = edmeasure.simulate_shadow_tests(design, answers[None])
    assert [bank.item_ids[at] for at in batch.items[0][:3]] == list(state.item_ids)
    full = edmeasure.TestState(
        1, tuple(bank.item_ids[at] for at in batch.items[0]), tuple(int(answers[at]) for at in batch.items[0])
    )
    ended = edmeasure.next_shadow_step(design, full)
    assert ended.item_id is None
    assert ended.reason == "longest test"
    assert ended.theta == batch.theta[0]


@pytest.mark.parametrize("refresh", ["item", "stimulus"])
def test_sets_are_given_whole_and_in_one_go(bank, examinees, refresh):
    pool = edmeasure.item_pool(bank, stimuli=[f"text {at // 10}" if at < 300 else "" for at in range(500)])
    rules = Blueprint(12, n_stimuli=3, items_per_stimulus=(3, 4), content=(ContentBound({"area": "algebra"}, 3, 5),))
    design = edmeasure.shadow_design(bank, pool, rules, refresh=refresh)
    found = edmeasure.simulate_shadow_tests(design, examinees[1][:3])
    for row in found.items:
        of_set = pool.stimuli[row]
        for stimulus in set(of_set[of_set >= 0].tolist()):
            places = np.flatnonzero(of_set == stimulus)
            assert 3 <= places.size <= 4
            assert (np.diff(places) == 1).all()
        assert len([key for key, _ in itertools.groupby(of_set.tolist()) if key >= 0]) == 3
        assert 3 <= pool.items_where({"area": "algebra"})[row].sum() <= 5


def test_hostile_input_is_refused(design, bank, examinees):
    pool = design.pool
    with pytest.raises(edmeasure.BadOption, match="one length"):
        edmeasure.shadow_design(bank, pool, Blueprint((10, 12)))
    with pytest.raises(edmeasure.BadShape, match="different items"):
        edmeasure.shadow_design(bank, edmeasure.item_pool(["a"]), Blueprint(1))
    with pytest.raises(edmeasure.InfeasibleBlueprint, match="area"):
        edmeasure.shadow_design(bank, pool, Blueprint(5, content=(ContentBound({"area": "algebra"}, 6),)))
    with pytest.raises(edmeasure.BadOption, match="refresh"):
        edmeasure.shadow_design(bank, pool, Blueprint(5), refresh="never")
    with pytest.raises(edmeasure.BadShape, match="other items"):
        edmeasure.next_shadow_step(design, edmeasure.TestState(1).answered("Q3", 1))
    with pytest.raises(edmeasure.BadShape, match="not in the bank"):
        edmeasure.next_shadow_step(design, edmeasure.TestState(1).answered("no", 1))
    with pytest.raises(edmeasure.BadScore):
        edmeasure.next_shadow_step(design, edmeasure.TestState(1).answered("Q3", 7))
    with pytest.raises(edmeasure.BadScore):
        edmeasure.simulate_shadow_tests(design, np.full((1, 500), -1))
    with pytest.raises(edmeasure.BadShape):
        edmeasure.simulate_shadow_tests(design, examinees[1][:, :4])
