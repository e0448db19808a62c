"""A general ability behind the attributes."""

import numpy as np
import pytest

import edmeasure

from .conftest import table

Q = np.vstack([np.eye(3)] * 4 + [[1, 1, 0], [0, 1, 1]]).astype(int)
SLOPES, INTERCEPTS = np.array([1.0, 1.6, 2.2]), np.array([0.5, 0.0, -0.6])


def drawn(rng, n):
    theta = rng.standard_normal(n)
    attributes = rng.random((n, 3)) < 1 / (1 + np.exp(-(np.outer(theta, SLOPES) + INTERCEPTS)))
    masters = attributes @ Q.T == Q.sum(axis=1)
    return rng.random(masters.shape) < np.where(masters, 0.85, 0.2), attributes


@pytest.fixture(scope="module")
def simulated():
    answers, attributes = drawn(np.random.default_rng(1), 5000)
    responses, q = edmeasure.Responses.from_array(answers), edmeasure.QMatrix.from_array(Q)
    found = edmeasure.diagnose_higher_order(responses, q, rng=np.random.default_rng(0), n_starts=3)
    free = edmeasure.diagnose(responses, q, model="dina", rng=np.random.default_rng(0), n_starts=3)
    return found, free, responses, attributes


def test_true_parameters_lie_within_their_errors(simulated):
    found, _, _, attributes = simulated
    assert (np.abs(found.slopes - SLOPES) < 4 * found.slope_se).all()
    assert (np.abs(found.intercepts - INTERCEPTS) < 4 * found.intercept_se).all()
    assert (np.abs(found.fit.guessing - 0.2) < 4 * found.fit.guessing_se).all()
    assert (np.abs(found.fit.prevalence - attributes.mean(axis=0)) < 4 * found.fit.prevalence_se).all()
    assert found.inseparable == ()


def test_it_is_a_maximum_below_that_of_free_patterns(simulated):
    found, free, _, _ = simulated
    assert found.fit.converged
    assert found.fit.certificate.gradient < 1e-5
    assert (np.diff(found.fit.history) >= -1e-9 * abs(found.fit.loglik)).all()
    assert found.fit.n_parameters == free.n_parameters - 1
    assert 0 <= free.loglik - found.fit.loglik < 8
    assert edmeasure.likelihood_ratio(found.fit, free).p_value > 0.001


def test_patterns_have_the_probabilities_of_the_structure(simulated):
    found, free, responses, _ = simulated
    nodes = np.linspace(-6, 6, 201)
    weights = np.exp(-(nodes**2) / 2) / np.exp(-(nodes**2) / 2).sum()
    chance = 1 / (1 + np.exp(-(np.outer(found.slopes, nodes) + found.intercepts[:, None])))
    by_node = [np.where(pattern[:, None] == 1, chance, 1 - chance).prod(axis=0) for pattern in found.fit.patterns]
    np.testing.assert_allclose(found.fit.pattern_probabilities, np.array(by_node) @ weights, atol=1e-5)
    assert found.fit.pattern_probabilities.sum() == pytest.approx(1)
    structured, plain = (edmeasure.classify(fit, responses) for fit in (found.fit, free))
    np.testing.assert_allclose(structured.probabilities, plain.probabilities, atol=0.1)
    np.testing.assert_allclose(structured.probabilities.mean(axis=0), found.fit.prevalence, atol=0.005)


def test_errors_shrink_with_the_root_of_the_sample(simulated):
    answers, _ = drawn(np.random.default_rng(3), 20_000)
    responses, q = edmeasure.Responses.from_array(answers), edmeasure.QMatrix.from_array(Q)
    large = edmeasure.diagnose_higher_order(responses, q, rng=np.random.default_rng(0), n_starts=2)
    # those of the steepest attribute hang on its slope, which differs
    for name in ("slope_se", "intercept_se"):
        np.testing.assert_allclose(getattr(large, name)[:2], getattr(simulated[0], name)[:2] / 2, rtol=0.15)


def test_patterns_that_no_item_tells_apart_differ_by_structure():
    responses = edmeasure.Responses.from_array(table("fraction20_data.csv.gz"))
    q = edmeasure.QMatrix.from_array(table("fraction20_Q.csv"))
    found = edmeasure.diagnose_higher_order(responses, q, rng=np.random.default_rng(0), n_starts=4)
    shares = found.fit.pattern_shares
    assert np.bincount(found.fit.classes.class_of_pattern, weights=shares) == pytest.approx(1)
    assert shares.std() > 0.1
    assert found.fit.loglik < -4402.2877
    assert found.fit.n_parameters == 56
    assert found.inseparable
    assert found.inseparable[0] in str(found)


def test_prerequisites_are_refused():
    responses = edmeasure.Responses.from_array(drawn(np.random.default_rng(0), 50)[0])
    q = edmeasure.QMatrix.from_array(Q, prerequisites=[("A1", "A2")])
    with pytest.raises(edmeasure.BadOption, match="prerequisites"):
        edmeasure.diagnose_higher_order(responses, q, rng=np.random.default_rng(0))
