"""Every item model against R mirt, against its derivatives, and against what must hold among models."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

import edmeasure
from edmeasure.calibration import _em, _families, _family_kernels, _information, _packing

from .conftest import mirt, table

NODES = np.linspace(-4, 4, 9)
OTHERS = {
    "GRM": np.array([1.2, 2.0, 0.3, -1.1]),
    "3PL": np.array([1.4, -0.3, -1.2]),
    "4PL": np.array([1.4, -0.3, -1.2, 2.4]),
    "NRM": np.array([0.7, 0.4, 0.2, -0.6, 1.5, 0.4]),
}


@pytest.fixture(scope="module")
def science():
    return edmeasure.Responses.from_array(table("Science.csv.gz") - 1)


@pytest.fixture(scope="module")
def sat12():
    return edmeasure.Responses.from_array(table("SAT12_scored.csv.gz"))


def drawn(rng, chances):
    """One answer of everybody from chances (n_persons, n_categories)."""
    return np.minimum((rng.random(len(chances))[:, None] > chances.cumsum(axis=1)).sum(axis=1), chances.shape[1] - 1)


def item_of(model):
    """The layout of one item of some model alone on the flat axes."""
    top = 1 if model in ("3PL", "4PL") else 3
    return _families.item_models([model], [slice(0, top + 1)]).others[0]


def test_graded_agrees_with_mirt(science):
    fit = edmeasure.calibrate(science, models="GRM")
    estimates, errors = mirt("Science_grm_tight"), mirt("Science_grm_tight_SE")
    assert fit.loglik == pytest.approx(-1608.8694, abs=1e-4)
    np.testing.assert_allclose(fit.slopes, estimates[:, 0], atol=1e-4)
    np.testing.assert_allclose(fit.intercepts[:, 1:], estimates[:, 1:], atol=1e-4)
    np.testing.assert_allclose(fit.slope_se, errors[:, 0], rtol=1e-4)
    np.testing.assert_allclose(fit.intercept_se[:, 1:], errors[:, 1:], rtol=1e-4)
    assert (np.diff(fit.thresholds, axis=1) > 0).all()
    np.testing.assert_allclose(fit.difficulties, fit.thresholds.mean(axis=1))
    assert "4 GRM" in str(fit)


def test_rasch_agrees_with_mirt():
    fit = edmeasure.calibrate(edmeasure.Responses.from_array(table("LSAT6.csv.gz")), models="1PL")
    assert fit.loglik == pytest.approx(-2466.9376, abs=1e-4)
    assert np.ptp(fit.slopes) == 0.0
    np.testing.assert_allclose(fit.intercepts[:, 1], mirt("LSAT6_Rasch")[:, 1], atol=1e-4)
    np.testing.assert_allclose(fit.intercept_se[:, 1], mirt("LSAT6_Rasch_SE")[:, 1], rtol=1e-3)
    assert fit.certificate.gradient_norm < 1e-3


def test_guessing_without_prior_is_better_than_mirts_unfinished_fit(sat12):
    fit = edmeasure.calibrate(sat12, models="3PL", priors=edmeasure.ItemPriors(lower_sd=np.inf), standard_errors=False)
    # mirt had not converged after 3000 cycles
    assert fit.loglik > -9434.944
    assert fit.converged
    assert "I9" in fit.certificate.boundary_items
    assert fit.lower[8] < 1e-3


def test_guessing_with_its_prior_is_finite(sat12):
    fit = edmeasure.calibrate(sat12, models="3PL")
    assert fit.converged
    assert fit.certificate.is_sound
    assert ((fit.lower > 0.05) & (fit.lower < 0.35)).all()
    assert np.isfinite(fit.lower_se).all()
    assert (fit.upper == 1.0).all()
    assert fit.log_prior < 0
    assert fit.history[-1] == pytest.approx(fit.loglik + fit.log_prior)
    # where many guess, the data speak: mirt without a prior says the same
    told = mirt("SAT12_3PL")[:, 2]
    np.testing.assert_allclose(fit.lower[[0, 1, 2, 5]], told[[0, 1, 2, 5]], atol=0.03)


def test_richer_models_fit_no_worse(science):
    names = ("PCM", "GPCM", "NRM")
    fits = {name: edmeasure.calibrate(science, models=name, standard_errors=False) for name in names}
    assert fits["PCM"].loglik < fits["GPCM"].loglik < fits["NRM"].loglik
    assert np.ptp(fits["PCM"].slopes) == 0.0
    np.testing.assert_allclose(fits["NRM"].category_scores[:, [0, 3]], [[0, 3]] * 4)
    again = edmeasure.calibrate(science, models="NRM", start=fits["NRM"], standard_errors=False)
    assert again.n_iterations <= 3


def test_right_wrong_items_of_every_ordered_model_are_the_2pl(lsat7, lsat7_fit):
    for name in ("GPCM", "GRM", "NRM"):
        fit = edmeasure.calibrate(lsat7, models=name, standard_errors=False)
        assert fit.models == ("2PL",) * 5
        np.testing.assert_array_equal(fit.slopes, lsat7_fit.slopes)


@pytest.mark.parametrize("model", OTHERS)
def test_curves_and_their_derivatives(model):
    item, parameters = item_of(model), OTHERS[model]
    log_probs, scores = item.curves(parameters, NODES)
    np.testing.assert_allclose(np.exp(log_probs).sum(axis=0), 1.0)
    for q, theta in enumerate(NODES):
        for k in range(item.top + 1):
            numeric = approx_fprime(parameters, lambda p, t=theta, c=k: item.curves(p, np.array([t]))[0][c, 0], 1e-7)
            np.testing.assert_allclose(scores[q, :, k], numeric, atol=1e-5)


@pytest.mark.parametrize("model", OTHERS)
def test_derivatives_of_the_m_step(model):
    item, parameters = item_of(model), OTHERS[model]
    size = parameters.size
    counts = np.random.default_rng(2).uniform(1, 20, (NODES.size, item.top + 1))
    prior = np.stack([np.full(size, 0.2), np.full(size, 0.7)])

    def at(p):
        gradient, hessian, fisher = np.empty(size), np.empty((size, size)), np.empty((size, size))
        usable = np.ones(size, dtype=np.bool_)
        value = _family_kernels.objective(item.family, counts, NODES, p, usable, prior, gradient, hessian, fisher)
        return value, gradient, np.tril(hessian) + np.tril(hessian, -1).T

    _, gradient, hessian = at(parameters)
    np.testing.assert_allclose(gradient, approx_fprime(parameters, lambda p: at(p)[0], 1e-6), atol=1e-2)
    for r in range(size):
        step = np.zeros(size)
        step[r] = 1e-5
        column = -(at(parameters + step)[1] - at(parameters - step)[1]) / 2e-5
        np.testing.assert_allclose(hessian[:, r], column, atol=1e-4)


def test_observed_information_of_mixed_models_agrees_with_finite_differences():
    rng = np.random.default_rng(4)
    names, tops = ("GRM", "3PL", "2PL", "NRM"), np.array([3, 1, 1, 3], dtype=np.int8)
    scores = np.stack([rng.integers(0, top + 1, 250) for top in tops], axis=1).astype(np.int8)
    scores[rng.random(scores.shape) < 0.1] = -1
    packed = _packing.pack(scores, tops)
    models = _families.item_models(names, _em.item_parts(packed.category_start))
    nodes, node_weights = _em.quadrature(31, 5.0)
    extra_prior = np.array([[-1.4, 1.0, 2.0], [4.0, 0.5, 0.5]])
    usable = np.ones(12, dtype=np.bool_)
    problem = _em.Problem(packed, nodes, node_weights, usable, np.array([1.0, 0.5, 0.1]), models, extra_prior)
    intercepts = np.array([0, 1.5, 0.2, -1.0, 0, 0.3, 0, -0.2, 0, 0.4, 0.1, -0.3])
    state = _em.State(np.array([0.9, 1.2, 1.0, 0.6]), intercepts, extras=np.array([-1.2, 0.8, 1.5]))
    _em.expectation(problem, state)
    _, information = _information.observed_information(problem, state, scores, np.ones(250))
    firsts = packed.category_start[:-1]

    def gradient_at(vector):
        slopes, moved = vector[firsts], vector[:12].copy()
        moved[firsts] = 0.0
        other = _em.State(slopes, moved, extras=vector[12:])
        _em.expectation(problem, other)
        return _information.complete_information(problem, other)[0]

    flat = np.concatenate([state.intercepts, state.extras])
    flat[firsts] = state.slopes
    for at in range(flat.size):
        step = np.zeros(flat.size)
        step[at] = 1e-5
        column = -(gradient_at(flat + step) - gradient_at(flat - step)) / 2e-5
        np.testing.assert_allclose(information[:, at], column, atol=1e-4)


def test_mixed_models_recover_their_truth():
    rng = np.random.default_rng(7)
    theta = rng.standard_normal(8000)
    names = {f"I{j + 1}": ("3PL", "GRM", "2PL", "NRM")[j % 4] for j in range(16)}
    slopes = np.tile([1.6, 1.2, 1.0, 0.8], 4)
    columns = []
    for j, model in enumerate(names.values()):
        params = {
            "3PL": np.array([slopes[j], 0.4, np.log(0.25)]),
            "GRM": np.array([slopes[j], 1.0, -0.5]),
            "NRM": np.array([slopes[j], 0.5, -0.2, 0.4]),
        }
        if model == "2PL":
            chances = np.stack([1 / (1 + np.exp(theta)), 1 / (1 + np.exp(-theta))], axis=1)
        else:
            top = 1 if model == "3PL" else 2
            item = _families.item_models([model], [slice(0, top + 1)]).others[0]
            chances = np.exp(item.curves(params[model], theta)[0]).T
        columns.append(drawn(rng, chances))
    responses = edmeasure.Responses.from_array(np.stack(columns, axis=1))
    fit = edmeasure.calibrate(responses, models=names)
    assert fit.models == tuple(names.values())
    assert (np.abs(fit.slopes - slopes) < 4 * fit.slope_se).all()
    assert (np.abs(fit.lower[::4] - 0.2) < 4 * fit.lower_se[::4]).all()
    assert (np.abs(fit.category_slopes[3::4, 1] - 0.4) < 4 * fit.category_slope_se[3::4, 1]).all()
    scored = edmeasure.score_eap(fit, responses)
    assert np.corrcoef(scored.theta, theta)[0, 1] > 0.85
    assert np.mean(np.abs(scored.theta - theta) < 2 * scored.se) == pytest.approx(0.95, abs=0.02)


def test_a_category_nobody_chose_does_no_harm_to_graded_and_nominal_items(science):
    scores = science.scores.copy()
    scores[scores[:, 0] == 1, 0] = 2
    scores[scores[:, 1] == 3, 1] = 2
    responses = edmeasure.Responses.from_array(scores, max_scores=[3, 3, 3, 3])
    for name in ("GRM", "NRM"):
        fit = edmeasure.calibrate(responses, models=name)
        assert fit.converged
        assert fit.unused_categories == (("I1", 1), ("I2", 3))
        assert np.isfinite(fit.slopes).all()
        assert np.isfinite(edmeasure.score_eap(fit, responses).theta).all()


def test_starts_agree_or_the_certificate_says_so(science):
    fit = edmeasure.calibrate(science, models="NRM", n_starts=3, rng=np.random.default_rng(1), standard_errors=False)
    assert fit.certificate.n_starts == 3
    assert fit.certificate.n_agreeing == 3
    assert "3 of 3 starts agree" in str(fit)


def test_impossible_models_are_refused(science, lsat7):
    with pytest.raises(edmeasure.BadOption, match="5PL"):
        edmeasure.calibrate(lsat7, models="5PL")
    with pytest.raises(edmeasure.BadOption, match="more than two categories"):
        edmeasure.calibrate(science, models={"I1": "3PL"})
    with pytest.raises(edmeasure.BadOption, match="X1"):
        edmeasure.calibrate(science, models={"X1": "GRM"})
    with pytest.raises(edmeasure.BadOption, match="rng"):
        edmeasure.calibrate(science, n_starts=2)
    with pytest.raises(edmeasure.BadOption, match="slope_sd"):
        edmeasure.ItemPriors(slope_sd=0.0)
    with pytest.raises(edmeasure.BadOption, match="lower one"):
        edmeasure.ItemPriors(lower=0.7)
    with pytest.raises(edmeasure.BadOption, match="one of them"):
        edmeasure.calibrate(lsat7, weak_prior=True, priors=edmeasure.ItemPriors())


@pytest.mark.parametrize("model", ["1PL", "2PL", "3PL", "4PL", "PCM", "GPCM", "GRM", "NRM"])
def test_garbage_gives_numbers_and_warnings_in_the_certificate(model):
    rng = np.random.default_rng(13)
    top = 1 if model.endswith("PL") else 3
    noise = rng.integers(-3, top + 1, (200, 5))
    twice = np.hstack([noise, noise[:, :1]])
    for scores in (twice, rng.integers(0, top + 1, (4, 3)), np.full((50, 2), top) - np.eye(50, 2, dtype=int)):
        responses = edmeasure.Responses.from_array(scores, max_scores=[top] * scores.shape[1])
        fit = edmeasure.calibrate(responses, models=model, max_iterations=60)
        assert np.isfinite(fit.slopes[fit.calibrated]).all()
        assert np.isfinite(fit.loglik)
        for score in (edmeasure.score_eap, edmeasure.score_map):
            assert np.isfinite(score(fit, responses).theta).all()
