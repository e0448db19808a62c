"""ML, MAP, WLE and sum-score estimates under every model: against R mirt, brute force, and each other."""

from dataclasses import replace

import numpy as np
import pytest

import edmeasure

from .conftest import mirt, simulated, table


@pytest.fixture(scope="module")
def loose_fit(sim10k_fit):
    """The calibration with which mirt computed its scores."""
    estimates = mirt("sim10k_2PL")
    return replace(sim10k_fit, slopes=estimates[:, 0].copy(), intercepts=np.column_stack([np.zeros(40), estimates[:, 1]]))


@pytest.fixture(scope="module")
def mixed():
    """A fit of four models at once, and its persons."""
    rng = np.random.default_rng(12)
    intercepts = [[0.4], [1.0, 0.2, -0.8], [0.9, -0.3], [0.5, 0.4, -0.4]] * 3
    scores = simulated(rng, n=1500, slopes=[1.2, 0.9, 1.1, 0.7] * 3, intercepts=intercepts, missing=0.1)
    responses = edmeasure.Responses.from_array(scores)
    models = {f"I{j + 1}": ("3PL", "GRM", "GPCM", "NRM")[j % 4] for j in range(12)}
    return edmeasure.calibrate(responses, models=models, standard_errors=False), responses


def logliks(fit, row, theta):
    """Log-likelihood and its information at abilities, from the definitions and by differences."""
    step = 1e-4
    total, information, third = np.zeros((3, theta.size))
    for j, x in enumerate(row):
        if x < 0:
            continue
        below, here, above = (chances(fit, j, theta + move) for move in (-step, 0.0, step))
        first, second = (above - below) / (2 * step), (above - 2 * here + below) / step**2
        total += np.log(here[:, x])
        information += (first**2 / here).sum(axis=1)
        third += (first * second / here).sum(axis=1)
    return total, information, third


def chances(fit, j, theta):
    """P(category) of one item, (n, n_categories)."""
    k = np.arange(fit.max_scores[j] + 1)
    d = fit.intercepts[j, k]
    if fit.models[j] == "GRM":
        reach = 1 / (1 + np.exp(-(fit.slopes[j] * theta[:, None] + d)))
        reach[:, 0] = 1.0
        return reach - np.column_stack([reach[:, 1:], np.zeros(theta.size)])
    eta = theta[:, None] * fit.category_slopes[j, k] + d
    p = np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True)
    share = fit.lower[j] + (fit.upper[j] - fit.lower[j]) * p[:, -1]
    return np.column_stack([1 - share, share]) if k.size == 2 else p


@pytest.mark.parametrize(
    ("name", "score"), [("ML", edmeasure.score_ml), ("MAP", edmeasure.score_map), ("WLE", edmeasure.score_wle)]
)
def test_scores_agree_with_mirt(loose_fit, sim10k, name, score):
    peer = table(f"mirtR_fscores_{name}_sim10k_first200.csv")
    scored = score(loose_fit, sim10k)
    np.testing.assert_allclose(scored.theta[:200], peer[:, 0], atol=1e-5)
    np.testing.assert_allclose(scored.se[:200], peer[:, 1], atol=5e-4)


@pytest.mark.parametrize("score", [edmeasure.score_ml, edmeasure.score_map, edmeasure.score_wle])
def test_the_table_says_what_the_equation_says(loose_fit, sim10k, score):
    together, alone = score(loose_fit, sim10k), score(loose_fit, sim10k.persons(np.arange(1000)))
    np.testing.assert_allclose(together.theta[:1000], alone.theta, atol=2e-9)
    np.testing.assert_allclose(together.se[:1000], alone.se, atol=2e-9)


def test_booklets_have_tables_of_their_own(loose_fit, sim10k):
    scores = sim10k.scores.copy()
    scores[:5000, :10] = -1
    scores[5000:, 30:] = -1
    scores[:7, 12] = -1
    booklets = edmeasure.Responses.from_array(scores)
    together = edmeasure.score_wle(loose_fit, booklets)
    for rows in (slice(0, 20), slice(5000, 5020)):
        alone = edmeasure.score_wle(loose_fit, booklets.persons(np.arange(10_000)[rows]))
        np.testing.assert_allclose(together.theta[rows], alone.theta, atol=2e-9)


def test_mixed_models_maximise_what_they_should(mixed):
    fit, responses = mixed
    grid = np.linspace(-6, 6, 1201)
    ml, mode = edmeasure.score_ml(fit, responses), edmeasure.score_map(fit, responses, prior_mean=0.3, prior_sd=0.8)
    for i in range(40):
        loglik, _, _ = logliks(fit, responses.scores[i], grid)
        if np.isfinite(ml.theta[i]):
            assert grid[loglik.argmax()] == pytest.approx(ml.theta[i], abs=0.011)
        posterior = loglik - 0.5 * ((grid - 0.3) / 0.8) ** 2
        assert grid[posterior.argmax()] == pytest.approx(mode.theta[i], abs=0.011)
        bend = np.diff(posterior, 2)[posterior.argmax() - 1] / (grid[1] - grid[0]) ** 2
        assert mode.se[i] == pytest.approx(1 / np.sqrt(-bend), rel=0.02)


def test_mixed_models_solve_warms_equation(mixed):
    fit, responses = mixed
    wle = edmeasure.score_wle(fit, responses)
    for i in range(40):
        at = wle.theta[i] + np.array([-1e-4, 0.0, 1e-4])
        loglik, information, third = logliks(fit, responses.scores[i], at)
        slope = (loglik[2] - loglik[0]) / 2e-4
        assert slope + third[1] / (2 * information[1]) == pytest.approx(0.0, abs=1e-4)


def test_extreme_scores_have_no_maximum_and_nobody_has_no_estimate(loose_fit):
    rows = np.vstack([np.zeros(40), np.ones(40), np.full(40, -1)])
    responses = edmeasure.Responses.from_array(rows, max_scores=np.ones(40))
    scored = edmeasure.score_ml(loose_fit, responses)
    np.testing.assert_array_equal(scored.theta[:2], [-np.inf, np.inf])
    np.testing.assert_array_equal(scored.se[:2], [np.inf, np.inf])
    assert np.isnan(scored.theta[2])
    prior = edmeasure.score_map(loose_fit, responses, prior_mean=0.4, prior_sd=0.7)
    assert np.isfinite(prior.theta).all()
    assert prior.theta[2] == pytest.approx(0.4, abs=1e-8)
    assert prior.se[2] == pytest.approx(0.7, abs=1e-6)


def test_sum_scores_are_brute_force_over_all_patterns(lsat7_fit):
    patterns = (np.arange(32)[:, None] >> np.arange(5)) & 1
    nodes, weights = lsat7_fit.nodes, lsat7_fit.node_weights
    likelihood = np.exp([logliks(lsat7_fit, row, nodes)[0] for row in patterns])
    found = edmeasure.sum_score_table(lsat7_fit)
    for points in range(6):
        joint = likelihood[patterns.sum(axis=1) == points].sum(axis=0) * weights
        assert found.share[points] == pytest.approx(joint.sum())
        mean = joint @ nodes / joint.sum()
        assert found.theta[points] == pytest.approx(mean)
        assert found.se[points] == pytest.approx(np.sqrt(joint @ (nodes - mean) ** 2 / joint.sum()))
    assert found.share.sum() == pytest.approx(1.0)
    assert "5" in str(found).splitlines()[-1]


def test_sum_score_eap_reads_the_table_of_the_answered_items(mixed):
    fit, responses = mixed
    scored = edmeasure.score_sum_eap(fit, responses)
    for i in (0, 1, 2):
        answered = np.flatnonzero(responses.scores[i] >= 0)
        own = edmeasure.sum_score_table(fit, items=[fit.item_ids[j] for j in answered])
        assert scored.theta[i] == pytest.approx(own.theta[responses.scores[i, answered].sum()])
    eap = edmeasure.score_eap(fit, responses)
    assert np.corrcoef(scored.theta, eap.theta)[0, 1] > 0.95
    assert scored.se.mean() > eap.se.mean()


def test_rasch_scores_depend_on_points_alone(lsat7):
    fit = edmeasure.calibrate(lsat7, models="1PL", standard_errors=False)
    eap, points = edmeasure.score_eap(fit, lsat7), edmeasure.score_sum_eap(fit, lsat7)
    np.testing.assert_allclose(points.theta, eap.theta, atol=1e-12)


def test_guessing_has_its_highest_maximum():
    """A pattern whose likelihood has two maxima (Samejima 1973)."""
    rng = np.random.default_rng(1)
    responses = edmeasure.Responses.from_array(simulated(rng, n=900, slopes=[1.0] * 8, intercepts=[0.0] * 8))
    fit = edmeasure.calibrate(responses, models="3PL", standard_errors=False)
    steep = np.column_stack([np.zeros(8), 3.0 * np.array([3.0, 2.5, 2, 1.5, -1.5, -2, -2.5, -3])])
    fit = replace(fit, slopes=np.full(8, 3.0), intercepts=steep, lower=np.full(8, 0.25))
    odd = edmeasure.Responses.from_array(np.array([[1, 1, 0, 0, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0, 0, 1]]))
    grid = np.linspace(-8, 8, 3201)
    for row, theta in zip(odd.scores, edmeasure.score_ml(fit, odd).theta, strict=True):
        assert grid[logliks(fit, row, grid)[0].argmax()] == pytest.approx(theta, abs=0.01)
