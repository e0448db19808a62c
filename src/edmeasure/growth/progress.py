"""Growth of pupils and schools: growth percentiles, what it takes to reach a standard, value added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BSpline
from scipy.optimize import minimize_scalar

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.errors import BadOption, BadShape
from edmeasure.growth._quantile_regression import quantile_coefficients

TAUS = (np.arange(100) + 0.5) / 100
KNOTS = (0.2, 0.4, 0.6, 0.8)
CUBIC = 3
ROOM = 0.1
FEWEST_PER_COEFFICIENT = 10
NORMAL_95 = 1.959963984540054
NO_SPREAD = 1e-8
EVEN = 1e-5


@dataclass(frozen=True, eq=False)
class GrowthModel(Exported):
    """Quantiles of the later score given earlier scores (Betebenner 2009).

    Attributes
    ----------
    percentiles : int64 (n,)
        Growth percentile 1..99 of every person of the fit.
    coefficients : float64 (100, p)
        Of the quantiles 0.005, 0.015 .. 0.995 on the spline basis.
    knots : tuple of float64
        Knots of every earlier score, boundaries first and last.
    """

    percentiles: IntArray
    coefficients: FloatArray
    knots: tuple[FloatArray, ...]

    def quantiles(self, prior: npt.ArrayLike) -> FloatArray:
        """Predicted quantiles of the later score, (n, 100), sorted so that they do not cross."""
        return np.sort(_basis(_matrix(prior), self.knots) @ self.coefficients.T, axis=1)

    def percentiles_of(self, current: npt.ArrayLike, prior: npt.ArrayLike) -> IntArray:
        """Growth percentiles 1..99 of other persons; earlier scores outside the fit's range count as its ends."""
        predicted = self.quantiles(prior)
        later = _validate.float_vector(current, predicted.shape[0], "current")
        # fitted quantiles pass through some persons, through several quantiles at the ends: they get the middle
        room = EVEN * (predicted[:, -1] - predicted[:, 0]) + np.abs(later) * np.finfo(np.float64).eps
        below = (predicted < (later - room)[:, None]).sum(axis=1)
        reached = (predicted <= (later + room)[:, None]).sum(axis=1)
        return np.asarray(np.clip((below + reached + 1) // 2, 1, 99), dtype=np.int64)

    def percentile_needed(self, target: npt.ArrayLike, prior: npt.ArrayLike) -> IntArray:
        """Growth to standard: the percentile at which these earlier scores lead to ``target``; 100 is out of reach."""
        predicted = self.quantiles(prior)
        aim = _validate.float_vector(target, predicted.shape[0], "target")
        return np.asarray(np.clip((predicted < aim[:, None]).sum(axis=1) + 1, 1, 100), dtype=np.int64)

    def _columns(self) -> Mapping[str, object]:
        return {"percentile": self.percentiles}

    def __str__(self) -> str:
        low, middle, high = np.percentile(self.percentiles, [25, 50, 75])
        return (
            f"growth percentiles of {self.percentiles.size:,} persons from {len(self.knots)} earlier scores: "
            f"quartiles {low:.0f}, {middle:.0f}, {high:.0f}"
        )


def growth_percentiles(current: npt.ArrayLike, prior: npt.ArrayLike, *, knots: Sequence[float] = KNOTS) -> GrowthModel:
    """Where everybody's later score stands among persons with the same earlier scores.

    Parameters
    ----------
    current : (n,)
    prior : (n,) or (n, k)
        Earlier scores, the last one first or last as you like; complete.
    knots
        Quantiles of every earlier score at which the cubic splines are joined.

    Notes
    -----
    The percentile of one pupil has an error of 15 points and more when tests have the usual
    reliability: report it by thirds, or as the median of a class.
    """
    earlier = _matrix(prior)
    later = _validate.float_vector(current, earlier.shape[0], "current")
    if later.min() == later.max():
        raise BadOption("The later score is the same for everybody.", remedy="Pass scores that differ.")
    places = tuple(_knots(column, knots) for column in earlier.T)
    design = _basis(earlier, places)
    if later.size < FEWEST_PER_COEFFICIENT * design.shape[1]:
        raise BadShape(
            f"{later.size} persons for {design.shape[1]} coefficients.",
            remedy="Use fewer knots, fewer earlier scores, or a larger reference group.",
        )
    model = GrowthModel(np.empty(0, dtype=np.int64), quantile_coefficients(design, later, TAUS), places)
    return GrowthModel(model.percentiles_of(later, earlier), model.coefficients, places)


@dataclass(frozen=True, eq=False)
class ValueAdded(Exported):
    """Group effects on an outcome at equal background; arrays run over groups, sorted by label.

    Attributes
    ----------
    effect : float64 (G,)
        Shrunken effect: (reliability) x (mean residual).
    standard_error : float64 (G,)
        Of effect minus true effect, with the error of the coefficients and of measurement.
    residual : float64 (G,)
        Mean residual before shrinkage.
    reliability : float64 (G,)
        n v / (n v + w) with v the variance between and w within groups.
    n : int64 (G,)
    between, within : float
        Standard deviations of group effects and of persons in a group.
    coefficients, coefficient_errors : float64 (p + 1,)
        Constant first.
    """

    labels: npt.NDArray[np.generic]
    effect: FloatArray
    standard_error: FloatArray
    residual: FloatArray
    reliability: FloatArray
    n: IntArray
    between: float
    within: float
    coefficients: FloatArray
    coefficient_errors: FloatArray

    @property
    def interval(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper ends of 95 % intervals."""
        half = NORMAL_95 * self.standard_error
        return self.effect - half, self.effect + half

    @property
    def is_distinct(self) -> BoolArray:
        """Groups whose interval leaves out 0, the average group."""
        return np.asarray(np.abs(self.effect) > NORMAL_95 * self.standard_error)

    def _columns(self) -> Mapping[str, object]:
        return {
            "label": self.labels,
            **{name: getattr(self, name) for name in ("effect", "standard_error", "residual", "reliability", "n")},
        }

    def __str__(self) -> str:
        share = self.between**2 / max(self.between**2 + self.within**2, 1e-300)
        return (
            f"{self.n.size} groups: sd between {self.between:.3g} ({share:.1%} of the variance left), "
            f"median reliability {np.median(self.reliability):.2f}, {int(self.is_distinct.sum())} distinct from the average"
        )


def value_added(
    outcome: npt.ArrayLike,
    *,
    groups: npt.ArrayLike,
    background: npt.ArrayLike | None = None,
) -> ValueAdded:
    """Effects of schools or classes at equal earlier scores and background, shrunken towards 0.

    The random-intercept model y = b'x + u_group + e by restricted maximum likelihood; effects are
    best linear unbiased predictions (Raudenbush & Bryk 2002, ch. 3).

    Parameters
    ----------
    outcome : (n,) or (m, n)
        Later scores, or m plausible values of them, combined by Rubin's (1987) rules.
    groups : (n,)
    background : (n, p), optional
        Earlier scores and what else pupils bring with them. Earlier scores measured with error
        leave some of the intake in the effects: use several, or their plausible-value mean.
    """
    values = _validate.value_matrix(outcome)
    labels, codes = _validate.group_codes(groups, values.shape[1])
    design = np.concatenate([np.ones((values.shape[1], 1)), _validate.design_matrix(background, values.shape[1])], axis=1)
    sizes = np.bincount(codes).astype(np.float64)
    if labels.size < 3 or values.shape[1] <= labels.size + design.shape[1]:
        raise BadShape(
            f"{labels.size} groups, {values.shape[1]} persons, {design.shape[1]} coefficients.",
            remedy="Use at least three groups and more persons than groups and coefficients.",
        )
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise BadOption("Columns of the background depend on each other.", remedy="Drop the repeated ones.")
    basis = np.linalg.qr(design)[0]
    unexplained = values - values @ basis @ basis.T
    if (np.abs(unexplained).max(axis=1) <= NO_SPREAD * np.abs(values).max(axis=1)).any():
        raise BadOption(
            "The background explains the outcome wholly.", remedy="Pass an outcome that the background does not hold."
        )
    fits = [_random_intercepts(y, design, codes, sizes) for y in values]
    effects = np.array([fit.effect for fit in fits])
    coefficients = np.array([fit.coefficients for fit in fits])
    return ValueAdded(
        labels=labels,
        effect=effects.mean(axis=0),
        standard_error=np.sqrt(_combined(effects, np.array([fit.variance for fit in fits]))),
        residual=np.mean([fit.residual for fit in fits], axis=0),
        reliability=np.mean([fit.reliability for fit in fits], axis=0),
        n=sizes.astype(np.int64),
        between=float(np.sqrt(np.mean([fit.between for fit in fits]))),
        within=float(np.sqrt(np.mean([fit.within for fit in fits]))),
        coefficients=coefficients.mean(axis=0),
        coefficient_errors=np.sqrt(_combined(coefficients, np.array([fit.coefficient_variance for fit in fits]))),
    )


@dataclass(frozen=True, eq=False)
class _Intercepts:
    """One outcome's fit; ``between`` and ``within`` are variances."""

    effect: FloatArray
    variance: FloatArray
    residual: FloatArray
    reliability: FloatArray
    between: float
    within: float
    coefficients: FloatArray
    coefficient_variance: FloatArray


def _random_intercepts(y: FloatArray, design: FloatArray, codes: IntArray, sizes: FloatArray) -> _Intercepts:
    """REML over the ratio of variances; everything needed is sums over groups."""
    means = np.stack([np.bincount(codes, weights=column) for column in design.T], axis=1) / sizes[:, None]
    y_means = np.bincount(codes, weights=y) / sizes
    products, with_y, squares = design.T @ design, design.T @ y, float(y @ y)
    freedom = y.size - design.shape[1]

    def solved(ratio: float) -> tuple[FloatArray, FloatArray, FloatArray, float]:
        reliability = sizes * ratio / (1 + sizes * ratio)
        taken = reliability * sizes
        inside = products - means.T @ (taken[:, None] * means)
        right = with_y - means.T @ (taken * y_means)
        beta: FloatArray = np.asarray(np.linalg.solve(inside, right), dtype=np.float64)
        return beta, inside, reliability, squares - float(taken @ y_means**2) - float(right @ beta)

    def deviance(log_ratio: float) -> float:
        ratio = float(np.exp(log_ratio))
        _, inside, _, rest = solved(ratio)
        return float(freedom * np.log(rest) + np.log1p(sizes * ratio).sum() + np.linalg.slogdet(inside)[1])

    grid = np.linspace(-18.0, 8.0, 53)
    at = int(np.argmin([deviance(one) for one in grid]))
    found = minimize_scalar(
        deviance, bounds=(grid[max(at - 1, 0)], grid[min(at + 1, 52)]), method="bounded", options={"xatol": 1e-10}
    )
    ratio = 0.0 if at == 0 or np.exp(found.x) < NO_SPREAD else float(np.exp(found.x))
    beta, inside, reliability, rest = solved(ratio)
    within = rest / freedom
    inverse = np.linalg.inv(inside) * within
    residual = y_means - means @ beta
    from_beta = reliability**2 * np.einsum("gp,pq,gq->g", means, inverse, means)
    return _Intercepts(
        effect=reliability * residual,
        variance=ratio * within * (1 - reliability) + from_beta,
        residual=residual,
        reliability=reliability,
        between=ratio * within,
        within=within,
        coefficients=beta,
        coefficient_variance=np.diag(inverse),
    )


def _combined(estimates: FloatArray, variances: FloatArray) -> FloatArray:
    """Rubin's rule: mean variance plus (1 + 1/m) times the variance between plausible values."""
    m = estimates.shape[0]
    between = estimates.var(axis=0, ddof=1) if m > 1 else np.zeros(estimates.shape[1])
    return np.asarray(variances.mean(axis=0) + (1 + 1 / m) * between)


def _matrix(prior: npt.ArrayLike) -> FloatArray:
    given = np.asarray(prior, dtype=np.float64)
    given = given[:, None] if given.ndim == 1 else given
    if given.ndim != 2 or given.shape[1] == 0:
        raise BadShape(f"prior has shape {given.shape}.", remedy="Pass (n,) or (n, k) earlier scores.")
    return _validate.design_matrix(given, given.shape[0])


def _knots(column: FloatArray, quantiles: Sequence[float]) -> FloatArray:
    """Boundaries a tenth of the range outside, and the distinct quantiles between."""
    low, high = float(column.min()), float(column.max())
    if not high > low:
        raise BadOption("An earlier score is the same for everybody.", remedy="Leave that score out.")
    inner = np.unique(np.quantile(column, quantiles)) if len(quantiles) else np.empty(0)
    inner = inner[(inner > low) & (inner < high)]
    return np.array([low - ROOM * (high - low), *inner, high + ROOM * (high - low)])


def _basis(earlier: FloatArray, knots: tuple[FloatArray, ...]) -> FloatArray:
    """Constant, and cubic B-splines of every earlier score without the first."""
    if earlier.shape[1] != len(knots):
        raise BadShape(f"{earlier.shape[1]} earlier scores, the model has {len(knots)}.", remedy="Pass the same ones.")
    blocks = [np.ones((earlier.shape[0], 1))]
    for column, places in zip(earlier.T, knots, strict=True):
        full = np.concatenate([[places[0]] * CUBIC, places, [places[-1]] * CUBIC])
        inside = np.clip(column, places[0], places[-1])
        blocks.append(BSpline.design_matrix(inside, full, CUBIC).toarray()[:, 1:])
    return np.concatenate(blocks, axis=1)
