"""Classification of persons and the choice of a model."""

import numpy as np
import pytest

import edmeasure

from .conftest import attribute_answers, table

Q = np.vstack([np.eye(3), np.eye(3), np.eye(3), [[1, 1, 0], [0, 1, 1], [1, 0, 1], [1, 1, 1]]]).astype(int)


@pytest.fixture(scope="module")
def simulated():
    scores, attributes = attribute_answers(np.random.default_rng(1), q=Q, n=6000, guessing=0.2, slip=0.2)
    responses = edmeasure.Responses.from_array(scores)
    fit = edmeasure.diagnose(responses, edmeasure.QMatrix.from_array(Q), model="dina", rng=np.random.default_rng(0), n_starts=4)
    return fit, responses, attributes


@pytest.fixture(scope="module")
def ecpe():
    responses = edmeasure.Responses.from_array(table("ecpe_data.csv.gz"))
    q = edmeasure.QMatrix.from_array(table("ecpe_Q.csv"))
    return {
        model: edmeasure.diagnose(responses, q, model=model, rng=np.random.default_rng(0), n_starts=5)
        for model in ("gdina", "llm", "dina")
    }


def test_mean_posterior_is_the_prevalence(simulated):
    fit, responses, _ = simulated
    mastery = edmeasure.classify(fit, responses)
    # a maximum of the likelihood reproduces its own class probabilities
    np.testing.assert_allclose(mastery.probabilities.mean(axis=0), fit.prevalence, atol=1e-5)


def test_accuracy_is_the_share_classified_rightly(simulated):
    fit, responses, attributes = simulated
    mastery = edmeasure.classify(fit, responses)
    right = mastery.masters == attributes
    np.testing.assert_allclose(right.mean(axis=0), mastery.attribute_accuracy, atol=0.015)
    whole = (mastery.map_patterns == attributes).all(axis=1).mean()
    assert whole == pytest.approx(mastery.pattern_accuracy, abs=0.015)
    assert (mastery.attribute_consistency <= mastery.attribute_accuracy).all()
    assert mastery.pattern_consistency <= mastery.pattern_accuracy
    assert (mastery.map_patterns == mastery.mle_patterns).mean() > 0.95
    assert "whole pattern" in str(mastery)


def test_consistency_is_agreement_of_two_draws(simulated):
    fit, responses, _ = simulated
    mastery = edmeasure.classify(fit, responses)
    rng = np.random.default_rng(3)
    first, second = (rng.random(mastery.probabilities.shape) < mastery.probabilities for _ in range(2))
    np.testing.assert_allclose((first == second).mean(axis=0), mastery.attribute_consistency, atol=0.02)


def test_a_person_without_answers_gets_the_population(simulated):
    fit, _, _ = simulated
    nobody = edmeasure.Responses.from_array(np.full((2, 13), -1, dtype=np.int8), max_scores=np.ones(13))
    mastery = edmeasure.classify(fit, nobody)
    np.testing.assert_allclose(mastery.probabilities, np.tile(fit.prevalence, (2, 1)), atol=1e-12)
    assert mastery.uncertain(below=0.99).all()


def test_answers_to_some_items_may_come_in_any_order(simulated):
    fit, responses, _ = simulated
    few = responses.persons(np.arange(50)).items([12, 0, 5])
    hidden = responses.scores[:50].copy()
    hidden[:, [j for j in range(13) if j not in (0, 5, 12)]] = -1
    whole = edmeasure.classify(fit, edmeasure.Responses.from_array(hidden, max_scores=np.ones(13)))
    np.testing.assert_allclose(edmeasure.classify(fit, few).probabilities, whole.probabilities, atol=1e-12)


def test_perfect_and_zero_scores_get_all_and_nothing(simulated):
    fit, _, _ = simulated
    extreme = edmeasure.Responses.from_array(np.array([[1] * 13, [0] * 13]))
    mastery = edmeasure.classify(fit, extreme)
    np.testing.assert_array_equal(mastery.map_patterns, [[1, 1, 1], [0, 0, 0]])
    assert (mastery.map_probability > 0.9).all()


def test_strangers_are_refused(simulated):
    fit, responses, _ = simulated
    with pytest.raises(edmeasure.BadShape, match="not in the fit"):
        edmeasure.classify(fit, edmeasure.Responses.from_array(responses.scores, item_ids=[f"X{j}" for j in range(13)]))
    with pytest.raises(edmeasure.BadScore, match="above 1"):
        edmeasure.classify(fit, edmeasure.Responses.from_array(2 * responses.scores))


def test_dina_lies_in_gdina_and_llm_does_for_ecpe(ecpe):
    rejected = edmeasure.likelihood_ratio(ecpe["dina"], ecpe["gdina"])
    assert rejected.df == 18
    assert rejected.statistic == pytest.approx(2 * (42841.4909 - 42738.5598), abs=0.01)
    assert rejected.p_value < 1e-10
    kept = edmeasure.likelihood_ratio(ecpe["llm"], ecpe["gdina"])
    assert kept.df == 9
    assert kept.p_value > 0.1
    with pytest.raises(edmeasure.BadOption, match="Swap"):
        edmeasure.likelihood_ratio(ecpe["gdina"], ecpe["dina"])


def test_wald_tests_keep_the_true_model():
    scores, _ = attribute_answers(np.random.default_rng(5), q=Q, n=4000, guessing=0.2, slip=0.2)
    responses = edmeasure.Responses.from_array(scores)
    fit = edmeasure.diagnose(responses, edmeasure.QMatrix.from_array(Q), rng=np.random.default_rng(0), n_starts=4)
    tests = edmeasure.wald_tests(fit)
    assert tests.item_ids == ("I10", "I11", "I12", "I13")
    dina = tests.p_value[:, tests.models.index("dina")]
    assert (dina > 0.01).all()
    assert (np.delete(tests.p_value, tests.models.index("dina"), axis=1) < 1e-3).all()
    np.testing.assert_array_equal(tests.df[:, 0], [2, 2, 2, 6])
    assert set(tests.chosen(level=0.01).values()) == {"dina"}


def test_wald_statistic_is_close_to_the_likelihood_ratio():
    scores, _ = attribute_answers(np.random.default_rng(6), q=Q, n=4000, guessing=0.2, slip=0.2)
    responses, q = edmeasure.Responses.from_array(scores), edmeasure.QMatrix.from_array(Q)
    full = edmeasure.diagnose(responses, q, rng=np.random.default_rng(0), n_starts=3)
    one = {name: "dina" if name == "I10" else "gdina" for name in responses.item_ids}
    reduced = edmeasure.diagnose(responses, q, model=one, rng=np.random.default_rng(0), n_starts=3)
    wald = edmeasure.wald_tests(full).statistic[0, 0]
    assert edmeasure.likelihood_ratio(reduced, full).statistic == pytest.approx(wald, abs=0.5)


def test_items_of_one_attribute_leave_nothing_to_choose(simulated):
    with pytest.raises(edmeasure.BadOption, match="G-DINA"):
        edmeasure.wald_tests(simulated[0])
