"""scikit-learn's contract, and that the estimators say what the functions say."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import edmeasure
from edmeasure.estimators import CDM, IRT
from edmeasure.tests.conftest import attribute_answers

Q = np.array([[1, 0], [0, 1], [1, 1], [1, 0], [0, 1], [1, 1]])

NOT_APPLICABLE = {
    "check_positive_only_tag_during_fit": "negative codes are answers not given, and the check's numbers are no whole scores",
    "check_sample_weight_equivalence_on_dense_data": "the check's answers are real numbers, not whole scores",
}


class RightWrongCDM(CDM):
    """The checks draw several categories: every score above 0 counts as right."""

    def _answers(self, X, weights=None, *, is_new=False):
        answers = super()._answers(X, weights, is_new=is_new)
        return replace(answers, scores=np.minimum(answers.scores, 1), max_scores=np.minimum(answers.max_scores, 1))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("estimator", "reasons"),
    [
        (IRT(n_nodes=11, max_iterations=5), NOT_APPLICABLE),
        (RightWrongCDM(n_starts=1, max_iterations=5, random_state=0), NOT_APPLICABLE),
    ],
    ids=["IRT", "CDM"],
)
def test_the_contract_of_estimators(estimator, reasons):
    told = check_estimator(estimator, on_fail=None, on_skip=None)
    failed = {result["check_name"]: str(result["exception"]) for result in told if result["status"] == "failed"}
    assert failed.keys() == reasons.keys(), failed
    assert sum(result["status"] == "passed" for result in told) > 40


def test_abilities_are_those_of_the_functions(lsat7, lsat7_fit):
    X = np.where(np.arange(5000).reshape(1000, 5) % 97 == 0, np.nan, lsat7.scores)
    estimator = IRT().fit(lsat7.scores)
    np.testing.assert_array_equal(estimator.fit_.slopes, lsat7_fit.slopes)
    assert estimator.n_features_in_ == 5
    answers = edmeasure.Responses.from_array(X)
    np.testing.assert_array_equal(estimator.transform(X)[:, 0], edmeasure.score_eap(lsat7_fit, answers).theta)
    warm = clone(estimator).set_params(ability="wle").fit(lsat7.scores)
    np.testing.assert_array_equal(warm.estimate(X).se, edmeasure.score_wle(lsat7_fit, answers).se)
    assert estimator.score(lsat7.scores) * 1000 == pytest.approx(lsat7_fit.loglik, rel=1e-12)
    assert estimator.get_feature_names_out().tolist() == ["irt0"]
    with pytest.raises(edmeasure.BadOption, match="ability"):
        IRT(ability="mean").fit(lsat7.scores)


def test_chances_of_right_answers_follow_the_curves(simgpcm):
    some = simgpcm.items([0, 1]).scores[:800].copy()
    right = (simgpcm.scores[:800, 2] > 1).astype(np.int8)
    X = np.column_stack([some, right, np.zeros(800)])
    estimator = IRT(n_nodes=31).fit(X)
    chances = estimator.predict_proba(X)
    fit, theta = estimator.fit_, estimator.transform(X)[:, 0]
    np.testing.assert_allclose(chances[:, 2], 1 / (1 + np.exp(-(fit.slopes[2] * theta + fit.intercepts[2, 1]))))
    np.testing.assert_allclose(chances[:, :3].mean(axis=0), (X / [3, 3, 1, 1]).mean(axis=0)[:3], atol=0.05)
    assert np.isnan(chances[:, 3]).all()


def test_pipelines_and_searches(lsat7):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(lsat7.scores, columns=[f"Q{j}" for j in range(5)])
    pipeline = make_pipeline(IRT(n_nodes=31), StandardScaler())
    scaled = pipeline.fit_transform(frame)
    assert scaled.mean() == pytest.approx(0.0, abs=1e-12)
    assert pipeline[0].fit_.item_ids == tuple(frame.columns)
    search = GridSearchCV(IRT(n_nodes=31), {"models": ["1PL", "2PL"]}, cv=KFold(3, shuffle=True, random_state=0)).fit(frame)
    assert search.cv_results_["mean_test_score"] == pytest.approx(-2.66, abs=0.02)
    assert search.best_params_["models"] in ("1PL", "2PL")


def test_diagnosis_is_that_of_the_functions():
    rng = np.random.default_rng(2)
    scores, attributes = attribute_answers(rng, q=Q, n=800, guessing=0.15, slip=0.1)
    estimator = CDM(Q, model="dina", n_starts=3, random_state=7).fit(scores)
    q_matrix = edmeasure.QMatrix.from_array(Q, item_ids=[f"I{j}" for j in range(1, 7)])
    responses = edmeasure.Responses.from_array(scores)
    fit = edmeasure.diagnose(responses, q_matrix, rng=np.random.default_rng(7), model="dina", n_starts=3, standard_errors=False)
    assert estimator.fit_.loglik == fit.loglik
    np.testing.assert_array_equal(estimator.transform(scores), edmeasure.classify(fit, responses).probabilities)
    assert estimator.score(scores) * 800 == pytest.approx(fit.loglik, rel=1e-10)
    assert (estimator.predict(scores) == attributes).mean() > 0.85
    assert estimator.get_feature_names_out().tolist() == ["cdm0", "cdm1"]
    given = CDM(q_matrix, model="dina", n_starts=3, random_state=7).fit(scores)
    assert given.fit_.loglik == fit.loglik
