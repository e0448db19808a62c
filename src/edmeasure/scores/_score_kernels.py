"""Loops over persons for maximum likelihood, maximum a posteriori and weighted likelihood estimates.

For any mixture of item models: a table over coarse nodes brackets the estimate of every person,
the exact estimating equation is then solved inside the bracket.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edmeasure._loops import exact, exact_step
from edmeasure._validate import FloatArray, Int8Array, IntArray
from edmeasure.calibration._family_kernels import ASYMPTOTIC, GRADED, NEVER

LIKELIHOOD = 0
POSTERIOR = 1
WARM = 2

STEPS = 80
STEP_TOLERANCE = 1e-10
DIFFERENCE = 1e-5
TINY = 1e-300
MOST_CATEGORIES = 128


class Curves(NamedTuple):
    """Items on the flat category axis: family, intercepts, category slopes and asymptotes."""

    family: IntArray
    category_start: IntArray
    intercepts: FloatArray
    slopes: FloatArray
    lower: FloatArray
    upper: FloatArray


class Grid(NamedTuple):
    """What answers and items add at coarse nodes (last axis).

    Log P and its derivative per category; information and Warm's J per item.
    """

    nodes: FloatArray
    log_prob: FloatArray
    score: FloatArray
    information: FloatArray
    third: FloatArray


@exact
def item_moments(
    curves: Curves, j: int, theta: float, prob: FloatArray, first: FloatArray, second: FloatArray
) -> tuple[float, float]:
    """Fill P, P' and P'' of one item's categories; returns sum P'^2 / P and sum P' P'' / P."""
    start = curves.category_start[j]
    n_categories = curves.category_start[j + 1] - start
    if curves.family[j] == ASYMPTOTIC:
        a = curves.slopes[start + 1]
        eta = a * theta + curves.intercepts[start + 1]
        rise = 1.0 / (1.0 + np.exp(-eta))
        fall = 1.0 / (1.0 + np.exp(eta))
        span = curves.upper[j] - curves.lower[j]
        prob[1] = curves.lower[j] + span * rise
        prob[0] = (1.0 - curves.upper[j]) + span * fall
        first[1] = span * a * rise * fall
        second[1] = span * a * a * rise * fall * (fall - rise)
        first[0] = -first[1]
        second[0] = -second[1]
    elif curves.family[j] == GRADED:
        a = curves.slopes[start + n_categories - 1]
        low_rise, low_fall, low_bend = 1.0, 0.0, 0.0
        at = 0
        for k in range(1, n_categories + 1):
            rise, fall, bend, share = 0.0, 1.0, 0.0, 1.0
            if k < n_categories:
                prob[k], first[k], second[k] = 0.0, 0.0, 0.0
                if curves.intercepts[start + k] <= NEVER:
                    continue
                eta = a * theta + curves.intercepts[start + k]
                rise = 1.0 / (1.0 + np.exp(-eta))
                fall = 1.0 / (1.0 + np.exp(eta))
                bend = rise * fall
                if at > 0:
                    share = -np.expm1(curves.intercepts[start + k] - curves.intercepts[start + at])
            prob[at] = low_rise * fall * share
            by = a * (low_fall - rise)
            first[at] = prob[at] * by
            second[at] = prob[at] * (by * by - a * a * (low_bend + bend))
            low_rise, low_fall, low_bend = rise, fall, bend
            at = k
    else:
        highest = -1e300
        for k in range(n_categories):
            prob[k] = curves.slopes[start + k] * theta + curves.intercepts[start + k]
            highest = max(highest, prob[k])
        total = 0.0
        mean = 0.0
        for k in range(n_categories):
            prob[k] = np.exp(prob[k] - highest)
            total += prob[k]
            mean += prob[k] * curves.slopes[start + k]
        mean /= total
        variance = 0.0
        for k in range(n_categories):
            prob[k] /= total
            away = curves.slopes[start + k] - mean
            first[k] = prob[k] * away
            variance += first[k] * away
        for k in range(n_categories):
            away = curves.slopes[start + k] - mean
            second[k] = prob[k] * (away * away - variance)
    information = 0.0
    third = 0.0
    for k in range(n_categories):
        chance = max(prob[k], TINY)
        information += first[k] * first[k] / chance
        third += first[k] * second[k] / chance
    return information, third


@exact
def fill_grid(curves: Curves, grid: Grid) -> None:
    """Tabulate the items at the grid's nodes."""
    prob, first, second = np.empty(MOST_CATEGORIES), np.empty(MOST_CATEGORIES), np.empty(MOST_CATEGORIES)
    for q in range(grid.nodes.shape[0]):
        for j in range(curves.family.shape[0]):
            information, third = item_moments(curves, j, grid.nodes[q], prob, first, second)
            grid.information[j, q] = information
            grid.third[j, q] = third
            start = curves.category_start[j]
            for k in range(curves.category_start[j + 1] - start):
                chance = max(prob[k], TINY)
                grid.log_prob[start + k, q] = np.log(chance)
                grid.score[start + k, q] = first[k] / chance


@exact
def _equation(
    curves: Curves,
    answers: Int8Array,
    theta: float,
    method: int,
    mean: float,
    sd: float,
    prob: FloatArray,
    first: FloatArray,
    second: FloatArray,
) -> float:
    """The estimating function: zero at the estimate, falling through it."""
    value = 0.0
    information = 0.0
    third = 0.0
    for j in range(answers.shape[0]):
        x = np.int64(answers[j])
        if x < 0:
            continue
        of_item, third_of_item = item_moments(curves, j, theta, prob, first, second)
        information += of_item
        third += third_of_item
        value += first[x] / max(prob[x], TINY)
    if method == POSTERIOR:
        value -= (theta - mean) / (sd * sd)
    elif method == WARM:
        value += third / (2.0 * max(information, TINY))
    return value


@exact_step
def _bracket(curves: Curves, grid: Grid, answers: Int8Array, method: int, mean: float, sd: float, sums: FloatArray) -> int:
    """Node left of the best sign change of the estimating function; -1 below all nodes, n_nodes above, -2 for no answer."""
    n_nodes = grid.nodes.shape[0]
    for r in range(4):
        for q in range(n_nodes):
            sums[r, q] = 0.0
    n_answers = 0
    for j in range(answers.shape[0]):
        x = np.int64(answers[j])
        if x < 0:
            continue
        n_answers += 1
        at = curves.category_start[j] + x
        for q in range(n_nodes):
            sums[0, q] += grid.log_prob[at, q]
            sums[1, q] += grid.score[at, q]
        if method == WARM:
            for q in range(n_nodes):
                sums[2, q] += grid.information[j, q]
                sums[3, q] += grid.third[j, q]
    if n_answers == 0 and method != POSTERIOR:
        return -2
    for q in range(n_nodes):
        if method == POSTERIOR:
            z = (grid.nodes[q] - mean) / sd
            sums[0, q] -= 0.5 * z * z
            sums[1, q] -= z / sd
        elif method == WARM:
            sums[0, q] += 0.5 * np.log(max(sums[2, q], TINY))
            sums[1, q] += sums[3, q] / (2.0 * max(sums[2, q], TINY))
    best = -1 if sums[1, 0] <= 0.0 else n_nodes
    highest = sums[0, 0] if best < 0 else sums[0, n_nodes - 1]
    for q in range(n_nodes - 1):
        if (
            sums[1, q] > 0.0
            and sums[1, q + 1] <= 0.0
            and (max(sums[0, q], sums[0, q + 1]) >= highest or best < 0 or best == n_nodes)
        ):
            best = q
            highest = max(sums[0, q], sums[0, q + 1])
    return best


@exact
def estimates(
    scores: Int8Array,
    curves: Curves,
    grid: Grid,
    method: int,
    prior_mean: FloatArray,
    prior_sd: FloatArray,
    theta: FloatArray,
    se: FloatArray,
) -> None:
    """Estimates and 1 / sqrt(-slope of the estimating function); infinite where the likelihood has no maximum."""
    prob, first, second = np.empty(MOST_CATEGORIES), np.empty(MOST_CATEGORIES), np.empty(MOST_CATEGORIES)
    n_nodes = grid.nodes.shape[0]
    sums = np.empty((4, n_nodes))
    for i in range(scores.shape[0]):
        mean, sd = prior_mean[i], prior_sd[i]
        at = _bracket(curves, grid, scores[i], method, mean, sd, sums)
        if at == -2:
            theta[i] = np.nan
            se[i] = np.nan
            continue
        if at == -1 or at == n_nodes:
            theta[i] = -np.inf if at < 0 else np.inf
            se[i] = np.inf
            continue
        low, high = grid.nodes[at], grid.nodes[at + 1]
        at_low, at_high = sums[1, at], sums[1, at + 1]
        current = low
        side = 0
        for _step in range(STEPS):
            current = (low * at_high - high * at_low) / (at_high - at_low)
            value = _equation(curves, scores[i], current, method, mean, sd, prob, first, second)
            # the end that stays twice counts half (Illinois), so that both ends close in
            if value > 0.0:
                moved = current - low
                low, at_low = current, value
                if side == 1:
                    at_high *= 0.5
                side = 1
            else:
                moved = high - current
                high, at_high = current, value
                if side == -1:
                    at_low *= 0.5
                side = -1
            if value == 0.0 or moved < STEP_TOLERANCE or high - low < STEP_TOLERANCE:
                break
        ahead = _equation(curves, scores[i], current + DIFFERENCE, method, mean, sd, prob, first, second)
        behind = _equation(curves, scores[i], current - DIFFERENCE, method, mean, sd, prob, first, second)
        slope = (ahead - behind) / (2.0 * DIFFERENCE)
        theta[i] = current
        se[i] = 1.0 / np.sqrt(-slope) if slope < 0.0 else np.nan
