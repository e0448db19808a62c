"""Items of several steps as right/wrong items."""

import numpy as np

import edmeasure

Q_STEPS = np.array([[1, 0], [0, 1], [1, 0], [1, 1], [0, 1], [1, 0]])


def graded(rng, n):
    """Three items of two steps; the second step is taken only after the first."""
    attributes = rng.integers(0, 2, (n, 2))
    chance = np.where((attributes @ Q_STEPS.T) == Q_STEPS.sum(axis=1), 0.85, 0.25)
    passed = rng.random(chance.shape) < chance
    return passed[:, ::2] + (passed[:, ::2] & passed[:, 1::2]).astype(np.int8), attributes


def test_steps_that_were_not_reached_are_not_given():
    scores = np.array([[0, 1], [1, 0], [2, -2], [-1, 1]], dtype=np.int8)
    steps = edmeasure.step_items(edmeasure.Responses.from_array(scores, max_scores=[2, 1]))
    assert steps.item_ids == ("I1.1", "I1.2", "I2")
    np.testing.assert_array_equal(steps.scores, [[0, -1, 1], [1, 0, 0], [1, 1, -2], [-1, -1, 1]])


def test_sequential_diagnosis_recovers_its_truth():
    rng = np.random.default_rng(1)
    scores, attributes = graded(rng, 6000)
    steps = edmeasure.step_items(edmeasure.Responses.from_array(scores))
    q = edmeasure.QMatrix.from_array(Q_STEPS, item_ids=steps.item_ids)
    fit = edmeasure.diagnose(steps, q, model="dina", rng=rng, n_starts=4)
    assert (np.abs(fit.guessing - 0.25) < 4 * fit.guessing_se).all()
    assert (np.abs(fit.slip - 0.15) < 4 * fit.slip_se).all()
    assert (np.abs(fit.prevalence - attributes.mean(axis=0)) < 4 * fit.prevalence_se).all()


def test_likelihood_is_that_of_the_scores():
    scores, _ = graded(np.random.default_rng(2), 500)
    steps = edmeasure.step_items(edmeasure.Responses.from_array(scores))
    q = edmeasure.QMatrix.from_array(Q_STEPS, item_ids=steps.item_ids)
    fit = edmeasure.diagnose(steps, q, model="dina", rng=np.random.default_rng(0), n_starts=2, standard_errors=False)
    passing = fit.success[fit.classes.cell_of][:, fit.classes.class_of_pattern]
    first, second = passing[::2], passing[1::2]
    by_score = np.stack([1 - first, first * (1 - second), first * second])
    likelihood = np.prod([by_score[scores[:, j], j] for j in range(3)], axis=0)
    expected = np.log(likelihood @ fit.pattern_probabilities).sum()
    np.testing.assert_allclose(fit.loglik, expected, rtol=1e-10)
