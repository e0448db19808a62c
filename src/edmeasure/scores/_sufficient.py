"""Estimates that depend on an answer pattern through one number only, from one table per booklet.

In partial credit models (2PL and Rasch among them) answers matter through T = sum a_j x_j
(Birnbaum 1968). The estimating equation is T = G(theta) with a rising G, so theta as a function of
T is tabulated once and interpolated by cubics through values and slopes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edmeasure._loops import each, exact, parts_of
from edmeasure._validate import FloatArray, Int8Array, IntArray

STEP = 0.01
FEWEST_PERSONS = 2048


@dataclass(frozen=True, eq=False)
class Table:
    """G at equally spaced abilities, rising, and its slope there."""

    nodes: FloatArray
    values: FloatArray
    slopes: FloatArray


@exact
def look_up(
    scores: Int8Array,
    item_slopes: FloatArray,
    nodes: FloatArray,
    values: FloatArray,
    slopes: FloatArray,
    theta: FloatArray,
    se: FloatArray,
) -> None:
    """Fill estimates and 1 / sqrt(G'); infinite beyond the table."""
    n_nodes = nodes.shape[0]
    step = nodes[1] - nodes[0]
    for i in range(scores.shape[0]):
        total = 0.0
        for j in range(scores.shape[1]):
            if scores[i, j] > 0:
                total += item_slopes[j] * scores[i, j]
        if total <= values[0] or total >= values[n_nodes - 1]:
            theta[i] = -np.inf if total <= values[0] else np.inf
            se[i] = np.inf
            continue
        low, high = 0, n_nodes - 1
        while high - low > 1:
            middle = (low + high) // 2
            if values[middle] <= total:
                low = middle
            else:
                high = middle
        rise = values[high] - values[low]
        t = (total - values[low]) / rise
        at_low, at_high = rise / (slopes[low] * step), rise / (slopes[high] * step)
        # cubic of theta in T with the slopes 1 / G' at both ends
        share = t * (at_low + t * (3.0 - 2.0 * at_low - at_high + t * (at_low + at_high - 2.0)))
        theta[i] = nodes[low] + step * share
        first = min(max(low - 1, 0), n_nodes - 4)
        x = low + share - first
        steepness = (
            -slopes[first] * (x - 1.0) * (x - 2.0) * (x - 3.0) / 6.0
            + slopes[first + 1] * x * (x - 2.0) * (x - 3.0) / 2.0
            - slopes[first + 2] * x * (x - 1.0) * (x - 3.0) / 2.0
            + slopes[first + 3] * x * (x - 1.0) * (x - 2.0) / 6.0
        )
        se[i] = 1.0 / np.sqrt(steepness) if steepness > 0.0 else np.nan


def filled(scores: Int8Array, item_slopes: FloatArray, table: Table, theta: FloatArray, se: FloatArray) -> None:
    """The same for many persons."""

    def fill(rows: slice) -> None:
        look_up(scores[rows], item_slopes, table.nodes, table.values, table.slopes, theta[rows], se[rows])

    each(fill, parts_of(scores.shape[0]))


def booklets(scores: Int8Array) -> Iterator[tuple[IntArray | slice, IntArray]]:
    """Persons who answered the same items, and those items."""
    if scores.size == 0 or scores.min() >= 0:
        yield slice(None), np.arange(scores.shape[1])
        return
    given = scores >= 0
    packed = np.packbits(given, axis=1)
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    bounds = np.searchsorted(inverse[order], np.arange(first.size + 1))
    for b, row in enumerate(first):
        yield order[bounds[b] : bounds[b + 1]], np.flatnonzero(given[row])
