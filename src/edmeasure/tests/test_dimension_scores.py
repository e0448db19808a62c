"""Scores on several abilities: quadrature, sampling and one-ability scores agree; sampled calibration agrees with EM."""

import numba
import numpy as np
import pytest
from scipy.stats import norm

import edmeasure
from edmeasure.multidimensional import _person_kernels
from edmeasure.multidimensional._sampling import Persons, items_of
from edmeasure.multidimensional.scores import aligned

PATTERN = np.repeat(np.eye(3, dtype=int), 6, axis=0)
SLOPES = np.tile([0.8, 1.1, 1.4, 1.7, 1.0, 1.3], 3)
INTERCEPTS = np.tile(np.linspace(-1.5, 1.5, 6), 3)
CORRELATIONS = np.full((3, 3), 0.5) + 0.5 * np.eye(3)


@pytest.fixture(scope="module")
def three():
    """1,000 persons, three abilities, six items each: the last of every ability graded in three."""
    rng = np.random.default_rng(1)
    theta = rng.multivariate_normal(np.zeros(3), CORRELATIONS, size=1000)
    z = theta @ (PATTERN * SLOPES[:, None]).T
    uniform = rng.random(z.shape)
    scores = (uniform < 1 / (1 + np.exp(-(z + INTERCEPTS)))).astype(np.int8)
    scores[:, 5::6] += uniform[:, 5::6] < 1 / (1 + np.exp(-(z[:, 5::6] - 1.0)))
    scores[rng.random(scores.shape) < 0.1] = -1
    scores[0] = -1
    return edmeasure.Responses.from_array(scores), theta


MODELS = {"I6": "GRM", "I12": "GRM", "I18": "GPCM"}


@pytest.fixture(scope="module")
def fit(three):
    return edmeasure.calibrate_dimensions(three[0], loadings=PATTERN, models=MODELS, n_nodes=15)


@pytest.fixture(scope="module")
def means(three, fit):
    return edmeasure.score_dimensions(fit, three[0], n_nodes=25)


def test_means_are_those_of_the_abilities(three, means):
    _, theta = three
    for d in range(3):
        found = np.corrcoef(means.theta[:, d], theta[:, d])[0, 1] ** 2
        assert found == pytest.approx(means.reliability[d], abs=0.06)
    inside = np.abs(means.theta - theta) < norm.ppf(0.975) * means.se
    assert inside.mean() == pytest.approx(0.95, abs=0.02)
    assert "reliability 0." in str(means)


def test_a_person_without_answers_has_the_population(fit, means):
    np.testing.assert_allclose(means.theta[0], 0, atol=1e-12)
    np.testing.assert_allclose(means.covariance[0], fit.correlations, atol=2e-3)


def test_modes_have_no_slope_and_errors_of_the_curvature(three, fit):
    found = edmeasure.score_dimensions(fit, three[0], method="MAP")
    layout, parameters, scores = aligned(fit, three[0])
    items = items_of(layout, parameters)

    def value(row, theta):
        total = items.log_constant - 0.5 * theta @ items.precision @ theta
        for j in np.flatnonzero(row >= 0):
            z, at = items.slopes[j] @ theta, (items.starts[j], items.starts[j + 1])
            total += _person_kernels.answer(items.families[j], z, row[j], *at, items.intercepts)[0]
        return total

    step = 1e-4 * np.eye(3)
    for i in (0, 7, 400):
        by = [(value(scores[i], found.theta[i] + one) - value(scores[i], found.theta[i] - one)) / 2e-4 for one in step]
        np.testing.assert_allclose(by, 0, atol=1e-6)
        around = found.theta[i]
        bend = [
            [
                (value(scores[i], around + a + b) - value(scores[i], around + a - b) - value(scores[i], around - a + b)
                 + value(scores[i], around - a - b)) / 4e-8
                for a in step
            ]
            for b in step
        ]  # fmt: skip
        np.testing.assert_allclose(np.linalg.inv(-np.array(bend)), found.covariance[i], rtol=1e-3, atol=1e-5)


def test_abilities_apart_are_scored_as_one_by_one(three):
    responses, _ = three
    together = edmeasure.calibrate_dimensions(
        responses, loadings=PATTERN, correlated=False, n_nodes=21, bound=6.0, standard_errors=False
    )
    scored = edmeasure.score_dimensions(together, responses)
    alone = edmeasure.calibrate(responses.items(np.arange(6)), n_nodes=21)
    eap = edmeasure.score_eap(alone, responses.items(np.arange(6)))
    np.testing.assert_allclose(scored.theta[:, 0], eap.theta, atol=1e-3)
    np.testing.assert_allclose(scored.se[:, 0], eap.se, atol=1e-3)
    np.testing.assert_allclose(scored.covariance[:, 0, 1], 0, atol=1e-10)


def test_sampled_means_and_likelihoods_are_those_of_the_grid(three, fit, means):
    layout, parameters, scores = aligned(fit, three[0])
    persons = Persons(scores, items_of(layout, parameters))
    rng = np.random.default_rng(3)
    found = [persons.weighed(rng) for _ in range(8)]
    np.testing.assert_allclose(np.mean([mean for _, mean, _ in found], axis=0), means.theta, atol=0.05)
    np.testing.assert_allclose(np.mean([spread for _, _, spread in found], axis=0), means.covariance, atol=0.06)
    loglik, error, n_points = persons.loglik(np.ones(1000), rng)
    assert n_points == 1024
    assert error < 0.5
    assert abs(loglik - fit.certificate.loglik_doubled) < 4 * error + 0.05


def test_normal_quantiles_are_those_of_scipy():
    shares = np.array([1e-12, 1e-6, 0.02, 0.075, 0.4, 0.5, 0.925, 0.999, 1 - 1e-9])
    told = [_person_kernels._normal_quantile(share) for share in shares]
    np.testing.assert_allclose(told, norm.ppf(shares), atol=2e-6)


def test_plausible_values_have_posterior_moments(three, fit, means):
    drawn = edmeasure.plausible_dimensions(fit, three[0], rng=np.random.default_rng(4), n_values=60)
    away = (drawn.values.mean(axis=0) - means.theta) / means.se * np.sqrt(60)
    assert np.std(away) == pytest.approx(1.0, abs=0.1)
    assert np.mean(drawn.values.var(axis=0, ddof=1) / means.se**2) == pytest.approx(1.0, abs=0.02)
    flat = drawn.values.reshape(-1, 3)
    np.testing.assert_allclose(np.cov(flat.T), fit.correlations, atol=0.06)
    assert drawn.of("D2").shape == (60, 1000)
    assert "60 plausible values of 1,000 persons" in str(drawn)
    with pytest.raises(edmeasure.BadOption, match="dimension"):
        drawn.of("D9")


def test_same_seed_same_draws_whatever_the_threads(three, fit):
    found = []
    for threads in (1, 2):
        before = numba.get_num_threads()
        numba.set_num_threads(min(threads, before))
        try:
            found.append(edmeasure.plausible_dimensions(fit, three[0], rng=np.random.default_rng(5), n_values=2).values)
        finally:
            numba.set_num_threads(before)
    np.testing.assert_array_equal(found[0], found[1])


def test_many_abilities_are_scored_by_sampling_as_by_summing_out():
    """A bifactor model of five abilities, once as it is and once as if its structure were not known."""
    rng = np.random.default_rng(6)
    member = np.repeat(np.arange(4), 4)
    theta = rng.standard_normal((400, 5))
    z = 1.2 * theta[:, :1] + 0.9 * theta[:, 1 + member]
    scores = (rng.random(z.shape) < 1 / (1 + np.exp(-z))).astype(np.int8)
    responses = edmeasure.Responses.from_array(scores)
    found = edmeasure.calibrate_bifactor(responses, groups=member, is_testlet=True, n_nodes=21, standard_errors=False)
    exact = edmeasure.score_dimensions(found.fit, responses)
    layout, parameters, rows = aligned(found.fit, responses)
    persons = Persons(rows, items_of(layout, parameters))
    sampled = np.mean([persons.weighed(rng)[1] for _ in range(16)], axis=0)
    np.testing.assert_allclose(sampled, exact.theta, atol=0.06)
    drawn = edmeasure.plausible_dimensions(found.fit, responses, rng=rng, n_values=20)
    assert np.mean(drawn.values.var(axis=0, ddof=1) / exact.se**2) == pytest.approx(1.0, abs=0.04)


def test_results_travel(means):
    columns = means._columns()
    assert list(columns) == ["D1", "se D1", "D2", "se D2", "D3", "se D3"]
    assert len(means.to_dict()["covariance"]) == 1000


def test_what_cannot_be_scored_is_refused(three, fit):
    responses, _ = three
    renamed = edmeasure.Responses.from_array(responses.scores[:, :2], item_ids=["x", "y"])
    with pytest.raises(edmeasure.BadShape, match="'x'"):
        edmeasure.score_dimensions(fit, renamed)
    raised = edmeasure.Responses.from_array(np.full((3, 1), 4), item_ids=["I1"])
    with pytest.raises(edmeasure.BadScore, match="above the maximum"):
        edmeasure.score_dimensions(fit, raised)
    with pytest.raises(edmeasure.BadOption, match="method"):
        edmeasure.score_dimensions(fit, responses, method="WLE")
    with pytest.raises(edmeasure.BadOption, match="n_values"):
        edmeasure.plausible_dimensions(fit, responses, rng=np.random.default_rng(1), n_values=0)
    nobody = edmeasure.score_dimensions(fit, responses.persons(np.zeros(1000, dtype=bool)))
    assert nobody.theta.shape == (0, 3)


@pytest.fixture(scope="module")
def sampled(three):
    return edmeasure.calibrate_dimensions(three[0], loadings=PATTERN, models=MODELS, method="MHRM", rng=np.random.default_rng(11))


def test_sampling_agrees_with_em_within_its_own_error(fit, sampled):
    free = PATTERN == 1
    evidence = sampled.certificate
    moved = np.concatenate(
        [
            ((sampled.slopes - fit.slopes) / fit.slope_se)[free],
            ((sampled.intercepts - fit.intercepts)[:, 1] / fit.intercept_se[:, 1]),
        ]
    )
    assert evidence.is_sound
    assert np.sqrt(np.mean(moved**2)) < 3 * evidence.parameter_error + 0.05
    cost = 0.5 * sampled.n_parameters * evidence.parameter_error**2
    assert abs(sampled.loglik - fit.certificate.loglik_doubled) < 4 * (sampled.loglik_error + cost) + 0.05
    np.testing.assert_allclose(sampled.slope_se[free], fit.slope_se[free], rtol=0.12)
    np.testing.assert_allclose(sampled.correlation_se[0, 1:], fit.correlation_se[0, 1:], rtol=0.12)
    assert evidence.is_maximum
    assert 0.5 < evidence.acceptance < 0.95
    assert "of proposals" in str(sampled)


def test_five_abilities_come_back():
    rng = np.random.default_rng(12)
    pattern = np.repeat(np.eye(5, dtype=int), 5, axis=0)
    correlations = np.full((5, 5), 0.4) + 0.6 * np.eye(5)
    theta = rng.multivariate_normal(np.zeros(5), correlations, size=600)
    z = theta @ pattern.T * 1.3 + np.tile([-1.0, -0.5, 0.0, 0.5, 1.0], 5)
    responses = edmeasure.Responses.from_array((rng.random(z.shape) < 1 / (1 + np.exp(-z))).astype(np.int8))
    fit = edmeasure.calibrate_dimensions(responses, loadings=pattern, rng=np.random.default_rng(13))
    z = ((fit.slopes - 1.3) / fit.slope_se)[pattern == 1]
    assert np.abs(z).max() < 4.5
    away = (fit.correlations - correlations)[np.triu_indices(5, 1)] / fit.correlation_se[np.triu_indices(5, 1)]
    assert np.abs(away).max() < 4
    scored = edmeasure.score_dimensions(fit, responses, rng=rng)
    assert np.mean([np.corrcoef(scored.theta[:, d], theta[:, d])[0, 1] for d in range(5)]) > 0.75
    with pytest.raises(edmeasure.BadOption, match="sampled"):
        edmeasure.score_dimensions(fit, responses)


def test_same_seed_same_sampled_fit(three):
    options = {"loadings": PATTERN, "models": MODELS, "method": "MHRM", "max_iterations": 80, "standard_errors": False}
    found = []
    for threads in (1, 2):
        before = numba.get_num_threads()
        numba.set_num_threads(min(threads, before))
        try:
            found.append(edmeasure.calibrate_dimensions(three[0], rng=np.random.default_rng(2), **options))
        finally:
            numba.set_num_threads(before)
    np.testing.assert_array_equal(found[0].slopes, found[1].slopes)
    assert found[0].loglik == pytest.approx(found[1].loglik, abs=1e-9)
    assert not found[0].converged


@pytest.mark.parametrize(("options", "words"), [({}, "rng"), ({"rng": np.random.default_rng(1), "max_iterations": 50}, "50")])
def test_sampling_needs_chance_and_time(three, options, words):
    with pytest.raises(edmeasure.BadOption, match=words):
        edmeasure.calibrate_dimensions(three[0], loadings=PATTERN, models=MODELS, method="MHRM", **options)
