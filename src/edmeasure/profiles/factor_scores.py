"""Scores of persons on common factors, whatever they left out, with their errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray
from edmeasure.errors import BadOption
from edmeasure.profiles.correlations import Correlations

ROOT_TWO_PI = float(np.sqrt(2 * np.pi))


@dataclass(frozen=True, eq=False)
class FactorScores(Exported):
    """Factors have mean 0 and deviation 1 among the persons of the fit.

    Attributes
    ----------
    values : float64 (n, m)
    errors : float64 (n, m)
        Of values minus true factors.
    determinacy : float64 (m,)
        Squared correlation of factor and regression score of persons who answered everything: below 0.8
        do not report single persons.
    """

    values: FloatArray
    errors: FloatArray
    determinacy: FloatArray
    method: str

    @property
    def unscored(self) -> BoolArray:
        """Persons without a score: too few answers for Bartlett's method."""
        return np.asarray(~np.isfinite(self.values).all(axis=1))

    def _columns(self) -> Mapping[str, object]:
        values = {f"factor_{at + 1}": column for at, column in enumerate(self.values.T)}
        return {**values, **{f"error_{at + 1}": column for at, column in enumerate(self.errors.T)}}

    def __str__(self) -> str:
        told = ", ".join(f"{one:.2f}" for one in self.determinacy)
        return (
            f"{self.method} scores of {self.values.shape[0]:,} persons, determinacy {told}, {int(self.unscored.sum())} unscored"
        )


def score_factors(
    correlations: Correlations,
    loadings: FloatArray,
    factor_correlations: FloatArray,
    uniqueness: FloatArray,
    values: FloatArray,
    method: str,
) -> FactorScores:
    """Best linear prediction, or Bartlett's weighted least squares, by pattern of missing answers.

    Graded answers of a polychoric fit are predicted from as they are: an answer's correlation with the
    factor is its structure times that of the answer with the variable behind it (Olsson, Drasgow & Dorans 1982).
    """
    _validate.choice(method, "method", ("regression", "bartlett"))
    is_graded = correlations.kind == "polychoric"
    if method == "bartlett" and is_graded:
        raise BadOption("Bartlett's scores are of the answers' own factors.", remedy="Use method='regression'.")
    structure = loadings @ factor_correlations
    implied = structure @ loadings.T
    np.fill_diagonal(implied, (loadings * structure).sum(axis=1) + uniqueness)
    if is_graded:
        structure, implied = structure * _with_grades(correlations)[:, None], correlations.observed
    z = (values - correlations.means) / correlations.spreads
    found, errors = (np.full((z.shape[0], loadings.shape[1]), np.nan) for _ in range(2))
    patterns, members = np.unique(~np.isnan(z), axis=0, return_inverse=True)
    order = np.split(np.argsort(members, kind="stable"), np.cumsum(np.bincount(members, minlength=len(patterns)))[:-1])
    for seen, rows in zip(patterns, order, strict=True):
        if method == "regression":
            weights = np.linalg.solve(implied[np.ix_(seen, seen)], structure[seen])
            error = factor_correlations - structure[seen].T @ weights
        else:
            information = (loadings[seen].T / uniqueness[seen]) @ loadings[seen]
            if np.linalg.matrix_rank(information) < information.shape[0]:
                continue
            error = np.linalg.inv(information)
            weights = (loadings[seen] / uniqueness[seen][:, None]) @ error
        found[rows] = z[np.ix_(rows, seen)] @ weights
        errors[rows] = np.sqrt(np.maximum(np.diag(error), 0.0))
    determinacy = np.einsum("jm,jm->m", structure, np.linalg.solve(implied, structure))
    return FactorScores(found, errors, determinacy, method)


def _with_grades(correlations: Correlations) -> FloatArray:
    """Correlation of every graded answer with the normal variable behind it, grades one apart."""
    found = []
    for steps in correlations.thresholds:
        shares = np.diff(np.concatenate([[0.0], ndtr(steps), [1.0]]))
        grades = np.arange(shares.size)
        spread = np.sqrt(np.sum(shares * grades**2) - np.sum(shares * grades) ** 2)
        found.append(np.sum(np.exp(-(steps**2) / 2)) / ROOT_TWO_PI / spread)
    return np.array(found)
