"""Loops of models with one general and many specific abilities, at the cost of two abilities.

Given the general ability the specific ones are independent, so every specific one is summed out by
itself (Gibbons & Hedeker 1992), once per distinct pattern of answers to its items. Tables of a
specific ability's items have rows over (general, specific) nodes, the specific fastest.
"""

from __future__ import annotations

import numpy as np

from edmeasure._loops import exact, reordered, reordered_step
from edmeasure._validate import FloatArray, IntArray
from edmeasure.calibration._pattern_kernels import Codes
from edmeasure.multidimensional._grid_kernels import TINY, Blocks, block_likelihood


@reordered
def sum_out(
    codes: Codes,
    blocks: Blocks,
    likelihood: FloatArray,
    log_scale: FloatArray,
    inner: FloatArray,
    marginal: FloatArray,
    scale: FloatArray,
) -> None:
    """Likelihood of every pattern at every general node, scaled to maximum 1, and the log scales.

    ``inner`` are the weights of the specific nodes.
    """
    n_outer, n_inner = marginal.shape[1], inner.shape[0]
    own = np.empty(n_outer * n_inner)
    for u in range(codes.shape[0]):
        found, taken = block_likelihood(codes[u], 0, blocks, likelihood, log_scale, own)
        highest = 0.0
        for q in range(n_outer):
            total = 0.0
            for r in range(n_inner):
                total += inner[r] * own[q * n_inner + r]
            marginal[u, q] = total if found else 1.0
            highest = max(highest, marginal[u, q])
        for q in range(n_outer):
            marginal[u, q] /= max(highest, TINY)
        scale[u] = taken + np.log(max(highest, TINY)) if found else 0.0


@reordered_step
def _outer_posterior(
    members: IntArray, first: IntArray, marginal: FloatArray, scales: FloatArray, prior: FloatArray, posterior: FloatArray
) -> tuple[float, float]:
    """Leave prior x likelihood at the general nodes in ``posterior``; its sum, and the log scale taken out."""
    n_outer = prior.shape[0]
    scale = 0.0
    for q in range(n_outer):
        posterior[q] = prior[q]
    for s in range(members.shape[0]):
        row = first[s] + members[s]
        scale += scales[row]
        for q in range(n_outer):
            posterior[q] *= marginal[row, q]
        if s % 16 == 15:
            highest = 0.0
            for q in range(n_outer):
                highest = max(highest, posterior[q])
            if highest > 0.0:
                for q in range(n_outer):
                    posterior[q] /= highest
                scale += np.log(highest)
    total = 0.0
    for q in range(n_outer):
        total += posterior[q]
    return max(total, TINY), scale


@reordered
def gather(
    members: IntArray,
    weights: FloatArray,
    first: IntArray,
    marginal: FloatArray,
    scales: FloatArray,
    prior: FloatArray,
    gathered: FloatArray,
) -> float:
    """Add every person's posterior at the general nodes to the patterns the person gave; the log-likelihood."""
    n_outer = prior.shape[0]
    posterior = np.empty(n_outer)
    loglik = 0.0
    for i in range(members.shape[0]):
        total, scale = _outer_posterior(members[i], first, marginal, scales, prior, posterior)
        loglik += weights[i] * (np.log(total) + scale)
        factor = weights[i] / total
        for q in range(n_outer):
            posterior[q] *= factor
        for s in range(members.shape[1]):
            row = first[s] + members[i, s]
            for q in range(n_outer):
                gathered[row, q] += posterior[q]
    return loglik


@reordered
def spread(
    codes: Codes,
    blocks: Blocks,
    likelihood: FloatArray,
    log_scale: FloatArray,
    inner: FloatArray,
    gathered: FloatArray,
    counts: FloatArray,
) -> None:
    """Share the persons gathered at the general nodes out to the specific ones, and add them to their answers."""
    n_outer, n_inner = gathered.shape[1], inner.shape[0]
    width = n_outer * n_inner
    own = np.empty(width)
    for u in range(codes.shape[0]):
        found, _taken = block_likelihood(codes[u], 0, blocks, likelihood, log_scale, own)
        if not found:
            continue
        for q in range(n_outer):
            total = 0.0
            for r in range(n_inner):
                own[q * n_inner + r] *= inner[r]
                total += own[q * n_inner + r]
            factor = gathered[u, q] / max(total, TINY)
            for r in range(n_inner):
                own[q * n_inner + r] *= factor
        for g in range(codes.shape[1]):
            code = np.int64(codes[u, g])
            if code == blocks.skip_code[g]:
                continue
            start = blocks.cell_start[g] + code * width
            for r in range(width):
                counts[start + r] += own[r]


@exact
def fill_inner_moments(
    codes: Codes,
    blocks: Blocks,
    likelihood: FloatArray,
    log_scale: FloatArray,
    inner: FloatArray,
    nodes: FloatArray,
    mean: FloatArray,
    square: FloatArray,
) -> None:
    """Mean and mean square of the specific ability for every pattern at every general node."""
    n_outer, n_inner = mean.shape[1], inner.shape[0]
    own = np.empty(n_outer * n_inner)
    for u in range(codes.shape[0]):
        found, _taken = block_likelihood(codes[u], 0, blocks, likelihood, log_scale, own)
        for q in range(n_outer):
            total = 0.0
            first = 0.0
            second = 0.0
            for r in range(n_inner):
                weight = inner[r] * own[q * n_inner + r] if found else inner[r]
                total += weight
                first += weight * nodes[r]
                second += weight * nodes[r] * nodes[r]
            mean[u, q] = first / max(total, TINY)
            square[u, q] = second / max(total, TINY)


@exact
def fill_moments(
    members: IntArray,
    first: IntArray,
    marginal: FloatArray,
    scales: FloatArray,
    prior: FloatArray,
    outer: FloatArray,
    inner_mean: FloatArray,
    inner_square: FloatArray,
    places: IntArray,
    mean: FloatArray,
    covariance: FloatArray,
) -> None:
    """Posterior mean and covariance of every person: general ability first, specific s at ``places[s]`` (-1 for none)."""
    n_outer, n_specific = prior.shape[0], members.shape[1]
    posterior = np.empty(n_outer)
    for i in range(members.shape[0]):
        total, _scale = _outer_posterior(members[i], first, marginal, scales, prior, posterior)
        value = 0.0
        for q in range(n_outer):
            posterior[q] /= total
            value += posterior[q] * outer[q]
        mean[i, 0] = value
        variance = 0.0
        for q in range(n_outer):
            variance += posterior[q] * (outer[q] - value) * (outer[q] - value)
        covariance[i, 0, 0] = variance
        for s in range(n_specific):
            at = places[s]
            if at < 0:
                continue
            row = first[s] + members[i, s]
            own = 0.0
            square = 0.0
            cross = 0.0
            for q in range(n_outer):
                own += posterior[q] * inner_mean[row, q]
                square += posterior[q] * inner_square[row, q]
                cross += posterior[q] * (outer[q] - value) * inner_mean[row, q]
            mean[i, at] = own
            covariance[i, at, at] = square - own * own
            covariance[i, 0, at] = cross
            covariance[i, at, 0] = cross
            for t in range(s):
                other = places[t]
                if other < 0:
                    continue
                also = first[t] + members[i, t]
                shared = 0.0
                for q in range(n_outer):
                    shared += posterior[q] * (inner_mean[row, q] - own) * inner_mean[also, q]
                covariance[i, at, other] = shared
                covariance[i, other, at] = shared
