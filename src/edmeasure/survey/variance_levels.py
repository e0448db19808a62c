"""How much pupils, classes, schools and districts differ: variance components of nested levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.errors import BadOption, BadShape, BadWeight
from edmeasure.survey import _nested_likelihood
from edmeasure.survey._clusters import coded
from edmeasure.survey._nested_likelihood import Nest

START = 0.2
LATER_START = 0.01
NO_SPREAD = 1e-8
LARGEST_RATIO = 1e6
ZERO = 1e-9
NEWTON_STEPS = 12
FLAT = 1e-6
DIFFERENCE = 1e-4
Kind = TypeVar("Kind", np.int64, np.float64)


@dataclass(frozen=True, eq=False)
class VarianceDecomposition(Exported):
    """Variances of the levels, persons first; arrays have length L + 1, coefficients length p + 1.

    Attributes
    ----------
    levels : tuple of str
        "person", then the given ones, lowest first.
    variance, standard_error : float64
        Errors from the curvature of the likelihood (at 0: from the information expected there) and, with plausible
        values, what lies between their fits.
    share, share_error : float64
        Of the sum of variances; errors by the delta method.
    n_units : int64
    is_zero : bool
        Variances that came out as 0, the end of their range.
    coefficients, coefficient_errors : float64
        Constant first.
    deviance : float
        -2 log likelihood, restricted for REML; the mean over plausible values.
    """

    levels: tuple[str, ...]
    variance: FloatArray
    standard_error: FloatArray
    share: FloatArray
    share_error: FloatArray
    n_units: IntArray
    is_zero: BoolArray
    coefficients: FloatArray
    coefficient_errors: FloatArray
    deviance: float
    method: str

    def between(self, level: str) -> float:
        """Share of variance between units of a level: its own and those of the levels above it."""
        if level not in self.levels[1:]:
            raise BadOption(f"There is no level {level!r}.", remedy=f"Levels are {self.levels[1:]}.")
        return float(self.share[self.levels.index(level) :].sum())

    def _columns(self) -> Mapping[str, object]:
        names = ("variance", "standard_error", "share", "share_error", "n_units", "is_zero")
        return {"level": np.array(self.levels), **{name: getattr(self, name) for name in names}}

    def __str__(self) -> str:
        rows = zip(self.levels, self.variance, self.share, self.n_units, self.is_zero, strict=True)
        told = [f"{name} {v:.4g} ({s:.1%}, {n:,} units{', at zero' if zero else ''})" for name, v, s, n, zero in rows]
        return f"{self.method.upper()} variance: " + ", ".join(told)


def variance_decomposition(
    values: npt.ArrayLike,
    *,
    levels: Mapping[str, npt.ArrayLike],
    background: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    method: Literal["reml", "ml"] = "reml",
) -> VarianceDecomposition:
    """Random intercepts of nested levels: y = b'x + u_class + u_school + ... + e.

    Parameters
    ----------
    values : (n,) or (m, n)
        Scores, or m plausible values combined by Rubin's (1987) rules.
    levels
        Name to labels (n,), lowest level first: ``{"class": ..., "school": ..., "district": ...}``. Labels count within
        the unit above: class 1 of school A is not class 1 of school B.
    background : (n, p), optional
        Without constant. Components are then of what it leaves unexplained.
    weights : (n,) or (L + 1, n), optional
        Rows: what a person stands for in the lowest unit, that unit in the one above, ..., the highest one in the whole.
        One row is the persons' final weight: a unit counts by its members' mean. Each is scaled to mean 1 within its
        parent and the units' likelihoods are raised to it (Pfeffermann et al. 1998, scaling 2; Asparouhov 2006);
        standard errors then ignore how units were drawn.
    method
        ``"reml"`` takes out the degrees of freedom of the coefficients (Patterson & Thompson 1971).

    Raises
    ------
    BadOption
        Where levels cannot be told apart, as with one class in every school.
    """
    _validate.choice(method, "method", ("reml", "ml"))
    given = _validate.value_matrix(values)
    n = given.shape[1]
    codes, counts = _nested_codes(levels, n)
    design = _with_constant(background, n, counts)
    counting = _Counting.of(_conditional_weights(weights, codes, counts, n), codes, counts)
    fits = [_fit(y, design, counting, method == "reml") for y in given]
    found = _Pool.of(fits)
    return VarianceDecomposition(
        levels=("person", *levels),
        variance=found.variance,
        standard_error=found.standard_error,
        share=found.share,
        share_error=found.share_error,
        n_units=np.array([n, *counts], dtype=np.int64),
        is_zero=np.asarray(found.variance <= ZERO * found.variance.sum()),
        coefficients=found.coefficients,
        coefficient_errors=found.coefficient_errors,
        deviance=float(np.mean([fit.deviance for fit in fits])),
        method=method,
    )


def fit_levels(y: FloatArray, background: FloatArray, levels: Mapping[str, npt.ArrayLike]) -> LevelsFit:
    """REML of one value set with everything that predictions of units need."""
    codes, counts = _nested_codes(levels, y.size)
    counting = _Counting.of(_conditional_weights(None, codes, counts, y.size), codes, counts)
    return _fit(y, _with_constant(background, y.size, counts), counting, is_restricted=True)


def _with_constant(background: npt.ArrayLike | None, n: int, counts: list[int]) -> FloatArray:
    design = np.concatenate([np.ones((n, 1)), _validate.design_matrix(background, n)], axis=1)
    if n <= counts[0] + design.shape[1]:
        raise BadShape(f"{n} persons in {counts[0]} units.", remedy="Use more persons than units and coefficients.")
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise BadOption("Columns of the background depend on each other.", remedy="Drop the repeated ones.")
    return design


@dataclass(frozen=True, eq=False)
class _Counting:
    """Who belongs where and counts how often; lowest level first."""

    lowest: IntArray
    persons: FloatArray
    parents: tuple[IntArray, ...]
    unit_weights: tuple[FloatArray, ...]
    reach: tuple[FloatArray, ...]

    @classmethod
    def of(cls, weights: list[FloatArray], codes: list[IntArray], counts: list[int]) -> _Counting:
        parents = tuple(_of_units(above, below, count) for below, above, count in zip(codes, codes[1:], counts, strict=False))
        units = [_of_units(w, code, count) for w, code, count in zip(weights[1:], codes, counts, strict=True)]
        reach = [units[-1]]
        for weight, parent in zip(reversed(units[:-1]), reversed(parents), strict=True):
            reach.insert(0, weight * reach[0][parent])
        return cls(codes[0], weights[0], parents, tuple(units), tuple(reach))

    def nest(self, y: FloatArray, design: FloatArray) -> Nest:
        both = np.column_stack([design, y])
        count = self.reach[0].size
        sums = [np.bincount(self.lowest, weights=self.persons * column, minlength=count) for column in both.T]
        counted = self.persons * self.reach[0][self.lowest]
        return Nest(
            totals=np.asarray(np.bincount(self.lowest, weights=self.persons, minlength=count), dtype=np.float64),
            sums=np.stack(sums, axis=1),
            products=both.T @ (counted[:, None] * both),
            parents=self.parents,
            unit_weights=self.unit_weights,
            reach=self.reach,
            n=float(counted.sum()),
        )


@dataclass(frozen=True, eq=False)
class LevelsFit:
    """One value set: variances (persons' first) and coefficients (constant first) with their covariances."""

    variance: FloatArray
    covariance: FloatArray
    coefficients: FloatArray
    coefficient_covariance: FloatArray
    deviance: float


@dataclass(frozen=True, eq=False)
class _Pool:
    """Fits of all value sets by Rubin's rules."""

    variance: FloatArray
    standard_error: FloatArray
    share: FloatArray
    share_error: FloatArray
    coefficients: FloatArray
    coefficient_errors: FloatArray

    @classmethod
    def of(cls, fits: list[LevelsFit]) -> _Pool:
        variances = np.array([fit.variance for fit in fits])
        shares = variances / variances.sum(axis=1, keepdims=True)
        # d share_a / d variance_b = ([a = b] - share_a) / total
        slopes = (np.eye(variances.shape[1]) - shares[:, :, None]) / variances.sum(axis=1)[:, None, None]
        of_shares = np.array([slope @ fit.covariance @ slope.T for slope, fit in zip(slopes, fits, strict=True)])
        coefficients = np.array([fit.coefficients for fit in fits])
        return cls(
            variances.mean(axis=0),
            _pooled_error(variances, np.array([np.diag(fit.covariance) for fit in fits])),
            shares.mean(axis=0),
            _pooled_error(shares, np.array([np.diag(one) for one in of_shares])),
            coefficients.mean(axis=0),
            _pooled_error(coefficients, np.array([np.diag(fit.coefficient_covariance) for fit in fits])),
        )


def _pooled_error(found: FloatArray, variances: FloatArray) -> FloatArray:
    m = found.shape[0]
    between = found.var(axis=0, ddof=1) if m > 1 else np.zeros(found.shape[1])
    return np.asarray(np.sqrt(np.maximum(variances.mean(axis=0), 0) + (1 + 1 / m) * between))


def _fit(y: FloatArray, design: FloatArray, counting: _Counting, is_restricted: bool) -> LevelsFit:
    shift, scale = float(y.mean()), float(y.std())
    basis = np.linalg.qr(design)[0]
    if scale <= NO_SPREAD * max(abs(shift), 1e-300) or np.abs(y - basis @ (basis.T @ y)).max() <= NO_SPREAD * scale:
        raise BadOption("The values are the same for everybody, or the background explains them wholly.", remedy="Pass others.")
    centre, spread = design.mean(axis=0), design.std(axis=0)
    centre[0], spread[0] = 0.0, 1.0
    ready = (design - centre) / spread
    nest = counting.nest((y - shift) / scale, ready)
    ratios = _best_ratios(nest, is_restricted)
    beta, covariance, variance = _nested_likelihood.solution(nest, ratios, is_restricted=is_restricted)
    variances = np.concatenate([[variance], variance * ratios])
    freedom = nest.n - (design.shape[1] if is_restricted else 0)
    scaling = 2 * freedom * np.log(scale) + (2 * np.log(spread).sum() if is_restricted else 0.0)
    deviance = float(_nested_likelihood.deviance(nest, ratios, is_restricted=is_restricted)) + scaling
    back = np.diag(scale / spread)
    back[0, 1:] = -scale * centre[1:] / spread[1:]
    coefficients = back @ beta
    coefficients[0] += shift
    return LevelsFit(
        variance=variances * scale**2,
        covariance=_component_covariance(nest, variances, is_restricted) * scale**4,
        coefficients=coefficients,
        coefficient_covariance=back @ covariance @ back.T,
        deviance=deviance,
    )


def _best_ratios(nest: Nest, is_restricted: bool) -> FloatArray:
    """Variances of the levels relative to the persons' that minimise the deviance: L-BFGS-B, then Newton's steps."""
    count = len(nest.reach)

    def function(at: FloatArray) -> tuple[float, FloatArray]:
        gradient = _nested_likelihood.slope(nest, at, is_restricted=is_restricted, is_profiled=True)
        return float(_nested_likelihood.deviance(nest, at, is_restricted=is_restricted)), gradient

    bounds = [(0.0, LARGEST_RATIO)] * count
    runs = []
    for start in (START, LATER_START):
        at = np.full(count, start)
        runs.append(minimize(function, at, jac=True, bounds=bounds, method="L-BFGS-B", options={"gtol": FLAT}))
        if (runs[-1].x > 0).all():
            break
    best = np.asarray(min(runs, key=lambda run: float(run.fun)).x, dtype=np.float64)
    value, gradient = function(best)
    for _ in range(NEWTON_STEPS):
        free = (best > 0) | (gradient < 0)
        if not free.any() or float(np.abs(gradient[free]).max()) < FLAT * 1e-3:
            break
        curvature = _curvature(nest, best, is_restricted, is_profiled=True)[np.ix_(free, free)]
        step = np.zeros(count)
        if np.linalg.eigvalsh(curvature)[0] <= 0:
            break
        step[free] = -np.linalg.solve(curvature, gradient[free])
        following = np.clip(best + step, 0.0, LARGEST_RATIO)
        reached, slope = function(following)
        if reached > value + NO_SPREAD:
            break
        best, value, gradient = following, reached, slope
    return best


def _curvature(nest: Nest, at: FloatArray, is_restricted: bool, *, is_profiled: bool) -> FloatArray:
    """Second derivatives of the deviance: differences of exact gradients."""
    count = at.size
    found = np.empty((count, count))
    room = 1.0 / float(nest.totals.max())
    steps = DIFFERENCE * np.maximum(at, room * (1.0 if is_profiled else at[0]))
    for one in range(count):
        ends = []
        for sign in (1, -1):
            moved = at.copy()
            moved[one] += sign * steps[one]
            ends.append(_nested_likelihood.slope(nest, moved, is_restricted=is_restricted, is_profiled=is_profiled))
        found[one] = (ends[0] - ends[1]) / (2 * steps[one])
    return np.asarray((found + found.T) / 2)


def _component_covariance(nest: Nest, variances: FloatArray, is_restricted: bool) -> FloatArray:
    """Twice the inverse of the deviance's second derivatives; for variances at 0, the inverse expected information there."""
    curvature = _curvature(nest, variances, is_restricted, is_profiled=False)
    free = variances > ZERO * variances.sum()
    found = np.zeros_like(curvature)
    found[np.ix_(free, free)] = 2 * np.linalg.pinv(curvature[np.ix_(free, free)], hermitian=True)
    known = _nested_likelihood.null_information(nest, variances[1:] / variances[0]) / variances[0] ** 2
    at = np.flatnonzero(~free)
    found[at, at] = 1.0 / known[at - 1]
    return found


def _nested_codes(levels: Mapping[str, npt.ArrayLike], n: int) -> tuple[list[IntArray], list[int]]:
    """Codes of units at every level, lowest first, each within the one above."""
    if not levels:
        raise BadOption("No level is given.", remedy="Pass at least one, such as {'school': labels}.")
    codes: list[IntArray] = []
    counts: list[int] = []
    above = np.zeros(n, dtype=np.int64)
    for name in reversed(list(levels)):
        _, own = coded(levels[name], n, f"Level {name!r}")
        _, nested = np.unique(above * (int(own.max(initial=0)) + 1) + own, return_inverse=True)
        above = nested.astype(np.int64)
        codes.insert(0, above)
        counts.insert(0, int(above.max(initial=-1)) + 1)
    names = list(levels)
    for at, count in enumerate(counts):
        below = n if at == 0 else counts[at - 1]
        if count >= below:
            raise BadOption(
                f"Every {names[at]} holds one {'person' if at == 0 else names[at - 1]}.",
                remedy=f"Leave out the level {names[at]!r}: its variance cannot be told from the one below.",
            )
    if counts[-1] < 2:
        raise BadOption(f"There is only one {names[-1]}.", remedy=f"Leave out the level {names[-1]!r}.")
    return codes, counts


def _of_units(values: npt.NDArray[Kind], codes: IntArray, count: int) -> npt.NDArray[Kind]:
    """The value that every unit's persons share."""
    found = np.empty(count, dtype=values.dtype)
    found[codes] = values
    return found


def _conditional_weights(weights: npt.ArrayLike | None, codes: list[IntArray], counts: list[int], n: int) -> list[FloatArray]:
    """Weights of persons and of every level's units, spread over persons, with mean 1 within the unit above."""
    given = np.ones((1, n)) if weights is None else np.atleast_2d(np.asarray(weights, dtype=np.float64))
    if given.shape not in ((1, n), (len(codes) + 1, n)):
        raise BadShape(f"weights have shape {given.shape}.", remedy=f"Pass (n,) or ({len(codes) + 1}, n).")
    if not np.isfinite(given).all() or (given <= 0).any():
        raise BadWeight("Some weights are not positive and finite.", remedy="Drop persons who weigh nothing.")
    if given.shape[0] == 1:
        final, given = given[0], np.empty((len(codes) + 1, n))
        given[0] = final
        for at, (code, count) in enumerate(zip(codes, counts, strict=True), start=1):
            given[at] = (np.bincount(code, weights=final, minlength=count) / np.bincount(code, minlength=count))[code]
    found = []
    for at, row in enumerate(given):
        unit = np.arange(n) if at == 0 else codes[at - 1]
        first = np.unique(unit, return_index=True)[1]
        if (row != row[first][unit]).any():
            raise BadWeight(f"Weights of row {at} differ within a unit.", remedy="Give all members their unit's weight.")
        parent = codes[at] if at < len(codes) else np.zeros(n, dtype=np.int64)
        total = np.bincount(parent[first], weights=row[first])
        found.append(row / (total / np.bincount(parent[first]))[parent])
    return found
