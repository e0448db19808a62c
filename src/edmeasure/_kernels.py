"""Numba loops over persons and items; arrays in, arrays out, no checks.

Every parallel loop runs over a fixed number of chunks chosen from the data alone and the chunks
are summed in order afterwards, so results do not depend on the number of threads.
"""

# mypy: disable-error-code="untyped-decorator"
from __future__ import annotations

import numpy as np
from numba import njit, prange

from edmeasure._validate import FloatArray, Int8Array, IntArray

TINY = 1e-280


@njit(parallel=True, cache=True)
def pack_codes(
    scores: Int8Array,
    item_group: IntArray,
    item_stride: IntArray,
    missing_state: IntArray,
    codes: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
) -> None:
    """Write the mixed-radix code of every item group of every person."""
    n, n_items = scores.shape
    for i in prange(n):
        for j in range(n_items):
            state = np.int64(scores[i, j])
            if state < 0:
                state = missing_state[j]
            codes[i, item_group[j]] += np.uint8(state * item_stride[j])


@njit(cache=True)
def group_tables(
    log_probs: FloatArray,
    category_start: IntArray,
    n_states: IntArray,
    missing_state: IntArray,
    group_first: IntArray,
    row_start: IntArray,
    table: FloatArray,
    row_scale: FloatArray,
) -> None:
    """Fill ``table`` with likelihoods of every answer pattern of every group at every node.

    Rows are scaled to a maximum of one, their log scale goes to ``row_scale``.
    """
    n_nodes = table.shape[1]
    for g in range(group_first.shape[0] - 1):
        start = row_start[g]
        table[start, :] = 0.0
        filled = 1
        for j in range(group_first[g], group_first[g + 1]):
            for state in range(n_states[j] - 1, -1, -1):
                for r in range(filled):
                    target = start + state * filled + r
                    if state == missing_state[j]:
                        for q in range(n_nodes):
                            table[target, q] = table[start + r, q]
                    else:
                        c = category_start[j] + state
                        for q in range(n_nodes):
                            table[target, q] = table[start + r, q] + log_probs[c, q]
            filled *= n_states[j]
    for r in range(table.shape[0]):
        highest = table[r].max()
        row_scale[r] = highest
        for q in range(n_nodes):
            table[r, q] = np.exp(table[r, q] - highest)


@njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def _person_posterior(
    codes: np.ndarray[tuple[int], np.dtype[np.uint8]],
    row_start: IntArray,
    skip_code: IntArray,
    table: FloatArray,
    row_scale: FloatArray,
    prior: FloatArray,
    posterior: FloatArray,
) -> tuple[float, float]:
    """Leave prior x likelihood in ``posterior``; return its sum and the log scale taken out."""
    n_nodes = prior.shape[0]
    scale = 0.0
    for q in range(n_nodes):
        posterior[q] = prior[q]
    for g in range(codes.shape[0]):
        code = np.int64(codes[g])
        if code == skip_code[g]:
            continue
        row = row_start[g] + code
        scale += row_scale[row]
        for q in range(n_nodes):
            posterior[q] *= table[row, q]
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
    return total, scale


@njit(parallel=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def expected_patterns(
    codes: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
    weights: FloatArray,
    row_start: IntArray,
    skip_code: IntArray,
    table: FloatArray,
    row_scale: FloatArray,
    prior: FloatArray,
    n_chunks: int,
) -> tuple[FloatArray, FloatArray]:
    """E-step: expected persons per pattern row and node, and the log-likelihood of every chunk."""
    n, n_groups = codes.shape
    n_nodes = prior.shape[0]
    rows = table.shape[0]
    counts = np.zeros((n_chunks, rows, n_nodes))
    loglik = np.zeros(n_chunks)
    for chunk in prange(n_chunks):
        posterior = np.empty(n_nodes)
        first = chunk * n // n_chunks
        last = (chunk + 1) * n // n_chunks
        for i in range(first, last):
            total, scale = _person_posterior(codes[i], row_start, skip_code, table, row_scale, prior, posterior)
            if total < TINY:
                total = TINY
            loglik[chunk] += weights[i] * (np.log(total) + scale)
            factor = weights[i] / total
            for q in range(n_nodes):
                posterior[q] *= factor
            for g in range(n_groups):
                code = np.int64(codes[i, g])
                if code == skip_code[g]:
                    continue
                row = row_start[g] + code
                for q in range(n_nodes):
                    counts[chunk, row, q] += posterior[q]
    for chunk in range(1, n_chunks):
        counts[0] += counts[chunk]
    return counts[0], loglik


@njit(cache=True)
def unfold_counts(
    pattern_counts: FloatArray,
    category_start: IntArray,
    n_states: IntArray,
    missing_state: IntArray,
    group_first: IntArray,
    row_start: IntArray,
    counts: FloatArray,
) -> None:
    """Add pattern counts up to expected answers per item category and node."""
    for g in range(group_first.shape[0] - 1):
        stride = 1
        for j in range(group_first[g], group_first[g + 1]):
            for row in range(row_start[g], row_start[g + 1]):
                state = ((row - row_start[g]) // stride) % n_states[j]
                if state != missing_state[j]:
                    counts[category_start[j] + state] += pattern_counts[row]
            stride *= n_states[j]


@njit(cache=True)
def _solve_in_place(matrix: FloatArray, vector: FloatArray, size: int) -> bool:
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


@njit(cache=True)
def item_objective(
    counts: FloatArray,
    nodes: FloatArray,
    slope: float,
    intercepts: FloatArray,
    usable: np.ndarray[tuple[int], np.dtype[np.bool_]],
    prior: FloatArray,
    gradient: FloatArray,
    hessian: FloatArray,
) -> float:
    """Expected complete log-likelihood of one item; fills its gradient and negative Hessian.

    Parameters are ordered slope, intercept 1..K (intercept 0 is fixed at zero). ``prior`` holds
    the normal prior's mean and precision of the slope and precision of the intercepts.
    """
    n_categories = intercepts.shape[0]
    gradient[:] = 0.0
    hessian[:, :] = 0.0
    value = 0.0
    prob = np.empty(n_categories)
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


@njit(cache=True)
def _maximize_item(
    counts: FloatArray,
    nodes: FloatArray,
    start_slope: float,
    intercepts: FloatArray,
    usable: np.ndarray[tuple[int], np.dtype[np.bool_]],
    prior: FloatArray,
    max_steps: int,
    tolerance: float,
) -> float:
    """Damped Newton ascent of one item; intercepts change in place, the slope is returned."""
    size = intercepts.shape[0]
    gradient = np.empty(size)
    hessian = np.empty((size, size))
    trial_gradient = np.empty(size)
    trial_hessian = np.empty((size, size))
    trial = np.empty(size)
    slope = start_slope
    value = item_objective(counts, nodes, slope, intercepts, usable, prior, gradient, hessian)
    for _ in range(max_steps):
        step = gradient.copy()
        if not _solve_in_place(hessian, step, size):
            break
        largest = np.abs(step).max()
        if largest < tolerance:
            break
        factor = min(1.0, 2.0 / largest)
        moved = False
        for _halving in range(12):
            trial[0] = 0.0
            for k in range(1, size):
                trial[k] = intercepts[k] + factor * step[k]
            trial_slope = slope + factor * step[0]
            trial_value = item_objective(counts, nodes, trial_slope, trial, usable, prior, trial_gradient, trial_hessian)
            if trial_value >= value:
                moved = True
                break
            factor *= 0.5
        if not moved:
            break
        slope = trial_slope
        intercepts[:] = trial
        value = trial_value
        gradient[:] = trial_gradient
        hessian[:, :] = trial_hessian
    return float(slope)


@njit(parallel=True, cache=True)
def maximize_items(
    counts: FloatArray,
    nodes: FloatArray,
    category_start: IntArray,
    slopes: FloatArray,
    intercepts: FloatArray,
    usable: np.ndarray[tuple[int], np.dtype[np.bool_]],
    prior: FloatArray,
    max_steps: int,
    tolerance: float,
) -> None:
    """M-step of all items; ``slopes`` and the flat ``intercepts`` change in place."""
    for j in prange(slopes.shape[0]):
        first = category_start[j]
        last = category_start[j + 1]
        slopes[j] = _maximize_item(
            counts[first:last],
            nodes,
            slopes[j],
            intercepts[first:last],
            usable[first:last],
            prior,
            max_steps,
            tolerance,
        )


@njit(cache=True)
def items_gradient(
    counts: FloatArray,
    nodes: FloatArray,
    category_start: IntArray,
    slopes: FloatArray,
    intercepts: FloatArray,
    usable: np.ndarray[tuple[int], np.dtype[np.bool_]],
    prior: FloatArray,
    gradient: FloatArray,
    information: FloatArray,
) -> None:
    """Gradient of all items and block-diagonal complete-data information (flat order)."""
    for j in range(slopes.shape[0]):
        first = category_start[j]
        last = category_start[j + 1]
        size = last - first
        block = np.empty((size, size))
        item_objective(
            counts[first:last],
            nodes,
            slopes[j],
            intercepts[first:last],
            usable[first:last],
            prior,
            gradient[first:last],
            block,
        )
        for r in range(size):
            for c in range(r + 1):
                information[first + r, first + c] = block[r, c]
                information[first + c, first + r] = block[r, c]


@njit(parallel=True, cache=True)
def posterior_rows(
    codes: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
    row_start: IntArray,
    skip_code: IntArray,
    table: FloatArray,
    row_scale: FloatArray,
    prior: FloatArray,
    posterior: FloatArray,
) -> None:
    """Normalised posterior of every person at every node."""
    for i in prange(codes.shape[0]):
        total, _scale = _person_posterior(codes[i], row_start, skip_code, table, row_scale, prior, posterior[i])
        if total < TINY:
            total = TINY
        for q in range(prior.shape[0]):
            posterior[i, q] /= total
