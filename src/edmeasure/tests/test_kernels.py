"""Derivatives, information and packing against slow, obvious computations."""

import numpy as np
import pytest
from numba.core.registry import CPUDispatcher
from scipy.optimize import approx_fprime

import edmeasure
from edmeasure import _linear, _loops
from edmeasure.calibration import _em, _family_kernels, _information, _item_kernels, _packing, _pattern_kernels
from edmeasure.scores import _score_kernels, _sufficient, _warm_kernels

from .conftest import simulated

LOOPS = [
    loop
    for module in (_family_kernels, _item_kernels, _linear, _pattern_kernels, _score_kernels, _sufficient, _warm_kernels)
    for loop in vars(module).values()
    if isinstance(loop, CPUDispatcher)
]
SLOPES = [0.8, 1.3, -0.4, 1.0]
INTERCEPTS = [[0.4], [0.6, -0.2], [0.1], [0.9, 0.3, -0.8]]


@pytest.fixture
def small():
    """A little problem with missing answers and its state somewhere off the maximum."""
    scores = simulated(np.random.default_rng(11), n=300, slopes=SLOPES, intercepts=INTERCEPTS, missing=0.15)
    weights = np.random.default_rng(12).uniform(0.5, 2.0, 300)
    nodes, node_weights = _em.quadrature(41, 5.0)
    packed = _packing.pack(scores, np.array([1, 2, 1, 3], dtype=np.int8), weights=weights)
    usable = np.ones(11, dtype=np.bool_)
    problem = _em.Problem(packed, nodes, node_weights, usable, np.array([1.0, 0.5, 0.1]))
    flat = np.concatenate([[0.0, *d] for d in INTERCEPTS]) + 0.0
    return scores, weights, problem, _em.State(np.array(SLOPES) + 0.1, flat)


def slow_loglik(scores, weights, problem, slopes, intercepts):
    """Penalised log-likelihood person by person."""
    total = 0.0
    log_probs = _em.log_probabilities(slopes, intercepts, problem.category_start, problem.nodes)
    for row, weight in zip(scores, weights, strict=True):
        at = [problem.category_start[j] + x for j, x in enumerate(row) if x >= 0]
        total += weight * np.log(np.exp(log_probs[at].sum(axis=0)) @ problem.node_weights)
    return total + _em.prior_value(problem, _em.State(slopes, intercepts))


def parameters(problem, state):
    """Flat parameters with slopes at the first categories, and the way back."""
    first = problem.category_start[:-1]
    flat = state.intercepts.copy()
    flat[first] = state.slopes

    def back(vector):
        intercepts = vector.copy()
        intercepts[first] = 0.0
        return vector[first], intercepts

    return flat, back


def test_log_likelihood_is_the_sum_over_persons(small):
    scores, weights, problem, state = small
    _em.expectation(problem, state)
    assert state.loglik == pytest.approx(slow_loglik(scores, weights, problem, state.slopes, state.intercepts))


def test_probabilities_sum_to_one():
    starts = np.array([0, 2, 5])
    logs = _em.log_probabilities(np.array([1.0, 2.0]), np.array([0, 1.0, 0, 5.0, -3.0]), starts, np.linspace(-30, 30, 9))
    np.testing.assert_allclose(np.add.reduceat(np.exp(logs), starts[:-1], axis=0), 1.0)


def test_gradient_agrees_with_finite_differences(small):
    scores, weights, problem, state = small
    _em.expectation(problem, state)
    gradient, _ = _information.complete_information(problem, state)
    flat, back = parameters(problem, state)
    numeric = approx_fprime(flat, lambda v: slow_loglik(scores, weights, problem, *back(v)), 1e-6)
    np.testing.assert_allclose(gradient, numeric, atol=2e-3)


def test_observed_information_agrees_with_finite_differences(small):
    scores, weights, problem, state = small
    _em.expectation(problem, state)
    _, information = _information.observed_information(problem, state, scores, weights)
    flat, back = parameters(problem, state)

    def gradient_at(vector):
        moved = _em.State(*back(vector))
        _em.expectation(problem, moved)
        return _information.complete_information(problem, moved)[0]

    step = 1e-5
    for at in range(flat.size):
        ahead, behind = flat.copy(), flat.copy()
        ahead[at] += step
        behind[at] -= step
        column = -(gradient_at(ahead) - gradient_at(behind)) / (2 * step)
        np.testing.assert_allclose(information[:, at], column, atol=1e-4)


def test_collapsing_patterns_changes_nothing():
    scores = simulated(np.random.default_rng(1), n=3000, slopes=[1.0] * 6, intercepts=[0.0] * 6, missing=0.05)
    maxima = np.ones(6, dtype=np.int8)
    nodes, node_weights = _em.quadrature(31, 5.0)
    together = _packing.pack(scores, maxima, collapse=True)
    apart = _packing.pack(scores, maxima)
    assert together.codes.shape[0] < apart.codes.shape[0]
    log_probs = _em.log_probabilities(np.ones(6), np.zeros(12), apart.category_start, nodes)
    counts, loglik = together.expect(log_probs, node_weights)
    plain, plain_loglik = apart.expect(log_probs, node_weights)
    np.testing.assert_allclose(counts, plain, atol=1e-8)
    assert loglik == pytest.approx(plain_loglik)


def test_very_long_tests_do_not_underflow():
    n_items = 1200
    scores = simulated(np.random.default_rng(2), n=50, slopes=[1.5] * n_items, intercepts=[0.0] * n_items)
    scores[0] = np.arange(n_items) % 2
    nodes, node_weights = _em.quadrature(61, 6.0)
    packed = _packing.pack(scores, np.ones(n_items, dtype=np.int8))
    log_probs = _em.log_probabilities(np.full(n_items, 1.5), np.zeros(2 * n_items), packed.category_start, nodes)
    counts, loglik = packed.expect(log_probs, node_weights)
    exact = 0.0
    for row in scores:
        logs = log_probs[packed.category_start[:-1] + row].sum(axis=0) + np.log(node_weights)
        exact += logs.max() + np.log(np.exp(logs - logs.max()).sum())
    assert loglik == pytest.approx(exact)
    np.testing.assert_allclose(counts.sum(), 50 * n_items)


def test_newton_refuses_an_indefinite_system():
    matrix, vector = np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([1.0, 1.0])
    assert not _item_kernels.solve_in_place(matrix, vector, 2)


def test_linear_algebra_agrees_with_numpy():
    rng = np.random.default_rng(9)
    x, w = rng.normal(size=(500, 7)), rng.random(500)
    gram = _linear.weighted_gram(x, w)
    np.testing.assert_allclose(gram, x.T @ (x * w[:, None]))
    np.testing.assert_allclose(_linear.weighted_moment(x, w), x.T @ w)
    np.testing.assert_allclose(_linear.product(x, gram), x @ gram)
    values, vectors = _linear.eigen(gram)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(gram)[::-1])
    np.testing.assert_allclose(vectors @ np.diag(values) @ vectors.T, gram, atol=1e-9)


def test_anderson_solves_a_linear_map_in_few_steps():
    rng = np.random.default_rng(5)
    rotation = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    contraction = rotation @ np.diag([0.99, 0.9, 0.5, 0.1]) @ rotation.T
    target = rng.normal(size=4)
    mixing, point = _em.Anderson(), np.zeros(4)
    for _ in range(8):
        point = mixing.push(point, target + contraction @ (point - target))
    np.testing.assert_allclose(point, target, atol=1e-6)


def locked(array, order="C"):
    """A copy in the given memory order that nobody may write, as Arrow and memory maps hand them out."""
    copied = np.array(array, order=order)
    copied.flags.writeable = False
    return copied


@pytest.mark.parametrize("order", ["C", "F"])
def test_every_loop_is_compiled_once_whatever_arrays_callers_hold(order):
    rng = np.random.default_rng(3)
    n = 2100
    scores = simulated(rng, n=n, slopes=[1.0] * 6, intercepts=[[0.3], [0.1, -0.2]] * 3, missing=0.1)
    responses = edmeasure.Responses.from_array(locked(scores, order), weights=locked(np.ones(n)))
    fit = edmeasure.calibrate(responses)
    edmeasure.calibrate(responses, start=fit, weak_prior=True, weights=np.ones(n, dtype=np.float32))
    edmeasure.score_eap(fit, responses, prior_mean=locked(np.zeros(n)), prior_sd=np.ones(n, dtype=np.float32), n_nodes=71)
    edmeasure.score_wle(fit, responses.items([0, 2, 4]), bound=10)
    design = edmeasure.conditioning_components(locked(rng.integers(0, 3, (n, 4)), order))
    mixed = {"I1": "3PL", "I2": "GRM", "I4": "NRM", "I3": "1PL", "I6": "PCM"}
    other = edmeasure.calibrate(
        responses, models=mixed, groups=locked(np.arange(n) % 2), latent_density="histogram", max_iterations=9
    )
    for score in (edmeasure.score_ml, edmeasure.score_map, edmeasure.score_wle):
        score(other, responses.persons(np.arange(60)))
        score(fit, responses.items([0, 2]).persons(np.arange(2060)))
        score(fit, edmeasure.Responses.from_array(np.maximum(responses.scores, 0)))
    for effects in ("fixed", "random"):
        edmeasure.plausible_values(
            fit, responses, rng=rng, design=locked(design, order), groups=np.arange(n) // 30, group_effects=effects, n_values=1
        )
    # a loop inside one that came from the cache has none
    assert not [loop.signatures for loop in LOOPS if len(loop.signatures) > 1]
    assert sum(len(loop.signatures) for loop in LOOPS) > len(LOOPS) / 2


@pytest.mark.parametrize(("n", "limit", "count"), [(0, 32, 1), (2047, 32, 1), (2048, 32, 2), (10**6, 32, 32), (10**6, 3, 3)])
def test_parts_hold_every_person_once(n, limit, count):
    parts = _loops.parts_of(n, limit)
    assert len(parts) == count
    assert [person for part in parts for person in range(n)[part]] == list(range(n))


def test_results_come_in_the_order_of_the_parts_and_errors_come_through():
    assert _loops.each(lambda part: part * part, range(50)) == [part * part for part in range(50)]
    with pytest.raises(ZeroDivisionError):
        _loops.each(lambda part: 1 // part, [1, 0])
