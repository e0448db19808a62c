"""Bayesian knowledge tracing."""

import itertools

import numba
import numpy as np
import pytest

import edmeasure

TRUTH = {"prior": 0.3, "learn": 0.1, "guess": 0.2, "slip": 0.1, "forget": 0.0}


def traced(rng, *, n, steps, prior=0.3, learn=0.1, guess=0.2, slip=0.1, forget=0.0):
    """Answers (n, steps) of pupils who learn."""
    knows = rng.random(n) < prior
    correct = np.empty((n, steps), dtype=np.int8)
    for t in range(steps):
        correct[:, t] = rng.random(n) < np.where(knows, 1 - slip, guess)
        knows = np.where(knows, rng.random(n) >= forget, rng.random(n) < learn)
    return correct


def interactions(correct, **more):
    n, steps = correct.shape
    return edmeasure.Interactions.from_arrays(
        pupils=np.repeat(np.arange(n), steps), correct=correct.ravel(), order=np.tile(np.arange(steps), n), **more
    )


def by_enumeration(correct, *, prior, learn, guess, slip, forget):
    """Likelihood of one sequence, summed over all paths of knowledge."""
    total = 0.0
    for path in itertools.product((0, 1), repeat=len(correct)):
        chance = prior if path[0] else 1 - prior
        for before, after in itertools.pairwise(path):
            moved = forget if before else learn
            chance *= moved if before != after else 1 - moved
        for knows, x in zip(path, correct, strict=True):
            right = 1 - slip if knows else guess
            chance *= right if x else 1 - right
        total += chance
    return total


@pytest.fixture(scope="module")
def large():
    return interactions(traced(np.random.default_rng(5), n=20_000, steps=50))


@pytest.fixture(scope="module")
def large_fit(large):
    return edmeasure.trace(large, rng=np.random.default_rng(0), n_starts=3)


def test_truth_comes_back(large_fit):
    for name, value in TRUTH.items():
        assert getattr(large_fit, name).ravel() == pytest.approx(value, abs=0.006 if name == "prior" else 0.004)
    assert large_fit.converged.all()
    assert large_fit.agreeing_starts[0] == 3
    assert large_fit.degenerate == ()
    assert "prior 0.2" in str(large_fit) or "prior 0.3" in str(large_fit)


def test_likelihood_rises_with_every_step(large_fit):
    history = large_fit.histories[0]
    assert (np.diff(history) >= -1e-9 * abs(history[-1])).all()
    assert large_fit.residual[0] < 1e-6


def test_likelihood_is_the_sum_over_all_paths():
    rng = np.random.default_rng(2)
    pupils = np.repeat(np.arange(40), rng.integers(1, 8, 40))
    data = edmeasure.Interactions.from_arrays(pupils=pupils, correct=rng.random(pupils.size) < 0.6)
    fit = edmeasure.trace(data, rng=rng, forgets=True, n_starts=2, max_iterations=3)
    values = {name: float(getattr(fit, name).ravel()[0]) for name in TRUTH}
    expected = sum(np.log(by_enumeration(data.correct[pupils == p], **values)) for p in range(40))
    assert fit.loglik[0] == pytest.approx(expected, abs=1e-9)
    chance = edmeasure.trace_answers(fit, data).chance
    assert np.log(np.where(data.correct, chance, 1 - chance)).sum() == pytest.approx(expected, abs=1e-9)


def test_it_is_a_maximum():
    data = interactions(traced(np.random.default_rng(8), n=500, steps=8, forget=0.05))
    fit = edmeasure.trace(data, rng=np.random.default_rng(0), forgets=True)

    def loglik(**moved):
        chance = edmeasure.trace_answers(type(fit)(**{**vars(fit), **moved}), data).chance
        return np.log(np.where(data.correct, chance, 1 - chance)).sum()

    assert loglik() == pytest.approx(fit.loglik[0], abs=1e-8)
    for name in TRUTH:
        for step in (-1e-3, 1e-3):
            assert loglik(**{name: getattr(fit, name) + step}) < fit.loglik[0]


def test_groups_have_priors_and_rates_of_their_own():
    rng = np.random.default_rng(3)
    correct = np.vstack([traced(rng, n=3000, steps=12), traced(rng, n=3000, steps=12, prior=0.6, learn=0.25)])
    groups = np.repeat(["slow", "fast"], 3000 * 12)
    data = interactions(correct, groups=groups)
    fit = edmeasure.trace(data, rng=np.random.default_rng(0), n_starts=2)
    assert list(fit.group_ids) == ["fast", "slow"]
    np.testing.assert_allclose(fit.prior[0], [0.6, 0.3], atol=0.05)
    np.testing.assert_allclose(fit.learn[0], [0.25, 0.1], atol=0.03)
    shared = edmeasure.trace(data, rng=np.random.default_rng(0), n_starts=2, individual=())
    assert shared.prior[0, 0] == shared.prior[0, 1]
    assert shared.loglik[0] < fit.loglik[0] - 50
    assert "fast: prior" in str(fit)


def test_skills_are_estimated_each_on_its_own(large):
    correct = large.correct.reshape(-1, 50)[:400]
    two = edmeasure.Interactions.from_arrays(
        pupils=np.repeat(np.arange(400), 50),
        skills=np.tile(np.repeat(["add", "take"], 25), 400),
        correct=correct.ravel(),
    )
    both = edmeasure.trace(two, rng=np.random.default_rng(1), n_starts=1)
    for s, columns in enumerate((slice(0, 25), slice(25, 50))):
        alone = edmeasure.trace(interactions(correct[:, columns]), rng=np.random.default_rng(1), n_starts=1)
        assert both.learn[s, 0] == alone.learn[0, 0]
        assert both.loglik[s] == alone.loglik[0]


def test_bits_do_not_depend_on_threads(large, large_fit):
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        alone = edmeasure.trace(large, rng=np.random.default_rng(0), n_starts=3)
    finally:
        numba.set_num_threads(before)
    for name in TRUTH:
        assert getattr(alone, name).tobytes() == getattr(large_fit, name).tobytes()


def test_order_of_rows_does_not_matter(large):
    rng = np.random.default_rng(4)
    few = large.part(large.pupils < 200)
    mixed = rng.permutation(few.n)
    ranks = np.argsort(few.time)
    shuffled = edmeasure.Interactions.from_arrays(pupils=few.pupils[mixed], correct=few.correct[mixed], order=ranks[mixed])
    one, other = (edmeasure.trace(data, rng=np.random.default_rng(1), n_starts=1) for data in (few, shuffled))
    assert one.loglik[0] == other.loglik[0]
    np.testing.assert_array_equal(edmeasure.trace_answers(one, few).chance[mixed], edmeasure.trace_answers(one, shuffled).chance)


def test_degenerate_solutions_are_named_and_can_be_bounded():
    data = interactions(traced(np.random.default_rng(6), n=2000, steps=10, guess=0.65, slip=0.1))
    fit = edmeasure.trace(data, rng=np.random.default_rng(0))
    assert ("0", "guess above 0.5") in fit.degenerate
    assert "guess above 0.5" in str(fit)
    bounded = edmeasure.trace(data, rng=np.random.default_rng(0), highest_guess=0.3, highest_slip=0.1)
    assert bounded.guess[0] <= 0.3
    assert bounded.slip[0] <= 0.1
    assert bounded.loglik[0] < fit.loglik[0]


def test_constant_answers_and_single_answers_stop_nothing():
    for correct in (np.ones((30, 4)), np.zeros((30, 4)), np.array([[1], [0], [1]])):
        fit = edmeasure.trace(interactions(correct.astype(int)), rng=np.random.default_rng(0), forgets=True)
        assert np.isfinite(fit.loglik).all()
        assert np.isfinite(edmeasure.trace_answers(fit, interactions(correct.astype(int))).known_after).all()


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"pupils": [1, 1], "correct": [0, 2]}, "neither 0 nor 1"),
        ({"pupils": [1, 1], "correct": [0, np.nan]}, "neither 0 nor 1"),
        ({"pupils": [1], "correct": [0, 1]}, "shape"),
        ({"pupils": [], "correct": []}, "shape"),
        ({"pupils": [1, 1], "correct": ["a", "b"]}, "type"),
        ({"pupils": [1, np.inf], "correct": [0, 1]}, "infinity"),
        ({"pupils": [1, 1], "correct": [0, 1], "order": [3, 3]}, "of one order"),
        ({"pupils": [1, 1], "correct": [0, 1], "order": [3, np.nan]}, "not finite"),
        ({"pupils": [1, 1], "correct": [0, 1], "groups": ["a", "b"]}, "two groups"),
        ({"pupils": [1, 1], "correct": [0, 1], "skills": [1]}, "skills has shape"),
    ],
)
def test_bad_answers_are_refused(given, problem):
    with pytest.raises(edmeasure.MeasurementError, match=problem):
        edmeasure.Interactions.from_arrays(**given)


@pytest.mark.parametrize("options", [{"individual": ["guess"]}, {"n_starts": 0}, {"highest_guess": 0.0}, {"tolerance": -1.0}])
def test_bad_options_are_refused(options):
    data = interactions(np.array([[0, 1], [1, 1]]))
    with pytest.raises(edmeasure.BadOption):
        edmeasure.trace(data, rng=np.random.default_rng(0), **options)


def test_unknown_skills_are_refused(large_fit):
    data = edmeasure.Interactions.from_arrays(pupils=[1], skills=["new"], correct=[1])
    with pytest.raises(edmeasure.BadShape, match="not in the fit"):
        edmeasure.trace_answers(large_fit, data)
