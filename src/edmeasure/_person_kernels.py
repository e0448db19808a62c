"""Numba loops that score persons: posterior moments, weighted likelihood, plausible draws."""

# mypy: disable-error-code="untyped-decorator"
from __future__ import annotations

import numpy as np
from numba import njit, prange

from edmeasure._kernels import TINY, _person_posterior
from edmeasure._validate import FloatArray, Int8Array, IntArray

NEWTON_STEPS = 60
STEP_TOLERANCE = 1e-9


@njit(parallel=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def posterior_moments(
    codes: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
    row_start: IntArray,
    skip_code: IntArray,
    table: FloatArray,
    row_scale: FloatArray,
    nodes: FloatArray,
    prior_mean: FloatArray,
    prior_sd: FloatArray,
    n_chunks: int,
    mean: FloatArray,
    variance: FloatArray,
    loglik: FloatArray,
) -> None:
    """Posterior mean, variance and log marginal likelihood of every person under N(mean, sd)."""
    n = codes.shape[0]
    n_nodes = nodes.shape[0]
    for chunk in prange(n_chunks):
        prior = np.empty(n_nodes)
        posterior = np.empty(n_nodes)
        used_mean = np.nan
        used_sd = np.nan
        for i in range(chunk * n // n_chunks, (chunk + 1) * n // n_chunks):
            if prior_mean[i] != used_mean or prior_sd[i] != used_sd:
                used_mean = prior_mean[i]
                used_sd = prior_sd[i]
                total = 0.0
                for q in range(n_nodes):
                    z = (nodes[q] - used_mean) / used_sd
                    prior[q] = np.exp(-0.5 * z * z)
                    total += prior[q]
                for q in range(n_nodes):
                    prior[q] /= max(total, TINY)
            total, scale = _person_posterior(codes[i], row_start, skip_code, table, row_scale, prior, posterior)
            total = max(total, TINY)
            first = 0.0
            for q in range(n_nodes):
                first += posterior[q] * nodes[q]
            first /= total
            second = 0.0
            for q in range(n_nodes):
                second += posterior[q] * (nodes[q] - first) * (nodes[q] - first)
            mean[i] = first
            variance[i] = second / total
            loglik[i] = np.log(total) + scale


@njit(parallel=True, cache=True)
def draw_abilities(
    codes: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
    row_start: IntArray,
    skip_code: IntArray,
    table: FloatArray,
    row_scale: FloatArray,
    nodes: FloatArray,
    prior_mean: FloatArray,
    prior_sd: FloatArray,
    uniforms: FloatArray,
    drawn: FloatArray,
) -> None:
    """One draw per person from its posterior, by inversion of a log-linear interpolation.

    The density between two nodes is taken as exponential, so draws are continuous and the
    moments of a smooth posterior are kept.
    """
    n_nodes = nodes.shape[0]
    step = nodes[1] - nodes[0]
    for i in prange(codes.shape[0]):
        prior = np.empty(n_nodes)
        density = np.empty(n_nodes)
        for q in range(n_nodes):
            z = (nodes[q] - prior_mean[i]) / prior_sd[i]
            prior[q] = np.exp(-0.5 * z * z)
        _person_posterior(codes[i], row_start, skip_code, table, row_scale, prior, density)
        mass = 0.0
        for q in range(n_nodes - 1):
            mass += 0.5 * (density[q] + density[q + 1])
        target = uniforms[i] * mass
        q = 0
        cell = 0.5 * (density[0] + density[1])
        while q < n_nodes - 2 and target > cell:
            target -= cell
            q += 1
            cell = 0.5 * (density[q] + density[q + 1])
        share = min(1.0, target / max(cell, 1e-300))
        low = max(density[q], 1e-300)
        high = max(density[q + 1], 1e-300)
        ratio = np.log(high / low)
        if abs(ratio) > 1e-9:
            share = np.log1p(share * np.expm1(ratio)) / ratio
        drawn[i] = nodes[q] + step * share


@njit(cache=True)
def _warm_equation(
    answers: Int8Array,
    theta: float,
    slopes: FloatArray,
    intercepts: FloatArray,
    category_start: IntArray,
) -> tuple[float, float, float]:
    """Warm's estimating function, its derivative, and the test information at ``theta``."""
    score = 0.0
    information = 0.0
    third = 0.0
    fourth = 0.0
    for j in range(answers.shape[0]):
        x = np.float64(answers[j])
        if x < 0.0:
            continue
        a = slopes[j]
        first = category_start[j]
        n_categories = category_start[j + 1] - first
        if n_categories == 2:
            p = 1.0 / (1.0 + np.exp(-(a * theta + intercepts[first + 1])))
            v = p * (1.0 - p)
            score += a * (x - p)
            information += a * a * v
            third += a * a * a * v * (1.0 - 2.0 * p)
            fourth += a * a * a * a * v * (1.0 - 6.0 * v)
            continue
        highest = -1e300
        for k in range(n_categories):
            highest = max(highest, a * k * theta + intercepts[first + k])
        total = 0.0
        mean = 0.0
        for k in range(n_categories):
            p = np.exp(a * k * theta + intercepts[first + k] - highest)
            total += p
            mean += k * p
        mean /= total
        v = 0.0
        m3 = 0.0
        m4 = 0.0
        for k in range(n_categories):
            p = np.exp(a * k * theta + intercepts[first + k] - highest) / total
            c = k - mean
            v += p * c * c
            m3 += p * c * c * c
            m4 += p * c * c * c * c
        score += a * (x - mean)
        information += a * a * v
        third += a * a * a * m3
        fourth += a * a * a * a * (m4 - 3.0 * v * v)
    if information <= 0.0:
        return score, 0.0, 0.0
    value = score + third / (2.0 * information)
    slope = -information + fourth / (2.0 * information) - third * third / (2.0 * information * information)
    return value, slope, information


@njit(parallel=True, cache=True)
def warm_scores(
    scores: Int8Array,
    slopes: FloatArray,
    intercepts: FloatArray,
    category_start: IntArray,
    start: FloatArray,
    bound: float,
    theta: FloatArray,
    se: FloatArray,
) -> None:
    """Weighted likelihood estimates by bracketed Newton; NaN where no item was answered."""
    for i in prange(scores.shape[0]):
        low = -bound
        high = bound
        current = start[i]
        information = 0.0
        slope = 0.0
        for _step in range(NEWTON_STEPS):
            value, slope, information = _warm_equation(scores[i], current, slopes, intercepts, category_start)
            if information <= 0.0:
                break
            if value > 0.0:
                low = current
            else:
                high = current
            following = current - value / slope if slope < 0.0 else 0.5 * (low + high)
            if following <= low or following >= high:
                following = 0.5 * (low + high)
            moved = abs(following - current)
            current = following
            if moved < STEP_TOLERANCE:
                break
        if information > 0.0:
            theta[i] = current
            se[i] = 1.0 / np.sqrt(-slope if slope < 0.0 else information)
        else:
            theta[i] = np.nan
            se[i] = np.nan
