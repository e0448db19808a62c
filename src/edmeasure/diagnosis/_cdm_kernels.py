"""Loops over persons and latent classes: one start's EM from its first guess to its maximum.

Twenty starts of a small test take thousands of EM steps, so the whole way is compiled: look-up
tables, E-step, M-step and the same Anderson mixing as `_em.Anderson`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edmeasure._loops import reordered, reordered_step
from edmeasure._validate import FloatArray, Int8Array, IntArray
from edmeasure.calibration._pattern_kernels import TINY, Codes, Layout

RESCALE_EVERY = 3
SMALL = 1e-40
CLOSEST = 1e-10
RAREST = 1e-20
VANISHED = 1e-12
KEPT_SHARE = 0.05
LONGEST_JUMP = 3.0
MEMORY = 6
SPANNED = 1e-16
FALL = 1e-11
PACE = 10

SATURATED, IDENTITY, LOGIT, LOG = 0, 1, 2, 3
NEWTON_STEPS = 12
MOST_HALVINGS = 25
BARRIER = 1e-7


class Answers(NamedTuple):
    """Pattern codes of distinct answer rows, how often each occurs, and the codes' layout."""

    codes: Codes
    weights: FloatArray
    layout: Layout


class Cells(NamedTuple):
    """Groups of classes that every item tells apart, and the model of their success.

    ``cell_of`` (n_items, n_classes) names the cell; item j owns cells ``cell_start[j]`` on and coefficients
    ``coefficient_start[j]`` on: a saturated item's are its cells' success, others add up along ``design`` under ``link[j]``.
    """

    cell_of: IntArray
    cell_start: IntArray
    coefficient_start: IntArray
    link: IntArray
    design: Int8Array


class Expected(NamedTuple):
    """Tables and sums of one E-step; ``right`` and ``wrong`` run over cells, ``persons`` over classes."""

    tables: FloatArray
    patterns: FloatArray
    posterior: FloatArray
    right: FloatArray
    wrong: FloatArray
    persons: FloatArray


@reordered_step
def _fill_success(cells: Cells, coefficients: FloatArray, success: FloatArray) -> bool:
    """Success of every cell; False when an additive item leaves 0..1."""
    inside = True
    for j in range(cells.link.shape[0]):
        first, link = cells.coefficient_start[j], cells.link[j]
        size = cells.coefficient_start[j + 1] - first
        for cell in range(cells.cell_start[j], cells.cell_start[j + 1]):
            if link == SATURATED:
                success[cell] = coefficients[first + cell - cells.cell_start[j]]
                continue
            chance = 0.0
            for k in range(size):
                chance += cells.design[cell, k] * coefficients[first + k]
            if link == LOGIT:
                chance = 1.0 / (1.0 + np.exp(-chance))
            elif link == LOG:
                chance = np.exp(chance)
            if link != LOGIT and not (chance > 0.0 and chance < 1.0):
                inside = False
            success[cell] = min(max(chance, CLOSEST), 1.0 - CLOSEST)
    return inside


@reordered_step
def _fill_tables(layout: Layout, cell_of: IntArray, n_classes: int, success: FloatArray, expected: Expected) -> None:
    """Likelihood of every pattern row in the first classes."""
    tables, chances = expected.tables, expected.posterior
    for g in range(layout.group_first.shape[0] - 1):
        base, size = layout.row_start[g], 1
        for c in range(n_classes):
            tables[base, c] = 1.0
        for j in range(layout.group_first[g], layout.group_first[g + 1]):
            for c in range(n_classes):
                chances[c] = success[cell_of[j, c]]
            for row in range(base, base + size):
                for c in range(n_classes):
                    tables[size + row, c] = tables[row, c] * chances[c]
                if layout.n_states[j] == 3:
                    for c in range(n_classes):
                        tables[2 * size + row, c] = tables[row, c]
                for c in range(n_classes):
                    tables[row, c] *= 1.0 - chances[c]
            size *= layout.n_states[j]


@reordered_step
def _gather(answers: Answers, prior: FloatArray, n_classes: int, expected: Expected) -> float:
    """Add expected persons per pattern row and per class; the log-likelihood."""
    layout, posterior = answers.layout, expected.posterior
    loglik = 0.0
    for i in range(answers.codes.shape[0]):
        scale = 0.0
        for c in range(n_classes):
            posterior[c] = prior[c]
        for g in range(answers.codes.shape[1]):
            code = np.int64(answers.codes[i, g])
            if code == layout.skip_code[g]:
                continue
            row = layout.row_start[g] + code
            for c in range(n_classes):
                posterior[c] *= expected.tables[row, c]
            if g % RESCALE_EVERY == RESCALE_EVERY - 1:
                highest = TINY
                for c in range(n_classes):
                    highest = max(highest, posterior[c])
                if highest < SMALL:
                    factor = 1.0 / highest
                    for c in range(n_classes):
                        posterior[c] *= factor
                    scale += np.log(highest)
        total = TINY
        for c in range(n_classes):
            total += posterior[c]
        loglik += answers.weights[i] * (np.log(total) + scale)
        factor = answers.weights[i] / total
        for c in range(n_classes):
            posterior[c] *= factor
            expected.persons[c] += posterior[c]
        for g in range(answers.codes.shape[1]):
            code = np.int64(answers.codes[i, g])
            if code == layout.skip_code[g]:
                continue
            row = layout.row_start[g] + code
            for c in range(n_classes):
                expected.patterns[row, c] += posterior[c]
    return loglik


@reordered_step
def _unfold(layout: Layout, cell_of: IntArray, n_classes: int, expected: Expected) -> None:
    """Add expected answers per cell from those of pattern rows."""
    sums = expected.posterior
    for g in range(layout.group_first.shape[0] - 1):
        stride = 1
        for j in range(layout.group_first[g], layout.group_first[g + 1]):
            period = stride * layout.n_states[j]
            for state in range(2):
                for c in range(n_classes):
                    sums[c] = 0.0
                for first in range(layout.row_start[g] + state * stride, layout.row_start[g + 1], period):
                    for row in range(first, first + stride):
                        for c in range(n_classes):
                            sums[c] += expected.patterns[row, c]
                for c in range(n_classes):
                    if state == 0:
                        expected.wrong[cell_of[j, c]] += sums[c]
                    else:
                        expected.right[cell_of[j, c]] += sums[c]
            stride = period


@reordered_step
def _expect(
    answers: Answers, cell_of: IntArray, n_classes: int, success: FloatArray, prior: FloatArray, expected: Expected
) -> float:
    """E-step over the first classes."""
    for row in range(expected.patterns.shape[0]):
        for c in range(n_classes):
            expected.patterns[row, c] = 0.0
    for c in range(expected.persons.shape[0]):
        expected.persons[c] = 0.0
    for cell in range(success.shape[0]):
        expected.right[cell] = expected.wrong[cell] = 0.0
    _fill_tables(answers.layout, cell_of, n_classes, success, expected)
    loglik = _gather(answers, prior, n_classes, expected)
    _unfold(answers.layout, cell_of, n_classes, expected)
    return loglik


@reordered_step
def _newton_step(
    cells: Cells, j: int, expected: Expected, coefficients: FloatArray, step: FloatArray, hessian: FloatArray
) -> float:
    """Expected log-likelihood of additive item j, -1e300 outside 0..1; ``step`` becomes Newton's."""
    first = cells.coefficient_start[j]
    size = cells.coefficient_start[j + 1] - first
    value = 0.0
    for a in range(size):
        step[a] = 0.0
        for b in range(a + 1):
            hessian[a, b] = BARRIER if a == b else 0.0
    for cell in range(cells.cell_start[j], cells.cell_start[j + 1]):
        chance = 0.0
        for a in range(size):
            chance += cells.design[cell, a] * coefficients[a]
        # chances change by these with the sum of coefficients
        speed, bend = 1.0, 0.0
        if cells.link[j] == LOGIT:
            chance = min(max(1.0 / (1.0 + np.exp(-chance)), CLOSEST), 1.0 - CLOSEST)
            speed = chance * (1.0 - chance)
            bend = speed * (1.0 - 2.0 * chance)
        elif cells.link[j] == LOG:
            chance = np.exp(chance)
            speed, bend = chance, chance
        if not (chance > 0.0 and chance < 1.0):
            return -1e300
        # a hair of answers of both kinds keeps the maximum inside
        right, wrong = (expected.right[cell] + BARRIER) / chance, (expected.wrong[cell] + BARRIER) / (1.0 - chance)
        value += right * chance * np.log(chance) + wrong * (1.0 - chance) * np.log(1.0 - chance)
        slope = (right - wrong) * speed
        curvature = (right / chance + wrong / (1.0 - chance)) * speed * speed - (right - wrong) * bend
        for a in range(size):
            step[a] += slope * cells.design[cell, a]
            for b in range(a + 1):
                hessian[a, b] += curvature * cells.design[cell, a] * cells.design[cell, b]
    for r in range(size):
        for k in range(r + 1, size):
            factor = hessian[k, r] / hessian[r, r]
            for c in range(r + 1, k + 1):
                hessian[k, c] -= factor * hessian[c, r]
            step[k] -= factor * step[r]
    for r in range(size - 1, -1, -1):
        for k in range(r + 1, size):
            step[r] -= hessian[k, r] * step[k]
        step[r] /= hessian[r, r]
    return value


@reordered_step
def maximize_items(cells: Cells, expected: Expected, point: FloatArray, image: FloatArray) -> None:
    """M-step of all items: shares, or damped Newton where coefficients add up."""
    width = cells.design.shape[1]
    trial, step, following, hessian = np.empty(width), np.empty(width), np.empty(width), np.empty((width, width))
    for j in range(cells.link.shape[0]):
        first, last = cells.coefficient_start[j], cells.coefficient_start[j + 1]
        if cells.link[j] == SATURATED:
            for k in range(first, last):
                cell = cells.cell_start[j] + k - first
                total = expected.right[cell] + expected.wrong[cell]
                share = expected.right[cell] / total if total > CLOSEST else point[k]
                image[k] = min(max(share, CLOSEST), 1.0 - CLOSEST)
            continue
        for k in range(first, last):
            image[k], step[k - first] = point[k], 0.0
        value, factor, n_steps, n_halvings = -1e299, 0.0, 0, 0
        while n_halvings < MOST_HALVINGS and n_steps < NEWTON_STEPS:
            for k in range(first, last):
                trial[k - first] = image[k] + factor * step[k - first]
            found = _newton_step(cells, j, expected, trial, following, hessian)
            if not found >= value:
                factor *= 0.5
                n_halvings += 1
                continue
            largest = 0.0
            for k in range(first, last):
                image[k], step[k - first] = trial[k - first], following[k - first]
                largest = max(largest, abs(step[k - first]))
            if largest < CLOSEST:
                break
            value, factor, n_halvings = found, min(1.0, LONGEST_JUMP / largest), 0
            n_steps += 1


@reordered_step
def _mix(points: FloatArray, images: FloatArray, kept: int, basis: FloatArray, proposal: FloatArray) -> None:
    """Anderson's proposal from the last ``kept`` points and images, by Gram-Schmidt as in `_em.Anderson`."""
    size = proposal.shape[0]
    upper, onto, mix = np.zeros((MEMORY, MEMORY)), np.zeros(MEMORY), np.zeros(MEMORY)
    taken = np.zeros(MEMORY, dtype=np.int64)
    rest = basis[MEMORY]
    for p in range(size):
        proposal[p] = images[kept - 1, p]
        rest[p] = proposal[p] - points[kept - 1, p]
    rank = 0
    for k in range(kept - 2, -1, -1):
        row = basis[rank]
        whole, left = 0.0, 0.0
        for p in range(size):
            row[p] = images[k + 1, p] - points[k + 1, p] - images[k, p] + points[k, p]
            whole += row[p] * row[p]
        for at in range(rank):
            along = 0.0
            for p in range(size):
                along += basis[at, p] * row[p]
            for p in range(size):
                row[p] -= along * basis[at, p]
            upper[at, rank] = along
        for p in range(size):
            left += row[p] * row[p]
        if not left > SPANNED * whole:
            continue
        upper[rank, rank], taken[rank] = np.sqrt(left), k
        for p in range(size):
            row[p] /= upper[rank, rank]
            onto[rank] += row[p] * rest[p]
        for p in range(size):
            rest[p] -= onto[rank] * row[p]
        rank += 1
    for at in range(rank - 1, -1, -1):
        mix[at] = onto[at]
        for later in range(at + 1, rank):
            mix[at] -= upper[at, later] * mix[later]
        mix[at] /= upper[at, at]
        for p in range(size):
            proposal[p] -= mix[at] * (images[taken[at] + 1, p] - images[taken[at], p])


@reordered_step
def bound(cells: Cells, proposal: FloatArray, image: FloatArray) -> None:
    """Leave every probability a share of its plain EM image's distance from 0 and 1."""
    n_coefficients = cells.coefficient_start[-1]
    for j in range(cells.link.shape[0]):
        for k in range(cells.coefficient_start[j], cells.coefficient_start[j + 1]):
            low, high = image[k] - LONGEST_JUMP, image[k] + LONGEST_JUMP
            if cells.link[j] == SATURATED:
                low, high = KEPT_SHARE * image[k], 1.0 - KEPT_SHARE * (1.0 - image[k])
            proposal[k] = min(max(proposal[k], low), high)
    total = 0.0
    for k in range(n_coefficients, proposal.shape[0]):
        proposal[k] = max(proposal[k], KEPT_SHARE * image[k])
        total += proposal[k]
    for k in range(n_coefficients, proposal.shape[0]):
        proposal[k] /= total


@reordered
def climb(answers: Answers, cells: Cells, stall: float, expected: Expected, point: FloatArray, logliks: FloatArray) -> int:
    """EM with Anderson mixing from ``point``, which moves to the best one found; the number of accepted steps.

    Stops when ten steps gain less than ``stall``. A proposal that leaves the model or lowers the log-likelihood gives
    way to the plain EM image of the last accepted point. Classes that vanish are left out from then on.
    """
    n_coefficients, n_classes = cells.coefficient_start[-1], cells.cell_of.shape[1]
    size = n_coefficients + n_classes
    points, images, basis = np.empty((MEMORY + 1, size)), np.empty((MEMORY + 1, size)), np.empty((MEMORY + 1, size))
    trial, image, prior = point.copy(), point.copy(), np.empty(n_classes)
    success, cell_of, alive = np.empty(expected.right.shape[0]), cells.cell_of.copy(), np.arange(n_classes)
    n_alive, kept, accepted = n_classes, 0, 0
    for _round in range(2 * logliks.shape[0]):
        for a in range(n_alive):
            prior[a] = trial[n_coefficients + alive[a]]
        loglik = -np.inf
        if _fill_success(cells, trial, success) or accepted == 0:
            loglik = _expect(answers, cell_of, n_alive, success, prior, expected)
        if accepted > 0 and not loglik >= logliks[accepted - 1] * (1.0 + FALL):
            if kept == 0:
                break
            kept = 0
            for p in range(size):
                trial[p] = image[p]
            continue
        for p in range(size):
            point[p] = trial[p]
        logliks[accepted] = loglik
        accepted += 1
        if accepted == logliks.shape[0] or (accepted > PACE and loglik - logliks[accepted - 1 - PACE] < stall):
            break
        maximize_items(cells, expected, trial, image)
        total, n_left = 0.0, 0
        for a in range(n_alive):
            total += expected.persons[a]
        for a in range(n_alive):
            c, share = alive[a], expected.persons[a] / total
            image[n_coefficients + c] = share if share > VANISHED else RAREST
            if share > VANISHED:
                alive[n_left] = c
                for j in range(cell_of.shape[0]):
                    cell_of[j, n_left] = cells.cell_of[j, c]
                n_left += 1
        n_alive = n_left
        if kept > MEMORY:
            kept = MEMORY
            for k in range(MEMORY):
                for p in range(size):
                    points[k, p], images[k, p] = points[k + 1, p], images[k + 1, p]
        for p in range(size):
            points[kept, p], images[kept, p] = trial[p], image[p]
        kept += 1
        _mix(points, images, kept, basis, trial)
        bound(cells, trial, image)
    return accepted
