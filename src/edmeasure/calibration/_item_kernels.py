"""Loops over nodes and categories of one item: its expected log-likelihood and the maximum (M-step)."""

from __future__ import annotations

import numpy as np

from edmeasure._loops import exact, exact_step
from edmeasure._validate import BoolArray, FloatArray

NEWTON_STEPS = 12
NEWTON_TOLERANCE = 1e-11
MOST_HALVINGS = 12


@exact_step
def solve_in_place(matrix: FloatArray, vector: FloatArray, size: int) -> bool:
    """Cholesky solve of a small positive definite system; False when it is not definite."""
    for r in range(size):
        for c in range(r + 1):
            total = matrix[r, c]
            for k in range(c):
                total -= matrix[r, k] * matrix[c, k]
            if r == c:
                if total <= 1e-14:
                    return False
                matrix[r, r] = np.sqrt(total)
            else:
                matrix[r, c] = total / matrix[c, c]
    for r in range(size):
        for k in range(r):
            vector[r] -= matrix[r, k] * vector[k]
        vector[r] /= matrix[r, r]
    for r in range(size - 1, -1, -1):
        for k in range(r + 1, size):
            vector[r] -= matrix[k, r] * vector[k]
        vector[r] /= matrix[r, r]
    return True


@exact
def objective(
    counts: FloatArray,
    nodes: FloatArray,
    slope: float,
    intercepts: FloatArray,
    usable: BoolArray,
    prior: FloatArray,
    gradient: FloatArray,
    hessian: FloatArray,
) -> float:
    """Expected complete log-likelihood of one item; fills its gradient and negative Hessian.

    Parameters are ordered slope, intercept 1..K (intercept 0 is fixed at zero); only the lower
    half of the Hessian is filled. ``prior`` holds the normal prior's mean and precision of the
    slope and precision of the intercepts.
    """
    n_categories = intercepts.shape[0]
    prob = np.empty(n_categories)
    for r in range(n_categories):
        gradient[r] = 0.0
        for c in range(r + 1):
            hessian[r, c] = 0.0
    value = 0.0
    for q in range(nodes.shape[0]):
        theta = nodes[q]
        highest = -1e300
        persons = 0.0
        for k in range(n_categories):
            persons += counts[k, q]
            prob[k] = slope * k * theta + intercepts[k]
            highest = max(highest, prob[k])
        if persons < 1e-300:
            continue
        total = 0.0
        for k in range(n_categories):
            value += counts[k, q] * (prob[k] - highest)
            prob[k] = np.exp(prob[k] - highest)
            total += prob[k]
        value -= persons * np.log(total)
        mean = 0.0
        square = 0.0
        for k in range(n_categories):
            prob[k] /= total
            mean += k * prob[k]
            square += k * k * prob[k]
        hessian[0, 0] += persons * theta * theta * (square - mean * mean)
        for k in range(1, n_categories):
            residual = counts[k, q] - persons * prob[k]
            gradient[0] += theta * k * residual
            if not usable[k]:
                continue
            gradient[k] += residual
            hessian[k, 0] += persons * theta * prob[k] * (k - mean)
            hessian[k, k] += persons * prob[k] * (1.0 - prob[k])
            for m in range(1, k):
                if usable[m]:
                    hessian[k, m] -= persons * prob[k] * prob[m]
    value -= 0.5 * prior[1] * (slope - prior[0]) ** 2
    gradient[0] -= prior[1] * (slope - prior[0])
    hessian[0, 0] += prior[1]
    for k in range(1, n_categories):
        if usable[k]:
            value -= 0.5 * prior[2] * intercepts[k] ** 2
            gradient[k] -= prior[2] * intercepts[k]
            hessian[k, k] += prior[2]
        else:
            hessian[k, k] = 1.0
    return float(value)


@exact
def maximize_item(
    counts: FloatArray,
    nodes: FloatArray,
    start_slope: float,
    intercepts: FloatArray,
    usable: BoolArray,
    prior: FloatArray,
) -> float:
    """Damped Newton ascent of one item; intercepts change in place, the slope is returned."""
    size = intercepts.shape[0]
    trial, step, gradient = np.empty(size), np.zeros(size), np.empty(size)
    hessian = np.empty((size, size))
    slope, value = start_slope, -np.inf
    factor, n_steps, n_halvings = 1.0, 0, 0
    while n_halvings < MOST_HALVINGS:
        trial_slope = slope + factor * step[0]
        trial[0] = 0.0
        for k in range(1, size):
            trial[k] = intercepts[k] + factor * step[k]
        trial_value = objective(counts, nodes, trial_slope, trial, usable, prior, gradient, hessian)
        if not trial_value >= value:
            factor *= 0.5
            n_halvings += 1
            continue
        slope, value = trial_slope, trial_value
        for k in range(1, size):
            intercepts[k] = trial[k]
        if n_steps == NEWTON_STEPS or not solve_in_place(hessian, gradient, size):
            break
        step, gradient = gradient, step
        largest = 0.0
        for k in range(size):
            largest = max(largest, abs(step[k]))
        if largest < NEWTON_TOLERANCE:
            break
        factor, n_halvings = min(1.0, 2.0 / largest), 0
        n_steps += 1
    return float(slope)
