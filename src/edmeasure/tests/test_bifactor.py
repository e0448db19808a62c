"""Bifactor and testlet models: the product grid, the 2PL and simulated truth say the same."""

import numpy as np
import pytest

import edmeasure
from edmeasure.multidimensional._layout import Parameters
from edmeasure.multidimensional._product import product_model
from edmeasure.multidimensional._reduction import reduced_model
from edmeasure.multidimensional._setup import axis, sheets_of

GROUPS = np.repeat(["a", "b", "c", "d"], 5)
MEMBER = np.repeat(np.arange(4), 5)
GENERAL = np.tile([0.9, 1.2, 1.5, 1.8, 1.1], 4)
SPECIFIC = np.tile([1.2, 0.8, 0.6, 0.9, 1.0], 4)
INTERCEPTS = np.tile(np.linspace(-1.2, 1.2, 5), 4)


def answers(rng, n, specific):
    theta = rng.standard_normal((n, 5))
    z = theta[:, :1] * GENERAL + theta[:, 1 + MEMBER] * specific + INTERCEPTS
    return (rng.random(z.shape) < 1 / (1 + np.exp(-z))).astype(np.int8), theta


@pytest.fixture(scope="module")
def responses():
    return edmeasure.Responses.from_array(answers(np.random.default_rng(2), 2000, SPECIFIC)[0])


@pytest.fixture(scope="module")
def fitted(responses):
    return edmeasure.calibrate_bifactor(responses, groups=GROUPS)


def test_known_parameters_come_back(fitted):
    fit = fitted.fit
    own = fit.slopes[np.arange(20), 1 + MEMBER], fit.slope_se[np.arange(20), 1 + MEMBER]
    z = np.concatenate([(fit.slopes[:, 0] - GENERAL) / fit.slope_se[:, 0], (own[0] - SPECIFIC) / own[1]])
    assert np.abs(z).max() < 4
    assert 0.5 < np.mean(z**2) < 2.0
    assert fit.certificate.is_sound
    assert fit.certificate.is_maximum
    assert fit.certificate.gradient_norm < 0.1
    assert np.diff(fit.history).min() > -1e-6
    assert fit.dimensions == ("general", "a", "b", "c", "d")
    assert fit.n_parameters == 60
    assert "bifactor model of 4 groups" in str(fitted)


def test_omegas_are_those_of_the_true_loadings(fitted):
    length = np.sqrt(1.702**2 + GENERAL**2 + SPECIFIC**2)
    general, specific = GENERAL / length, SPECIFIC / length
    unique = 1 - general**2 - specific**2
    of_groups = np.array([specific[g == MEMBER].sum() ** 2 for g in range(4)])
    variance = general.sum() ** 2 + of_groups.sum() + unique.sum()
    assert fitted.omega_hierarchical == pytest.approx(general.sum() ** 2 / variance, abs=0.03)
    assert fitted.omega_total == pytest.approx(1 - unique.sum() / variance, abs=0.01)
    assert fitted.ecv == pytest.approx((general**2).sum() / (general**2 + specific**2).sum(), abs=0.04)
    own = [of_groups[g] / (of_groups[g] + general[g == MEMBER].sum() ** 2 + unique[g == MEMBER].sum()) for g in range(4)]
    np.testing.assert_allclose(fitted.omega_specific, own, atol=0.06)
    np.testing.assert_allclose(fitted.item_ecv, general**2 / (general**2 + specific**2), atol=0.3)


def test_shares_of_the_sum_score_are_those_of_simulated_sheets(fitted):
    scores, theta = answers(np.random.default_rng(9), 200_000, SPECIFIC)
    total = scores.sum(axis=1)
    z = theta[:, :1] * GENERAL + theta[:, 1 + MEMBER] * SPECIFIC + INTERCEPTS
    true = (1 / (1 + np.exp(-z))).sum(axis=1)
    assert fitted.sum_score_total == pytest.approx(true.var() / total.var(), abs=0.015)
    bins = np.digitize(theta[:, 0], np.quantile(theta[:, 0], np.linspace(0, 1, 101)[1:-1]))
    means = np.bincount(bins, total) / np.bincount(bins)
    assert fitted.sum_score_hierarchical == pytest.approx(means.var() / total.var(), abs=0.03)


def test_without_specific_slopes_it_is_the_2pl(responses):
    plain = edmeasure.calibrate(responses, standard_errors=False)
    sheets = sheets_of(responses, "2PL", None)
    loads = np.zeros((20, 5), dtype=bool)
    loads[:, 0] = True
    loads[np.arange(20), 1 + MEMBER] = True
    layout = sheets.layout(loads, np.empty((0, 2), dtype=np.int64))
    slopes = np.zeros((20, 5))
    slopes[:, 0] = plain.slopes
    at = Parameters(slopes, plain.intercepts.ravel(), np.eye(5), np.empty(0))
    model = reduced_model(layout, sheets.rows, sheets.max_scores, sheets.row_weights, axis(61, 6.0))
    assert model.loglik(at) == pytest.approx(plain.loglik, abs=1e-7)
    theta, covariance = model.moments(at)
    eap = edmeasure.score_eap(plain, responses)
    np.testing.assert_allclose(theta[:, 0], eap.theta, atol=1e-9)
    np.testing.assert_allclose(theta[:, 1:], 0, atol=1e-9)
    np.testing.assert_allclose(covariance[:, 1, 1], model.prior @ model.axis**2, atol=1e-9)


def test_summing_groups_out_one_by_one_is_exact():
    """Two groups, items of none, graded ones, answers missing: the product grid of three abilities says the same."""
    rng = np.random.default_rng(6)
    scores = rng.integers(0, 3, (60, 9)).astype(np.int8)
    scores[:, :5] = np.minimum(scores[:, :5], 1)
    scores[rng.random(scores.shape) < 0.2] = -1
    scores[3] = -1
    scores[4, 3:6] = -1
    sheets = sheets_of(edmeasure.Responses.from_array(scores), {"I8": "GRM"}, None)
    loads = np.zeros((9, 3), dtype=bool)
    loads[:, 0] = True
    loads[:3, 1] = loads[3:6, 2] = True
    layout = sheets.layout(loads, np.empty((0, 2), dtype=np.int64))
    at = layout.parameters(layout.vector(sheets.start(layout, np.full(loads.shape, 0.9))) + 0.2 * rng.random(layout.n_parameters))
    of_grid = product_model(layout, sheets.rows, sheets.max_scores, sheets.row_weights, [axis(11, 4.0)] * 3)
    reduced = reduced_model(layout, sheets.rows, sheets.max_scores, sheets.row_weights, axis(11, 4.0))
    expected = [model.expect(at) for model in (of_grid, reduced)]
    assert expected[0].loglik == pytest.approx(expected[1].loglik, abs=1e-10)
    gradients = [model.gradient(at, one) for model, one in zip((of_grid, reduced), expected, strict=True)]
    np.testing.assert_allclose(gradients[0], gradients[1], atol=1e-9)
    for whole, part in zip(of_grid.moments(at), reduced.moments(at), strict=True):
        np.testing.assert_allclose(whole, part, atol=1e-10)


@pytest.fixture(scope="module")
def testlets():
    spreads = np.array([0.4, 0.7, 1.0, 1.3])
    scores, _ = answers(np.random.default_rng(2), 2000, GENERAL * spreads[MEMBER])
    return edmeasure.calibrate_bifactor(edmeasure.Responses.from_array(scores), groups=GROUPS, is_testlet=True), spreads, scores


def test_testlets_come_back_and_are_bifactor_models_with_one_ratio(testlets):
    found, spreads, scores = testlets
    assert np.abs((found.spreads - spreads) / found.spread_se).max() < 4
    assert (found.spread_se < 0.12).all()
    own = found.fit.slopes[np.arange(20), 1 + MEMBER]
    np.testing.assert_allclose(own, found.spreads[MEMBER] * found.fit.slopes[:, 0], rtol=1e-12)
    assert np.isfinite(found.fit.slope_se[np.arange(20), 1 + MEMBER]).all()
    free = edmeasure.calibrate_bifactor(edmeasure.Responses.from_array(scores), groups=GROUPS, standard_errors=False)
    gain = 2 * (free.fit.loglik - found.fit.loglik)
    assert free.fit.n_parameters - found.fit.n_parameters == 16
    assert 0 < gain < 40
    assert "deviations of testlets: a 0." in str(found)


def test_gradient_of_testlets_is_that_of_the_likelihood(testlets):
    sheets = sheets_of(edmeasure.Responses.from_array(testlets[2][:50]), "2PL", None)
    loads = np.zeros((20, 5), dtype=bool)
    loads[:, 0] = True
    loads[np.arange(20), 1 + MEMBER] = True
    layout = sheets.layout(loads, np.empty((0, 2), dtype=np.int64), precision=0.1, testlets=MEMBER)
    model = reduced_model(layout, sheets.rows, sheets.max_scores, sheets.row_weights, axis(9, 4.0))
    at = layout.vector(sheets.start(layout, np.full(loads.shape, 0.9), np.array([0.3, 0.6, 0.9, -0.2])))
    parameters = layout.parameters(at)
    gradient = model.gradient(parameters, model.expect(parameters))
    step = 1e-5 * np.eye(at.size)
    values = [[model.expect(layout.parameters(at + sign * one)).loglik for sign in (1, -1)] for one in step]
    np.testing.assert_allclose(gradient, [(up - down) / 2e-5 for up, down in values], atol=1e-5)


def test_many_groups_cost_no_more_dimensions():
    """Twelve testlets: thirteen abilities."""
    rng = np.random.default_rng(3)
    member = np.repeat(np.arange(12), 3)
    theta = rng.standard_normal((1000, 13))
    z = 1.3 * theta[:, :1] + 0.8 * theta[:, 1 + member] + np.tile([-1.0, 0.0, 1.0], 12)
    scores = (rng.random(z.shape) < 1 / (1 + np.exp(-z))).astype(np.int8)
    found = edmeasure.calibrate_bifactor(
        edmeasure.Responses.from_array(scores), groups=member, is_testlet=True, n_nodes=21, standard_errors=False
    )
    assert found.fit.converged
    assert found.spreads.mean() == pytest.approx(0.8 / 1.3, abs=0.12)
    scored = edmeasure.score_dimensions(found.fit, edmeasure.Responses.from_array(scores))
    assert np.corrcoef(scored.theta[:, 0], theta[:, 0])[0, 1] > 0.85
    assert scored.reliability[0] > 0.8 > scored.reliability[1:].max()


def test_starts_agree_on_the_best(responses, fitted):
    found = edmeasure.calibrate_bifactor(
        responses, groups=GROUPS, standard_errors=False, n_starts=4, rng=np.random.default_rng(1)
    )
    assert found.fit.certificate.n_starts == 4
    assert found.fit.certificate.n_agreeing >= 3
    assert found.fit.loglik == pytest.approx(fitted.fit.loglik, abs=1e-3)


def test_items_may_belong_to_no_group(responses):
    ids = responses.item_ids
    named = {name: group for name, group in zip(ids, GROUPS, strict=True) if group != "d"}
    found = edmeasure.calibrate_bifactor(responses, groups=named, standard_errors=False, n_nodes=21)
    assert found.groups == ("a", "b", "c")
    assert (found.group[15:] == -1).all()
    assert (found.fit.slopes[15:, 1:] == 0).all()
    columns = found._columns()
    assert columns["group"][19] is None
    assert len(found.to_dict()["item_ecv"]) == 20


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"groups": GROUPS[:4]}, edmeasure.BadShape, "4 groups for 20"),
        ({"groups": {"nobody": "a"}}, edmeasure.BadOption, "nobody"),
        ({"groups": [None] * 20}, edmeasure.BadOption, "at least one"),
        ({"groups": ["general"] * 20}, edmeasure.BadOption, "general"),
        ({"groups": ["a"] * 20}, edmeasure.BadOption, "told from the general"),
        ({"groups": ["a"] * 10 + ["b"] * 10, "is_testlet": True}, edmeasure.BadOption, "three testlets"),
        ({"groups": ["a"] * 18 + ["b"] * 2}, edmeasure.BadOption, "'b'"),
        ({"groups": GROUPS, "n_nodes": 2}, edmeasure.BadOption, "n_nodes"),
        ({"groups": GROUPS, "bound": np.nan}, edmeasure.BadOption, "bound"),
        ({"groups": GROUPS, "models": "3PL"}, edmeasure.BadOption, "follow none"),
    ],
)
def test_what_cannot_be_is_refused(responses, options, error, words):
    with pytest.raises(error, match=words):
        edmeasure.calibrate_bifactor(responses, **options)
