"""Latent regression with optional group effects, solved on Gaussian summaries of likelihoods.

Every person's likelihood is summarised by the value z and error variance s^2 that give the same
posterior mean m and variance v under the current prior N(mu, sigma^2):
1/s^2 = 1/v - 1/sigma^2, z = s^2 (m/v - mu/sigma^2). Weighted least squares on z with weights
w/(sigma^2 + s^2) then has the stationary point of the exact EM equations (Mislevy 1984), and
needs a handful of quadrature passes instead of dozens. Group effects are absorbed, so thousands
of groups cost no more than ten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edmeasure import _linear
from edmeasure._validate import FloatArray, IntArray

SMALLEST_VARIANCE = 1e-4
FLATTEST = 1e-8
SCORING_STEPS = 4
VARIANCE_TOLERANCE = 1e-7
COLLINEAR = 1e-9


@dataclass(frozen=True, eq=False)
class Layout:
    """Centred design with person weights and group codes 0..G-1 (one group stands for none)."""

    design: FloatArray
    weights: FloatArray
    groups: IntArray
    n_groups: int
    is_random: bool
    node_step: float


@dataclass(eq=False)
class Effects:
    """Current coefficients, group effects and variances."""

    coefficients: FloatArray
    group_effects: FloatArray
    residual_variance: float
    group_variance: float

    def prior_mean(self, layout: Layout) -> FloatArray:
        fitted = _linear.combination(layout.design, self.coefficients)
        return np.asarray(fitted + self.group_effects[layout.groups])

    def prior_sd(self, layout: Layout) -> FloatArray:
        return np.full(layout.weights.size, np.sqrt(self.residual_variance))


@dataclass(frozen=True, eq=False)
class Solution:
    """One weighted least-squares solve with absorbed groups."""

    coefficients: FloatArray
    covariance_root: FloatArray
    group_precision: FloatArray
    group_means: FloatArray
    group_slopes: FloatArray

    def group_effects(self, coefficients: FloatArray) -> FloatArray:
        """Posterior means of the group effects given coefficients."""
        fitted = _linear.combination(self.group_slopes, coefficients)
        return np.asarray(self.group_means - fitted)


def group_sums(values: FloatArray, groups: IntArray, n_groups: int) -> FloatArray:
    """Sums of ``values`` (n,) per group, (n_groups,)."""
    return np.asarray(np.bincount(groups, weights=values, minlength=n_groups), dtype=np.float64)


def solve(layout: Layout, z: FloatArray, precision: FloatArray, effects: Effects) -> Solution:
    """Coefficients and group effects given per-person working values and precisions."""
    x, groups, n_groups = layout.design, layout.groups, layout.n_groups
    shrink = 1.0 / effects.group_variance if layout.is_random else 0.0
    group_precision = group_sums(precision, groups, n_groups) + shrink
    # a group whose members all weigh nothing still needs a finite effect
    group_precision = np.maximum(group_precision, FLATTEST)
    cross = np.empty((n_groups, x.shape[1]))
    for column in range(x.shape[1]):
        cross[:, column] = group_sums(precision * x[:, column], groups, n_groups)
    slopes = cross / group_precision[:, None]
    means = group_sums(precision * z, groups, n_groups) / group_precision
    gram = _linear.weighted_gram(x, precision) - _linear.weighted_gram(cross, 1.0 / group_precision)
    moment = _linear.weighted_moment(x, precision * z) - _linear.weighted_moment(cross, means)
    root = _inverse_root(gram)
    coefficients = _linear.combination(root, _linear.weighted_moment(root, moment))
    return Solution(coefficients, root, group_precision, means, slopes)


def _inverse_root(gram: FloatArray) -> FloatArray:
    """R with R R' = gram^-1 on its range: collinear columns get no effect, not an error."""
    if gram.shape[0] == 0:
        return gram
    scale = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    values, vectors = _linear.eigen(gram / np.outer(scale, scale))
    usable = values > COLLINEAR * max(values[0], 1.0)
    root = vectors[:, usable] / np.sqrt(values[usable])
    return np.ascontiguousarray(root / scale[:, None])


def working_values(
    layout: Layout, mean: FloatArray, variance: FloatArray, prior_mean: FloatArray, residual_variance: float
) -> tuple[FloatArray, FloatArray]:
    """Gaussian summary (z, s^2) of every person's likelihood."""
    # a posterior narrower than the quadrature can tell would have variance zero
    resolved = np.maximum(variance, layout.node_step**2 / 12)
    sharpness = np.maximum(1.0 / resolved - 1.0 / residual_variance, FLATTEST)
    error = 1.0 / sharpness
    return error * (mean / resolved - prior_mean / residual_variance), error


def refine(layout: Layout, z: FloatArray, error: FloatArray, effects: Effects) -> Effects:
    """A few scoring steps for coefficients and variances on the Gaussian summaries.

    Residual variance: sum w [q^2 (r^2 + Var u) - q] = 0 with q = 1 / (sigma^2 + s^2); group
    variance: sum e^2 - t = 0 over groups with t = S / (1 + tau^2 S), e = (sum p r) / (1 + tau^2 S),
    S = sum p. Both are the stationary equations of EM.
    """
    current = effects
    w = layout.weights
    for _ in range(SCORING_STEPS):
        q = 1.0 / (current.residual_variance + error)
        solution = solve(layout, z, w * q, current)
        following = Effects(
            solution.coefficients,
            solution.group_effects(solution.coefficients),
            current.residual_variance,
            current.group_variance,
        )
        spread = (z - following.prior_mean(layout)) ** 2
        if layout.is_random:
            spread += (1.0 / solution.group_precision)[layout.groups]
            following.group_variance = _scored_group_variance(solution, following)
        step = float(np.sum(w * q * (q * spread - 1.0)) / np.sum(w * q * q))
        following.residual_variance = max(_bounded(current.residual_variance, step), layout.node_step**2)
        moved = abs(following.residual_variance - current.residual_variance) + abs(
            following.group_variance - current.group_variance
        )
        current = following
        if moved < VARIANCE_TOLERANCE:
            break
    return current


def _scored_group_variance(solution: Solution, effects: Effects) -> float:
    tau = effects.group_variance
    total = solution.group_precision - 1.0 / tau
    sharpness = total / (1.0 + tau * total)
    score = (effects.group_effects / tau) ** 2 - sharpness
    return _bounded(tau, float(score.sum() / np.sum(sharpness**2)))


def _bounded(variance: float, step: float) -> float:
    """The stepped variance, never more than a factor of four away and never zero."""
    return max(min(max(variance + step, variance / 4), variance * 4), SMALLEST_VARIANCE)
