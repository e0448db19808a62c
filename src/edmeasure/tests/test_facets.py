"""Many-facet Rasch model: known severities come back, and one level of each facet is the partial credit model."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

import edmeasure
from edmeasure.calibration import _em

DIFFICULTY, STEPS = np.array([-0.5, 0.0, 0.3, 0.6]), np.array([-0.8, 0.0, 0.8])
SEVERITY = {"A": -0.6, "B": -0.1, "C": 0.2, "D": 0.5}


@pytest.fixture(scope="module")
def ratings():
    """1,200 pupils, four tasks, each judged by two of four raters at one of two occasions."""
    rng = np.random.default_rng(2)
    theta = 1.3 * rng.standard_normal(1200)
    rows = []
    for person, ability in enumerate(theta):
        when = ("first", "second")[person % 2]
        for task, difficulty in enumerate(DIFFICULTY):
            for rater in rng.choice(list(SEVERITY), 2, replace=False):
                late = 0.3 if when == "second" else -0.3
                eta = np.append(0.0, np.cumsum(ability - difficulty - SEVERITY[rater] - late - STEPS))
                rows.append((person, f"T{task}", rater, when, rng.choice(4, p=np.exp(eta) / np.exp(eta).sum())))
    person, task, rater, when, points = map(np.array, zip(*rows, strict=True))
    return {"persons": person, "items": task, "scores": points.astype(int), "facets": {"rater": rater, "when": when}}, theta


@pytest.fixture(scope="module")
def fitted(ratings):
    return edmeasure.calibrate_facets(**ratings[0])


def test_severities_and_difficulties_come_back(ratings, fitted):
    rater, when = fitted.facets
    assert rater.levels == ("A", "B", "C", "D")
    assert np.abs(rater.severities.sum()) < 1e-12
    assert (np.abs(rater.severities - list(SEVERITY.values())) < 4 * rater.errors).all()
    assert (rater.errors < 0.05).all()
    np.testing.assert_allclose(when.severities, [-0.3, 0.3], atol=4 * when.errors[0])
    assert (np.abs(fitted.difficulties - DIFFICULTY) < 4 * fitted.difficulty_errors).all()
    assert abs(fitted.sd - 1.3) < 4 * fitted.sd_error
    assert fitted.fit.certificate.is_sound
    assert fitted.fit.certificate.gradient_norm < 1e-2
    assert "rater: A -0." in str(fitted)


def test_scores_are_free_of_severity(ratings, fitted):
    _, theta = ratings
    scored = edmeasure.score_wle(fitted.fit, fitted.responses)
    raw = np.where(fitted.responses.scores >= 0, fitted.responses.scores, 0).sum(axis=1)
    assert np.corrcoef(scored.theta, theta)[0, 1] > np.corrcoef(raw, theta)[0, 1]


def test_without_facets_it_is_the_partial_credit_model(ratings):
    data, _ = ratings
    chosen = (data["facets"]["rater"] == "A") & (data["facets"]["when"] == "first")
    alone = edmeasure.calibrate_facets(
        persons=data["persons"][chosen], items=data["items"][chosen], scores=data["scores"][chosen], facets={}
    )
    plain = edmeasure.calibrate(alone.responses, models="PCM")
    assert alone.fit.loglik == pytest.approx(plain.loglik, abs=1e-5)
    np.testing.assert_allclose(alone.fit.intercepts, plain.intercepts, atol=1e-4)
    assert alone.sd_error == pytest.approx(plain.slope_se[0], rel=1e-3)


def test_it_is_a_maximum_of_the_likelihood(fitted):
    """Moving severity from one rater to another changes the log-likelihood by nothing to first order."""
    few = fitted.responses
    fit = fitted.fit
    nodes, weights = fit.nodes, fit.node_weights
    starts = np.concatenate([[0], np.cumsum(few.max_scores.astype(int) + 1)])
    severe = np.array([name.split("|")[1] == "C" for name in few.item_ids]) * 1.0
    severe -= np.array([name.split("|")[1] == "D" for name in few.item_ids]) * 1.0

    def loglik(move):
        moved = fit.intercepts - move[0] * severe[:, None] * np.arange(4)
        logs = _em.log_probabilities(fit.slopes, moved.ravel(), starts, nodes)
        total = np.zeros((few.n_persons, nodes.size))
        for j in range(few.n_items):
            given = few.scores[:, j] >= 0
            total[given] += logs[starts[j] + few.scores[given, j]]
        return np.log(np.exp(total) @ weights).sum()

    assert loglik(np.zeros(1)) == pytest.approx(fit.loglik)
    assert approx_fprime(np.zeros(1), loglik, 1e-5)[0] == pytest.approx(0.0, abs=0.05)


def test_ratings_that_say_nothing_are_refused():
    persons, items = np.repeat(np.arange(20), 2), np.tile(["a", "b"], 20)
    points = np.tile([0, 1, 1, 0], 10)
    with pytest.raises(edmeasure.BadOption, match="told apart"):
        edmeasure.calibrate_facets(persons=persons, items=items, scores=points, facets={"rater": np.tile(["x", "y"], 20)})
    with pytest.raises(edmeasure.BadShape, match="two ratings"):
        edmeasure.calibrate_facets(persons=persons * 0, items=items, scores=points, facets={})
    with pytest.raises(edmeasure.BadScore, match="on a"):
        edmeasure.calibrate_facets(persons=persons, items=items, scores=points * 2, facets={})
    with pytest.raises(edmeasure.BadShape, match="groups has shape"):
        edmeasure.calibrate_facets(persons=persons[:5], items=items, scores=points, facets={})
