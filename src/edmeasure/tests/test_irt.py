"""Calibration against R mirt's tight estimates, and what must hold for any data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edmeasure

from .conftest import mirt, simulated, table

TWO_PL = {
    "LSAT6.csv.gz": ("LSAT6_2PL_tight", -2466.6534),
    "LSAT7.csv.gz": ("LSAT7_2PL_tight", -2658.8051),
    "SAT12_scored.csv.gz": ("SAT12_2PL_tight", -9488.9550),
    "sim2pl_10000x40.csv.gz": ("sim10k_2PL_tight", -215160.2724),
}


@pytest.mark.parametrize("data", TWO_PL)
def test_2pl_agrees_with_mirt(data):
    peer, loglik = TWO_PL[data]
    fit = edmeasure.calibrate(edmeasure.Responses.from_array(table(data)))
    estimates, errors = mirt(peer)[:, :2], mirt(f"{peer}_SE")[:, :2]
    assert fit.converged
    assert fit.loglik == pytest.approx(loglik, abs=1e-3)
    np.testing.assert_allclose(fit.slopes, estimates[:, 0], atol=1e-4)
    np.testing.assert_allclose(fit.intercepts[:, 1], estimates[:, 1], atol=1e-4)
    np.testing.assert_allclose(fit.slope_se, errors[:, 0], rtol=1e-3)
    np.testing.assert_allclose(fit.intercept_se[:, 1], errors[:, 1], rtol=1e-3)
    assert fit.certificate.is_sound
    assert fit.certificate.is_maximum


def test_partial_credit_agrees_with_mirt_on_real_data():
    fit = edmeasure.calibrate(edmeasure.Responses.from_array(table("Science.csv.gz") - 1))
    estimates, errors = mirt("Science_gpcm_tight"), mirt("Science_gpcm_tight_SE")
    assert fit.loglik == pytest.approx(-1612.6816, abs=1e-3)
    np.testing.assert_allclose(fit.slopes, estimates[:, 0], atol=5e-4)
    np.testing.assert_allclose(fit.intercepts[:, 1:], estimates[:, 6:], atol=5e-4)
    np.testing.assert_allclose(fit.slope_se, errors[:, 0], rtol=2e-3)
    np.testing.assert_allclose(fit.intercept_se[:, 1:], errors[:, 6:], rtol=2e-3)


def test_partial_credit_agrees_with_mirt_on_simulated_data(simgpcm_fit):
    estimates = mirt("simgpcm_tight")
    assert simgpcm_fit.loglik == pytest.approx(-324187.433, abs=1e-3)
    np.testing.assert_allclose(simgpcm_fit.slopes, estimates[:, 0], atol=5e-4)
    np.testing.assert_allclose(simgpcm_fit.intercepts[:, 1:], estimates[:, 6:], atol=5e-4)


def test_matrix_sample_agrees_with_mirt(timss):
    responses = edmeasure.Responses.from_array(timss.matrix(timss.items), item_ids=timss.items)
    fit = edmeasure.calibrate(responses, standard_errors=False)
    estimates = mirt("timss11AUT_2PL")
    # mirt stopped at its loose default here: its log-likelihood is no better, parameters differ by it
    assert fit.loglik >= -62470.717 - 1e-3
    np.testing.assert_allclose(fit.slopes, estimates[:, 0], atol=3e-3)
    np.testing.assert_allclose(fit.intercepts[:, 1], estimates[:, 1], atol=3e-3)
    assert len(fit.certificate.negative_slopes) == 1


def test_too_few_nodes_are_exposed_by_the_certificate(simgpcm):
    coarse = edmeasure.calibrate(simgpcm, n_nodes=21, standard_errors=False)
    assert not coarse.certificate.is_sound
    assert coarse.certificate.loglik_change > 1.0


def test_log_likelihood_never_falls(simgpcm_fit, lsat7_fit):
    for fit in (simgpcm_fit, lsat7_fit):
        assert (np.diff(fit.history) >= -1e-9 * abs(fit.loglik)).all()


def test_warm_start_is_already_there(sim10k, sim10k_fit):
    again = edmeasure.calibrate(sim10k, start=sim10k_fit, standard_errors=False)
    assert again.n_iterations <= 2
    np.testing.assert_allclose(again.slopes, sim10k_fit.slopes, atol=1e-6)


def test_items_without_variance_are_left_out_and_named():
    rng = np.random.default_rng(3)
    scores = simulated(rng, n=800, slopes=[1.0] * 6, intercepts=[0.0] * 6)
    scores[:, 2] = 1
    scores[:, 4] = 0
    fit = edmeasure.calibrate(edmeasure.Responses.from_array(scores))
    assert fit.excluded == ("I3", "I5")
    assert np.isnan(fit.slopes[[2, 4]]).all()
    assert np.isfinite(fit.slopes[fit.calibrated]).all()
    assert "I3" in str(fit)


def test_a_category_nobody_chose_is_named_and_does_no_harm():
    rng = np.random.default_rng(4)
    scores = simulated(rng, n=1500, slopes=[1.0] * 5, intercepts=[[0.5, 0.0, -0.5]] * 5)
    scores[scores[:, 1] == 2, 1] = 3
    fit = edmeasure.calibrate(edmeasure.Responses.from_array(scores))
    assert fit.unused_categories == (("I2", 2),)
    assert np.isnan(fit.intercept_se[1, 2])
    assert np.isfinite(fit.slope_se).all()


def test_mixed_formats_recover_their_truth():
    rng = np.random.default_rng(5)
    slopes = [0.8, 1.4, 1.0, 1.2, 0.7, 1.1]
    intercepts = [0.3, -0.8, [0.6, 0.2], [1.0, 0.4, -0.9], 0.0, [0.2, -0.6]]
    scores = simulated(rng, n=20_000, slopes=slopes, intercepts=intercepts, missing=0.2)
    fit = edmeasure.calibrate(edmeasure.Responses.from_array(scores))
    assert (np.abs(fit.slopes - slopes) < 4 * fit.slope_se).all()
    for j, d in enumerate(intercepts):
        truth = np.atleast_1d(d)
        part = slice(1, 1 + truth.size)
        assert (np.abs(fit.intercepts[j, part] - truth) < 4 * fit.intercept_se[j, part]).all()
    np.testing.assert_allclose(fit.thresholds[3], -np.diff(fit.intercepts[3]) / fit.slopes[3])
    assert fit.difficulties[0] == pytest.approx(-fit.intercepts[0, 1] / fit.slopes[0])


def test_weak_prior_keeps_a_tiny_sample_finite():
    scores = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]] * 3, dtype=np.int8)
    responses = edmeasure.Responses.from_array(scores)
    fit = edmeasure.calibrate(responses, weak_prior=True)
    assert fit.converged
    assert (np.abs(fit.slopes) < 4).all()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_weights_count_as_repetition_in_any_order(seed):
    rng = np.random.default_rng(seed)
    scores = simulated(rng, n=600, slopes=[0.9, 1.1, 1.0, 1.3] * 2, intercepts=[0.2, -0.4, 0.0, 0.5] * 2, missing=0.1)
    counts = rng.integers(1, 4, 600)
    repeated = np.repeat(scores, counts, axis=0)[rng.permutation(int(counts.sum()))]
    options = {"standard_errors": False, "tolerance": 1e-7}
    weighted = edmeasure.calibrate(edmeasure.Responses.from_array(scores, weights=counts), **options)
    plain = edmeasure.calibrate(edmeasure.Responses.from_array(repeated), **options)
    np.testing.assert_allclose(weighted.slopes, plain.slopes, rtol=1e-3)
    assert weighted.loglik / 600 == pytest.approx(plain.loglik / counts.sum(), abs=1e-7)


def test_persons_without_answers_change_nothing(lsat7, lsat7_fit):
    padded = np.vstack([lsat7.scores, np.full((500, 5), -1, dtype=np.int8)])
    weights = np.concatenate([np.ones(1000), np.full(500, 1e-9)])
    fit = edmeasure.calibrate(edmeasure.Responses.from_array(padded), weights=weights)
    np.testing.assert_allclose(fit.slopes, lsat7_fit.slopes, atol=1e-5)


def test_an_item_given_to_half_keeps_its_parameters(sim10k, sim10k_fit):
    halved = sim10k.scores.copy()
    halved[::2, 0] = -1
    fit = edmeasure.calibrate(edmeasure.Responses.from_array(halved))
    assert abs(fit.slopes[0] - sim10k_fit.slopes[0]) < 3 * fit.slope_se[0]
    assert fit.slope_se[0] == pytest.approx(sim10k_fit.slope_se[0] * np.sqrt(2), rel=0.1)
    assert fit.slope_se[1] == pytest.approx(sim10k_fit.slope_se[1], rel=0.02)


def test_refusals_say_how_to_mend():
    constant = edmeasure.Responses.from_array(np.ones((10, 3)))
    with pytest.raises(edmeasure.NothingToCalibrate, match="Check the scoring"):
        edmeasure.calibrate(constant)
    answers = edmeasure.Responses.from_array(np.eye(4))
    with pytest.raises(edmeasure.BadOption, match="nodes"):
        edmeasure.calibrate(answers, n_nodes=3)
    with pytest.raises(edmeasure.BadWeight, match="negative"):
        edmeasure.calibrate(answers, weights=-np.ones(4))
