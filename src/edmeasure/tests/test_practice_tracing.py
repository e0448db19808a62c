"""Logistic tracing from features of practice, pupils who differ, and cross-validation with its audit."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edmeasure
from edmeasure import PracticeFeature


def logistic(x):
    return 1 / (1 + np.exp(-x))


@pytest.fixture(scope="module")
def answers():
    """400 pupils x 24 answers to two skills; gaps of 1 or 50 units, a right answer helps while it is recent."""
    rng = np.random.default_rng(4)
    rows = []
    for pupil in range(400):
        clock, last, right = 0.0, {}, {0: 0, 1: 0}
        for t in range(24):
            s = t % 2
            clock += rng.choice([1.0, 50.0])
            gap = (clock - last[s]) ** -0.5 if s in last else 0.0
            x = rng.random() < logistic((-0.5, 0.3)[s] + 0.5 * np.log1p(right[s]) + 1.5 * gap)
            rows.append((pupil, s, clock, x))
            right[s] += x
            last[s] = clock
    pupils, skills, clock, correct = np.array(rows).T
    return edmeasure.Interactions.from_arrays(pupils=pupils, skills=skills, order=clock, correct=correct)


def test_performance_factors_are_a_special_case(answers):
    features = [PracticeFeature(kind) for kind in ("intercept", "right", "wrong")]
    fit = edmeasure.trace_practice(answers, features=features)
    factors = edmeasure.performance_factors(answers)
    np.testing.assert_allclose(fit.weights, np.stack([factors.easiness, factors.success, factors.failure], axis=1), atol=1e-6)
    assert fit.loglik == pytest.approx(factors.loglik, abs=1e-6)
    np.testing.assert_allclose(fit.chances(answers), factors.chances(answers), atol=1e-7)
    assert fit.n_parameters == 6


def test_weights_and_decay_come_back(answers):
    features = [PracticeFeature("intercept"), PracticeFeature("log-right"), PracticeFeature("recency", by_skill=False)]
    fit = edmeasure.trace_practice(answers, features=features, ridge=1e-3)
    assert fit.converged
    assert fit.features[2].parameters[0] == pytest.approx(0.5, abs=0.15)
    np.testing.assert_allclose(fit.weights[:, 0], [-0.5, 0.3], atol=0.15)
    np.testing.assert_allclose(fit.weights[:, 1], 0.5, atol=0.12)
    np.testing.assert_allclose(fit.weights[:, 2], 1.5, atol=0.25)
    assert fit.n_parameters == 6
    assert "recency" in str(fit)


def test_it_is_a_maximum_in_weights_and_decays(answers):
    fit = edmeasure.trace_practice(answers, features=edmeasure.USUAL_FEATURES, ridge=0.1)

    def penalised(weights, features=fit.features):
        moved = type(fit)(**{**vars(fit), "weights": weights, "features": features})
        chance = moved.chances(answers)
        loglik = np.log(np.where(answers.correct, chance, 1 - chance)).sum()
        own = np.array([feature.by_skill for feature in features])
        return loglik - 0.05 * ((weights[:, own] ** 2).sum() + (weights[0, ~own] ** 2).sum()), loglik

    at_best, loglik = penalised(fit.weights)
    assert loglik == pytest.approx(fit.loglik, abs=1e-6)
    for at, feature in enumerate(fit.features):
        rows = [[0], [1]] if feature.by_skill else [[0, 1]]
        for row, step in itertools.product(rows, (-0.01, 0.01)):
            moved = fit.weights.copy()
            moved[row, at] += step
            assert penalised(moved)[0] < at_best
    for step in (-0.05, 0.05):
        recency = PracticeFeature("recency", by_skill=False, parameters=(fit.features[3].parameters[0] + step,))
        other = edmeasure.trace_practice(answers, features=(*fit.features[:3], recency, fit.features[4]))
        assert penalised(other.weights, other.features)[0] < at_best + 1e-6


def by_hand(kind, clock, correct, parameters):
    """One feature before the last of these answers, from its formula."""
    n, x = len(correct) - 1, np.array(correct[:-1], dtype=float)
    since = np.maximum(clock[-1] - np.array(clock[:-1]), 1)
    if kind == "decayed-share":
        d = parameters[0] ** np.arange(n + 3, 0, -1)
        return (d[3:] @ x) / d.sum()
    if kind == "decayed-logit":
        d = parameters[0] ** np.arange(n - 1, -1, -1)
        return np.log((0.5 + d @ x) / (0.5 + d @ (1 - x)))
    if n == 0:
        return 0.0
    if kind == "recency":
        return since[-1] ** -parameters[0]
    if kind == "age":
        return np.log1p(n) * since[0] ** -parameters[0]
    lags = np.maximum(np.diff(clock[:-1]), 1)
    power = parameters[0] + parameters[1] * np.mean(1 / np.log(lags + np.e)) if n > 1 else parameters[0]
    weights = since**-0.6
    return n**0.1 * (weights @ since / weights.sum()) ** -power


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 90), st.booleans()), min_size=1, max_size=9))
def test_features_are_their_formulas(history):
    clock = np.cumsum([gap for gap, _ in history])
    correct = [int(x) for _, x in history]
    data = edmeasure.Interactions.from_arrays(pupils=[1] * len(correct), order=clock, correct=correct)
    parameters = {"decayed-share": (0.8,), "decayed-logit": (0.6,), "recency": (0.4,), "age": (0.3,), "spacing": (0.1, 0.2)}
    for kind, values in parameters.items():
        fit = edmeasure.PracticeTracing(
            data.skill_ids, (PracticeFeature(kind, parameters=values),), np.ones((1, 1)), 0, 1, 1, True
        )
        logit = by_hand(kind, clock, correct, values)
        assert fit.chances(data)[-1] == pytest.approx(logistic(logit), abs=1e-12)


def test_recency_helps_on_answers_that_are_forgotten(answers):
    plain = [PracticeFeature(kind) for kind in ("intercept", "log-right", "log-wrong")]
    with_time = [*plain, PracticeFeature("recency", by_skill=False)]
    found = [
        edmeasure.cross_validate(
            lambda rows, features=features: edmeasure.trace_practice(rows, features=features).chances,
            answers,
            rng=np.random.default_rng(0),
            n_folds=3,
            n_probes=2,
        )
        for features in (plain, with_time)
    ]
    assert found[1].quality.auc > found[0].quality.auc + 0.01
    assert all(one.passed for one in found)
    assert "no leak" in str(found[1])
    assert found[0].chance.size == answers.n


def test_cross_validation_tells_a_leak(answers):
    found = edmeasure.cross_validate(
        lambda _: lambda rows: 0.2 + 0.6 * rows.correct, answers, rng=np.random.default_rng(0), n_folds=2, n_probes=2
    )
    assert not found.passed
    assert "mean nothing" in str(found)


def test_cross_validation_fits_on_other_pupils_only(answers):
    seen = []

    def learn(rows):
        seen.append(set(rows.pupil_ids.tolist()))
        return lambda left: np.full(left.n, 0.5) if not seen[-1] & set(left.pupil_ids.tolist()) else np.zeros(left.n)

    assert edmeasure.cross_validate(learn, answers, rng=np.random.default_rng(0), n_folds=2).chance.min() == 0.5


def test_times_may_be_dates():
    days = np.array(["2024-09-01T08:00:00", "2024-09-01T08:00:10", "2024-09-02T08:00:10"], dtype="datetime64[ns]")
    data = edmeasure.Interactions.from_arrays(pupils=[1, 1, 1], correct=[1, 0, 1], order=days)
    np.testing.assert_allclose(data.clock, [0, 10, 86410])
    np.testing.assert_array_equal(data.part(np.array([True, False, True])).order, days[[0, 2]])


@pytest.fixture(scope="module")
def different():
    """1,200 pupils who differ, 6 answers to each of 6 skills."""
    rng = np.random.default_rng(9)
    prior, pace = rng.normal(0, 1.2, 1200), rng.normal(0, 0.8, 1200)
    rows = []
    for s in range(6):
        knows = rng.random(1200) < logistic(-0.5 + 0.2 * s + prior)
        for t in range(6):
            rows.append(np.stack([np.arange(1200), np.full(1200, s), np.full(1200, s * 6 + t)]))
            rows[-1] = np.vstack([rows[-1], rng.random(1200) < np.where(knows, 0.9, 0.2)])
            knows |= rng.random(1200) < logistic(-1.5 + pace)
    pupils, skills, order, correct = np.concatenate(rows, axis=1)
    return prior, edmeasure.Interactions.from_arrays(pupils=pupils, skills=skills, order=order, correct=correct)


@pytest.fixture(scope="module")
def different_fit(different):
    return edmeasure.trace_pupils(different[1], rng=np.random.default_rng(0), n_starts=2)


def test_spread_of_pupils_comes_back(different, different_fit):
    assert different_fit.converged
    assert different_fit.prior_sd == pytest.approx(1.2, abs=0.2)
    assert different_fit.learn_sd == pytest.approx(0.8, abs=0.3)
    np.testing.assert_allclose(different_fit.prior, logistic(-0.5 + 0.2 * np.arange(6)), atol=0.08)
    np.testing.assert_allclose(different_fit.guess, 0.2, atol=0.05)
    assert np.corrcoef(different_fit.prior_effect, different[0])[0, 1] > 0.6
    assert different_fit.loglik > different_fit.loglik_alike + 50
    assert (np.diff(different_fit.history) >= -1e-9 * abs(different_fit.loglik)).all()
    assert "differ by 1." in str(different_fit)


def test_predictions_multiply_to_the_likelihood(different, different_fit):
    """The chain rule: chances of answers one after another are the marginal likelihood of all."""
    chance = different_fit.follow(different[1]).chance
    correct = different[1].correct
    assert np.log(np.where(correct, chance, 1 - chance)).sum() == pytest.approx(different_fit.loglik, rel=1e-10)


def test_following_pupils_leaks_nothing_and_predicts_better(different, different_fit):
    data = different[1]
    audit = edmeasure.audit_leaks(lambda rows: different_fit.follow(rows).chance, data, rng=np.random.default_rng(1), n_probes=5)
    assert audit.passed
    alike = edmeasure.trace_answers(edmeasure.trace(data, rng=np.random.default_rng(0), n_starts=1), data).chance
    better = edmeasure.prediction_quality(different_fit.follow(data).chance, data.correct)
    assert better.log_loss < edmeasure.prediction_quality(alike, data.correct).log_loss


def test_without_spread_pupils_are_traced_alike(different, different_fit):
    data = different[1]
    flat = type(different_fit)(**{**vars(different_fit), "prior_sd": 0.0, "learn_sd": 0.0})
    alike = edmeasure.trace(data, rng=np.random.default_rng(0), n_starts=1, individual=())
    names = ("prior", "learn")
    same = type(alike)(
        **{**vars(alike), **{name: getattr(flat, name)[:, None] for name in names}, "guess": flat.guess, "slip": flat.slip}
    )
    ours, theirs = flat.follow(data), edmeasure.trace_answers(same, data)
    np.testing.assert_allclose(ours.chance, theirs.chance, atol=1e-12)
    np.testing.assert_allclose(ours.known_after, theirs.known_after, atol=1e-12)


def test_constant_answers_stop_nothing():
    for value in (0, 1):
        data = edmeasure.Interactions.from_arrays(
            pupils=np.repeat(np.arange(20), 6), skills=np.tile([0, 0, 0, 1, 1, 1], 20), correct=np.full(120, value)
        )
        fit = edmeasure.trace_pupils(data, rng=np.random.default_rng(0), forgets=True, max_iterations=20)
        assert np.isfinite([fit.loglik, fit.prior_sd, fit.learn_sd]).all()
        assert np.isfinite(fit.follow(data).known_after).all()
        assert np.isfinite(edmeasure.trace_practice(data, features=edmeasure.USUAL_FEATURES).weights).all()


def test_results_are_exported(answers, different_fit):
    fit = edmeasure.trace_practice(answers, features=[PracticeFeature("intercept"), PracticeFeature("right", by_skill=False)])
    table = fit.to_arrow()
    assert table.column_names == ["skill", "intercept of skill", "right of skill"]
    np.testing.assert_array_equal(table.column("intercept of skill").to_numpy(), fit.weights[:, 0])
    assert fit.to_dict()["features"][1]["kind"] == "right"
    assert different_fit.to_arrow().num_rows == 6
    assert fit.bic > fit.aic > 0


def test_hostile_options_are_refused(answers):
    rng = np.random.default_rng(0)
    for options in (
        {"features": []},
        {"features": [PracticeFeature("count"), PracticeFeature("count")]},
        {"ridge": 0.0},
        {"max_evaluations": 0},
    ):
        with pytest.raises(edmeasure.BadOption):
            edmeasure.trace_practice(answers, **options)
    for options in ({"kind": "luck"}, {"kind": "count", "of": "school"}, {"kind": "recency", "parameters": (9.0,)}):
        with pytest.raises(edmeasure.BadOption):
            PracticeFeature(**options)
    with pytest.raises(edmeasure.BadOption):
        PracticeFeature("spacing", parameters=(0.1,))
    for options in ({"individual": ()}, {"individual": ["slip"]}, {"n_nodes": 2}, {"tolerance": 0.0}):
        with pytest.raises(edmeasure.BadOption):
            edmeasure.trace_pupils(answers, rng=rng, **options)
    fit = edmeasure.trace_practice(answers, features=[PracticeFeature("intercept")])
    with pytest.raises(edmeasure.BadShape, match="not in the fit"):
        fit.chances(edmeasure.Interactions.from_arrays(pupils=[1], skills=[7], correct=[1]))
