import itertools

import numpy as np
import pytest

import edmeasure
from edmeasure import Responses
from edmeasure.profiles.extraction import least_residual_loadings

from .conftest import table

REVERSED = [0, 8, 9, 10, 11, 21, 24]


@pytest.fixture(scope="module")
def bfi():
    """25 questionnaire items, 1 to 6, with a few answers missing."""
    return table("bfi.csv.gz")


def test_factors_are_those_of_the_peer(bfi):
    correlations = table("psychR_bfi_correlations.csv.gz")[:, 1:]
    rotated = edmeasure.rotate(least_residual_loadings(correlations, 5), method="oblimin")
    pattern, phi = rotated.loadings, rotated.factor_correlations
    expected, expected_phi = table("psychR_bfi_oblimin.csv")[:, 1:], table("psychR_bfi_phi.csv")[:, 1:]
    cosine = pattern.T @ expected
    order = np.abs(cosine).argmax(axis=0)
    sign = np.sign(cosine[order, np.arange(5)])
    np.testing.assert_allclose(pattern[:, order] * sign, expected, atol=2e-3)
    np.testing.assert_allclose(phi[np.ix_(order, order)] * np.outer(sign, sign), expected_phi, atol=2e-3)


def test_omega_total_is_that_of_the_peer(bfi):
    correlations = table("psychR_bfi_correlations.csv.gz")[:, 1:]
    against = np.linalg.eigh(correlations)[1][:, -1] < 0
    keyed = np.where(against, 7 - bfi, bfi)
    responses = Responses.from_array(keyed)
    found = edmeasure.omega(responses, n_factors=5, standardized=True)
    assert found.total == pytest.approx(0.8748, abs=1e-4)
    assert found.hierarchical < 0.8188 < found.total  # alpha of the standardised items, by the same peer
    np.testing.assert_allclose(found.general**2 + (found.group**2).sum(axis=1) + found.uniqueness, 1, atol=0.25)


def bifactor(rng, n, general, group, items_per_group):
    clusters = len(group)
    common = rng.standard_normal((n, 1))
    special = np.repeat(rng.standard_normal((n, clusters)), items_per_group, axis=1)
    g, s = general, np.repeat(group, items_per_group)
    return g * common + s * special + np.sqrt(1 - g**2 - s**2) * rng.standard_normal((n, clusters * items_per_group))


def test_a_general_factor_is_told_from_group_factors():
    rng = np.random.default_rng(1)
    continuous = bifactor(rng, 40_000, 0.6, np.array([0.4, 0.4, 0.4]), 5)
    responses = Responses.from_array(np.clip(np.round(10 * continuous + 50), 0, 126))
    found = edmeasure.omega(responses)
    variance = 15**2 * 0.36 + 3 * 25 * 0.16 + 15 * (1 - 0.36 - 0.16)
    assert found.total == pytest.approx((15**2 * 0.36 + 3 * 25 * 0.16) / variance, abs=0.01)
    assert found.hierarchical == pytest.approx(15**2 * 0.36 / variance, abs=0.015)
    one = edmeasure.omega(responses, n_factors=1)
    assert one.total == pytest.approx(one.hierarchical, abs=1e-4)


def test_parallel_items_make_all_coefficients_equal():
    rng = np.random.default_rng(2)
    continuous = bifactor(rng, 100_000, np.sqrt(0.4), np.array([0.0]), 6)
    responses = Responses.from_array(np.clip(np.round(12 * continuous + 60), 0, 126))
    expected = 6 * 0.4 / (1 + 5 * 0.4)
    halves = edmeasure.split_halves(responses)
    np.testing.assert_allclose(halves.guttman[[1, 2, 3]], expected, atol=0.01)
    assert halves.odd_even == pytest.approx(expected, abs=0.01)
    assert edmeasure.omega(responses, n_factors=1).total == pytest.approx(expected, abs=0.01)


def test_bounds_stand_in_their_order(bfi):
    keyed = bfi.copy()
    keyed[:, REVERSED] = 7 - keyed[:, REVERSED]
    responses = Responses.from_array(keyed[:, 15:20])
    found = edmeasure.split_halves(responses)
    lambda_1, lambda_2, lambda_3, *_ = found.guttman
    assert lambda_1 < lambda_3 < lambda_2 < 1
    assert lambda_3 == pytest.approx(edmeasure.cronbach_alpha(responses))
    assert found.worst <= found.odd_even <= found.best + 0.02


def test_the_best_split_is_the_best_of_all(lsat7):
    rng = np.random.default_rng(3)
    loadings = rng.uniform(0.2, 0.9, 8)
    scores = np.clip(np.round(8 * (loadings * rng.standard_normal((2000, 1)) + rng.standard_normal((2000, 8))) + 50), 0, 126)
    covariance = np.cov(scores.T, ddof=0)
    splits = [
        4 * covariance[np.ix_(half, np.setdiff1d(np.arange(8), half))].sum() / covariance.sum()
        for half in map(list, itertools.combinations(range(8), 4))
    ]
    found = edmeasure.split_halves(Responses.from_array(scores))
    assert found.best == pytest.approx(max(splits))
    assert found.worst == pytest.approx(min(splits))


def test_twins_leave_nothing_unexplained(lsat7):
    scores = lsat7.scores
    doubled = Responses.from_array(np.column_stack([scores, scores[:, :2]]))
    found = edmeasure.split_halves(doubled)
    alone = edmeasure.split_halves(lsat7)
    assert 0 < alone.guttman[5] < found.guttman[5] < 1


def test_impossible_input_is_refused(lsat7):
    with pytest.raises(edmeasure.BadOption, match="factors"):
        edmeasure.omega(lsat7, n_factors=3)
    with pytest.raises(edmeasure.BadShape, match="do not vary"):
        edmeasure.split_halves(Responses.from_array([[1, 0, 1], [1, 1, 0], [1, 0, 0]]))
    with pytest.raises(edmeasure.BadShape, match="together"):
        edmeasure.omega(Responses.from_array([[1, 0, -1], [0, 1, -1], [1, -1, 0], [0, -1, 1]]), n_factors=1)
