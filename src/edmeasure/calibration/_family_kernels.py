"""Loops over the nodes of one item whose model is no partial credit: curves, expected log-likelihood, M-step.

Parameters of an item lie in one vector: slope, intercepts 1..K, then what its family adds. Every
family is one step that gives, at one ability, log P of each category, its derivative by each
parameter, and the negative second derivatives summed over categories with given counts.
"""

from __future__ import annotations

import numpy as np

from edmeasure._loops import exact, exact_step
from edmeasure._validate import BoolArray, FloatArray
from edmeasure.calibration._item_kernels import MOST_HALVINGS, NEWTON_STEPS, NEWTON_TOLERANCE, solve_in_place

GRADED = 1
ASYMPTOTIC = 2
NOMINAL = 3

NEVER = -50.0
IMPOSSIBLE = -700.0
LOWEST_LOGIT = -9.210240366975849  # of a lower asymptote of 0.0001
RIDGE = 1e-8
LONGEST_STEP = 2.0


@exact_step
def _softplus(x: float) -> float:
    """log(1 + exp(x)) without overflow."""
    return float(max(x, 0.0) + np.log1p(np.exp(-abs(x))))


@exact_step
def _graded(
    theta: float, params: FloatArray, counts: FloatArray, log_prob: FloatArray, score: FloatArray, curvature: FloatArray
) -> None:
    """Graded response: P(x >= k) is logistic in a theta + d_k; categories nobody chose are passed over."""
    n_categories = log_prob.shape[0]
    k = 0
    while k < n_categories:
        above = k + 1
        while above < n_categories and params[above] <= NEVER:
            log_prob[above] = NEVER
            above += 1
        value = 0.0
        by_low = 0.0
        by_up = 0.0
        bend_low = 0.0
        bend_up = 0.0
        bend_cross = 0.0
        if k > 0:
            eta = params[0] * theta + params[k]
            value -= _softplus(-eta)
            chance = 1.0 / (1.0 + np.exp(-eta))
            by_low = 1.0 - chance
            bend_low = chance * (1.0 - chance)
        if above < n_categories:
            eta = params[0] * theta + params[above]
            value -= _softplus(eta)
            chance = 1.0 / (1.0 + np.exp(-eta))
            by_up = -chance
            bend_up = chance * (1.0 - chance)
        if k > 0 and above < n_categories:
            gap = params[k] - params[above]
            if gap <= 0.0:
                value = IMPOSSIBLE
            else:
                ratio = 1.0 / np.expm1(gap)
                value += np.log(-np.expm1(-gap))
                by_low += ratio
                by_up -= ratio
                bend = ratio * (1.0 + ratio)
                bend_low += bend
                bend_up += bend
                bend_cross = -bend
        log_prob[k] = value
        score[0, k] = theta * (by_low + by_up)
        weight = counts[k]
        curvature[0, 0] += weight * theta * theta * (bend_low + bend_up + 2.0 * bend_cross)
        if k > 0:
            score[k, k] = by_low
            curvature[k, 0] += weight * theta * (bend_low + bend_cross)
            curvature[k, k] += weight * bend_low
        if above < n_categories:
            score[above, k] = by_up
            curvature[above, 0] += weight * theta * (bend_up + bend_cross)
            curvature[above, above] += weight * bend_up
            if k > 0:
                curvature[above, k] += weight * bend_cross
        k = above


@exact_step
def _asymptotic(
    theta: float, params: FloatArray, counts: FloatArray, log_prob: FloatArray, score: FloatArray, curvature: FloatArray
) -> None:
    """P(x = 1) = g + (u - g) F(a theta + d) with logistic F; logit g and, of four parameters, logit u come last."""
    size = params.shape[0]
    eta = params[0] * theta + params[1]
    rise = 1.0 / (1.0 + np.exp(-eta))
    fall = 1.0 / (1.0 + np.exp(eta))
    lower = 1.0 / (1.0 + np.exp(-params[2]))
    missed = 1.0 / (1.0 + np.exp(params[3])) if size > 3 else 0.0
    span = 1.0 - missed - lower
    right = lower + span * rise
    wrong = missed + span * fall
    log_prob[0] = np.log(max(wrong, 1e-300))
    log_prob[1] = np.log(max(right, 1e-300))
    density = rise * fall
    of_lower = lower * (1.0 - lower)
    of_upper = missed * (1.0 - missed)
    if right <= 0.0 or wrong <= 0.0:
        return
    for r in range(size):
        by = span * density * theta
        if r == 1:
            by = span * density
        elif r == 2:
            by = of_lower * fall
        elif r == 3:
            by = of_upper * rise
        score[r, 0] = -by / wrong
        score[r, 1] = by / right
    both = counts[1] / right - counts[0] / wrong
    for r in range(size):
        for c in range(r + 1):
            second = 0.0
            if r < 2:
                second = span * density * (fall - rise)
            elif r == 2:
                second = -of_lower * density if c < 2 else of_lower * (1.0 - 2.0 * lower) * fall
            elif c < 2:
                second = of_upper * density
            elif c == 3:
                second = of_upper * (2.0 * missed - 1.0) * rise
            if r == 0:
                second *= theta
            if c == 0:
                second *= theta
            curvature[r, c] += counts[1] * score[r, 1] * score[c, 1] + counts[0] * score[r, 0] * score[c, 0] - both * second


@exact_step
def _nominal(
    theta: float, params: FloatArray, counts: FloatArray, log_prob: FloatArray, score: FloatArray, curvature: FloatArray
) -> None:
    """Nominal response: P(k) proportional to exp(alpha_k theta + d_k), alpha_K = K a; alpha_1..alpha_{K-1} come last."""
    n_categories = log_prob.shape[0]
    top = n_categories - 1
    size = params.shape[0]
    highest = 0.0
    log_prob[0] = 0.0
    for k in range(1, n_categories):
        slope = top * params[0] if k == top else params[top + k]
        log_prob[k] = slope * theta + params[k]
        highest = max(highest, log_prob[k])
    total = 0.0
    persons = 0.0
    for k in range(n_categories):
        total += np.exp(log_prob[k] - highest)
        persons += counts[k]
    for k in range(n_categories):
        log_prob[k] -= highest + np.log(total)
    for r in range(size):
        own = top if r == 0 else (r if r <= top else r - top)
        by_eta = top * theta if r == 0 else (1.0 if r <= top else theta)
        chance = np.exp(log_prob[own])
        for k in range(n_categories):
            score[r, k] = by_eta * ((1.0 if k == own else 0.0) - chance)
        for c in range(r + 1):
            other = top if c == 0 else (c if c <= top else c - top)
            other_by_eta = top * theta if c == 0 else (1.0 if c <= top else theta)
            shared = chance if own == other else 0.0
            curvature[r, c] += persons * by_eta * other_by_eta * (shared - chance * np.exp(log_prob[other]))


@exact
def curves(
    family: int, nodes: FloatArray, params: FloatArray, counts: FloatArray, log_probs: FloatArray, scores: FloatArray
) -> FloatArray:
    """Fill log P (n_nodes, n_categories) and its derivatives (n_nodes, n_parameters, n_categories) of one item.

    Returns the lower half of the negative second derivatives, summed over ``counts`` of answers (n_nodes,
    n_categories).
    """
    size = params.shape[0]
    curvature = np.zeros((size, size))
    for q in range(nodes.shape[0]):
        for r in range(size):
            for k in range(log_probs.shape[1]):
                scores[q, r, k] = 0.0
        if family == GRADED:
            _graded(nodes[q], params, counts[q], log_probs[q], scores[q], curvature)
        elif family == ASYMPTOTIC:
            _asymptotic(nodes[q], params, counts[q], log_probs[q], scores[q], curvature)
        else:
            _nominal(nodes[q], params, counts[q], log_probs[q], scores[q], curvature)
    return curvature


@exact
def objective(
    family: int,
    counts: FloatArray,
    nodes: FloatArray,
    params: FloatArray,
    usable: BoolArray,
    prior: FloatArray,
    gradient: FloatArray,
    hessian: FloatArray,
    fisher: FloatArray,
) -> float:
    """Expected complete log-likelihood of one item with its normal prior; fills the derivatives.

    ``counts`` are expected answers (n_nodes, n_categories), ``prior`` holds mean and precision of
    every parameter. ``hessian`` (lower half) is the exact negative one, ``fisher`` its expectation
    over answers, which no start makes indefinite.
    """
    n_categories = counts.shape[1]
    size = params.shape[0]
    log_probs, scores = np.empty(counts.shape), np.empty((nodes.shape[0], size, n_categories))
    curvature = curves(family, nodes, params, counts, log_probs, scores)
    for r in range(size):
        gradient[r] = 0.0
        for c in range(r + 1):
            hessian[r, c] = curvature[r, c]
            fisher[r, c] = 0.0
    value = 0.0
    for q in range(nodes.shape[0]):
        persons = 0.0
        for k in range(n_categories):
            persons += counts[q, k]
        for k in range(n_categories):
            value += counts[q, k] * log_probs[q, k]
            weight = persons * np.exp(log_probs[q, k])
            for r in range(size):
                gradient[r] += counts[q, k] * scores[q, r, k]
                for c in range(r + 1):
                    fisher[r, c] += weight * scores[q, r, k] * scores[q, c, k]
    for r in range(size):
        if usable[r]:
            away = params[r] - prior[0, r]
            value -= 0.5 * prior[1, r] * away * away
            gradient[r] -= prior[1, r] * away
            hessian[r, r] += prior[1, r]
            fisher[r, r] += prior[1, r]
    _leave_out(usable, gradient, hessian, fisher)
    return float(value)


@exact_step
def _leave_out(free: BoolArray, gradient: FloatArray, hessian: FloatArray, fisher: FloatArray) -> None:
    """Make what is not free independent of the rest, with no gradient."""
    size = gradient.shape[0]
    for r in range(size):
        if not free[r]:
            gradient[r] = 0.0
            for c in range(size):
                hessian[max(r, c), min(r, c)] = 1.0 if r == c else 0.0
                fisher[max(r, c), min(r, c)] = 1.0 if r == c else 0.0


@exact_step
def _pin(family: int, params: FloatArray, gradient: FloatArray, usable: BoolArray, free: BoolArray) -> None:
    """Leave out of ``free`` what is fixed, and asymptotes that press against their bounds."""
    for r in range(params.shape[0]):
        free[r] = usable[r]
    if family == ASYMPTOTIC:
        for r in range(2, params.shape[0]):
            low, high = (LOWEST_LOGIT, 0.0) if r == 2 else (0.0, -LOWEST_LOGIT)
            if (params[r] <= low and gradient[r] < 0.0) or (params[r] >= high and gradient[r] > 0.0):
                free[r] = False


@exact_step
def _direction(hessian: FloatArray, fisher: FloatArray, gradient: FloatArray, free: BoolArray, step: FloatArray) -> bool:
    """Newton's step of the free parameters, or Fisher's where the Hessian is indefinite."""
    _leave_out(free, gradient, hessian, fisher)
    for r in range(gradient.shape[0]):
        step[r] = gradient[r]
    if solve_in_place(hessian, step, step.shape[0]):
        return True
    for r in range(gradient.shape[0]):
        step[r] = gradient[r]
        fisher[r, r] += RIDGE * (1.0 + fisher[r, r])
    return solve_in_place(fisher, step, step.shape[0])


@exact
def maximize_item(
    family: int, counts: FloatArray, nodes: FloatArray, params: FloatArray, usable: BoolArray, prior: FloatArray
) -> None:
    """Damped Newton ascent of one item; ``params`` change in place."""
    size = params.shape[0]
    trial, step, gradient = np.empty(size), np.zeros(size), np.empty(size)
    hessian, fisher = np.empty((size, size)), np.empty((size, size))
    free = np.empty(size, dtype=np.bool_)
    value = -np.inf
    factor, n_steps, n_halvings = 1.0, 0, 0
    while n_halvings < MOST_HALVINGS:
        for r in range(size):
            trial[r] = params[r] + factor * step[r]
        if family == ASYMPTOTIC:
            trial[2] = min(max(trial[2], LOWEST_LOGIT), 0.0)
            if size > 3:
                trial[3] = max(min(trial[3], -LOWEST_LOGIT), 0.0)
        trial_value = objective(family, counts, nodes, trial, usable, prior, gradient, hessian, fisher)
        if not trial_value >= value:
            factor *= 0.5
            n_halvings += 1
            continue
        value = trial_value
        for r in range(size):
            params[r] = trial[r]
        _pin(family, params, gradient, usable, free)
        if n_steps == NEWTON_STEPS or not _direction(hessian, fisher, gradient, free, step):
            break
        largest = 0.0
        for r in range(size):
            largest = max(largest, abs(step[r]))
        if largest < NEWTON_TOLERANCE:
            break
        factor, n_halvings = min(1.0, LONGEST_STEP / largest), 0
        n_steps += 1
