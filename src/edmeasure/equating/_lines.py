"""Equating lines from moments of total and anchor, with errors by the delta method.

Moments are (mean x, mean v, var x, cov xv, var v). Formulas: Kolen & Brennan (2014, ch. 2 and 4);
errors use the moments' sampling covariance without the assumption of normal scores.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edmeasure._validate import FloatArray
from edmeasure.errors import BadOption

Line = Callable[[FloatArray, FloatArray], tuple[float, float]]
STEP = 1e-6


def moments(table: FloatArray) -> FloatArray:
    """Means and (n - 1)-variances of a table of counts, (K + 1, L + 1)."""
    n = table.sum()
    x, v = np.arange(table.shape[0]), np.arange(table.shape[1])
    mean_x, mean_v = table.sum(axis=1) @ x / n, table.sum(axis=0) @ v / n
    from_x, from_v = x - mean_x, v - mean_v
    squares = [table.sum(axis=1) @ from_x**2, from_x @ table @ from_v, table.sum(axis=0) @ from_v**2]
    return np.array([mean_x, mean_v, *(np.array(squares) / (n - 1))])


def moment_covariance(table: FloatArray) -> FloatArray:
    """Sampling covariance of `moments` from third and fourth central moments."""
    n = table.sum()
    x, v = np.indices(table.shape)
    mean_x, mean_v, *squares = moments(table)
    from_x, from_v = x - mean_x, v - mean_v
    var_x, cov, var_v = np.array(squares) * (n - 1) / n
    influence = np.array([from_x, from_v, from_x**2 - var_x, from_x * from_v - cov, from_v**2 - var_v]).reshape(5, -1)
    return np.asarray((influence * table.ravel()) @ influence.T / n**2)


def mean_line(own: FloatArray, other: FloatArray) -> tuple[float, float]:
    """Intercept and slope of mean equating."""
    return float(other[0] - own[0]), 1.0


def linear_line(own: FloatArray, other: FloatArray) -> tuple[float, float]:
    """Equal mean and standard deviation in groups drawn alike."""
    slope = float(np.sqrt(other[2] / own[2]))
    return float(other[0] - slope * own[0]), slope


def chained_line(own: FloatArray, other: FloatArray) -> tuple[float, float]:
    """X to the anchor in one group, the anchor to Y in the other."""
    onto_anchor, from_anchor = np.sqrt(own[4] / own[2]), np.sqrt(other[2] / other[4])
    slope = float(onto_anchor * from_anchor)
    return float(other[0] + from_anchor * (own[1] - other[1]) - slope * own[0]), slope


def tucker_line(own_weight: float) -> Line:
    """The regression of the total on the anchor is the same in both groups (Gulliksen 1950)."""

    def line(own: FloatArray, other: FloatArray) -> tuple[float, float]:
        return _synthetic(own, other, own[3] / own[4], other[3] / other[4], own_weight)

    return line


def levine_line(own_weight: float, internal_anchor: bool) -> Line:
    """Observed-score Levine (1955): true scores of total and anchor are congeneric."""

    def ratio(m: FloatArray) -> float:
        return float(m[2] / m[3] if internal_anchor else (m[2] + m[3]) / (m[4] + m[3]))

    def line(own: FloatArray, other: FloatArray) -> tuple[float, float]:
        return _synthetic(own, other, ratio(own), ratio(other), own_weight)

    return line


def _synthetic(own: FloatArray, other: FloatArray, own_gamma: float, other_gamma: float, w: float) -> tuple[float, float]:
    """Line through the moments of both totals in the population w P + (1 - w) Q."""
    ability, spread = own[1] - other[1], own[4] - other[4]
    mean_own = own[0] - (1 - w) * own_gamma * ability
    mean_other = other[0] + w * other_gamma * ability
    var_own = own[2] - (1 - w) * own_gamma**2 * (spread - w * ability**2)
    var_other = other[2] + w * other_gamma**2 * (spread + (1 - w) * ability**2)
    if not (var_own > 0 and var_other > 0):
        raise BadOption(
            "The totals have no positive variance in the synthetic population.",
            remedy="The anchor says too little about the totals; use a chained method or a better anchor.",
        )
    slope = float(np.sqrt(var_other / var_own))
    return float(mean_other - slope * mean_own), slope


def line_errors(line: Line, own: FloatArray, other: FloatArray, scores: FloatArray) -> FloatArray:
    """Standard errors of a line at these scores, from the counts of both forms."""
    means = moments(own), moments(other)
    gradients = []
    for side in range(2):
        gradient = np.zeros((scores.size, 5))
        for at in range(5):
            step = STEP * max(1.0, abs(means[side][at]))
            ends = []
            for sign in (1, -1):
                shifted = [means[0].copy(), means[1].copy()]
                shifted[side][at] += sign * step
                intercept, slope = line(shifted[0], shifted[1])
                ends.append(intercept + slope * scores)
            gradient[:, at] = (ends[0] - ends[1]) / (2 * step)
        gradients.append(gradient)
    variance = sum(
        np.einsum("xi,ij,xj->x", gradient, moment_covariance(table), gradient)
        for gradient, table in zip(gradients, (own, other), strict=True)
    )
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))
