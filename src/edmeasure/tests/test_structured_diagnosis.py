"""Diagnosis with dozens of attributes: beliefs against posteriors, and what comes back from simulated answers."""

import itertools

import numba
import numpy as np
import pytest

import edmeasure
from edmeasure import AttributeNetwork, Responses


def mastered_along(parents, n, rng, *, with_parent=0.75, without=0.3):
    """Attributes (n, K) that depend on one parent each; -1 for none."""
    held = np.zeros((n, len(parents)), dtype=bool)
    for k, parent in enumerate(parents):
        chance = np.full(n, 0.5) if parent < 0 else np.where(held[:, parent], with_parent, without)
        held[:, k] = rng.random(n) < chance
    return held


def answers_of(q, held, guess, slip, rng):
    able = (held @ q.T) == q.sum(axis=1)
    return (rng.random(able.shape) < np.where(able, 1 - slip, guess)).astype(np.int8)


def q_matrix(n_attributes, n_items):
    """Items of one attribute, of two, of three, in turn."""
    q = np.zeros((n_items, n_attributes), dtype=int)
    for j in range(n_items):
        q[j, [(j + step) % n_attributes for step in range(1 + j // n_attributes % 3)]] = 1
    return q


@pytest.fixture(scope="module")
def small():
    """800 persons, 6 attributes, 30 items."""
    rng = np.random.default_rng(2)
    q, held = q_matrix(6, 30), mastered_along([-1, 0, 0, 1, 1, 2], 800, rng)
    return q, held, Responses.from_array(answers_of(q, held, np.full(30, 0.15), np.full(30, 0.12), rng))


@pytest.fixture(scope="module")
def small_fit(small):
    return edmeasure.diagnose_structured(small[2], AttributeNetwork.from_array(small[0]), rng=np.random.default_rng(0))


def test_beliefs_are_near_the_exact_posterior(small, small_fit):
    check = edmeasure.check_beliefs(small_fit, small[2], rng=np.random.default_rng(1))
    assert check.method == "exact"
    assert check.mean_error < 0.01
    assert check.other_class < 0.01
    assert abs(check.loglik_error) < 0.1
    assert "against exact for 200" in str(check)


def test_where_factors_form_a_tree_beliefs_are_exact():
    """Items of one attribute each, on a tree of attributes: no loop, no approximation."""
    rng = np.random.default_rng(3)
    q, held = np.tile(np.eye(7, dtype=int), (3, 1)), mastered_along([-1, 0, 0, 1, 1, 2, 2], 300, rng)
    answers = Responses.from_array(answers_of(q, held, np.full(21, 0.2), np.full(21, 0.2), rng))
    edges = [(f"A{1 + (k - 1) // 2}", f"A{1 + k}") for k in range(1, 7)]
    fit = edmeasure.diagnose_structured(answers, AttributeNetwork.from_array(q, edges=edges), rng=rng)
    check = edmeasure.check_beliefs(fit, answers, rng=rng)
    assert check.largest_error < 1e-5
    assert check.loglik_error == pytest.approx(0.0, abs=1e-6)
    assert fit.unsettled == 0
    # without loops the steps are those of EM: none may lower the likelihood beyond the prior's pull
    assert (np.diff(fit.history) > -0.5).all()


def test_exact_posterior_is_the_sum_over_patterns(small, small_fit):
    """The reference itself, from the model's formula."""
    rng = np.random.default_rng(1)
    people = np.sort(rng.permutation(800)[:200])
    scores, network = small[2].scores[people], small_fit.network
    patterns = np.array(list(itertools.product((0, 1), repeat=6)))
    joint = np.zeros((200, 64))
    for row, pattern in enumerate(patterns):
        for k, parents in enumerate(network.parents):
            state = sum(int(pattern[parent]) << at for at, parent in enumerate(parents))
            chance = small_fit.mastered[k][state]
            joint[:, row] += np.log(chance if pattern[k] else 1 - chance)
        able = (pattern @ small[0].T) == small[0].sum(axis=1)
        chance = np.where(able, 1 - small_fit.slip, small_fit.guessing)
        joint[:, row] += np.log(np.where(scores == 1, chance, 1 - chance)).sum(axis=1)
    weights = np.exp(joint - joint.max(axis=1, keepdims=True))
    expected = weights @ patterns / weights.sum(axis=1, keepdims=True)
    beliefs = edmeasure.believe(small_fit, small[2]).probabilities[people]
    check = edmeasure.check_beliefs(small_fit, small[2], rng=np.random.default_rng(1))
    assert np.abs(beliefs - expected).mean() == pytest.approx(check.mean_error, abs=1e-12)


def test_free_patterns_classify_alike(small, small_fit):
    exact = edmeasure.classify(
        edmeasure.diagnose(
            small[2], edmeasure.QMatrix.from_array(small[0]), rng=np.random.default_rng(0), model="dina", standard_errors=False
        ),
        small[2],
    )
    beliefs = edmeasure.believe(small_fit, small[2])
    assert np.abs(exact.probabilities - beliefs.probabilities).mean() < 0.04
    right, of_exact = ((one.masters == small[1]).mean() for one in (beliefs, exact))
    assert right > of_exact - 0.01
    assert beliefs.attribute_accuracy.mean() == pytest.approx(right, abs=0.02)
    assert beliefs.uncertain().mean() < 0.5
    assert "accuracy" in str(beliefs)


@pytest.fixture(scope="module")
def large():
    """600 persons, 40 attributes on a tree, 120 items of one to three attributes."""
    rng = np.random.default_rng(5)
    q, held = q_matrix(40, 120), mastered_along([-1, *((k - 1) // 2 for k in range(1, 40))], 600, rng)
    return q, held, Responses.from_array(answers_of(q, held, np.full(120, 0.15), np.full(120, 0.1), rng))


@pytest.fixture(scope="module")
def large_fit(large):
    return edmeasure.diagnose_structured(
        large[2], AttributeNetwork.from_array(large[0]), rng=np.random.default_rng(0), n_starts=1
    )


def test_forty_attributes_come_back(large, large_fit):
    assert large_fit.converged
    assert large_fit.unsettled < 0.01
    np.testing.assert_allclose(large_fit.prevalence, large[1].mean(axis=0), atol=0.06)
    assert np.abs(large_fit.guessing - 0.15).mean() < 0.03
    beliefs = edmeasure.believe(large_fit, large[2])
    assert (beliefs.masters == large[1]).mean() > 0.88
    found = {frozenset((k, parent)) for k, held in enumerate(large_fit.network.parents) for parent in held}
    assert len(found) == 39
    assert sum(frozenset((k, (k - 1) // 2)) in found for k in range(1, 40)) > 30
    assert "28 more" in str(large_fit)
    assert "39 edges" in str(large_fit.network)


def test_error_beyond_counting_is_measured_by_sampling(large, large_fit):
    check = edmeasure.check_beliefs(large_fit, large[2], rng=np.random.default_rng(1), n_persons=20, n_draws=2000)
    assert check.method == "Gibbs sampling"
    assert 0 < check.sampling_error < 0.01
    assert check.mean_error < 0.03
    assert np.isnan(check.loglik_error)
    assert "sampling error" in str(check)


def test_sampler_agrees_with_enumeration(small, small_fit, monkeypatch):
    exact = edmeasure.check_beliefs(small_fit, small[2], rng=np.random.default_rng(1), n_persons=30)
    monkeypatch.setattr("edmeasure.diagnosis.belief_checks.EXACT_UP_TO", 0)
    sampled = edmeasure.check_beliefs(small_fit, small[2], rng=np.random.default_rng(1), n_persons=30, n_draws=20000)
    np.testing.assert_allclose(sampled.attribute_error, exact.attribute_error, atol=4 * sampled.sampling_error)


def test_nobody_masters_without_the_prerequisite():
    rng = np.random.default_rng(6)
    q, names = np.tile(np.eye(4, dtype=int), (4, 1)), ["add", "take", "times", "share"]
    held = mastered_along([-1, 0, 1, 2], 500, rng, with_parent=0.6, without=0.0)
    answers = Responses.from_array(answers_of(q, held, np.full(16, 0.15), np.full(16, 0.15), rng))
    chain = [("add", "take"), ("take", "times"), ("times", "share"), ("add", "share")]
    network = AttributeNetwork.from_array(q, attribute_names=names, prerequisites=chain, edges=())
    assert network.parents == ((), (0,), (1,), (2,))
    assert "(needed)" in str(network)
    fit = edmeasure.diagnose_structured(answers, network, rng=rng)
    assert all(own[0] == 0 for own in fit.mastered[1:])
    beliefs = edmeasure.believe(fit, answers).probabilities
    assert (np.diff(beliefs, axis=1) < 1e-6).all()
    exact = edmeasure.classify(
        edmeasure.diagnose(
            answers, edmeasure.QMatrix.from_array(q, attribute_names=names, prerequisites=chain), rng=rng, model="dina"
        ),
        answers,
    )
    assert np.abs(beliefs - exact.probabilities).mean() < 0.005
    assert np.abs(beliefs - exact.probabilities).max() < 0.1


@pytest.mark.parametrize("model", ["dino", "gdina"])
def test_other_models(model):
    rng = np.random.default_rng(8)
    q, held = q_matrix(5, 30), mastered_along([-1, 0, 0, 1, 1], 1500, rng)
    share = (held @ q.T > 0) if model == "dino" else (held @ q.T) / q.sum(axis=1)
    answers = Responses.from_array(rng.random(share.shape) < 0.15 + 0.7 * share)
    fit = edmeasure.diagnose_structured(answers, AttributeNetwork.from_array(q), rng=rng, model=model)
    beliefs = edmeasure.believe(fit, answers)
    assert (beliefs.masters == held).mean() > 0.85
    assert np.abs(fit.guessing - 0.15).mean() < 0.04
    assert np.abs(fit.slip - 0.15).mean() < 0.04
    if model == "gdina":
        middle = np.array([own[1] for own in fit.success if own.size == 4])
        assert np.abs(middle - 0.5).mean() < 0.06


def test_bits_do_not_depend_on_threads(small, small_fit):
    before = numba.get_num_threads()
    many = Responses.from_array(np.tile(small[2].scores, (3, 1)))
    network = AttributeNetwork.from_array(small[0])
    fits = []
    try:
        for threads in (before, 1):
            numba.set_num_threads(threads)
            fits.append(edmeasure.diagnose_structured(many, network, rng=np.random.default_rng(0), n_starts=1, max_iterations=6))
    finally:
        numba.set_num_threads(before)
    assert fits[0].guessing.tobytes() == fits[1].guessing.tobytes()
    assert fits[0].history.tobytes() == fits[1].history.tobytes()


def test_missing_answers_leave_the_population_s_chances(small, small_fit):
    nothing = Responses.from_array(np.full((2, 30), -1), max_scores=[1] * 30)
    with pytest.raises(edmeasure.NothingToCalibrate):
        edmeasure.believe(small_fit, nothing)
    scores = small[2].scores[:3].copy()
    scores[1] = -1
    some = edmeasure.believe(small_fit, Responses.from_array(scores, max_scores=[1] * 30))
    whole = edmeasure.believe(small_fit, small[2])
    np.testing.assert_allclose(some.probabilities[0], whole.probabilities[0], atol=1e-12)
    np.testing.assert_allclose(some.probabilities[1], small_fit.prevalence, atol=0.1)
    fewer = edmeasure.believe(small_fit, small[2].items(np.arange(30) < 18))
    assert np.isfinite(fewer.probabilities).all()


def test_results_are_exported(small, small_fit):
    assert small_fit.to_arrow().column("item").to_pylist() == list(small_fit.item_ids)
    assert small_fit.to_dict()["network"]["attribute_names"] == list(small_fit.network.attribute_names)
    assert edmeasure.believe(small_fit, small[2]).to_arrow().column_names == [*small_fit.network.attribute_names, "is_settled"]


def test_constant_items_stop_nothing():
    rng = np.random.default_rng(1)
    scores = rng.integers(0, 2, (200, 12)).astype(np.int8)
    scores[:, 0], scores[:, 1] = 1, 0
    fit = edmeasure.diagnose_structured(Responses.from_array(scores), AttributeNetwork.from_array(q_matrix(4, 12)), rng=rng)
    assert np.isfinite([fit.loglik, *fit.guessing, *fit.prevalence]).all()


def test_hostile_input_is_refused(small, small_fit):
    q, _, answers = small
    rng = np.random.default_rng(0)
    with pytest.raises(edmeasure.BadOption, match="many attributes"):
        AttributeNetwork.from_array(np.ones((3, 7)))
    with pytest.raises(edmeasure.BadOption, match="many parents"):
        AttributeNetwork.from_array(np.eye(6), edges=[(f"A{k}", "A6") for k in range(1, 6)])
    with pytest.raises(edmeasure.BadOption, match="own prerequisites"):
        AttributeNetwork.from_array(np.eye(2), edges=[("A1", "A2"), ("A2", "A1")])
    with pytest.raises(edmeasure.BadOption, match="Use the attributes"):
        AttributeNetwork.from_array(np.eye(2), prerequisites=[("A1", "B")])
    with pytest.raises(edmeasure.BadOption, match="256"):
        AttributeNetwork.from_array(np.eye(300))
    network = AttributeNetwork.from_array(q)
    for options in ({"model": "rrum"}, {"n_starts": 0}, {"tolerance": np.nan}):
        with pytest.raises(edmeasure.BadOption):
            edmeasure.diagnose_structured(answers, network, rng=rng, **options)
    with pytest.raises(edmeasure.BadShape, match="not in the network"):
        edmeasure.diagnose_structured(Responses.from_array([[1, 0]], item_ids=["x", "y"]), network, rng=rng)
    with pytest.raises(edmeasure.BadOption, match="No item of the answers"):
        edmeasure.diagnose_structured(answers.items(np.arange(30) < 2), network, rng=rng)
    with pytest.raises(edmeasure.BadScore):
        edmeasure.believe(small_fit, Responses.from_array(np.full((2, 30), 2)))
    with pytest.raises(edmeasure.BadOption):
        edmeasure.check_beliefs(small_fit, answers, rng=rng, n_draws=5)
