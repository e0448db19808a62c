"""Performance factors, ratings, and the audit of predictions."""

import numpy as np
import pytest

import edmeasure


@pytest.fixture(scope="module")
def answers():
    """600 pupils x 20 answers to two skills in turn, drawn from performance factors."""
    rng = np.random.default_rng(3)
    right, wrong = np.zeros((600, 2)), np.zeros((600, 2))
    correct = np.empty((600, 20), dtype=np.int8)
    for t in range(20):
        s = t % 2
        logit = (-0.5, 0.4)[s] + (0.3, 0.2)[s] * right[:, s] + (0.1, -0.1)[s] * wrong[:, s]
        correct[:, t] = rng.random(600) < 1 / (1 + np.exp(-logit))
        right[:, s] += correct[:, t]
        wrong[:, s] += 1 - correct[:, t]
    return edmeasure.Interactions.from_arrays(
        pupils=np.tile(np.arange(600), 20), skills=np.repeat(np.arange(20) % 2, 600), correct=correct.T.ravel()
    )


def test_performance_factors_come_back(answers):
    fit = edmeasure.performance_factors(answers)
    assert fit.converged.all()
    np.testing.assert_allclose(fit.easiness, [-0.5, 0.4], atol=0.15)
    np.testing.assert_allclose(fit.success, [0.3, 0.2], atol=0.06)
    np.testing.assert_allclose(fit.failure, [0.1, -0.1], atol=0.08)
    chance = fit.chances(answers)
    rest = answers.correct - chance
    for s in range(2):
        assert rest[answers.skills == s].sum() == pytest.approx(0.1 * fit.easiness[s], abs=1e-5)
    assert "log-likelihood" in str(fit)


def test_skills_without_variety_stay_finite():
    data = edmeasure.Interactions.from_arrays(pupils=np.repeat(np.arange(30), 3), correct=np.ones(90))
    fit = edmeasure.performance_factors(data)
    assert np.isfinite([fit.easiness, fit.success, fit.failure]).all()


def test_ratings_go_on_where_they_stopped(answers):
    whole, ended = edmeasure.rate(answers)
    half = np.arange(answers.n) < answers.n // 2
    first, middle = edmeasure.rate(answers.part(half))
    second, last = edmeasure.rate(answers.part(~half), start=middle)
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)
    np.testing.assert_array_equal(last.ability, ended.ability)
    np.testing.assert_array_equal(last.strength_variance, ended.strength_variance)


def test_ratings_recover_abilities_and_know_their_error():
    rng = np.random.default_rng(6)
    ability, difficulty = rng.normal(size=400), np.array([-1.0, -0.3, 0.3, 1.0])
    skills = np.tile(np.repeat(np.arange(4), 400), 15)
    pupils = np.tile(np.arange(400), 60)
    correct = rng.random(pupils.size) < 1 / (1 + np.exp(-(ability[pupils] - difficulty[skills])))
    data = edmeasure.Interactions.from_arrays(pupils=pupils, skills=skills, correct=correct)
    _, ratings = edmeasure.rate(data, drift=0.0, strength_sd=0.01)
    away = ratings.ability - ratings.ability.mean() - ability + ability.mean()
    assert np.corrcoef(ratings.ability, ability)[0, 1] > 0.93
    assert np.abs(np.diff(ratings.difficulty) - np.diff(difficulty)).max() < 0.15
    assert (away / np.sqrt(ratings.ability_variance)).std() == pytest.approx(1.0, abs=0.2)


def test_tuned_ratings_predict_best():
    rng = np.random.default_rng(11)
    ability, difficulty = rng.normal(0, 1.5, 300), rng.normal(-1.0, 0.4, 6)
    skills, pupils = np.tile(np.repeat(np.arange(6), 300), 5), np.tile(np.arange(300), 30)
    correct = rng.random(pupils.size) < 1 / (1 + np.exp(-(ability[pupils] - difficulty[skills])))
    data = edmeasure.Interactions.from_arrays(pupils=pupils, skills=skills, correct=correct)
    found = edmeasure.tune_rating(data)
    assert 0.7 < found.ability_sd < 2.0
    assert found.difficulty_mean == pytest.approx(-1.0, abs=0.5)
    assert found.drift < 0.02

    def loglik(**changed):
        chance = edmeasure.rate(data, **{**found.options, **changed})[0]
        return np.log(np.where(data.correct, chance, 1 - chance)).sum()

    assert loglik() == pytest.approx(found.loglik, rel=1e-9)
    chance = edmeasure.rate(data)[0]
    assert found.loglik > np.log(np.where(data.correct, chance, 1 - chance)).sum() + 20
    for changed in ({"ability_sd": 0.7}, {"difficulty_mean": 1.0}, {"drift": 0.3}, {"strength_sd": 1.5}):
        assert loglik(**changed) < found.loglik
    assert "difficulty_mean -" in str(found)


def test_learning_predicts_better_than_a_constant(answers):
    quality = edmeasure.prediction_quality(edmeasure.performance_factors(answers).chances(answers), answers.correct)
    flat = edmeasure.prediction_quality(np.full(answers.n, answers.correct.mean()), answers.correct)
    assert flat.auc == 0.5
    assert quality.auc > 0.65
    assert quality.log_loss < flat.log_loss
    assert quality.calibration_error < 0.02
    assert quality.bin_answers.sum() == answers.n


def test_area_counts_pairs():
    rng = np.random.default_rng(0)
    chance, correct = rng.integers(1, 6, 60) / 6, rng.integers(0, 2, 60)
    right, wrong = chance[correct == 1], chance[correct == 0]
    pairs = (right[:, None] > wrong).mean() + 0.5 * (right[:, None] == wrong).mean()
    assert edmeasure.prediction_quality(chance, correct).auc == pytest.approx(pairs)
    assert np.isnan(edmeasure.prediction_quality([0.2, 0.4], [1, 1]).auc)


def test_audit_passes_honest_predictions(answers):
    folds = edmeasure.pupil_folds(answers, n_folds=3, rng=np.random.default_rng(1))
    fitted = edmeasure.trace(answers.part(folds != 0), rng=np.random.default_rng(0), n_starts=1)
    factors = edmeasure.performance_factors(answers.part(folds != 0))
    test = answers.part(folds == 0)
    for predict in (
        lambda data: edmeasure.trace_answers(fitted, data).chance,
        factors.chances,
        lambda data: edmeasure.rate(data)[0],
    ):
        audit = edmeasure.audit_leaks(predict, test, rng=np.random.default_rng(2))
        assert audit.passed
        assert audit.n_compared > test.n
    assert edmeasure.audit_leaks(factors.chances, answers, rng=np.random.default_rng(2), folds=folds).passed


def test_audit_finds_leaks(answers):
    rng = np.random.default_rng(2)
    fitted = edmeasure.trace(answers, rng=rng, n_starts=1)
    for predict in (
        lambda data: edmeasure.trace_answers(fitted, data).known_after,
        lambda data: edmeasure.performance_factors(data).chances(data),
        lambda data: np.full(data.n, data.correct.mean()),
    ):
        audit = edmeasure.audit_leaks(predict, answers, rng=rng, n_probes=3)
        assert not audit.passed
        assert audit.largest_change > 0
        assert str(audit).startswith("LEAK")
    split = edmeasure.audit_leaks(lambda data: np.full(data.n, 0.5), answers, rng=rng, folds=np.arange(answers.n) % 7)
    assert not split.passed
    assert len(split.mixed_pupils) == 600


def test_hostile_input_is_refused(answers):
    with pytest.raises(edmeasure.MeasurementError):
        edmeasure.prediction_quality([0.2, np.nan], [0, 1])
    with pytest.raises(edmeasure.BadShape):
        edmeasure.prediction_quality([0.2, 1.2], [0, 1])
    with pytest.raises(edmeasure.BadOption):
        edmeasure.rate(answers, drift=-1.0)
    with pytest.raises(edmeasure.BadOption):
        edmeasure.rate(answers, difficulty_mean=np.nan)
    with pytest.raises(edmeasure.BadOption):
        edmeasure.tune_rating(answers, max_runs=0)
    with pytest.raises(edmeasure.BadShape):
        edmeasure.rate(answers.part(answers.pupils < 5), start=edmeasure.rate(answers)[1])
    with pytest.raises(edmeasure.BadOption):
        edmeasure.pupil_folds(answers, n_folds=1, rng=np.random.default_rng(0))
