"""Loops over persons whose answers are pattern codes: posteriors and what is made of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edmeasure._loops import exact, exact_step, reordered, reordered_step
from edmeasure._validate import FloatArray, Int8Array, IntArray

TINY = 1e-280

Codes = npt.NDArray[np.uint8]


class Layout(NamedTuple):
    """Where the patterns of every item group lie.

    Group g holds items ``group_first[g]`` to ``group_first[g + 1]``; its patterns are rows
    ``row_start[g]`` to ``row_start[g + 1]``, and code ``skip_code[g]`` (all missing) needs no
    look-up. Item j has ``n_states[j]`` states, ``missing_state[j]`` of them (or -1) no answer,
    and its categories begin at ``category_start[j]``.
    """

    category_start: IntArray
    n_states: IntArray
    missing_state: IntArray
    group_first: IntArray
    row_start: IntArray
    skip_code: IntArray


class Tables(NamedTuple):
    """Likelihood of every pattern row at every node, scaled to maximum 1, and the log scales."""

    likelihood: FloatArray
    log_scale: FloatArray


@exact
def pack_codes(scores: Int8Array, item_group: IntArray, item_stride: IntArray, missing_state: IntArray, codes: Codes) -> None:
    """Add the mixed-radix code of every item group of every person to ``codes``."""
    for i in range(scores.shape[0]):
        for j in range(scores.shape[1]):
            state = np.int64(scores[i, j])
            if state < 0:
                state = missing_state[j]
            codes[i, item_group[j]] += np.uint8(state * item_stride[j])


@exact
def count_answers(
    scores: Int8Array, weights: FloatArray, category_start: IntArray, items: IntArray, counts: IntArray, sums: FloatArray
) -> None:
    """Add persons, and their weights in the order of persons, to the categories of some items."""
    for i in range(scores.shape[0]):
        for j in items:
            x = np.int64(scores[i, j])
            if x >= 0:
                counts[category_start[j] + x] += 1
                sums[category_start[j] + x] += weights[i]


@reordered_step
def _person_posterior(
    codes: Codes, layout: Layout, tables: Tables, prior: FloatArray, posterior: FloatArray
) -> tuple[float, float]:
    """Leave prior x likelihood in ``posterior``; return its sum and the log scale taken out."""
    n_nodes = prior.shape[0]
    scale = 0.0
    for q in range(n_nodes):
        posterior[q] = prior[q]
    for g in range(codes.shape[0]):
        code = np.int64(codes[g])
        if code == layout.skip_code[g]:
            continue
        row = layout.row_start[g] + code
        scale += tables.log_scale[row]
        for q in range(n_nodes):
            posterior[q] *= tables.likelihood[row, q]
        if g % 32 == 31:
            # long tests would underflow: bring the highest node back to one
            highest = 0.0
            for q in range(n_nodes):
                highest = max(highest, posterior[q])
            if highest > 0.0:
                for q in range(n_nodes):
                    posterior[q] /= highest
                scale += np.log(highest)
    total = 0.0
    for q in range(n_nodes):
        total += posterior[q]
    return max(total, TINY), scale


@reordered
def expect_patterns(
    codes: Codes, weights: FloatArray, layout: Layout, tables: Tables, prior: FloatArray, counts: FloatArray, persons: FloatArray
) -> float:
    """E-step: add expected persons per pattern row and node to ``counts``; the log-likelihood.

    ``persons``, where it is not empty, gets the expected persons per node.
    """
    n_nodes = prior.shape[0]
    posterior = np.empty(n_nodes)
    loglik = 0.0
    for i in range(codes.shape[0]):
        total, scale = _person_posterior(codes[i], layout, tables, prior, posterior)
        loglik += weights[i] * (np.log(total) + scale)
        factor = weights[i] / total
        for q in range(n_nodes):
            posterior[q] *= factor
        for q in range(persons.shape[0]):
            persons[q] += posterior[q]
        for g in range(codes.shape[1]):
            code = np.int64(codes[i, g])
            if code == layout.skip_code[g]:
                continue
            row = layout.row_start[g] + code
            for q in range(n_nodes):
                counts[row, q] += posterior[q]
    return loglik


@exact
def fill_posteriors(codes: Codes, layout: Layout, tables: Tables, prior: FloatArray, posterior: FloatArray) -> None:
    """Normalised posterior of every person at every node."""
    for i in range(codes.shape[0]):
        total, _scale = _person_posterior(codes[i], layout, tables, prior, posterior[i])
        for q in range(prior.shape[0]):
            posterior[i, q] /= total


@exact_step
def _fill_normal(nodes: FloatArray, mean: float, sd: float, density: FloatArray) -> None:
    """Normal density at the nodes, summing to one."""
    total = 0.0
    for q in range(nodes.shape[0]):
        z = (nodes[q] - mean) / sd
        density[q] = np.exp(-0.5 * z * z)
        total += density[q]
    for q in range(nodes.shape[0]):
        density[q] /= max(total, TINY)


@reordered
def posterior_moments(
    codes: Codes,
    layout: Layout,
    tables: Tables,
    nodes: FloatArray,
    prior_mean: FloatArray,
    prior_sd: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
) -> None:
    """Posterior mean and variance of every person under N(prior_mean, prior_sd)."""
    n_nodes = nodes.shape[0]
    prior = np.empty(n_nodes)
    posterior = np.empty(n_nodes)
    for i in range(codes.shape[0]):
        if i == 0 or prior_mean[i] != prior_mean[i - 1] or prior_sd[i] != prior_sd[i - 1]:
            _fill_normal(nodes, prior_mean[i], prior_sd[i], prior)
        total, _scale = _person_posterior(codes[i], layout, tables, prior, posterior)
        first = 0.0
        for q in range(n_nodes):
            first += posterior[q] * nodes[q]
        first /= total
        second = 0.0
        for q in range(n_nodes):
            second += posterior[q] * (nodes[q] - first) * (nodes[q] - first)
        mean[i] = first
        variance[i] = second / total


@exact
def draw_sets(
    codes: Codes,
    layout: Layout,
    tables: Tables,
    nodes: FloatArray,
    prior_mean: FloatArray,
    prior_sd: FloatArray,
    uniforms: FloatArray,
    drawn: FloatArray,
) -> None:
    """A draw for each of a person's uniform numbers (n, k), by inversion of a log-linear interpolation of its posterior.

    The density between two nodes is taken as exponential, so draws are continuous and the
    moments of a smooth posterior are kept.
    """
    n_nodes = nodes.shape[0]
    step = nodes[1] - nodes[0]
    prior = np.empty(n_nodes)
    density = np.empty(n_nodes)
    reached = np.empty(n_nodes)
    for i in range(codes.shape[0]):
        if i == 0 or prior_mean[i] != prior_mean[i - 1] or prior_sd[i] != prior_sd[i - 1]:
            _fill_normal(nodes, prior_mean[i], prior_sd[i], prior)
        _person_posterior(codes[i], layout, tables, prior, density)
        mass = 0.0
        reached[0] = 0.0
        for q in range(n_nodes - 1):
            mass += 0.5 * (density[q] + density[q + 1])
            reached[q + 1] = mass
        for k in range(uniforms.shape[1]):
            target = uniforms[i, k] * mass
            low = 0
            high = n_nodes - 1
            while high - low > 1:
                middle = (low + high) // 2
                if reached[middle] < target:
                    low = middle
                else:
                    high = middle
            share = min(1.0, (target - reached[low]) / max(reached[low + 1] - reached[low], 1e-300))
            left = max(density[low], 1e-300)
            right = max(density[low + 1], 1e-300)
            ratio = np.log(right / left)
            if abs(ratio) > 1e-9:
                share = np.log1p(share * np.expm1(ratio)) / ratio
            drawn[i, k] = nodes[low] + step * share
