"""Fit of items, persons and the whole: against R mirt, against simulated truth, against built-in flaws."""

from dataclasses import replace

import numpy as np
import pytest

import edmeasure
from edmeasure.calibration import _items
from edmeasure.fit import limited_information

from .conftest import mirt, simulated

SLOPES, INTERCEPTS = [0.9, 1.2, 1.5, 1.0, 0.8, 1.3], [0.5, -0.3, 0.0, 0.8, -0.9, 0.2]


def test_s_x2_agrees_with_mirt(sim10k, sim10k_fit):
    peer = mirt("sim10k_SX2")
    found = edmeasure.item_fit(sim10k_fit, sim10k)
    np.testing.assert_array_equal(found.degrees, peer[:, 1])
    # mirt joins rare cells by a rule of its own: up to 0.4 in one item, 0.04 in the others
    assert np.sort(np.abs(found.chi_square - peer[:, 0]))[-2] < 0.04
    np.testing.assert_allclose(found.chi_square, peer[:, 0], atol=0.4)
    np.testing.assert_allclose(found.p_value, peer[:, 3], atol=0.02)
    np.testing.assert_allclose(found.infit, 1.0, atol=0.01)
    np.testing.assert_allclose(found.outfit, 1.0, atol=0.1)
    assert "I40" in str(found)


def test_an_item_of_another_shape_is_found():
    rng = np.random.default_rng(5)
    theta = rng.standard_normal(4000)
    scores = simulated(rng, n=4000, slopes=[1.2] * 20, intercepts=np.linspace(-1.5, 1.5, 20), theta=theta)
    scores[:, 7] = rng.random(4000) < 0.2 + 0.6 * np.exp(-(theta**2))
    responses = edmeasure.Responses.from_array(scores)
    fit = edmeasure.calibrate(responses, standard_errors=False)
    found = edmeasure.item_fit(fit, responses)
    assert np.argmin(found.p_value) == 7
    assert np.argmax(found.rmsea) == 7
    assert found.rmsea[7] > 0.05 > np.delete(found.rmsea, 7).max()


def test_graded_items_fit_their_own_model(simgpcm, simgpcm_fit):
    some = simgpcm.persons(np.arange(3000)).items(np.arange(12))
    right = edmeasure.item_fit(edmeasure.calibrate(some, standard_errors=False), some)
    assert np.mean(right.p_value < 0.05) < 0.25
    assert (right.degrees > 20).all()


def test_m2_agrees_with_mirt(lsat7, lsat7_fit):
    found = edmeasure.model_fit(lsat7_fit, lsat7)
    assert found.degrees == 5
    assert found.chi_square == pytest.approx(11.93841, abs=1e-3)
    assert found.p_value == pytest.approx(0.03564, abs=1e-4)
    assert found.rmsea == pytest.approx(0.03727, abs=1e-4)
    assert found.rmsea_low < found.rmsea < found.rmsea_high
    # for right/wrong items the two statistics are one
    assert edmeasure.model_fit(lsat7_fit, lsat7, statistic="C2").chi_square == pytest.approx(found.chi_square)
    rasch = edmeasure.calibrate(lsat7, models="1PL", standard_errors=False)
    assert edmeasure.model_fit(rasch, lsat7).degrees == 9


@pytest.mark.parametrize("model", ["GPCM", "GRM"])
@pytest.mark.parametrize("statistic", ["M2*", "C2"])
def test_moments_are_sums_over_all_patterns(model, statistic):
    rng = np.random.default_rng(6)
    scores = simulated(rng, n=600, slopes=[1.0, 1.3, 0.8, 1.1], intercepts=[[0.5, 0.2], [0.1], [0.4, -0.3], [0.0, -0.2]])
    responses = edmeasure.Responses.from_array(scores)
    fit = edmeasure.calibrate(responses, models=model, standard_errors=False)
    items = _items.aligned(fit, responses)
    functions = limited_information._functions(items, statistic)
    moments, _ = limited_information._moments(items, functions, fit)
    patterns = np.stack(np.meshgrid(*[np.arange(top + 1) for top in items.max_scores], indexing="ij"), axis=-1).reshape(-1, 4)
    logs = items.log_probabilities(fit.nodes)
    chance = np.exp([logs[items.category_start[:-1] + row].sum(axis=0) for row in patterns]) @ fit.node_weights
    values = [[values[row[j]] for j, values in functions] for row in patterns]
    one, other = moments.pairs
    every = np.column_stack([values, patterns[:, one] * patterns[:, other]])
    mean = chance @ every
    np.testing.assert_allclose(moments.expected(), mean)
    np.testing.assert_allclose(moments.covariance(), (every * chance[:, None]).T @ every - np.outer(mean, mean), atol=1e-12)


def test_jacobian_agrees_with_finite_differences(lsat7, lsat7_fit):
    items = _items.aligned(lsat7_fit, lsat7)
    functions = limited_information._functions(items, "M2*")
    moments, slopes = limited_information._moments(items, functions, lsat7_fit)
    jacobian = limited_information._jacobian(moments, slopes, [False] * 5)
    step = 1e-6
    for j in range(5):
        moved = lsat7_fit.slopes.copy()
        moved[j] += step
        ahead = limited_information._moments(_items.aligned(replace(lsat7_fit, slopes=moved), lsat7), functions, lsat7_fit)[0]
        np.testing.assert_allclose(jacobian[:, 2 * j], (ahead.expected() - moments.expected()) / step, atol=1e-5)


def test_m2_keeps_its_level_and_finds_two_dimensions():
    rng = np.random.default_rng(8)
    values = []
    for _ in range(40):
        responses = edmeasure.Responses.from_array(simulated(rng, n=500, slopes=SLOPES, intercepts=INTERCEPTS))
        fit = edmeasure.calibrate(responses, standard_errors=False)
        values.append(edmeasure.model_fit(fit, responses).chi_square)
    # chi-square of 9: mean 9, and 40 replications have a standard error of 0.67
    assert np.mean(values) == pytest.approx(9.0, abs=2.0)
    halves = [simulated(rng, n=2000, slopes=SLOPES, intercepts=INTERCEPTS) for _ in range(2)]
    two = edmeasure.Responses.from_array(np.hstack(halves))
    found = edmeasure.model_fit(edmeasure.calibrate(two, standard_errors=False), two)
    assert found.p_value < 1e-6
    assert found.srmsr > 0.05


def test_q3_finds_items_that_share_a_stimulus():
    rng = np.random.default_rng(10)
    scores = simulated(rng, n=2000, slopes=[1.2] * 12, intercepts=np.linspace(-1, 1, 12), missing=0.05)
    same = rng.random(2000) < 0.5
    scores[same, 3] = scores[same, 4]
    responses = edmeasure.Responses.from_array(scores)
    found = edmeasure.local_dependence(edmeasure.calibrate(responses, standard_errors=False), responses)
    assert [pair[:2] for pair in found.pairs()] == [("I4", "I5")]
    np.testing.assert_allclose(np.diag(found.q3), 1.0)
    others = np.delete(np.delete(found.q3, [3, 4], axis=0), [3, 4], axis=1)
    assert np.abs(others[np.triu_indices(10, 1)] + 1 / 11).max() < 0.12


def test_lz_finds_those_who_guess():
    rng = np.random.default_rng(11)
    difficulty = np.linspace(-2, 2, 30)
    scores = simulated(rng, n=2000, slopes=[1.5] * 30, intercepts=-1.5 * difficulty)
    scores[:50] = rng.random((50, 30)) < 0.5
    responses = edmeasure.Responses.from_array(scores)
    fit = edmeasure.calibrate(responses, standard_errors=False)
    found = edmeasure.person_fit(fit, responses)
    assert np.mean(found.lz[:50] < -1.64) > 0.9
    assert np.mean(found.lz[50:] < -1.64) < 0.06
    assert found.outfit[:50].mean() > 1.5 > found.outfit[50:].mean()
    truth = edmeasure.person_fit(fit, responses, theta=edmeasure.score_wle(fit, responses).theta)
    assert np.corrcoef(found.lz, truth.lz)[0, 1] > 0.98


def test_what_cannot_be_tested_is_refused(lsat7, lsat7_fit, sim10k, sim10k_fit):
    with pytest.raises(edmeasure.BadShape, match="no persons"):
        edmeasure.item_fit(lsat7_fit, lsat7.persons(np.arange(0)))
    gaps = edmeasure.Responses.from_array(np.where(np.eye(5), -1, 1), max_scores=np.ones(5))
    with pytest.raises(edmeasure.BadShape, match="all items"):
        edmeasure.model_fit(lsat7_fit, gaps)
    with pytest.raises(edmeasure.BadOption, match="degrees of freedom"):
        edmeasure.model_fit(lsat7_fit, lsat7.items([0, 1, 2]))
    with pytest.raises(edmeasure.BadOption, match="groups"):
        edmeasure.model_fit(replace(lsat7_fit, group_labels=("a", "b")), lsat7)
    assert np.isnan(edmeasure.item_fit(lsat7_fit, gaps).chi_square).all()
