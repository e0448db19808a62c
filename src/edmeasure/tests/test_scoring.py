"""Scores against R mirt, and what must hold for any answers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edmeasure

from .conftest import mirt, simulated, table


@pytest.fixture(scope="module")
def loose_fit(sim10k_fit):
    """The calibration with which mirt computed its scores."""
    estimates = mirt("sim10k_2PL")
    intercepts = np.column_stack([np.zeros(40), estimates[:, 1]])
    return replace(sim10k_fit, slopes=estimates[:, 0].copy(), intercepts=intercepts)


@pytest.fixture(scope="module")
def credit_fit():
    scores = simulated(
        np.random.default_rng(8), n=4000, slopes=[1.0, 0.8, 1.3, 0.9], intercepts=[[0.5, 0.0], [0.2], [1.0, 0.8, -0.6], [-0.4]]
    )
    return edmeasure.calibrate(edmeasure.Responses.from_array(scores), standard_errors=False)


def test_eap_agrees_with_mirt(loose_fit, sim10k):
    peer = table("mirtR_fscores_EAP_sim10k_first200.csv")
    scored = edmeasure.score_eap(loose_fit, sim10k)
    np.testing.assert_allclose(scored.theta[:200], peer[:, 0], atol=1e-5)
    np.testing.assert_allclose(scored.se[:200], peer[:, 1], atol=1e-5)


def test_wle_agrees_with_mirt(loose_fit, sim10k):
    peer = table("mirtR_fscores_WLE_sim10k_first200.csv")
    scored = edmeasure.score_wle(loose_fit, sim10k)
    np.testing.assert_allclose(scored.theta[:200], peer[:, 0], atol=1e-4)
    np.testing.assert_allclose(scored.se[:200], peer[:, 1], atol=5e-4)


def test_eap_of_every_pattern_agrees_with_mirt(lsat7_fit):
    peer = table("mirtR_LSAT7_EAP_patterns.csv")
    scored = edmeasure.score_eap(lsat7_fit, edmeasure.Responses.from_array(peer[:, :5]))
    np.testing.assert_allclose(scored.theta, peer[:, 5], atol=1e-4)
    np.testing.assert_allclose(scored.se, peer[:, 6], atol=1e-4)


def test_extreme_scores_get_finite_estimates(sim10k_fit):
    extreme = edmeasure.Responses.from_array(np.vstack([np.zeros(40), np.ones(40)]), max_scores=np.ones(40))
    for scored in (edmeasure.score_eap(sim10k_fit, extreme), edmeasure.score_wle(sim10k_fit, extreme)):
        assert np.isfinite(scored.theta).all()
        assert scored.theta[0] < -2 < 2 < scored.theta[1]
        assert (scored.se > 0).all()


def test_no_answers_mean_the_prior_or_nothing(sim10k_fit):
    empty = edmeasure.Responses.from_array(np.full((1, 40), -1), max_scores=np.ones(40))
    prior = edmeasure.score_eap(sim10k_fit, empty, prior_mean=0.3, prior_sd=0.5)
    assert prior.theta[0] == pytest.approx(0.3, abs=1e-6)
    assert prior.se[0] == pytest.approx(0.5, abs=1e-6)
    assert np.isnan(edmeasure.score_wle(sim10k_fit, empty).theta[0])


def test_nobody_scores_to_nothing(sim10k_fit, sim10k):
    nobody = sim10k.persons(np.array([], dtype=np.int64))
    assert edmeasure.score_wle(sim10k_fit, nobody).theta.shape == (0,)
    assert "no estimates" in str(edmeasure.score_eap(sim10k_fit, nobody))


def test_wle_solves_warms_equation(credit_fit):
    scores = np.array([[0, 0, 0, 0], [1, 1, 2, 0], [2, 1, 3, 1], [2, -1, 1, -1]])
    responses = edmeasure.Responses.from_array(scores, max_scores=credit_fit.max_scores)
    for row, theta in zip(scores, edmeasure.score_wle(credit_fit, responses).theta, strict=True):
        grid = theta + np.array([-1e-4, 0.0, 1e-4])
        loglik, information = np.zeros(3), np.zeros(3)
        for j, x in enumerate(row):
            if x < 0:
                continue
            k = np.arange(credit_fit.max_scores[j] + 1)
            eta = credit_fit.slopes[j] * np.outer(grid, k) + credit_fit.intercepts[j, k]
            p = np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True)
            loglik += np.log(p[:, x])
            information += credit_fit.slopes[j] ** 2 * (p @ k**2 - (p @ k) ** 2)
        # for these models Warm's estimate maximises the likelihood times the root information
        weighted = loglik + 0.5 * np.log(information)
        assert (weighted[2] - weighted[0]) / 2e-4 == pytest.approx(0.0, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_better_answer_never_lowers_a_score(credit_fit, data):
    row = [data.draw(st.integers(0, int(top))) for top in credit_fit.max_scores]
    item = data.draw(st.sampled_from([j for j, top in enumerate(credit_fit.max_scores) if row[j] < top] or [None]))
    if item is None:
        return
    better = list(row)
    better[item] += 1
    both = edmeasure.Responses.from_array([row, better], max_scores=credit_fit.max_scores)
    for scored in (edmeasure.score_eap(credit_fit, both), edmeasure.score_wle(credit_fit, both)):
        assert scored.theta[1] > scored.theta[0]


def test_order_of_persons_and_items_does_not_matter(sim10k_fit, sim10k):
    rng = np.random.default_rng(0)
    some = sim10k.persons(rng.permutation(300))
    order = rng.permutation(40)
    mixed = some.items(order)
    for score in (edmeasure.score_eap, edmeasure.score_wle):
        np.testing.assert_allclose(score(sim10k_fit, mixed).theta, score(sim10k_fit, some).theta, atol=1e-8)


def test_one_person_scores_as_in_the_batch(sim10k_fit, sim10k):
    batch = edmeasure.score_eap(sim10k_fit, sim10k)
    alone = edmeasure.score_eap(sim10k_fit, sim10k.persons([77]))
    assert alone.theta[0] == batch.theta[77]


def test_fewer_items_mean_larger_errors(sim10k_fit, sim10k):
    half = sim10k.items(np.arange(20))
    assert edmeasure.score_eap(sim10k_fit, half).se.mean() > edmeasure.score_eap(sim10k_fit, sim10k).se.mean()
    assert edmeasure.score_wle(sim10k_fit, half).reliability < edmeasure.score_wle(sim10k_fit, sim10k).reliability


def test_strange_items_and_scores_are_refused(lsat7_fit):
    stranger = edmeasure.Responses.from_array(np.eye(2), item_ids=["I1", "X9"])
    with pytest.raises(edmeasure.BadShape, match="X9"):
        edmeasure.score_eap(lsat7_fit, stranger)
    above = edmeasure.Responses.from_array(np.full((1, 5), 2))
    with pytest.raises(edmeasure.BadScore, match="above the maximum"):
        edmeasure.score_wle(lsat7_fit, above)
    nothing = edmeasure.Responses.from_array(np.eye(5)).items(np.array([], dtype=np.int64))
    with pytest.raises(edmeasure.BadShape, match="at least one calibrated item"):
        edmeasure.score_eap(lsat7_fit, nothing)
    with pytest.raises(edmeasure.BadOption, match="prior_sd"):
        edmeasure.score_eap(lsat7_fit, edmeasure.Responses.from_array(np.eye(5)), prior_sd=0.0)
