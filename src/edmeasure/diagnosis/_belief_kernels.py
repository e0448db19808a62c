"""Belief propagation over binary attributes, person by person, and a Gibbs sampler to measure its error.

Factors are items of one set of attributes together, and every attribute with those it depends on. State s of a
factor has bit i set where the i-th attribute of its scope is mastered. Messages are log odds.
"""

from __future__ import annotations

import numpy as np

from edmeasure._loops import exact, exact_step
from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray

LIMIT = 30.0
SMALLEST = 1e-300
DAMPED_AFTER = 40
DAMPING = 0.5


@exact_step
def _chance(logit: float) -> float:
    return float(1.0 / (1.0 + np.exp(-min(max(logit, -LIMIT), LIMIT))))


@exact_step
def _fill_potentials(
    scores: Int8Array,
    factor_items: IntArray,
    item_start: IntArray,
    item_logs: FloatArray,
    item_offset: IntArray,
    family_tables: FloatArray,
    table_start: IntArray,
    tables: FloatArray,
    heights: FloatArray,
) -> None:
    """Likelihood of a person's answers in every state of every factor, the highest 1; ``heights`` keep what that took."""
    n_factors = table_start.shape[0] - 1
    for f in range(n_factors):
        begin, end = table_start[f], table_start[f + 1]
        if item_start[f] == item_start[f + 1]:
            heights[f] = 0.0
            for s in range(begin, end):
                tables[s] = family_tables[s]
            continue
        for s in range(begin, end):
            tables[s] = 0.0
        for at in range(item_start[f], item_start[f + 1]):
            j = factor_items[at]
            x = scores[j]
            if x >= 0:
                first = item_offset[j] + x * (end - begin)
                for s in range(end - begin):
                    tables[begin + s] += item_logs[first + s]
        highest = tables[begin]
        for s in range(begin, end):
            highest = max(highest, tables[s])
        heights[f] = highest
        for s in range(begin, end):
            tables[s] = np.exp(tables[s] - highest)


@exact_step
def _weigh(
    f: int,
    scope_start: IntArray,
    scope: IntArray,
    table_start: IntArray,
    tables: FloatArray,
    totals: FloatArray,
    messages: FloatArray,
    chances: FloatArray,
    weights: FloatArray,
) -> float:
    """Fill ``weights`` with the factor's states, its own table times what comes in; returns their sum."""
    begin, size = scope_start[f], scope_start[f + 1] - scope_start[f]
    weights[0] = 1.0
    width = 1
    for i in range(size):
        chances[i] = _chance(totals[scope[begin + i]] - messages[begin + i])
        for s in range(width):
            weights[width + s] = weights[s] * chances[i]
            weights[s] *= 1.0 - chances[i]
        width *= 2
    whole = 0.0
    for s in range(width):
        weights[s] *= tables[table_start[f] + s]
        whole += weights[s]
    return whole


@exact_step
def _bethe(
    scope_start: IntArray,
    scope: IntArray,
    table_start: IntArray,
    tables: FloatArray,
    heights: FloatArray,
    totals: FloatArray,
    messages: FloatArray,
    chances: FloatArray,
    weights: FloatArray,
    sides: FloatArray,
) -> float:
    """Log-likelihood in Bethe's approximation (Yedidia, Freeman & Weiss 2005), exact where factors form a tree."""
    total = 0.0
    for k in range(totals.shape[0]):
        sides[0, k], sides[1, k] = 0.0, 0.0
    for f in range(scope_start.shape[0] - 1):
        whole = _weigh(f, scope_start, scope, table_start, tables, totals, messages, chances, weights)
        total += heights[f] + np.log(max(whole, SMALLEST))
        for e in range(scope_start[f], scope_start[f + 1]):
            told = _chance(messages[e])
            comes = chances[e - scope_start[f]]
            total -= np.log(comes * told + (1.0 - comes) * (1.0 - told))
            sides[0, scope[e]] += np.log(1.0 - told)
            sides[1, scope[e]] += np.log(told)
    for k in range(totals.shape[0]):
        higher, lower = max(sides[0, k], sides[1, k]), min(sides[0, k], sides[1, k])
        total += higher + np.log1p(np.exp(lower - higher))
    return total


@exact_step
def _sweep(
    scope_start: IntArray,
    scope: IntArray,
    table_start: IntArray,
    tables: FloatArray,
    totals: FloatArray,
    messages: FloatArray,
    chances: FloatArray,
    weights: FloatArray,
    damping: float,
) -> float:
    """Renew the messages of every factor in turn; returns the largest change."""
    moved = 0.0
    for f in range(scope_start.shape[0] - 1):
        begin, size = scope_start[f], scope_start[f + 1] - scope_start[f]
        _weigh(f, scope_start, scope, table_start, tables, totals, messages, chances, weights)
        for at in range(size):
            mastered, lacked = SMALLEST, SMALLEST
            for s in range(table_start[f + 1] - table_start[f]):
                if (s >> at) & 1:
                    mastered += weights[s]
                else:
                    lacked += weights[s]
            comes = chances[at]
            odds = mastered * (1.0 - comes) / (lacked * comes)
            told = min(max(np.log(odds), -LIMIT), LIMIT)
            told += damping * (messages[begin + at] - told)
            change = told - messages[begin + at]
            totals[scope[begin + at]] += change
            messages[begin + at] = told
            moved = max(moved, abs(change))
    return moved


@exact
def propagate(
    scores: Int8Array,
    person_weights: FloatArray,
    factor_items: IntArray,
    item_start: IntArray,
    item_logs: FloatArray,
    item_offset: IntArray,
    family_tables: FloatArray,
    scope_start: IntArray,
    scope: IntArray,
    table_start: IntArray,
    tolerance: float,
    max_sweeps: int,
    messages: FloatArray,
    beliefs: FloatArray,
    is_settled: BoolArray,
    right: FloatArray,
    seen: FloatArray,
    families: FloatArray,
) -> float:
    """Sweep over all factors until messages (n, n_edges) settle; beliefs (n, K), expected counts, and the log-likelihood.

    ``right`` and ``seen`` run over items' states like ``item_logs`` without the half for right answers; ``families`` over
    the states of all factors.
    """
    n_factors, n_attributes = scope_start.shape[0] - 1, beliefs.shape[1]
    tables, heights = np.empty(table_start[n_factors]), np.empty(n_factors)
    largest = 1
    for f in range(n_factors):
        largest = max(largest, table_start[f + 1] - table_start[f])
    chances, weights, totals = np.empty(64), np.empty(largest), np.empty(n_attributes)
    sides = np.empty((2, n_attributes))
    loglik = 0.0
    for i in range(scores.shape[0]):
        own = messages[i]
        _fill_potentials(scores[i], factor_items, item_start, item_logs, item_offset, family_tables, table_start, tables, heights)
        for k in range(n_attributes):
            totals[k] = 0.0
        for e in range(scope.shape[0]):
            totals[scope[e]] += own[e]
        is_settled[i] = False
        for sweep in range(max_sweeps):
            damping = DAMPING if sweep >= DAMPED_AFTER else 0.0
            moved = _sweep(scope_start, scope, table_start, tables, totals, own, chances, weights, damping)
            if moved < tolerance:
                is_settled[i] = True
                break
        weight = person_weights[i]
        for k in range(n_attributes):
            beliefs[i, k] = _chance(totals[k])
        loglik += weight * _bethe(scope_start, scope, table_start, tables, heights, totals, own, chances, weights, sides)
        for f in range(n_factors):
            width = table_start[f + 1] - table_start[f]
            whole = _weigh(f, scope_start, scope, table_start, tables, totals, own, chances, weights)
            for s in range(width):
                weights[s] *= weight / max(whole, SMALLEST)
                families[table_start[f] + s] += weights[s]
            for at in range(item_start[f], item_start[f + 1]):
                j = factor_items[at]
                x = scores[i, j]
                if x >= 0:
                    first = item_offset[j] // 2
                    for s in range(width):
                        seen[first + s] += weights[s]
                        right[first + s] += weights[s] * x
    return loglik


@exact
def sample(
    scores: Int8Array,
    factor_items: IntArray,
    item_start: IntArray,
    item_logs: FloatArray,
    item_offset: IntArray,
    family_tables: FloatArray,
    scope_start: IntArray,
    scope: IntArray,
    table_start: IntArray,
    edge_start: IntArray,
    edges: IntArray,
    edge_factor: IntArray,
    first: Int8Array,
    luck: FloatArray,
    burn_in: int,
    means: FloatArray,
) -> None:
    """Gibbs sampling of one person: conditional chances, averaged over batches of draws, into ``means`` (n_batches, K).

    ``edges[edge_start[k]:edge_start[k + 1]]`` are the places of attribute k in scopes, ``first`` (K,) a permitted pattern,
    ``luck`` (burn_in + n_draws, K) uniform numbers.
    """
    n_factors, n_attributes = scope_start.shape[0] - 1, first.shape[0]
    tables, heights = np.empty(table_start[n_factors]), np.empty(n_factors)
    states = np.zeros(n_factors, dtype=np.int64)
    _fill_potentials(scores, factor_items, item_start, item_logs, item_offset, family_tables, table_start, tables, heights)
    for e in range(scope.shape[0]):
        states[edge_factor[e]] += first[scope[e]] << (e - scope_start[edge_factor[e]])
    n_draws = luck.shape[0] - burn_in
    batch = n_draws // means.shape[0]
    means[:] = 0.0
    for draw in range(luck.shape[0]):
        for k in range(n_attributes):
            mastered, lacked = 1.0, 1.0
            for at in range(edge_start[k], edge_start[k + 1]):
                e = edges[at]
                f = edge_factor[e]
                bit = 1 << (e - scope_start[f])
                mastered *= tables[table_start[f] + (states[f] | bit)]
                lacked *= tables[table_start[f] + (states[f] & ~bit)]
                both = mastered + lacked
                mastered, lacked = mastered / both, lacked / both
            is_mastered = luck[draw, k] < mastered
            if draw >= burn_in:
                means[(draw - burn_in) // batch, k] += mastered / batch
            for at in range(edge_start[k], edge_start[k + 1]):
                e = edges[at]
                f = edge_factor[e]
                bit = 1 << (e - scope_start[f])
                states[f] = states[f] | bit if is_mastered else states[f] & ~bit
