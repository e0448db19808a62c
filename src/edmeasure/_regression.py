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

from edmeasure._validate import FloatArray, IntArray

SMALLEST_VARIANCE = 1e-4
FLATTEST = 1e-8
VARIANCE_STEPS = 200
COLLINEAR = 1e-9


@dataclass(frozen=True, eq=False)
class Layout:
    """Centred design with person weights and (optionally) group codes 0..G-1."""

    design: FloatArray
    weights: FloatArray
    groups: IntArray | None
    n_groups: int
    is_random: bool


@dataclass(eq=False)
class Effects:
    """Current coefficients, group effects and variances."""

    coefficients: FloatArray
    group_effects: FloatArray
    residual_variance: float
    group_variance: float

    def prior_mean(self, layout: Layout) -> FloatArray:
        mean = layout.design @ self.coefficients
        if layout.groups is not None:
            mean = mean + self.group_effects[layout.groups]
        return np.asarray(mean)


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
        return np.asarray(self.group_means - self.group_slopes @ coefficients)


def group_sums(values: FloatArray, groups: IntArray, n_groups: int) -> FloatArray:
    """Column sums per group, (n_groups, n_columns)."""
    if values.ndim == 1:
        return np.bincount(groups, weights=values, minlength=n_groups)
    return np.stack(
        [np.bincount(groups, weights=column, minlength=n_groups) for column in values.T], axis=1
    ) if values.shape[1] else np.empty((n_groups, 0))


def solve(layout: Layout, z: FloatArray, precision: FloatArray, effects: Effects) -> Solution:
    """Coefficients and group effects given per-person working values and precisions."""
    x = layout.design
    weighted = x * precision[:, None]
    gram = weighted.T @ x
    moment = weighted.T @ z
    if layout.groups is None:
        group_precision = np.empty(0)
        means = np.empty(0)
        slopes = np.empty((0, x.shape[1]))
    else:
        shrink = 1.0 / effects.group_variance if layout.is_random else 0.0
        group_precision = group_sums(precision, layout.groups, layout.n_groups) + shrink
        cross = group_sums(weighted, layout.groups, layout.n_groups)
        totals = group_sums(precision * z, layout.groups, layout.n_groups)
        slopes = cross / group_precision[:, None]
        means = totals / group_precision
        gram = gram - cross.T @ slopes
        moment = moment - cross.T @ means
    root = _inverse_root(gram)
    return Solution(root @ (root.T @ moment), root, group_precision, means, slopes)


def _inverse_root(gram: FloatArray) -> FloatArray:
    """R with R R' = gram^-1 on its range: collinear columns get no effect, not an error."""
    if gram.shape[0] == 0:
        return gram
    scale = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    values, vectors = np.linalg.eigh(gram / np.outer(scale, scale))
    usable = values > COLLINEAR * max(values[-1], 1.0)
    root = vectors[:, usable] / np.sqrt(values[usable])
    return np.asarray(root / scale[:, None])


def working_values(
    mean: FloatArray, variance: FloatArray, prior_mean: FloatArray, residual_variance: float
) -> tuple[FloatArray, FloatArray]:
    """Gaussian summary (z, s^2) of every person's likelihood."""
    sharpness = np.maximum(1.0 / variance - 1.0 / residual_variance, FLATTEST)
    error = 1.0 / sharpness
    return error * (mean / variance - prior_mean / residual_variance), error


def refine(layout: Layout, z: FloatArray, error: FloatArray, effects: Effects) -> Effects:
    """Coefficients and variances that fit the Gaussian summaries (EM on the variances)."""
    current = effects
    weights = layout.weights
    total = weights.sum()
    for _ in range(VARIANCE_STEPS):
        residual_variance = current.residual_variance
        precision = weights / (residual_variance + error)
        solution = solve(layout, z, precision, current)
        group_effects = (
            solution.group_effects(solution.coefficients)
            if layout.groups is not None
            else np.empty(0)
        )
        following = Effects(
            solution.coefficients, group_effects, residual_variance, current.group_variance
        )
        residual = z - following.prior_mean(layout)
        ratio = residual_variance / (residual_variance + error)
        spread = ratio * error + (ratio * residual) ** 2
        if layout.groups is not None and layout.is_random:
            uncertainty = 1.0 / solution.group_precision
            spread = spread + ratio**2 * uncertainty[layout.groups]
            following.group_variance = max(
                float(np.mean(group_effects**2 + uncertainty)), SMALLEST_VARIANCE
            )
        following.residual_variance = max(float(weights @ spread / total), SMALLEST_VARIANCE)
        moved = abs(following.residual_variance - residual_variance) + abs(
            following.group_variance - current.group_variance
        )
        current = following
        if moved < 1e-10:
            break
    return current
