"""Observed information of the marginal likelihood by Louis' identity.

Source: Louis (1982), JRSS B 44: I = E[-H_complete | y] - Var(score_complete | y), summed over
persons. The person-level variance needs E[s s'] at every node; s is linear in answer
indicators, so one weighted cross-product of indicators per node holds everything.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edmeasure import _kernels, _linear, _packing
from edmeasure._em import Problem, State, log_probabilities
from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray

BLOCK = 16_384


def complete_information(problem: Problem, state: State) -> tuple[FloatArray, FloatArray]:
    """Gradient and complete-data information in flat category order (slope sits at category 0)."""
    size = int(problem.category_start[-1])
    gradient = np.zeros(size)
    information = np.zeros((size, size))
    _kernels.items_gradient(
        state.counts,
        problem.nodes,
        problem.category_start,
        state.slopes,
        state.intercepts,
        problem.usable,
        problem.item_prior,
        gradient,
        information,
    )
    return gradient, information


def _indicator_layout(scores: Int8Array, category_start: IntArray) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Columns of the indicator basis: 0 is the constant, then categories >= 1, then masks.

    Returns the column of every flat category and the mask column of every item (0 where the
    item was given to everybody).
    """
    sizes = np.diff(category_start)
    category_column = np.zeros(int(category_start[-1]), dtype=np.intp)
    is_answer = np.ones(category_column.size, dtype=np.bool_)
    is_answer[category_start[:-1]] = False
    category_column[is_answer] = 1 + np.arange(is_answer.sum())
    has_missing = (scores < 0).any(axis=0)
    mask_column = np.zeros(sizes.size, dtype=np.intp)
    mask_column[has_missing] = 1 + is_answer.sum() + np.arange(has_missing.sum())
    return category_column, mask_column


def _indicators(
    block: Int8Array, category_start: IntArray, category_column: npt.NDArray[np.intp], mask_column: npt.NDArray[np.intp]
) -> BoolArray:
    width = 1 + int(max(category_column.max(), mask_column.max()))
    basis = np.zeros((block.shape[0], width), dtype=np.bool_)
    basis[:, 0] = True
    for j in range(block.shape[1]):
        for c in range(int(category_start[j]) + 1, int(category_start[j + 1])):
            basis[:, category_column[c]] = block[:, j] == c - category_start[j]
        if mask_column[j]:
            basis[:, mask_column[j]] = block[:, j] >= 0
    return basis


def _score_maps(
    probs: FloatArray,
    nodes: FloatArray,
    category_start: IntArray,
    category_column: npt.NDArray[np.intp],
    mask_column: npt.NDArray[np.intp],
) -> FloatArray:
    """(n_nodes, width, n_parameters): indicators -> score of every parameter at every node."""
    width = 1 + int(max(category_column.max(), mask_column.max()))
    maps = np.zeros((nodes.size, width, probs.shape[0]))
    for j in range(category_start.size - 1):
        first, last = int(category_start[j]), int(category_start[j + 1])
        steps = np.arange(last - first)
        expected = steps @ probs[first:last]
        for c in range(first + 1, last):
            maps[:, category_column[c], first] = nodes * (c - first)
            maps[:, category_column[c], c] = 1.0
            maps[:, mask_column[j], c] -= probs[c]
        maps[:, mask_column[j], first] -= nodes * expected
    return maps


def _mean_scores(
    posterior: FloatArray,
    block: Int8Array,
    probs: FloatArray,
    nodes: FloatArray,
    category_start: IntArray,
) -> FloatArray:
    """Posterior mean of every person's score vector, (n_persons, n_parameters)."""
    expected = probs.copy()
    for j in range(category_start.size - 1):
        first, last = int(category_start[j]), int(category_start[j + 1])
        expected[first] = nodes * (np.arange(last - first) @ probs[first:last])
    mean = -_linear.product(posterior, np.ascontiguousarray(expected.T))
    ability = _linear.product(posterior, nodes[:, None])[:, 0]
    for j in range(block.shape[1]):
        first, last = int(category_start[j]), int(category_start[j + 1])
        answer = block[:, j]
        mean[answer < 0, first:last] = 0.0
        mean[:, first] += np.maximum(answer, 0) * ability
        for c in range(first + 1, last):
            mean[:, c] += answer == c - first
    return mean


def observed_information(problem: Problem, state: State, scores: Int8Array, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gradient and observed information in flat category order.

    The E-step counts of ``state`` must belong to its parameters.
    """
    gradient, information = complete_information(problem, state)
    starts = problem.category_start
    log_probs = log_probabilities(state.slopes, state.intercepts, starts, problem.nodes)
    probs = np.exp(log_probs)
    packed = _packing.pack(scores, np.asarray(np.diff(starts) - 1, dtype=np.int8))
    category_column, mask_column = _indicator_layout(scores, starts)
    maps = _score_maps(probs, problem.nodes, starts, category_column, mask_column)
    crossed = np.zeros((maps.shape[1], maps.shape[1], problem.nodes.size))
    outer = np.zeros_like(information)
    table, scale = packed.tables(log_probs)
    for first in range(0, scores.shape[0], BLOCK):
        rows = slice(first, first + BLOCK)
        posterior = packed.posterior(table, scale, problem.node_weights, rows)
        basis = _indicators(scores[rows], starts, category_column, mask_column)
        holders, columns = np.nonzero(basis)
        offsets = np.searchsorted(holders, np.arange(basis.shape[0] + 1))
        rank = np.where(basis, np.cumsum(basis, axis=1) - 1, -1)
        _linear.add_indicator_grams(offsets, columns, rank, posterior * weights[rows, None], crossed)
        mean = _mean_scores(posterior, scores[rows], probs, problem.nodes, starts)
        outer += _linear.weighted_gram(mean, weights[rows])
    for q in range(problem.nodes.size):
        full = np.tril(crossed[:, :, q]) + np.tril(crossed[:, :, q], -1).T
        information -= maps[q].T @ full @ maps[q]
    information += outer
    return gradient, information
