"""Loops over persons whose abilities are points, not nodes: modes, steps of chains, importance sampling.

The log posterior of a person is the sum of the log chances of the answers at z_j = a_j'theta and
the normal log density of the abilities.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edmeasure._loops import exact, exact_step
from edmeasure._validate import FloatArray, Int8Array, IntArray
from edmeasure.calibration._item_kernels import solve_in_place
from edmeasure.multidimensional._item_kernels import GRADED, IMPOSSIBLE, NEVER

MOST_STEPS = 50
SETTLED = 1e-9
WIDER = 1.15
PRIOR_SHARE = 0.125
LOG_2PI = 1.8378770664093453


class Items(NamedTuple):
    """Item parameters, and of the abilities' density the precision, a root of the correlations and the log constant."""

    families: IntArray
    starts: IntArray
    slopes: FloatArray
    intercepts: FloatArray
    precision: FloatArray
    root: FloatArray
    log_constant: float


@exact_step
def _softplus(x: float) -> float:
    """log(1 + exp(x)) without overflow."""
    return float(max(x, 0.0) + np.log1p(np.exp(-abs(x))))


@exact_step
def answer(family: int, z: float, x: int, start: int, stop: int, intercepts: FloatArray) -> tuple[float, float, float]:
    """Log P of answer x, its derivative by z and its negative second derivative."""
    if family == GRADED:
        above = start + x + 1
        while above < stop and intercepts[above] <= NEVER:
            above += 1
        value = 0.0
        by = 0.0
        bend = 0.0
        if x > 0:
            chance = 1.0 / (1.0 + np.exp(-(z + intercepts[start + x])))
            value -= _softplus(-(z + intercepts[start + x]))
            by += 1.0 - chance
            bend += chance * (1.0 - chance)
        if above < stop:
            chance = 1.0 / (1.0 + np.exp(-(z + intercepts[above])))
            value -= _softplus(z + intercepts[above])
            by -= chance
            bend += chance * (1.0 - chance)
        if x > 0 and above < stop:
            gap = intercepts[start + x] - intercepts[above]
            value = value + np.log(-np.expm1(-gap)) if gap > 0.0 else IMPOSSIBLE
        return float(value), float(by), float(bend)
    if stop - start == 2:
        eta = z + intercepts[start + 1]
        chance = 1.0 / (1.0 + np.exp(-eta))
        return float(x * eta - _softplus(eta)), float(x - chance), float(chance * (1.0 - chance))
    highest = 0.0
    for k in range(stop - start):
        highest = max(highest, k * z + intercepts[start + k])
    total = 0.0
    mean = 0.0
    square = 0.0
    for k in range(stop - start):
        weight = np.exp(k * z + intercepts[start + k] - highest)
        total += weight
        mean += k * weight
        square += k * k * weight
    mean /= total
    value = x * z + intercepts[start + x] - highest - np.log(total)
    return float(value), float(x - mean), float(square / total - mean * mean)


@exact_step
def _log_joint(row: Int8Array, items: Items, theta: FloatArray) -> float:
    """Log of chances times density."""
    n_dims = theta.shape[0]
    value = items.log_constant
    for d in range(n_dims):
        pull = 0.0
        for e in range(n_dims):
            pull += items.precision[d, e] * theta[e]
        value -= 0.5 * theta[d] * pull
    for j in range(row.shape[0]):
        if row[j] < 0:
            continue
        z = 0.0
        for d in range(n_dims):
            z += items.slopes[j, d] * theta[d]
        own, _by, _bend = answer(items.families[j], z, row[j], items.starts[j], items.starts[j + 1], items.intercepts)
        value += own
    return float(value)


@exact
def fill_modes(rows: Int8Array, items: Items, modes: FloatArray, roots: FloatArray) -> None:
    """Highest point of every person's posterior, and a root of the inverse of its curvature there (upper triangle)."""
    n_dims = modes.shape[1]
    gradient, step, trial = np.empty(n_dims), np.empty(n_dims), np.empty(n_dims)
    hessian = np.empty((n_dims, n_dims))
    for i in range(rows.shape[0]):
        theta = modes[i]
        value = _log_joint(rows[i], items, theta)
        for _step in range(MOST_STEPS):
            for d in range(n_dims):
                gradient[d] = 0.0
                for e in range(n_dims):
                    gradient[d] -= items.precision[d, e] * theta[e]
                    hessian[d, e] = items.precision[d, e]
            for j in range(rows.shape[1]):
                if rows[i, j] < 0:
                    continue
                z = 0.0
                for d in range(n_dims):
                    z += items.slopes[j, d] * theta[d]
                start, stop = items.starts[j], items.starts[j + 1]
                _own, by, bend = answer(items.families[j], z, rows[i, j], start, stop, items.intercepts)
                for d in range(n_dims):
                    gradient[d] += by * items.slopes[j, d]
                    for e in range(d + 1):
                        hessian[d, e] += bend * items.slopes[j, d] * items.slopes[j, e]
            for d in range(n_dims):
                step[d] = gradient[d]
            # leaves the lower Cholesky factor in place
            solve_in_place(hessian, step, n_dims)
            longest = 0.0
            for d in range(n_dims):
                longest = max(longest, abs(step[d]))
            if longest < SETTLED:
                break
            factor = min(1.0, 3.0 / longest)
            for _halving in range(30):
                for d in range(n_dims):
                    trial[d] = theta[d] + factor * step[d]
                reached = _log_joint(rows[i], items, trial)
                if reached >= value:
                    break
                factor *= 0.5
            if not reached >= value:
                break
            value = reached
            for d in range(n_dims):
                theta[d] = trial[d]
        for c in range(n_dims):
            for d in range(n_dims):
                roots[i, d, c] = 0.0
            roots[i, c, c] = 1.0 / hessian[c, c]
            for d in range(c - 1, -1, -1):
                total = 0.0
                for e in range(d + 1, c + 1):
                    total += hessian[e, d] * roots[i, e, c]
                roots[i, d, c] = -total / hessian[d, d]


@exact_step
def _normal_quantile(share: float) -> float:
    """Inverse of the normal distribution to seven digits (Wichura 1988, PPND7)."""
    away = share - 0.5
    if abs(away) <= 0.425:
        r = 0.180625 - away * away
        top = ((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179
        return float(away * top / (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0))
    r = np.sqrt(-np.log(max(min(share, 1.0 - share), 1e-15)))
    if r <= 5.0:
        r -= 1.6
        top = ((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777
        found = top / ((0.12021132975 * r + 0.73700164250) * r + 1.0)
    else:
        r -= 5.0
        top = ((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150
        found = top / ((0.012258202635 * r + 0.24197894225) * r + 1.0)
    return float(-found if away < 0.0 else found)


@exact_step
def _propose(is_prior: bool, normals: FloatArray, mode: FloatArray, root: FloatArray, items: Items, theta: FloatArray) -> None:
    """A point of the prior, or of the widened normal around a person's mode."""
    n_dims = theta.shape[0]
    for d in range(n_dims):
        total = 0.0
        for e in range(n_dims):
            total += (items.root[d, e] if is_prior else WIDER * root[d, e]) * normals[e]
        theta[d] = total if is_prior else mode[d] + total


@exact_step
def _log_proposal(mode: FloatArray, root: FloatArray, items: Items, theta: FloatArray, away: FloatArray) -> float:
    """Log density of the mixture of both (Hesterberg 1995)."""
    n_dims = theta.shape[0]
    near = -0.5 * n_dims * LOG_2PI - n_dims * np.log(WIDER)
    far = items.log_constant
    for d in range(n_dims - 1, -1, -1):
        total = theta[d] - mode[d]
        for e in range(d + 1, n_dims):
            total -= root[d, e] * away[e]
        away[d] = total / root[d, d]
        near -= np.log(root[d, d]) + 0.5 * away[d] * away[d] / (WIDER * WIDER)
        pull = 0.0
        for e in range(n_dims):
            pull += items.precision[d, e] * theta[e]
        far -= 0.5 * theta[d] * pull
    near += np.log(1.0 - PRIOR_SHARE)
    far += np.log(PRIOR_SHARE)
    highest = max(near, far)
    return float(highest + np.log(np.exp(near - highest) + np.exp(far - highest)))


@exact
def fill_log_weights(
    rows: Int8Array, items: Items, modes: FloatArray, roots: FloatArray, theta: FloatArray, values: FloatArray
) -> None:
    """Log posterior less log proposal density at every person's abilities."""
    away = np.empty(theta.shape[1])
    for i in range(rows.shape[0]):
        values[i] = _log_joint(rows[i], items, theta[i]) - _log_proposal(modes[i], roots[i], items, theta[i], away)


@exact
def jump(
    rows: Int8Array,
    items: Items,
    modes: FloatArray,
    roots: FloatArray,
    theta: FloatArray,
    values: FloatArray,
    normals: FloatArray,
    uniforms: FloatArray,
) -> int:
    """One independence Metropolis step of every person; ``values`` are log weights; how many moved."""
    n_dims = theta.shape[1]
    trial, away = np.empty(n_dims), np.empty(n_dims)
    moved = 0
    for i in range(rows.shape[0]):
        _propose(uniforms[i, 0] < PRIOR_SHARE, normals[i], modes[i], roots[i], items, trial)
        weight = _log_joint(rows[i], items, trial) - _log_proposal(modes[i], roots[i], items, trial, away)
        if weight - values[i] > np.log(uniforms[i, 1]):
            values[i] = weight
            moved += 1
            for d in range(n_dims):
                theta[i, d] = trial[d]
    return moved


@exact
def weigh(
    rows: Int8Array,
    items: Items,
    modes: FloatArray,
    roots: FloatArray,
    points: FloatArray,
    shifts: FloatArray,
    n_prior: int,
    logs: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
) -> None:
    """Marginal log-likelihood, posterior mean and covariance by importance sampling; the first points are the prior's.

    ``points`` are even in the unit cube (n_points, D); every person's are moved by the own ``shifts`` (n, D), round
    the edge (Cranley & Patterson 1976), so that errors of persons are independent.
    """
    n_points, n_dims = points.shape
    drawn, away, normals = np.empty((n_points, n_dims)), np.empty(n_dims), np.empty(n_dims)
    weights = np.empty(n_points)
    for i in range(rows.shape[0]):
        highest = -np.inf
        for m in range(n_points):
            for d in range(n_dims):
                share = points[m, d] + shifts[i, d]
                normals[d] = _normal_quantile(share - np.floor(share))
            _propose(m < n_prior, normals, modes[i], roots[i], items, drawn[m])
            weights[m] = _log_joint(rows[i], items, drawn[m]) - _log_proposal(modes[i], roots[i], items, drawn[m], away)
            highest = max(highest, weights[m])
        total = 0.0
        for m in range(n_points):
            weights[m] = np.exp(weights[m] - highest)
            total += weights[m]
        logs[i] = highest + np.log(total / n_points)
        for d in range(n_dims):
            first = 0.0
            for m in range(n_points):
                first += weights[m] * drawn[m, d]
            mean[i, d] = first / total
        for d in range(n_dims):
            for e in range(d + 1):
                cross = 0.0
                for m in range(n_points):
                    cross += weights[m] * (drawn[m, d] - mean[i, d]) * (drawn[m, e] - mean[i, e])
                covariance[i, d, e] = cross / total
                covariance[i, e, d] = cross / total
