"""The E-step by matrix products says what the loops say."""

import numpy as np
import pytest

import edmeasure
from edmeasure.calibration import _em, _matrix_evidence, _packing
from edmeasure.tests.conftest import simulated


def test_expectations_are_those_of_the_loops(monkeypatch):
    monkeypatch.setattr(_matrix_evidence, "BLOCK_ROWS", 97)
    rng = np.random.default_rng(3)
    scores = simulated(rng, n=500, slopes=[1.0, 0.8, 1.4, 1.1], intercepts=[0.2, [0.5, -0.5], -0.3, [1.0, 0.2, -0.8]])
    scores[rng.random(500) < 0.3, 1] = -1
    scores[rng.random(500) < 0.2, 2] = -2
    scores[:3] = -1
    tops, weights = np.array([1, 2, 1, 3], dtype=np.int8), rng.uniform(0.5, 2, 500)
    nodes, node_weights = _em.quadrature(31, 5.0)
    packed = _packing.pack(scores, tops, weights=weights)
    log_probs = _em.log_probabilities(np.array([1.0, 0.8, 1.4, 1.1]), rng.normal(size=11), packed.category_start, nodes)
    both = [(scores[:200], weights[:200]), (scores[200:], weights[200:])]
    evidence = _matrix_evidence.matrix_evidence(np, None, both, packed.category_start)
    counts, loglik, persons = evidence.expect_groups(log_probs, np.stack([node_weights, node_weights]))
    wanted_persons = np.empty(31)
    wanted, wanted_loglik = packed.expect(log_probs, node_weights, persons=wanted_persons)
    np.testing.assert_allclose(counts, wanted, atol=1e-10)
    np.testing.assert_allclose(persons.sum(axis=0), wanted_persons, atol=1e-10)
    assert loglik == pytest.approx(wanted_loglik, rel=1e-12)


def test_impossible_answers_stay_finite():
    scores = np.array([[0, 1], [1, 0]], dtype=np.int8)
    nodes, node_weights = _em.quadrature(11, 6.0)
    starts = np.array([0, 2, 4])
    log_probs = _em.log_probabilities(np.array([200.0, 200.0]), np.array([0.0, -900.0, 0.0, 900.0]), starts, nodes)
    evidence = _matrix_evidence.matrix_evidence(np, None, [(scores, np.ones(2))], starts)
    counts, loglik = evidence.expect(log_probs, node_weights)
    assert np.isfinite(loglik)
    assert np.isfinite(counts).all()
    assert counts.sum() == pytest.approx(4.0)


def test_calibration_through_numpy_agrees(sim10k):
    some = sim10k.persons(np.arange(2500))
    tight = {"tolerance": 1e-8, "n_nodes": 41, "standard_errors": False}
    wanted = edmeasure.calibrate(some, **tight)
    fit = edmeasure.calibrate(some, backend=np, **tight)
    assert fit.loglik == pytest.approx(wanted.loglik, rel=1e-12)
    np.testing.assert_allclose(fit.slopes, wanted.slopes, atol=1e-7)


def test_groups_and_other_models_agree(lsat7):
    groups = np.arange(1000) % 2
    options = {"groups": groups, "models": {"I1": "3PL"}, "max_iterations": 6}
    wanted = edmeasure.calibrate(lsat7, **options)
    fit = edmeasure.calibrate(lsat7, backend=np, **options)
    assert fit.loglik == pytest.approx(wanted.loglik, rel=1e-10)
    np.testing.assert_allclose(fit.group_means, wanted.group_means, atol=1e-6)
    np.testing.assert_allclose(fit.slope_se, wanted.slope_se, rtol=1e-4)


@pytest.mark.parametrize("backend", ["numpy", 3, None])
def test_what_is_no_namespace_is_refused(lsat7, backend):
    with pytest.raises(edmeasure.BadOption, match="array API"):
        edmeasure.calibrate(lsat7, backend=backend)
