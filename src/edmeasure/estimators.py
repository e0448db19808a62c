"""Estimators for scikit-learn's pipelines and searches: thin clothes over `calibrate` and `diagnose`.

Rows are persons, columns items, cells whole scores; NaN and negative codes are answers not given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from edmeasure import _validate
from edmeasure._validate import FloatArray, Int8Array
from edmeasure.calibration import _em, _items, _packing
from edmeasure.calibration._populations import normal_weights
from edmeasure.calibration.irt import IRTFit, calibrate
from edmeasure.diagnosis.cdm import diagnose
from edmeasure.diagnosis.mastery import classify, mean_loglik
from edmeasure.diagnosis.qmatrix import QMatrix
from edmeasure.responses import Responses
from edmeasure.scores.scoring import AbilityEstimate, score_eap, score_map, score_ml, score_sum_eap, score_wle

SCORERS: dict[str, Callable[[IRTFit, Responses], AbilityEstimate]] = {
    "eap": score_eap,
    "map": score_map,
    "wle": score_wle,
    "ml": score_ml,
    "sum": score_sum_eap,
}
Seed = int | np.random.Generator | np.random.RandomState | None


class _Estimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # no types there
    """Answers in, one fit of this library inside as ``fit_``."""

    def _answers(self, X: npt.ArrayLike, weights: npt.ArrayLike | None = None, *, is_new: bool = False) -> Responses:
        least = 2 if is_new else 1
        options = {"dtype": "numeric", "ensure_all_finite": "allow-nan", "reset": is_new, "ensure_min_samples": least}
        checked = validate_data(self, X, **options)
        names = getattr(self, "feature_names_in_", None)
        item_ids = None if names is None else [str(name) for name in names]
        return Responses.from_array(checked, item_ids=item_ids, weights=weights)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags


class IRT(_Estimator):
    """Item response model; `transform` gives abilities.

    Parameters
    ----------
    models, n_nodes, bound, max_iterations, tolerance, weak_prior, standard_errors
        As in `calibrate`.
    ability : {"eap", "map", "wle", "ml", "sum"}
        What `transform` gives.

    Attributes
    ----------
    fit_ : IRTFit
    n_iter_ : int
    """

    def __init__(
        self,
        *,
        models: str | Mapping[str, str] = "2PL",
        ability: str = "eap",
        n_nodes: int = 61,
        bound: float = 6.0,
        max_iterations: int = 500,
        tolerance: float = 1e-6,
        weak_prior: bool = False,
        standard_errors: bool = False,
    ) -> None:
        self.models = models
        self.ability = ability
        self.n_nodes = n_nodes
        self.bound = bound
        self.max_iterations = max_iterations
        self.tolerance = tolerance
        self.weak_prior = weak_prior
        self.standard_errors = standard_errors

    def fit(self, X: npt.ArrayLike, y: object = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Calibrate the items."""
        _validate.choice(self.ability, "ability", tuple(SCORERS))
        self.fit_ = calibrate(
            self._answers(X, sample_weight, is_new=True),
            models=self.models,
            n_nodes=self.n_nodes,
            bound=self.bound,
            max_iterations=self.max_iterations,
            tolerance=self.tolerance,
            weak_prior=self.weak_prior,
            standard_errors=self.standard_errors,
        )
        self.n_iter_ = self.fit_.n_iterations
        self._n_features_out = 1
        return self

    def transform(self, X: npt.ArrayLike) -> FloatArray:
        """Abilities (n_persons, 1)."""
        return self.estimate(X).theta[:, None]

    def estimate(self, X: npt.ArrayLike) -> AbilityEstimate:
        """Abilities with their standard errors."""
        check_is_fitted(self)
        return SCORERS[self.ability](self.fit_, self._answers(X))

    def predict_proba(self, X: npt.ArrayLike) -> FloatArray:
        """Chance of a right answer to every item (n_persons, n_items) at the persons' posterior means.

        Of items with more points the expected score as a share of the maximum; NaN for items
        without parameters.
        """
        check_is_fitted(self)
        theta = score_eap(self.fit_, self._answers(X)).theta
        rows = np.flatnonzero(self.fit_.calibrated)
        items = _items.parameters_of(self.fit_, rows, np.empty((0, rows.size), dtype=np.int8))
        chances = np.exp(items.log_probabilities(theta))
        _, category = _em.categories(items.category_start)
        points = np.add.reduceat(category[:, None] * chances, items.category_start[:-1], axis=0)
        expected = np.full((theta.size, self.fit_.slopes.size), np.nan)
        expected[:, rows] = (points / items.max_scores[:, None]).T
        return expected

    def score(self, X: npt.ArrayLike, y: object = None) -> float:
        """Mean log-likelihood of a person, for cross-validation."""
        check_is_fitted(self)
        items = _items.aligned(self.fit_, self._answers(X))
        nodes = self.fit_.nodes
        log_probs = items.log_probabilities(nodes)
        _, loglik = _packing.pack(items.scores, items.max_scores).expect(log_probs, normal_weights(nodes, 0.0, 1.0))
        return float(loglik / items.scores.shape[0])


class CDM(_Estimator):
    """Cognitive diagnosis model; `transform` gives the chances that attributes are mastered.

    Parameters
    ----------
    q_matrix : (n_items, n_attributes) of 0 and 1, or QMatrix
        Rows in the order of the columns of the answers, unless it is a `QMatrix`, matched by item id.
    model, n_starts, max_iterations, tolerance
        As in `diagnose`.
    random_state : int, Generator, RandomState or None
        Of the starts.

    Attributes
    ----------
    fit_ : CDMFit
    n_iter_ : int
    """

    def __init__(
        self,
        q_matrix: npt.ArrayLike | QMatrix | None = None,
        *,
        model: Any = "gdina",
        n_starts: int = 20,
        max_iterations: int = 1000,
        tolerance: float = 1e-6,
        random_state: Seed = None,
    ) -> None:
        self.q_matrix = q_matrix
        self.model = model
        self.n_starts = n_starts
        self.max_iterations = max_iterations
        self.tolerance = tolerance
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: object = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Estimate the model from several starts."""
        answers = self._answers(X, sample_weight, is_new=True)
        self.fit_ = diagnose(
            answers,
            self._q_matrix(answers),
            rng=np.random.default_rng(self.random_state),
            model=self.model,
            n_starts=self.n_starts,
            max_iterations=self.max_iterations,
            tolerance=self.tolerance,
            standard_errors=False,
        )
        self.n_iter_ = self.fit_.n_iterations
        self._n_features_out = self.fit_.q_matrix.n_attributes
        return self

    def _q_matrix(self, answers: Responses) -> QMatrix:
        if isinstance(self.q_matrix, QMatrix):
            return self.q_matrix
        # without a matrix: one attribute that every item requires
        entries = np.ones((answers.n_items, 1), dtype=np.int8) if self.q_matrix is None else self.q_matrix
        return QMatrix.from_array(entries, item_ids=answers.item_ids)

    def transform(self, X: npt.ArrayLike) -> FloatArray:
        """Chances of mastery (n_persons, n_attributes)."""
        return self.predict_proba(X)

    def predict_proba(self, X: npt.ArrayLike) -> FloatArray:
        """The same; with several attributes as scikit-learn tells those of several labels."""
        check_is_fitted(self)
        return classify(self.fit_, self._answers(X)).probabilities

    def predict(self, X: npt.ArrayLike) -> Int8Array:
        """Attributes more likely mastered than not, 0 or 1 (n_persons, n_attributes)."""
        return (self.predict_proba(X) > 0.5).astype(np.int8)

    def score(self, X: npt.ArrayLike, y: object = None) -> float:
        """Mean log-likelihood of a person, for cross-validation."""
        check_is_fitted(self)
        return mean_loglik(self.fit_, self._answers(X))
