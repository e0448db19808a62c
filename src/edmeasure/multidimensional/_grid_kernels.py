"""Loops over persons on a product grid of up to three abilities.

Items that depend on the same abilities form a block; its answer patterns are looked up, in groups
of items, on the grid of those abilities alone and spread over the others, so that an item of one
ability costs one axis. A block's place on the grid is three strides, 0 along abilities it lacks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edmeasure._loops import exact, reordered, reordered_step
from edmeasure._validate import FloatArray, IntArray
from edmeasure.calibration._pattern_kernels import Codes

TINY = 1e-280
RESCALED = 16


class Blocks(NamedTuple):
    """Where the groups of every block lie in the flat tables.

    Block b has groups ``group_first[b]`` to ``group_first[b + 1]``, ``width[b]`` nodes and strides
    ``stride[b]``; the rows of group g begin at cell ``cell_start[g]`` of the likelihoods and at
    ``scale_start[g]`` of the log scales; code ``skip_code[g]`` (all missing) needs no look-up.
    """

    group_first: IntArray
    width: IntArray
    stride: IntArray
    cell_start: IntArray
    scale_start: IntArray
    skip_code: IntArray
    sizes: IntArray


@reordered_step
def block_likelihood(
    codes: Codes, b: int, blocks: Blocks, likelihood: FloatArray, log_scale: FloatArray, own: FloatArray
) -> tuple[bool, float]:
    """Leave a block's likelihood on its own nodes in ``own``; whether it has answers, and the log scale taken out."""
    width = blocks.width[b]
    scale = 0.0
    found = False
    for g in range(blocks.group_first[b], blocks.group_first[b + 1]):
        code = np.int64(codes[g])
        if code == blocks.skip_code[g]:
            continue
        base = blocks.cell_start[g] + code * width
        scale += log_scale[blocks.scale_start[g] + code]
        if found:
            for r in range(width):
                own[r] *= likelihood[base + r]
        else:
            for r in range(width):
                own[r] = likelihood[base + r]
            found = True
        if g % RESCALED == RESCALED - 1:
            highest = 0.0
            for r in range(width):
                highest = max(highest, own[r])
            if highest > 0.0:
                for r in range(width):
                    own[r] /= highest
                scale += np.log(highest)
    return found, scale


@reordered_step
def _person_posterior(
    codes: Codes,
    blocks: Blocks,
    likelihood: FloatArray,
    log_scale: FloatArray,
    prior: FloatArray,
    own: FloatArray,
    posterior: FloatArray,
) -> tuple[float, float]:
    """Leave prior x likelihood in ``posterior``; return its sum and the log scale taken out."""
    n_first, n_second, n_third = blocks.sizes[0], blocks.sizes[1], blocks.sizes[2]
    n_nodes = prior.shape[0]
    scale = 0.0
    for q in range(n_nodes):
        posterior[q] = prior[q]
    for b in range(blocks.width.shape[0]):
        found, taken = block_likelihood(codes, b, blocks, likelihood, log_scale, own)
        if not found:
            continue
        scale += taken
        by_third = blocks.stride[b, 2]
        at = 0
        for i in range(n_first):
            for j in range(n_second):
                base = i * blocks.stride[b, 0] + j * blocks.stride[b, 1]
                if by_third == 0:
                    factor = own[base]
                    for k in range(n_third):
                        posterior[at + k] *= factor
                else:
                    for k in range(n_third):
                        posterior[at + k] *= own[base + k]
                at += n_third
    total = 0.0
    for q in range(n_nodes):
        total += posterior[q]
    return max(total, TINY), scale


@reordered
def expect(
    codes: Codes,
    weights: FloatArray,
    blocks: Blocks,
    likelihood: FloatArray,
    log_scale: FloatArray,
    prior: FloatArray,
    counts: FloatArray,
    persons: FloatArray,
) -> float:
    """E-step: add expected persons per pattern and node to ``counts``, and per node to ``persons``; the log-likelihood."""
    n_first, n_second, n_third = blocks.sizes[0], blocks.sizes[1], blocks.sizes[2]
    n_nodes = prior.shape[0]
    posterior = np.empty(n_nodes)
    own = np.empty(n_nodes)
    loglik = 0.0
    for i in range(codes.shape[0]):
        total, scale = _person_posterior(codes[i], blocks, likelihood, log_scale, prior, own, posterior)
        loglik += weights[i] * (np.log(total) + scale)
        factor = weights[i] / total
        for q in range(n_nodes):
            posterior[q] *= factor
            persons[q] += posterior[q]
        for b in range(blocks.width.shape[0]):
            width = blocks.width[b]
            for r in range(width):
                own[r] = 0.0
            by_third = blocks.stride[b, 2]
            at = 0
            for j in range(n_first):
                for k in range(n_second):
                    base = j * blocks.stride[b, 0] + k * blocks.stride[b, 1]
                    if by_third == 0:
                        mass = 0.0
                        for m in range(n_third):
                            mass += posterior[at + m]
                        own[base] += mass
                    else:
                        for m in range(n_third):
                            own[base + m] += posterior[at + m]
                    at += n_third
            for g in range(blocks.group_first[b], blocks.group_first[b + 1]):
                code = np.int64(codes[i, g])
                if code == blocks.skip_code[g]:
                    continue
                start = blocks.cell_start[g] + code * width
                for r in range(width):
                    counts[start + r] += own[r]
    return loglik


@exact
def fill_marginals(
    codes: Codes, blocks: Blocks, likelihood: FloatArray, log_scale: FloatArray, prior: FloatArray, logs: FloatArray
) -> None:
    """Log of every person's marginal likelihood on these nodes, added to what is in ``logs``."""
    posterior, own = np.empty(prior.shape[0]), np.empty(prior.shape[0])
    for i in range(codes.shape[0]):
        total, scale = _person_posterior(codes[i], blocks, likelihood, log_scale, prior, own, posterior)
        value = np.log(total) + scale
        highest = max(value, logs[i])
        logs[i] = highest + np.log(np.exp(value - highest) + np.exp(logs[i] - highest))


@exact
def fill_moments(
    codes: Codes,
    blocks: Blocks,
    likelihood: FloatArray,
    log_scale: FloatArray,
    prior: FloatArray,
    nodes: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
) -> None:
    """Posterior mean (n_dims) and covariance of every person; ``nodes`` are (n_dims, n_nodes)."""
    n_dims, n_nodes = nodes.shape
    posterior, own = np.empty(n_nodes), np.empty(n_nodes)
    for i in range(codes.shape[0]):
        total, _scale = _person_posterior(codes[i], blocks, likelihood, log_scale, prior, own, posterior)
        for d in range(n_dims):
            first = 0.0
            for q in range(n_nodes):
                first += posterior[q] * nodes[d, q]
            mean[i, d] = first / total
        for d in range(n_dims):
            for e in range(d + 1):
                cross = 0.0
                for q in range(n_nodes):
                    cross += posterior[q] * (nodes[d, q] - mean[i, d]) * (nodes[e, q] - mean[i, e])
                covariance[i, d, e] = cross / total
                covariance[i, e, d] = cross / total
