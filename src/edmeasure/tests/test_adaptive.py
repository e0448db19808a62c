"""Adaptive tests from a bank of 500 simulated 3PL items."""

import dataclasses

import numba
import numpy as np
import pytest

import edmeasure

from .conftest import bank_of_table, table

AREAS = ("algebra", "geometry", "numbers", "numbers")


@pytest.fixture(scope="module")
def bank():
    return bank_of_table("catbank_500_3PL.csv", areas=AREAS)


@pytest.fixture(scope="module")
def examinees(bank):
    rng = np.random.default_rng(7)
    thetas = rng.normal(size=2000)
    return thetas, bank.draw(thetas, rng=rng)


def test_information_is_that_of_the_formula(bank):
    a, b, c = table("catbank_500_3PL.csv")[:, :3].T
    rise = 1 / (1 + np.exp(-a[:, None] * (bank.nodes - b[:, None])))
    chance = c[:, None] + (1 - c[:, None]) * rise
    expected = a[:, None] ** 2 * (1 - chance) / chance * ((chance - c[:, None]) / (1 - c[:, None])) ** 2
    np.testing.assert_allclose(bank.information, expected, atol=1e-7)


def test_adaptive_tests_beat_random_ones(bank, examinees):
    thetas, answers = examinees
    found = edmeasure.simulate_tests(bank, edmeasure.TestRules(), answers, rng=np.random.default_rng(0))
    random = edmeasure.simulate_tests(bank, edmeasure.TestRules(among=500), answers[:300], rng=np.random.default_rng(0))
    error, of_random = (np.sqrt(np.mean((one.theta - thetas[: one.theta.size]) ** 2)) for one in (found, random))
    assert error < 0.29
    assert error < 0.65 * of_random
    assert np.sqrt(np.mean(found.se**2)) == pytest.approx(error, rel=0.05)
    assert (found.n_items == 30).all()
    assert all(np.unique(row).size == 30 for row in found.items)
    assert "30.0 items" in str(found)


def test_first_item_is_the_most_informative_at_the_prior_mean(bank, examinees):
    found = edmeasure.simulate_tests(bank, edmeasure.TestRules(max_items=1), examinees[1][:3], rng=np.random.default_rng(0))
    assert (found.items[:, 0] == bank.information[:, 50].argmax()).all()


def test_kullback_leibler_measures_as_well(bank, examinees):
    thetas, answers = examinees
    rules = edmeasure.TestRules(method="kullback-leibler", max_items=15)
    one = edmeasure.simulate_tests(bank, rules, answers[:300], rng=np.random.default_rng(0))
    other = edmeasure.simulate_tests(bank, edmeasure.TestRules(max_items=15), answers[:300], rng=np.random.default_rng(0))
    error, of_other = (np.sqrt(np.mean((found.theta - thetas[:300]) ** 2)) for found in (one, other))
    assert error < 1.1 * of_other


def test_areas_get_their_shares(bank, examinees):
    assert bank.area_names == ("algebra", "geometry", "numbers")
    rules = edmeasure.TestRules(area_shares=(0.5, 0.3, 0.2))
    found = edmeasure.simulate_tests(bank, rules, examinees[1][:200], rng=np.random.default_rng(0))
    counts = np.stack([(bank.areas[found.items] == area).sum(axis=1) for area in range(3)], axis=1)
    assert (np.abs(counts - [15, 9, 6]) <= 1).all()


def test_exposure_is_held_down(bank, examinees):
    rng, answers = np.random.default_rng(1), examinees[1]
    free = edmeasure.simulate_tests(bank, edmeasure.TestRules(), answers, rng=rng)
    assert free.exposure.max() > 0.9
    rules = edmeasure.exposure_chances(bank, edmeasure.TestRules(), answers, highest=0.25, rng=rng, n_rounds=8)
    held = edmeasure.simulate_tests(bank, rules, answers, rng=rng)
    assert held.exposure.max() < 0.30
    assert (held.n_items == 30).all()
    faded = edmeasure.fade_away(edmeasure.TestRules(), free.exposure, highest=1.0)
    other = edmeasure.simulate_tests(bank, faded, answers, rng=rng)
    assert (other.items[:, 0] != free.items[0, 0]).all()
    spread = edmeasure.simulate_tests(bank, edmeasure.TestRules(among=10), answers, rng=rng)
    assert spread.exposure.max() < 0.8 < free.exposure.max()


def test_tests_stop_by_error_and_by_information(bank, examinees):
    rng, answers = np.random.default_rng(1), examinees[1][:300]
    found = edmeasure.simulate_tests(bank, edmeasure.TestRules(max_items=60, max_error=0.3), answers, rng=rng)
    assert (found.se[found.reasons == 1] <= 0.3).all()
    assert (found.n_items[found.reasons == 1] < 60).all()
    assert (found.reasons == 1).mean() > 0.9
    little = edmeasure.simulate_tests(bank, edmeasure.TestRules(max_items=200, min_information=0.5), answers, rng=rng)
    assert (little.reasons == 2).all()


@pytest.mark.parametrize("rules", [edmeasure.TestRules(max_items=12, among=5), edmeasure.TestRules(max_items=12)])
def test_resumed_tests_go_on_with_the_same_item(bank, examinees, rules):
    answers = examinees[1][0]
    state = edmeasure.start_test(rng=np.random.default_rng(3))
    path = []
    while (step := edmeasure.next_step(bank, rules, state)).item_id is not None:
        resumed = edmeasure.TestState.from_json(state.to_json())
        assert resumed == state
        assert edmeasure.next_step(bank, rules, resumed) == step
        path.append(step.item_id)
        state = state.answered(step.item_id, answers[bank.item_ids.index(step.item_id)])
    assert step.reason == "longest test"
    batch = edmeasure.simulate_tests(bank, rules, answers[None], rng=np.random.default_rng(3))
    assert [bank.item_ids[j] for j in batch.items[0]] == path
    assert batch.theta[0] == step.theta
    assert "ended" in str(step)


def test_bits_do_not_depend_on_threads(bank, examinees):
    before = numba.get_num_threads()
    rules = edmeasure.TestRules(among=3)
    many = np.tile(examinees[1], (2, 1))
    found = edmeasure.simulate_tests(bank, rules, many, rng=np.random.default_rng(0))
    try:
        numba.set_num_threads(1)
        alone = edmeasure.simulate_tests(bank, rules, many, rng=np.random.default_rng(0))
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(found.items, alone.items)
    assert found.theta.tobytes() == alone.theta.tobytes()


def test_calibrated_fits_serve(lsat7, lsat7_fit):
    bank = edmeasure.item_bank(lsat7_fit, bound=6.0)
    found = edmeasure.simulate_tests(bank, edmeasure.TestRules(max_items=5), lsat7.scores, rng=np.random.default_rng(0))
    # all five items given: the estimate no longer depends on their order
    np.testing.assert_allclose(found.theta, edmeasure.score_eap(lsat7_fit, lsat7).theta, atol=1e-4)


def test_hostile_input_is_refused(bank, examinees):
    rng = np.random.default_rng(0)
    state = edmeasure.TestState(1).answered("Q0", 1)
    with pytest.raises(edmeasure.BadShape, match="other items"):
        edmeasure.next_step(bank, edmeasure.TestRules(), state)
    with pytest.raises(edmeasure.BadShape, match="not in the bank"):
        edmeasure.next_step(bank, edmeasure.TestRules(), edmeasure.TestState(1).answered("no", 1))
    with pytest.raises(edmeasure.BadScore):
        edmeasure.next_step(bank, edmeasure.TestRules(), edmeasure.TestState(1).answered("Q0", 2))
    with pytest.raises(edmeasure.BadScore):
        edmeasure.simulate_tests(bank, edmeasure.TestRules(), np.full((2, 500), -1), rng=rng)
    with pytest.raises(edmeasure.BadShape):
        edmeasure.simulate_tests(bank, edmeasure.TestRules(), np.zeros((2, 3)), rng=rng)
    with pytest.raises(edmeasure.BadOption):
        edmeasure.simulate_tests(bank, edmeasure.TestRules(chances=(0.5,)), examinees[1], rng=rng)
    for options in ({"method": "random"}, {"among": 0}, {"max_items": 0}, {"max_error": float("nan")}):
        with pytest.raises(edmeasure.BadOption):
            dataclasses.replace(edmeasure.TestRules(), **options)
