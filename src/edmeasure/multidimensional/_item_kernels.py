"""Loops over the nodes of one item whose chances follow a weighted sum of abilities: objective and M-step.

With z = a'theta a partial credit item has P(k) proportional to exp(k z + d_k), a graded one
P(x >= k) = F(z + d_k). Parameters of an item lie in one vector: its slopes, then intercepts 1..K.
"""

from __future__ import annotations

import numpy as np

from edmeasure._loops import exact, exact_step
from edmeasure._validate import BoolArray, FloatArray, Int8Array
from edmeasure.calibration._item_kernels import solve_in_place

PARTIAL = 0
GRADED = 1
NEVER = -50.0
IMPOSSIBLE = -700.0
EMPTY = 1e-300

NEWTON_STEPS = 8
NEWTON_TOLERANCE = 1e-10
MOST_HALVINGS = 12
LONGEST_STEP = 2.0
LONGEST_MOVE = 0.5
RIDGE = 1e-10


@exact_step
def _softplus(x: float) -> float:
    """log(1 + exp(x)) without overflow."""
    return float(max(x, 0.0) + np.log1p(np.exp(-abs(x))))


@exact_step
def _partial(
    z: float, steps: FloatArray, counts: FloatArray, usable: BoolArray, prob: FloatArray, by: FloatArray, bend: FloatArray
) -> float:
    """Value, derivatives by z (place 0) and intercepts, negative second derivatives (lower half)."""
    top = steps.shape[0]
    highest = 0.0
    persons = counts[0]
    for k in range(1, top + 1):
        prob[k] = k * z + steps[k - 1]
        highest = max(highest, prob[k])
        persons += counts[k]
    prob[0] = 0.0
    total = 0.0
    value = 0.0
    for k in range(top + 1):
        value += counts[k] * (prob[k] - highest)
        prob[k] = np.exp(prob[k] - highest)
        total += prob[k]
    value -= persons * np.log(total)
    mean = 0.0
    square = 0.0
    by[0] = 0.0
    for k in range(top + 1):
        prob[k] /= total
        mean += k * prob[k]
        square += k * k * prob[k]
    bend[0, 0] = persons * (square - mean * mean)
    for k in range(1, top + 1):
        residual = counts[k] - persons * prob[k]
        by[0] += k * residual
        by[k] = residual if usable[k] else 0.0
        bend[k, 0] = persons * prob[k] * (k - mean)
        for m in range(1, k):
            bend[k, m] = -persons * prob[k] * prob[m]
        bend[k, k] = persons * prob[k] * (1.0 - prob[k])
    return float(value)


@exact_step
def _graded(z: float, steps: FloatArray, counts: FloatArray, by: FloatArray, bend: FloatArray) -> float:
    """The same for graded items; categories nobody chose are passed over."""
    top = steps.shape[0]
    for k in range(top + 1):
        by[k] = 0.0
        for m in range(k + 1):
            bend[k, m] = 0.0
    value = 0.0
    k = 0
    while k <= top:
        above = k + 1
        while above <= top and steps[above - 1] <= NEVER:
            above += 1
        log_prob = 0.0
        by_low = 0.0
        by_up = 0.0
        bend_low = 0.0
        bend_up = 0.0
        cross = 0.0
        if k > 0:
            chance = 1.0 / (1.0 + np.exp(-(z + steps[k - 1])))
            log_prob -= _softplus(-(z + steps[k - 1]))
            by_low = 1.0 - chance
            bend_low = chance * (1.0 - chance)
        if above <= top:
            chance = 1.0 / (1.0 + np.exp(-(z + steps[above - 1])))
            log_prob -= _softplus(z + steps[above - 1])
            by_up = -chance
            bend_up = chance * (1.0 - chance)
        if k > 0 and above <= top:
            gap = steps[k - 1] - steps[above - 1]
            if gap <= 0.0:
                log_prob = IMPOSSIBLE
            else:
                ratio = 1.0 / np.expm1(gap)
                log_prob += np.log(-np.expm1(-gap))
                by_low += ratio
                by_up -= ratio
                cross = -ratio * (1.0 + ratio)
                bend_low -= cross
                bend_up -= cross
        weight = counts[k]
        value += weight * log_prob
        by[0] += weight * (by_low + by_up)
        bend[0, 0] += weight * (bend_low + bend_up + 2.0 * cross)
        if k > 0:
            by[k] += weight * by_low
            bend[k, 0] += weight * (bend_low + cross)
            bend[k, k] += weight * bend_low
        if above <= top:
            by[above] += weight * by_up
            bend[above, 0] += weight * (bend_up + cross)
            bend[above, above] += weight * bend_up
            if k > 0:
                bend[above, k] += weight * cross
        k = above
    return float(value)


@exact
def fill_log_probs(family: int, z: FloatArray, steps: FloatArray, log_probs: FloatArray) -> None:
    """Log P of every category (K + 1, n_nodes) at the given z."""
    top = steps.shape[0]
    for q in range(z.shape[0]):
        if family == GRADED:
            for k in range(top + 1):
                if k > 0 and steps[k - 1] <= NEVER:
                    log_probs[k, q] = NEVER
                    continue
                above = k + 1
                while above <= top and steps[above - 1] <= NEVER:
                    above += 1
                value = 0.0
                if k > 0:
                    value -= _softplus(-(z[q] + steps[k - 1]))
                if above <= top:
                    value -= _softplus(z[q] + steps[above - 1])
                if k > 0 and above <= top:
                    gap = steps[k - 1] - steps[above - 1]
                    value = value + np.log(-np.expm1(-gap)) if gap > 0.0 else IMPOSSIBLE
                log_probs[k, q] = value
            continue
        highest = 0.0
        for k in range(top + 1):
            log_probs[k, q] = 0.0 if k == 0 else k * z[q] + steps[k - 1]
            highest = max(highest, log_probs[k, q])
        total = 0.0
        for k in range(top + 1):
            total += np.exp(log_probs[k, q] - highest)
        shift = highest + np.log(total)
        for k in range(top + 1):
            log_probs[k, q] -= shift


@exact
def objective(
    family: int,
    counts: FloatArray,
    nodes: FloatArray,
    params: FloatArray,
    usable: BoolArray,
    precision: float,
    gradient: FloatArray,
    hessian: FloatArray,
) -> float:
    """Expected complete log-likelihood of one item, with its gradient and negative Hessian (lower half).

    ``counts`` are expected answers (K + 1, n_nodes), ``nodes`` the abilities it depends on
    (n_dims, n_nodes); ``precision`` is that of the slopes' normal prior around zero.
    """
    n_dims, n_nodes = nodes.shape
    size = params.shape[0]
    top = size - n_dims
    steps = params[n_dims:]
    prob, own = np.empty(top + 1), np.empty(top + 1)
    by, bend = np.empty(top + 1), np.zeros((top + 1, top + 1))
    for r in range(size):
        gradient[r] = 0.0
        for c in range(r + 1):
            hessian[r, c] = 0.0
    value = 0.0
    for q in range(n_nodes):
        persons = 0.0
        for k in range(top + 1):
            own[k] = counts[k, q]
            persons += own[k]
        if persons < EMPTY:
            continue
        z = 0.0
        for d in range(n_dims):
            z += params[d] * nodes[d, q]
        if family == GRADED:
            value += _graded(z, steps, own, by, bend)
        else:
            value += _partial(z, steps, own, usable, prob, by, bend)
        for d in range(n_dims):
            gradient[d] += nodes[d, q] * by[0]
            for e in range(d + 1):
                hessian[d, e] += nodes[d, q] * nodes[e, q] * bend[0, 0]
            for k in range(1, top + 1):
                hessian[n_dims + k - 1, d] += nodes[d, q] * bend[k, 0]
        for k in range(1, top + 1):
            gradient[n_dims + k - 1] += by[k]
            for m in range(1, k + 1):
                hessian[n_dims + k - 1, n_dims + m - 1] += bend[k, m]
    for d in range(n_dims):
        value -= 0.5 * precision * params[d] * params[d]
        gradient[d] -= precision * params[d]
        hessian[d, d] += precision
    for k in range(1, top + 1):
        if not usable[k]:
            at = n_dims + k - 1
            gradient[at] = 0.0
            for c in range(size):
                hessian[max(at, c), min(at, c)] = 1.0 if c == at else 0.0
    return float(value)


@exact
def maximize_item(
    family: int, counts: FloatArray, nodes: FloatArray, params: FloatArray, usable: BoolArray, precision: float
) -> None:
    """Damped Newton ascent of one item, whose objective is concave; ``params`` change in place."""
    size = params.shape[0]
    trial, step, gradient = np.empty(size), np.zeros(size), np.empty(size)
    hessian = np.empty((size, size))
    value = -np.inf
    factor, n_steps, n_halvings = 1.0, 0, 0
    while n_halvings < MOST_HALVINGS:
        for r in range(size):
            trial[r] = params[r] + factor * step[r]
        trial_value = objective(family, counts, nodes, trial, usable, precision, gradient, hessian)
        if not trial_value >= value:
            factor *= 0.5
            n_halvings += 1
            continue
        value = trial_value
        for r in range(size):
            params[r] = trial[r]
            step[r] = gradient[r]
        if n_steps == NEWTON_STEPS or not solve_in_place(hessian, step, size):
            break
        largest = 0.0
        for r in range(size):
            largest = max(largest, abs(step[r]))
        if largest < NEWTON_TOLERANCE:
            break
        factor, n_halvings = min(1.0, LONGEST_STEP / largest), 0
        n_steps += 1


@exact
def fill_scores(
    family: int, answers: Int8Array, nodes: FloatArray, params: FloatArray, usable: BoolArray, scores: FloatArray
) -> None:
    """Derivatives of every person's log chance by the item's parameters (n, size), at own abilities (n_dims, n)."""
    n_dims = nodes.shape[0]
    top = params.shape[0] - n_dims
    steps = params[n_dims:]
    prob, own = np.empty(top + 1), np.zeros(top + 1)
    by, bend = np.empty(top + 1), np.zeros((top + 1, top + 1))
    for i in range(answers.shape[0]):
        x = np.int64(answers[i])
        if x < 0:
            for r in range(params.shape[0]):
                scores[i, r] = 0.0
            continue
        own[x] = 1.0
        z = 0.0
        for d in range(n_dims):
            z += params[d] * nodes[d, i]
        if family == GRADED:
            _graded(z, steps, own, by, bend)
        else:
            _partial(z, steps, own, usable, prob, by, bend)
        own[x] = 0.0
        for d in range(n_dims):
            scores[i, d] = nodes[d, i] * by[0]
        for k in range(1, top + 1):
            scores[i, n_dims + k - 1] = by[k] if usable[k] else 0.0


@exact
def move_item(
    family: int,
    counts: FloatArray,
    nodes: FloatArray,
    params: FloatArray,
    usable: BoolArray,
    precision: float,
    information: FloatArray,
    gain: float,
    filtering: float,
) -> float:
    """One Robbins-Monro step of an item from sampled abilities; the largest change.

    ``information`` (lower half) moves by ``filtering`` towards that of the sample, ``params`` by
    ``gain`` times a Newton step with it.
    """
    size = params.shape[0]
    n_dims = nodes.shape[0]
    gradient, matrix = np.empty(size), np.empty((size, size))
    objective(family, counts, nodes, params, usable, precision, gradient, matrix)
    for r in range(size):
        for c in range(r + 1):
            information[r, c] += filtering * (matrix[r, c] - information[r, c])
            matrix[r, c] = information[r, c]
        matrix[r, r] += RIDGE * (1.0 + matrix[r, r])
    if not solve_in_place(matrix, gradient, size):
        return 0.0
    longest = 0.0
    for r in range(size):
        longest = max(longest, abs(gain * gradient[r]))
    factor = gain * min(1.0, LONGEST_MOVE / max(longest, EMPTY))
    is_ordered = False
    while not is_ordered:
        is_ordered = True
        last = 1e300
        for k in range(n_dims, size):
            if family == GRADED and usable[k - n_dims + 1]:
                moved = params[k] + factor * gradient[k]
                is_ordered = is_ordered and moved < last
                last = moved
        if not is_ordered:
            factor *= 0.5
    largest = 0.0
    for r in range(size):
        params[r] += factor * gradient[r]
        largest = max(largest, abs(factor * gradient[r]))
    return float(largest)
