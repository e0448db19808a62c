"""Items packed into groups whose joint answer pattern fits one byte.

A group of items with S1, S2, ... states (categories, plus one for missing where it occurs) has
S1*S2*... <= 256 patterns. The likelihood of a pattern at all nodes is looked up once instead of
item by item, and E-step counts are gathered per pattern and unfolded once ("four Russians").
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._loops import each, parts_of
from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.calibration import _pattern_kernels
from edmeasure.calibration._pattern_kernels import Codes, Layout, Tables

ROW_LIMIT = 256
MOST_CELLS = 30_000_000
LOOKUPS_PER_ROW = 16
COLLAPSE_PROBE = 20_000
COUNTING_STRIPES = 4
COUNTING_CELLS = 1_000_000


@dataclass(frozen=True, eq=False)
class PackedResponses:
    """Pattern codes of persons (or of distinct patterns) with the tables' layout."""

    codes: Codes
    weights: FloatArray
    layout: Layout

    @property
    def category_start(self) -> IntArray:
        return self.layout.category_start

    @property
    def n_rows(self) -> int:
        return int(self.layout.row_start[-1])

    def tables(self, log_probs: FloatArray) -> Tables:
        """Likelihoods of all patterns from log-probabilities (n_categories, n_nodes)."""
        n_nodes = log_probs.shape[1]
        logs = np.empty((self.n_rows, n_nodes))
        for rows, items in self._groups():
            patterns = np.zeros((1, n_nodes))
            for j in items:
                states = np.zeros((self.layout.n_states[j], 1, n_nodes))
                first, last = self.layout.category_start[j : j + 2]
                states[: last - first, 0] = log_probs[first:last]
                patterns = (patterns + states).reshape(-1, n_nodes)
            logs[rows] = patterns
        highest = logs.max(axis=1)
        return Tables(np.exp(logs - highest[:, None]), highest)

    def expect(self, log_probs: FloatArray, prior: FloatArray, *, persons: FloatArray | None = None) -> tuple[FloatArray, float]:
        """Expected answers (n_categories, n_nodes) and the weighted marginal log-likelihood.

        ``persons`` (n_nodes,), where it is given, is overwritten with the expected persons per node.
        """
        tables = self.tables(log_probs)
        # counts of all parts together stay within 240 MB, and cost little to add up beside the look-ups
        limit = min(MOST_CELLS // tables.likelihood.size, self.codes.size // (LOOKUPS_PER_ROW * self.n_rows))
        parts = parts_of(self.codes.shape[0], limit)
        pattern_counts = np.zeros((len(parts), *tables.likelihood.shape))
        person_counts = np.zeros((len(parts), 0 if persons is None else prior.size))

        def add(part: tuple[slice, FloatArray, FloatArray]) -> float:
            rows, expected, at_nodes = part
            codes, weights = self.codes[rows], self.weights[rows]
            return _pattern_kernels.expect_patterns(codes, weights, self.layout, tables, prior, expected, at_nodes)

        logliks = each(add, list(zip(parts, pattern_counts, person_counts, strict=True)))
        if persons is not None:
            persons[:] = person_counts.sum(axis=0)
        return self.unfolded(pattern_counts.sum(axis=0)), float(np.sum(logliks))

    def unfolded(self, pattern_counts: FloatArray) -> FloatArray:
        """Expected answers (n_categories, n_nodes) from counts of patterns (n_rows, n_nodes)."""
        n_nodes = pattern_counts.shape[1]
        counts = np.empty((self.category_start[-1], n_nodes))
        for rows, items in self._groups():
            rest = pattern_counts[rows]
            for j in reversed(items):
                # the last item of a group changes slowest: (its states, patterns of the items before)
                by_state = rest.reshape(self.layout.n_states[j], -1, n_nodes)
                first, last = self.category_start[j : j + 2]
                counts[first:last] = by_state.sum(axis=1)[: last - first]
                rest = by_state.sum(axis=0)
        return counts

    def _groups(self) -> Iterator[tuple[slice, range]]:
        """Pattern rows and items of every group."""
        row_bounds, item_bounds = itertools.pairwise(self.layout.row_start), itertools.pairwise(self.layout.group_first)
        for rows, items in zip(row_bounds, item_bounds, strict=True):
            yield slice(*rows), range(*items)

    def posterior(self, tables: Tables, prior: FloatArray, rows: slice) -> FloatArray:
        """Posterior (n_rows_taken, n_nodes) of some rows of codes, from ``tables()``."""
        codes = self.codes[rows]
        posterior = np.empty((codes.shape[0], prior.shape[0]))
        own_prior = prior.copy()  # a loop meets one kind of array, be the caller's read-only or not

        def fill(part: slice) -> None:
            _pattern_kernels.fill_posteriors(codes[part], self.layout, tables, own_prior, posterior[part])

        each(fill, parts_of(codes.shape[0]))
        return posterior


@dataclass(frozen=True, eq=False)
class Likelihoods:
    """Packed answers of persons and what they say at some nodes."""

    packed: PackedResponses
    tables: Tables
    nodes: FloatArray

    def moments(self, mean: FloatArray, sd: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Posterior mean and variance of every person with prior N(mean, sd)."""
        codes, layout = self.packed.codes, self.packed.layout
        found, variance = np.empty_like(mean), np.empty_like(mean)

        def fill(rows: slice) -> None:
            _pattern_kernels.posterior_moments(
                codes[rows], layout, self.tables, self.nodes, mean[rows], sd[rows], found[rows], variance[rows]
            )

        each(fill, parts_of(mean.size))
        return found, variance

    def draws(self, mean: FloatArray, sd: FloatArray, uniforms: FloatArray) -> FloatArray:
        """One draw from the posterior of every person with prior N(mean, sd)."""
        return self.draw_sets(mean, sd, uniforms[:, None])[:, 0]

    def draw_sets(self, mean: FloatArray, sd: FloatArray, uniforms: FloatArray) -> FloatArray:
        """Draws from the posterior of every person with prior N(mean, sd), as many as there are ``uniforms`` (n, k)."""
        codes, layout = self.packed.codes, self.packed.layout
        drawn = np.empty_like(uniforms)

        def fill(rows: slice) -> None:
            _pattern_kernels.draw_sets(
                codes[rows], layout, self.tables, self.nodes, mean[rows], sd[rows], uniforms[rows], drawn[rows]
            )

        each(fill, parts_of(mean.size))
        return drawn


def category_starts(max_scores: Int8Array) -> IntArray:
    """Offset of every item's first category in the flat category axis, and the total."""
    starts = np.zeros(max_scores.shape[0] + 1, dtype=np.int64)
    np.cumsum(max_scores.astype(np.int64) + 1, out=starts[1:])
    return starts


def count_answers(scores: Int8Array, max_scores: Int8Array, weights: FloatArray) -> tuple[IntArray, FloatArray]:
    """Persons, and their weights, in every category of the flat axis."""
    starts = category_starts(max_scores)
    counts, sums = np.zeros(starts[-1], dtype=np.int64), np.zeros(starts[-1])
    given = _validate.read_only(scores)
    stripes = np.array_split(np.arange(max_scores.size), max(1, min(COUNTING_STRIPES, scores.size // COUNTING_CELLS)))
    # threads share out items, not persons: sums of weights are taken in the same order whatever their number
    each(lambda items: _pattern_kernels.count_answers(given, weights, starts, items, counts, sums), stripes)
    return counts, sums


def pack(
    scores: Int8Array,
    max_scores: Int8Array,
    *,
    weights: FloatArray | None = None,
    collapse: bool = False,
    row_limit: int = ROW_LIMIT,
) -> PackedResponses:
    """Pack scores; with ``collapse`` identical rows are merged where that at least halves them.

    No group has more than ``row_limit`` patterns: few persons are served better by small tables.
    """
    # the smallest score of an item, where a mask of all answers would take as much memory as the answers
    has_missing = scores.min(axis=0, initial=0) < 0
    layout = layout_of(max_scores, has_missing, row_limit)
    row_weights = np.ones(scores.shape[0]) if weights is None else weights
    codes = codes_of(scores, layout)
    if collapse:
        codes, row_weights = collapsed(codes, row_weights)
    return PackedResponses(codes, row_weights, layout)


def layout_of(max_scores: Int8Array, has_missing: BoolArray, row_limit: int = ROW_LIMIT) -> Layout:
    """Groups of neighbouring items of at most ``row_limit`` patterns; items of the mask have a state for no answer."""
    n_states = max_scores.astype(np.int64) + 1 + has_missing
    group_first = [0]
    sizes: list[int] = []
    size = 1
    for j in range(n_states.size):
        if size * n_states[j] > row_limit:
            group_first.append(j)
            sizes.append(size)
            size = 1
        size *= int(n_states[j])
    sizes.append(size)
    all_missing = np.logical_and.reduceat(has_missing, group_first)
    return Layout(
        category_start=category_starts(max_scores),
        n_states=n_states,
        missing_state=np.where(has_missing, max_scores.astype(np.int64) + 1, -1),
        group_first=np.asarray([*group_first, n_states.size], dtype=np.int64),
        row_start=np.cumsum([0, *sizes], dtype=np.int64),
        skip_code=np.where(all_missing, np.asarray(sizes, dtype=np.int64) - 1, -1),
    )


def codes_of(scores: Int8Array, layout: Layout) -> Codes:
    """Pattern codes of every person in every group of items."""
    sizes = np.diff(layout.group_first)
    group = np.repeat(np.arange(sizes.size), sizes)
    items = [layout.n_states[first:last] for first, last in itertools.pairwise(layout.group_first.tolist())]
    stride = np.concatenate([np.cumprod([1, *n_states[:-1]], dtype=np.int64) for n_states in items])
    codes = np.zeros((scores.shape[0], sizes.size), dtype=np.uint8)
    given = _validate.read_only(scores)

    def fill(rows: slice) -> None:
        _pattern_kernels.pack_codes(given[rows], group, stride, layout.missing_state, codes[rows])

    each(fill, parts_of(scores.shape[0]))
    return codes


def collapsed(codes: Codes, weights: FloatArray) -> tuple[Codes, FloatArray]:
    """Distinct rows with summed weights, or the input when a probe shows few repetitions."""
    n = codes.shape[0]
    probe = _keys(codes)[:: max(1, n // COLLAPSE_PROBE)]
    if n < 2 or np.unique(probe).size > 0.5 * probe.size:
        return codes, weights
    return merged(codes, weights)


def merged(codes: Codes, weights: FloatArray) -> tuple[Codes, FloatArray]:
    """Distinct rows with summed weights."""
    _, first, inverse = np.unique(_keys(codes), return_index=True, return_inverse=True)
    summed = np.asarray(np.bincount(inverse, weights=weights), dtype=np.float64)
    return np.ascontiguousarray(codes[first]), summed


def _keys(codes: Codes) -> npt.NDArray[np.void]:
    return np.ascontiguousarray(codes).view(np.dtype((np.void, codes.shape[1]))).ravel()
