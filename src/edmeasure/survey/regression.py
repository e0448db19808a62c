"""Linear and logistic regression in populations, with the errors of the sample design and of plausible values.

Coefficients maximise the weighted likelihood. Their sampling covariance comes from the design: replicates are fitted
anew, Taylor linearisation is the sandwich A^-1 V A^-1 of Binder (1983). m plausible values - of the outcome, of
predictors, or of both - give m fits, combined by Rubin's (1987) rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray
from edmeasure.errors import BadOption, BadShape
from edmeasure.survey import _design_errors, _logistic_replicates
from edmeasure.survey._design_errors import Figure
from edmeasure.survey._results import t_975
from edmeasure.survey._sample import Practice, read_design
from edmeasure.survey.sampling import SampleDesign

COLLINEAR = 1e-8
CONSTANT = "constant"


@dataclass(frozen=True, eq=False)
class SurveyRegression(Exported):
    """Coefficients, constant first; arrays have length p + 1.

    Attributes
    ----------
    covariance : float64 (p + 1, p + 1)
        Sampling plus imputation.
    degrees : float64 (p + 1,)
        Of every coefficient's error.
    explained : float
        Linear: R^2. Logistic: McFadden's (1974) 1 - log L / log L_0.
    """

    names: tuple[str, ...]
    coefficients: FloatArray
    standard_errors: FloatArray
    sampling_variance: FloatArray
    imputation_variance: FloatArray
    degrees: FloatArray
    covariance: FloatArray
    explained: float
    n: int

    @property
    def t(self) -> FloatArray:
        """Coefficients in units of their errors."""
        return np.asarray(self.coefficients / self.standard_errors)

    @property
    def p_value(self) -> FloatArray:
        """Two-sided, Student's t."""
        return np.asarray(2 * stdtr(np.minimum(self.degrees, 1e9), -np.abs(self.t)))

    @property
    def interval(self) -> tuple[FloatArray, FloatArray]:
        """Ends of 95 % intervals."""
        half = t_975(self.degrees) * self.standard_errors
        return self.coefficients - half, self.coefficients + half

    def of(self, name: str) -> tuple[float, float]:
        """Coefficient and standard error of one predictor."""
        if name not in self.names:
            raise BadOption(f"There is no predictor {name!r}.", remedy=f"Predictors are {self.names[:10]}.")
        at = self.names.index(name)
        return float(self.coefficients[at]), float(self.standard_errors[at])

    def _columns(self) -> Mapping[str, object]:
        given = ("coefficients", "standard_errors", "sampling_variance", "imputation_variance", "degrees")
        return {"name": np.array(self.names), **{name: getattr(self, name) for name in given}}

    def __str__(self) -> str:
        pairs = zip(self.names, self.coefficients, self.standard_errors, strict=True)
        return ", ".join(f"{name} {b:.4g} ({se:.2g})" for name, b, se in pairs) + f"; explained {self.explained:.3f}"


def linear_regression(
    outcome: npt.ArrayLike,
    predictors: npt.ArrayLike,
    *,
    names: Sequence[str] | None = None,
    weights: npt.ArrayLike | None = None,
    zones: npt.ArrayLike | None = None,
    reps: npt.ArrayLike | None = None,
    design: SampleDesign | None = None,
    practice: Practice = "all",
) -> SurveyRegression:
    """Weighted least squares.

    Parameters
    ----------
    outcome : (n,) or (m, n)
    predictors : (n,), (n, p) or (m, n, p)
        Without constant.
    names
        Of the predictors; x1, x2, ... otherwise.
    """
    fits = _read(outcome, predictors, names, read_design_of=partial(_design, weights, zones, reps, design))
    found = [_linear_fit(y, x, fits.design, fits.names) for y, x in fits.sets()]
    return fits.result(found, practice)


def logistic_regression(
    outcome: npt.ArrayLike,
    predictors: npt.ArrayLike,
    *,
    names: Sequence[str] | None = None,
    weights: npt.ArrayLike | None = None,
    zones: npt.ArrayLike | None = None,
    reps: npt.ArrayLike | None = None,
    design: SampleDesign | None = None,
    practice: Practice = "all",
) -> SurveyRegression:
    """Log odds of an outcome 0/1 (or bool); the rest as in `linear_regression`."""
    fits = _read(outcome, predictors, names, read_design_of=partial(_design, weights, zones, reps, design))
    counted = fits.outcome[:, fits.design.weights > 0]
    if not np.isin(fits.outcome, (0.0, 1.0)).all() or (counted.min(axis=1) == counted.max(axis=1)).any():
        raise BadOption("The outcome is not both 0 and 1.", remedy="Pass 0/1 or bool with both among the persons.")
    found = [_logistic_fit(y, x, fits.design, fits.names) for y, x in fits.sets()]
    return fits.result(found, practice)


@dataclass(frozen=True, eq=False)
class _Fit:
    coefficients: FloatArray
    covariance: FloatArray
    explained: float


@dataclass(frozen=True, eq=False)
class _Sets:
    """m outcomes (m, n) and m or 1 sets of predictors (., n, p)."""

    outcome: FloatArray
    predictors: FloatArray
    names: tuple[str, ...]
    design: SampleDesign

    def sets(self) -> list[tuple[FloatArray, FloatArray]]:
        m = max(self.outcome.shape[0], self.predictors.shape[0])
        return [(self.outcome[k % self.outcome.shape[0]], self.predictors[k % self.predictors.shape[0]]) for k in range(m)]

    def result(self, fits: list[_Fit], practice: Practice) -> SurveyRegression:
        values, covariances = (np.array([getattr(fit, name) for fit in fits]) for name in ("coefficients", "covariance"))
        # rounding may leave a variance of an exact fit just below 0
        drawn = np.maximum([np.diag(one) for one in covariances], 0.0)
        value, sampling, imputation = _design_errors.combined(values, drawn, practice)
        m = len(fits)
        between = np.cov(values.T, ddof=1) * (1 + 1 / m) if m > 1 else np.zeros_like(covariances[0])
        within = covariances[0] if practice == "first" else covariances.mean(axis=0)
        return SurveyRegression(
            names=(CONSTANT, *self.names),
            coefficients=value,
            standard_errors=np.sqrt(sampling + imputation),
            sampling_variance=sampling,
            imputation_variance=imputation,
            degrees=_design_errors.degrees_combined(self.design.degrees, m, sampling, imputation),
            covariance=within + between,
            explained=float(np.mean([fit.explained for fit in fits])),
            n=self.design.n,
        )


def _design(
    weights: npt.ArrayLike | None,
    zones: npt.ArrayLike | None,
    reps: npt.ArrayLike | None,
    design: SampleDesign | None,
    n: int,
) -> SampleDesign:
    return read_design(n, weights, zones, reps, design)


def _read(
    outcome: npt.ArrayLike,
    predictors: npt.ArrayLike,
    names: Sequence[str] | None,
    read_design_of: partial[SampleDesign],
) -> _Sets:
    y = _validate.value_matrix(outcome)
    given = np.asarray(predictors, dtype=np.float64)
    blocks = [_validate.design_matrix(block, y.shape[1]) for block in (given if given.ndim == 3 else given[None])]
    x = np.stack(blocks)
    if len({1, y.shape[0], x.shape[0]}) > 2:
        raise BadShape(
            f"{y.shape[0]} outcomes and {x.shape[0]} sets of predictors.", remedy="Give equally many plausible values of both."
        )
    if names is not None and len(names) != x.shape[2]:
        raise BadShape(f"{len(names)} names for {x.shape[2]} predictors.", remedy="Give one name per predictor.")
    called = tuple(f"x{at + 1}" for at in range(x.shape[2])) if names is None else tuple(str(name) for name in names)
    return _Sets(y, x, called, read_design_of(y.shape[1]))


@dataclass(frozen=True, eq=False)
class _Standardised:
    """Predictors as (x - centre) / scale behind a column of ones, and the way back."""

    x: FloatArray
    back: FloatArray


def _standardised(x: FloatArray, design: SampleDesign, names: tuple[str, ...]) -> _Standardised:
    w = design.weights / design.weights.sum()
    centre = np.einsum("i,ia->a", w, x)
    away = x - centre
    scale = np.sqrt(np.einsum("i,ia->a", w, away**2))
    flat = scale <= COLLINEAR * np.maximum(np.abs(centre), 1e-300)
    if flat.any():
        raise BadOption(f"Predictor {names[int(np.argmax(flat))]} is the same for everybody.", remedy="Drop it.")
    away /= scale
    pivots = np.diag(np.linalg.cholesky(np.einsum("i,ia,ib->ab", w, away, away) + COLLINEAR**2 * np.eye(x.shape[1])))
    if pivots.size and pivots.min() < np.sqrt(COLLINEAR):
        raise BadOption(
            f"Predictor {names[int(np.argmin(pivots))]} follows from those before it.", remedy="Drop it, or a category of it."
        )
    back = np.zeros((x.shape[1] + 1, x.shape[1] + 1))
    back[0, 0] = 1.0
    back[0, 1:] = -centre / scale
    back[1:, 1:] = np.diag(1 / scale)
    return _Standardised(np.concatenate([np.ones((x.shape[0], 1)), away], axis=1), back)


def _linear_fit(y: FloatArray, x: FloatArray, design: SampleDesign, names: tuple[str, ...]) -> _Fit:
    ready = _standardised(x, design, names)
    z, p = ready.x, ready.x.shape[1]
    centre = float(np.sum(design.weights * y) / design.weights.sum())
    lower = np.tril_indices(p)

    def parts(rows: slice) -> FloatArray:
        part, away = z[rows].T, y[rows] - centre
        return np.concatenate([part[lower[0]] * part[lower[1]], part * away, (away**2)[None, :]])

    def solved(totals: FloatArray) -> tuple[FloatArray, FloatArray]:
        gram = np.empty((totals.shape[1], p, p))
        gram[:, lower[0], lower[1]] = gram[:, lower[1], lower[0]] = totals[: lower[0].size].T
        _refuse_dependent(gram)
        found = np.linalg.solve(gram, totals[lower[0].size : -1].T[:, :, None])[:, :, 0]
        return gram, np.asarray(found, dtype=np.float64)

    def influence(rows: slice, totals: FloatArray) -> FloatArray:
        gram, beta = solved(totals)
        rest = y[rows] - centre - np.einsum("ia,a->i", z[rows], beta[0])
        return np.asarray(np.linalg.inv(gram[0]) @ (z[rows] * rest[:, None]).T)

    figure = Figure(lower[0].size + p + 1, p, parts, lambda totals: solved(totals)[1].T, influence)
    beta, covariance = _design_errors.covariance(design, figure)
    rest = y - centre - np.einsum("ia,a->i", z, beta)
    spread = float(np.sum(design.weights * (y - centre) ** 2))
    explained = 1 - float(np.sum(design.weights * rest**2)) / spread if spread > 0 else 0.0
    beta = ready.back @ beta
    beta[0] += centre
    return _Fit(beta, ready.back @ covariance @ ready.back.T, explained)


def _refuse_dependent(grams: FloatArray) -> None:
    """Refuse sets of weights (R, p, p) under which some predictor follows from others."""
    smallest = np.linalg.eigvalsh(grams)[:, 0]
    dependent = np.flatnonzero(smallest <= COLLINEAR * np.trace(grams, axis1=1, axis2=2))
    if dependent.size:
        raise BadOption(
            f"In {dependent.size} replicates (number {dependent[0] + 1} first) predictors depend on each other.",
            remedy="Join rare categories of the predictors, or use Taylor linearisation.",
        )


def _logistic_fit(y: FloatArray, x: FloatArray, design: SampleDesign, names: tuple[str, ...]) -> _Fit:
    ready = _standardised(x, design, names)
    z, p = ready.x, ready.x.shape[1]
    beta = _logistic_replicates.fit(z, y, design)
    mu = _logistic_replicates.chances(z, beta)
    lower = np.tril_indices(p)

    def parts(rows: slice) -> FloatArray:
        part = z[rows].T
        return np.asarray(part[lower[0]] * part[lower[1]] * (mu[rows] * (1 - mu[rows])))

    def information(totals: FloatArray) -> FloatArray:
        gram = np.empty((totals.shape[1], p, p))
        gram[:, lower[0], lower[1]] = gram[:, lower[1], lower[0]] = totals.T
        return gram

    full, replicates = _design_errors.totals_of(design, parts, lower[0].size)
    if design.n_replicates:
        grams = information(replicates)
        _refuse_dependent(grams)
        inverses = np.asarray(np.linalg.inv(grams), dtype=np.float64)
        fitted = _logistic_replicates.fit_replicates(z, y, design, beta, inverses)
        covariance = _design_errors.spread((fitted - beta).T, design.coefficients)
    else:
        inverse = np.linalg.inv(information(full)[0])
        covariance = _design_errors.influence_covariance(
            design, lambda rows: inverse @ (z[rows] * (y[rows] - mu[rows])[:, None]).T, p
        )
    w = design.weights
    share = float(np.sum(w * y) / w.sum())
    nothing = w.sum() * (share * np.log(share) + (1 - share) * np.log(1 - share))
    reached = float(np.sum(w * np.log(np.where(y > 0, mu, 1 - mu))))
    return _Fit(ready.back @ beta, ready.back @ covariance @ ready.back.T, 1 - reached / nothing)
