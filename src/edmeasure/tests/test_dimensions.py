"""Several abilities: limits in which they are one, formulas against differences, known truth, other programs' figures."""

import numba
import numpy as np
import pytest

import edmeasure
from edmeasure.multidimensional._layout import Parameters
from edmeasure.multidimensional._product import product_model
from edmeasure.multidimensional._setup import axis, sheets_of
from edmeasure.tests.conftest import table

PATTERN = np.repeat(np.eye(2, dtype=int), 8, axis=0)
SLOPES = np.tile([0.8, 1.0, 1.2, 1.4, 1.6, 0.9, 1.1, 1.3], 2)
INTERCEPTS = np.tile(np.linspace(-1.5, 1.5, 8), 2)
CORRELATION = 0.5


def answers(rng, n, slopes, intercepts, correlations):
    theta = rng.multivariate_normal(np.zeros(len(correlations)), correlations, size=n)
    chance = 1 / (1 + np.exp(-(theta @ slopes.T + intercepts)))
    return (rng.random(chance.shape) < chance).astype(np.int8), theta


@pytest.fixture(scope="module")
def two():
    """2,000 persons, eight items for each of two abilities that correlate by a half."""
    correlations = np.array([[1.0, CORRELATION], [CORRELATION, 1.0]])
    scores, theta = answers(np.random.default_rng(3), 2000, PATTERN * SLOPES[:, None], INTERCEPTS, correlations)
    return edmeasure.Responses.from_array(scores), theta


@pytest.fixture(scope="module")
def confirmed(two):
    return edmeasure.calibrate_dimensions(two[0], loadings=PATTERN, dimensions=["reading", "number"])


@pytest.fixture(scope="module")
def explored(two):
    return edmeasure.calibrate_dimensions(two[0], n_dimensions=2, standard_errors=False)


def test_known_parameters_come_back(confirmed):
    z = ((confirmed.slopes - PATTERN * SLOPES[:, None]) / confirmed.slope_se)[PATTERN == 1]
    assert np.abs(z).max() < 4
    assert 0.5 < np.mean(z**2) < 2.0
    assert np.abs((confirmed.intercepts[:, 1] - INTERCEPTS) / confirmed.intercept_se[:, 1]).max() < 4
    assert abs(confirmed.correlations[0, 1] - CORRELATION) < 4 * confirmed.correlation_se[0, 1] < 0.15
    assert (confirmed.slopes[PATTERN == 0] == 0).all()
    assert np.isnan(confirmed.slope_se[PATTERN == 0]).all()
    assert confirmed.n_parameters == 33
    assert "correlation reading, number: 0.5" in str(confirmed)


def test_it_climbs_to_a_sound_maximum(confirmed, explored):
    for fit in (confirmed, explored):
        assert fit.converged
        assert np.diff(fit.history).min() > -1e-6
        assert fit.certificate.is_sound
        assert fit.certificate.gradient_norm < 0.2
    assert confirmed.certificate.is_maximum
    # two more slopes per item less one turn and the correlation
    assert explored.n_parameters - confirmed.n_parameters == 14
    assert 0 < explored.loglik - confirmed.loglik < 20


def test_uncorrelated_abilities_of_separate_items_are_separate_fits(two):
    responses, _ = two
    together = edmeasure.calibrate_dimensions(
        responses, loadings=PATTERN, correlated=False, n_nodes=61, bound=6.0, standard_errors=False, tolerance=1e-7
    )
    apart = [edmeasure.calibrate(responses.items(np.arange(first, first + 8)), tolerance=1e-8) for first in (0, 8)]
    assert together.loglik == pytest.approx(sum(fit.loglik for fit in apart), abs=1e-6)
    np.testing.assert_allclose(together.slopes.sum(axis=1), np.concatenate([fit.slopes for fit in apart]), atol=1e-5)


@pytest.mark.parametrize(("model", "loglik", "told"), [("GRM", -1608.8694, "grm"), ("GPCM", -1612.6816, "gpcm")])
def test_one_ability_gives_other_programs_figures(model, loglik, told):
    """R mirt 1.45.1 on Science, converged to 1e-8."""
    responses = edmeasure.Responses.from_array(table("Science.csv.gz") - 1)
    fit = edmeasure.calibrate_dimensions(responses, n_dimensions=1, models=model, tolerance=1e-7)
    same = edmeasure.calibrate(responses, models=model)
    assert fit.loglik == pytest.approx(loglik, abs=1e-3)
    np.testing.assert_allclose(fit.slopes[:, 0], same.slopes, rtol=1e-4)
    np.testing.assert_allclose(fit.slope_se[:, 0], same.slope_se, rtol=1e-3)
    np.testing.assert_allclose(fit.intercept_se, same.intercept_se, rtol=1e-3)


def test_errors_are_those_of_louis(lsat7, lsat7_fit):
    """Differences of the exact gradient (Oakes) against the identity of Louis."""
    fit = edmeasure.calibrate_dimensions(lsat7, n_dimensions=1, tolerance=1e-7)
    assert fit.loglik == pytest.approx(-2658.8051, abs=1e-3)
    np.testing.assert_allclose(fit.slope_se[:, 0], lsat7_fit.slope_se, rtol=1e-3)


def brute_loglik(parameters, layout, scores, nodes, density):
    """Sum over persons of the log of the summed products, item by item and category by category."""
    total = np.zeros((scores.shape[0], nodes.shape[1]))
    for j, part in enumerate(layout.parts):
        z = parameters.slopes[j] @ nodes
        d = parameters.intercepts[part]
        if layout.families[j] == 0:
            eta = np.arange(d.size)[:, None] * z + d[:, None]
            logs = eta - np.log(np.exp(eta).sum(axis=0))
        else:
            reach = 1 / (1 + np.exp(-(z + d[1:, None])))
            logs = np.log(np.vstack([np.ones(z.size), reach]) - np.vstack([reach, np.zeros(z.size)]))
        given = scores[:, j] >= 0
        total[given] += logs[scores[given, j]]
    return np.log(np.exp(total) @ density).sum()


def test_gradient_is_that_of_the_likelihood():
    """Mixed models, cross loadings, correlations, missing answers; central differences of sums over a grid."""
    rng = np.random.default_rng(5)
    scores = rng.integers(0, 3, (40, 6)).astype(np.int8)
    scores[:, 3:] = np.minimum(scores[:, 3:], 1)
    scores[rng.random(scores.shape) < 0.2] = -1
    scores[0] = -1
    responses = edmeasure.Responses.from_array(scores)
    names = {"I1": "GRM", "I2": "GPCM", "I3": "GRM"}
    sheets = sheets_of(responses, names, None)
    loads = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 1], [1, 1, 1], [0, 1, 0], [0, 0, 1]], dtype=bool)
    layout = sheets.layout(loads, np.array([[0, 1], [0, 2], [1, 2]]))
    model = product_model(layout, sheets.rows, sheets.max_scores, sheets.row_weights, [axis(9, 4.0)] * 3)
    start = sheets.start(layout, np.full(loads.shape, 0.8))
    at = layout.vector(start) + 0.2 * rng.standard_normal(layout.n_parameters)

    def value(vector):
        own = layout.parameters(vector)
        density = np.exp(-0.5 * np.einsum("dq,de,eq->q", model.nodes, np.linalg.inv(own.correlations), model.nodes))
        return brute_loglik(own, layout, scores, model.nodes, density / density.sum())

    parameters = layout.parameters(at)
    expected = model.expect(parameters)
    assert expected.loglik == pytest.approx(value(at), abs=1e-8)
    step = 1e-5 * np.eye(at.size)
    differences = [(value(at + one) - value(at - one)) / 2e-5 for one in step]
    np.testing.assert_allclose(model.gradient(parameters, expected), differences, atol=2e-6)


def test_every_plain_em_step_raises_the_likelihood(two):
    sheets = sheets_of(two[0], "2PL", None)
    layout = sheets.layout(np.ones((16, 2), dtype=bool), np.empty((0, 2), dtype=np.int64))
    model = product_model(layout, sheets.rows, sheets.max_scores, sheets.row_weights, [axis(15, 5.0)] * 2)
    slopes = np.column_stack([np.full(16, 0.9), np.linspace(-0.8, 0.8, 16)])
    current = sheets.start(layout, slopes)
    logliks = []
    for _ in range(8):
        expected = model.expect(current)
        logliks.append(expected.loglik)
        current = model.update(current, expected)
    assert np.diff(logliks).min() > 0


def test_turning_the_abilities_leaves_the_likelihood(two, explored):
    for method in ("oblimin", "varimax", "promax"):
        turned = explored.rotated(method)
        shared = np.einsum("jd,de,ke->jk", turned.slopes, turned.correlations, turned.slopes)
        np.testing.assert_allclose(shared, explored.slopes @ explored.slopes.T, atol=1e-8)
        np.testing.assert_allclose(turned.communalities, explored.communalities, atol=1e-10)
    oblique = explored.rotated("oblimin")
    sheets = sheets_of(two[0], "2PL", None)
    flat = np.column_stack([np.zeros(16), oblique.intercepts[:, 1]]).ravel()
    logliks = []
    for slopes, correlations in ((explored.slopes, np.eye(2)), (oblique.slopes, oblique.correlations)):
        layout = sheets.layout(np.ones((16, 2), dtype=bool), np.empty((0, 2), dtype=np.int64))
        model = product_model(layout, sheets.rows, sheets.max_scores, sheets.row_weights, [axis(51, 7.0)] * 2)
        logliks.append(model.expect(Parameters(slopes, flat, correlations, np.empty(0))).loglik)
    assert logliks[0] == pytest.approx(logliks[1], abs=1e-4)


def test_starts_agree_on_the_best(two, explored):
    several = edmeasure.calibrate_dimensions(
        two[0], n_dimensions=2, standard_errors=False, n_starts=4, rng=np.random.default_rng(1)
    )
    assert several.loglik == pytest.approx(explored.loglik, abs=1e-3)
    assert several.certificate.n_agreeing >= 3
    assert "of 4 starts agree" in str(several)


def test_exploring_finds_the_structure(explored):
    turned = explored.rotated()
    first = int(turned.loadings[0].argmax())
    loadings = turned.loadings[:, [first, 1 - first]]
    assert np.abs(loadings[PATTERN == 0]).max() < 0.15
    true = SLOPES / np.sqrt(1.702**2 + SLOPES**2)
    np.testing.assert_allclose(loadings[PATTERN == 1], true, atol=0.12)
    assert abs(turned.correlations[0, 1] - CORRELATION) < 0.1
    with pytest.raises(edmeasure.BadOption, match="method"):
        explored.rotated("sideways")


def test_a_second_ability_of_sat12():
    """Nested models: a second ability raises the likelihood; one is R mirt's -9488.955."""
    responses = edmeasure.Responses.from_array(table("SAT12_scored.csv.gz"))
    options = {"standard_errors": False, "tolerance": 1e-3}
    fits = [edmeasure.calibrate_dimensions(responses, n_dimensions=d, **options) for d in (1, 2)]
    assert fits[0].loglik == pytest.approx(-9488.955, abs=2e-3)
    assert fits[1].loglik == pytest.approx(-9441.93, abs=0.05)
    assert fits[1].aic < fits[0].aic
    assert "I32" in fits[1].certificate.extreme_items


def test_what_was_not_given_changes_precision_alone(two):
    responses, _ = two
    scores = responses.scores.copy()
    rng = np.random.default_rng(1)
    scores[rng.random(scores.shape) < 0.3] = -1
    fit = edmeasure.calibrate_dimensions(edmeasure.Responses.from_array(scores), loadings=PATTERN)
    z = ((fit.slopes - PATTERN * SLOPES[:, None]) / fit.slope_se)[PATTERN == 1]
    assert np.abs(z).max() < 4
    assert abs(fit.correlations[0, 1] - CORRELATION) < 4 * fit.correlation_se[0, 1]


def test_weights_are_repeated_persons():
    scores, _ = answers(np.random.default_rng(8), 300, PATTERN * SLOPES[:, None], INTERCEPTS, np.eye(2))
    weights = np.tile([1.0, 2.0, 3.0], 100)
    options = {"loadings": PATTERN, "standard_errors": False, "n_nodes": 15}
    weighted = edmeasure.calibrate_dimensions(edmeasure.Responses.from_array(scores), weights=weights, **options)
    repeated = edmeasure.Responses.from_array(np.repeat(scores, weights.astype(int), axis=0))
    twice = edmeasure.calibrate_dimensions(repeated, **options)
    np.testing.assert_allclose(weighted.slopes, twice.slopes, atol=1e-4)


def test_threads_do_not_change_a_bit(two):
    found = []
    for threads in (1, 2):
        before = numba.get_num_threads()
        numba.set_num_threads(min(threads, before))
        try:
            fit = edmeasure.calibrate_dimensions(two[0], n_dimensions=2, standard_errors=False, n_nodes=15, max_iterations=4)
            found.append(fit)
        finally:
            numba.set_num_threads(before)
    np.testing.assert_array_equal(found[0].slopes, found[1].slopes)
    assert found[0].loglik == found[1].loglik
    assert not found[0].converged


def test_a_prior_holds_slopes_that_would_run_away():
    """Two items that always agree have no finite slope."""
    scores, _ = answers(np.random.default_rng(2), 400, PATTERN * SLOPES[:, None], INTERCEPTS, np.eye(2))
    scores[:, 1] = scores[:, 0]
    responses = edmeasure.Responses.from_array(scores)
    options = {"loadings": PATTERN, "standard_errors": False, "n_nodes": 21, "tolerance": 1e-3}
    free = edmeasure.calibrate_dimensions(responses, max_iterations=60, **options)
    held = edmeasure.calibrate_dimensions(responses, slope_prior_sd=1.0, **options)
    assert {"I1", "I2"} & set(free.certificate.extreme_items)
    assert np.abs(held.slopes).max() < 0.9 * np.abs(free.slopes).max()
    assert held.loglik < free.loglik


def test_categories_nobody_chose_and_items_without_variance():
    scores, _ = answers(np.random.default_rng(4), 300, PATTERN * SLOPES[:, None], INTERCEPTS, np.eye(2))
    scores[:, 2] *= 2
    scores[:, 5] = 1
    responses = edmeasure.Responses.from_array(scores)
    for model in ("GRM", "GPCM"):
        fit = edmeasure.calibrate_dimensions(responses, loadings=PATTERN, models={"I3": model}, n_nodes=15)
        assert fit.excluded == ("I6",)
        assert fit.unused_categories == (("I3", 1),)
        assert np.isnan(fit.slopes[5]).all()
        assert np.isfinite(fit.slope_se[2, 0])
        assert "I6" in str(fit)


def test_results_travel(confirmed):
    told = confirmed.to_dict()
    assert told["dimensions"] == ["reading", "number"]
    columns = confirmed._columns()
    assert len(columns["slope reading"]) == len(columns["item"]) == 16


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({}, edmeasure.BadOption, "either"),
        ({"loadings": PATTERN, "n_dimensions": 2}, edmeasure.BadOption, "either"),
        ({"loadings": PATTERN[:5]}, edmeasure.BadShape, "16 items"),
        ({"loadings": PATTERN * 2}, edmeasure.BadOption, "other than 0 and 1"),
        ({"loadings": np.full(PATTERN.shape, np.nan)}, edmeasure.BadOption, "other than 0 and 1"),
        ({"loadings": np.vstack([np.zeros((1, 2), int), PATTERN[1:]])}, edmeasure.BadOption, "I1"),
        ({"loadings": np.ones((16, 2), int)}, edmeasure.BadOption, "same items"),
        ({"loadings": np.column_stack([np.ones(16, int), np.arange(16) == 3])}, edmeasure.BadOption, "fewer than two"),
        ({"loadings": PATTERN, "dimensions": ["a", "a"]}, edmeasure.BadOption, "own name"),
        ({"loadings": PATTERN, "models": "3PL"}, edmeasure.BadOption, "follow none"),
        ({"loadings": PATTERN, "n_nodes": 3}, edmeasure.BadOption, "n_nodes"),
        ({"loadings": PATTERN, "slope_prior_sd": 0.0}, edmeasure.BadOption, "slope_prior_sd"),
        ({"loadings": PATTERN, "method": "SEM"}, edmeasure.BadOption, "method"),
        ({"n_dimensions": 9}, edmeasure.BadOption, "9 abilities"),
        ({"n_dimensions": 2, "n_starts": 3}, edmeasure.BadOption, "n_starts"),
        ({"n_dimensions": 2, "n_starts": 3, "method": "MHRM"}, edmeasure.BadOption, "MHRM"),
        ({"n_dimensions": 4, "method": "EM"}, edmeasure.BadOption, "up to three"),
        ({"loadings": PATTERN, "weights": np.full(2000, np.nan)}, edmeasure.BadWeight, "not finite"),
    ],
)
def test_what_cannot_be_is_refused(two, options, error, words):
    with pytest.raises(error, match=words):
        edmeasure.calibrate_dimensions(two[0], **options)


def test_answers_that_say_nothing_are_refused(two):
    constant = edmeasure.Responses.from_array(np.ones((20, 16), dtype=np.int8))
    nobody = edmeasure.Responses.from_array(np.empty((0, 16), dtype=np.int8))
    for responses in (constant, nobody):
        with pytest.raises(edmeasure.NothingToCalibrate):
            edmeasure.calibrate_dimensions(responses, loadings=PATTERN)
    raised = two[0].scores.copy()
    raised[:, 3] += 1
    with pytest.raises(edmeasure.BadScore, match="I4"):
        edmeasure.calibrate_dimensions(edmeasure.Responses.from_array(raised), loadings=PATTERN)
