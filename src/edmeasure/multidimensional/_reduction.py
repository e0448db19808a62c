"""E-step and M-step of one general and many specific abilities, which are uncorrelated."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from edmeasure._loops import each, parts_of
from edmeasure._validate import FloatArray, Int8Array, IntArray
from edmeasure.calibration import _packing
from edmeasure.calibration._packing import PackedResponses
from edmeasure.multidimensional import _reduction_kernels
from edmeasure.multidimensional._grid_kernels import Blocks
from edmeasure.multidimensional._layout import Expected, Layout, Parameters

MOST_CELLS = 30_000_000
CELLS_OF_A_GROUP = 100_000
NO_SPECIFIC = np.zeros(1)


@dataclass(frozen=True, eq=False)
class Specific:
    """Items of one specific ability (``place`` among all abilities, -1 for items of the general one alone).

    ``packed`` holds their distinct patterns of answers.
    """

    place: int
    items: IntArray
    packed: PackedResponses


@dataclass(frozen=True, eq=False)
class ReducedModel:
    """Answers as patterns per specific ability; ``members`` (n, S) is every person's pattern of each."""

    layout: Layout
    specifics: tuple[Specific, ...]
    members: IntArray
    weights: FloatArray
    axis: FloatArray

    def on(self, axis: FloatArray) -> ReducedModel:
        """The same answers on other nodes."""
        return replace(self, axis=axis)

    @cached_property
    def prior(self) -> FloatArray:
        density = np.exp(-0.5 * self.axis**2)
        return np.asarray(density / density.sum())

    @cached_property
    def first(self) -> IntArray:
        """Where the patterns of every specific ability begin."""
        sizes = [specific.packed.codes.shape[0] for specific in self.specifics]
        return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    def _inner(self, specific: Specific) -> tuple[FloatArray, FloatArray]:
        """Nodes and weights of a specific ability."""
        return (self.axis, self.prior) if specific.place >= 0 else (NO_SPECIFIC, np.ones(1))

    def _nodes(self, specific: Specific) -> FloatArray:
        """Nodes of general and specific ability, (1 or 2, n_nodes)."""
        inner, _ = self._inner(specific)
        both = np.stack([np.repeat(self.axis, inner.size), np.tile(inner, self.axis.size)])
        return np.ascontiguousarray(both if specific.place >= 0 else both[:1])

    @cached_property
    def item_nodes(self) -> list[FloatArray]:
        """Nodes of every item's own abilities."""
        found: list[FloatArray] = [np.empty((0, 0))] * self.layout.n_items
        for specific in self.specifics:
            nodes = self._nodes(specific)
            for j in specific.items.tolist():
                found[j] = nodes
        return found

    def _shape(self, specific: Specific) -> Blocks:
        width = self.axis.size * self._inner(specific)[0].size
        starts = specific.packed.layout.row_start
        return Blocks(
            group_first=np.array([0, starts.size - 1], dtype=np.int64),
            width=np.array([width], dtype=np.int64),
            stride=np.zeros((1, 3), dtype=np.int64),
            cell_start=starts[:-1] * width,
            scale_start=starts[:-1].copy(),
            skip_code=specific.packed.layout.skip_code,
            sizes=np.array([width, 1, 1], dtype=np.int64),
        )

    def _tables(self, parameters: Parameters, specific: Specific) -> tuple[FloatArray, FloatArray]:
        nodes = self._nodes(specific)
        logs = np.concatenate([self.layout.log_probs(parameters, j, nodes) for j in specific.items.tolist()])
        found = specific.packed.tables(logs)
        return found.likelihood.ravel(), found.log_scale

    def _summed_out(self, tables: list[tuple[FloatArray, FloatArray]]) -> tuple[FloatArray, FloatArray]:
        """Likelihoods of all patterns at the general nodes, and their log scales."""
        marginal, scales = np.empty((int(self.first[-1]), self.axis.size)), np.empty(int(self.first[-1]))

        def fill(part: tuple[int, slice]) -> None:
            s, rows = part
            specific, (likelihood, scale) = self.specifics[s], tables[s]
            at = slice(int(self.first[s]) + rows.start, int(self.first[s]) + rows.stop)
            inner = self._inner(specific)[1]
            codes, shape = specific.packed.codes[rows], self._shape(specific)
            _reduction_kernels.sum_out(codes, shape, likelihood, scale, inner, marginal[at], scales[at])

        parts = [(s, rows) for s, own in enumerate(self.specifics) for rows in parts_of(own.packed.codes.shape[0])]
        each(fill, parts)
        return marginal, scales

    def expect(self, parameters: Parameters) -> Expected:
        tables = [self._tables(parameters, specific) for specific in self.specifics]
        marginal, scales = self._summed_out(tables)
        gathered, loglik = self._gathered(marginal, scales)
        counts: list[FloatArray] = [np.empty((0, 0))] * self.layout.n_items

        def share_out(s: int) -> None:
            specific, (likelihood, scale) = self.specifics[s], tables[s]
            flat = np.zeros(likelihood.size)
            own = gathered[self.first[s] : self.first[s + 1]]
            inner = self._inner(specific)[1]
            _reduction_kernels.spread(specific.packed.codes, self._shape(specific), likelihood, scale, inner, own, flat)
            by_category = specific.packed.unfolded(flat.reshape(specific.packed.n_rows, -1))
            starts = specific.packed.category_start
            for place, (first, last) in enumerate(itertools.pairwise(starts.tolist())):
                counts[specific.items[place]] = by_category[first:last]

        each(share_out, list(range(len(self.specifics))))
        return Expected(counts, np.empty(0), loglik + self.layout.log_prior(parameters))

    def _gathered(self, marginal: FloatArray, scales: FloatArray) -> tuple[FloatArray, float]:
        parts = parts_of(self.members.shape[0], max(1, MOST_CELLS // marginal.size))
        gathered = np.zeros((len(parts), *marginal.shape))

        def add(part: tuple[slice, FloatArray]) -> float:
            rows, own = part
            members, weights = self.members[rows], self.weights[rows]
            return _reduction_kernels.gather(members, weights, self.first, marginal, scales, self.prior, own)

        logliks = each(add, list(zip(parts, gathered, strict=True)))
        return gathered.sum(axis=0), float(np.sum(logliks))

    def loglik(self, parameters: Parameters) -> float:
        """Without the prior of the slopes."""
        marginal, scales = self._summed_out([self._tables(parameters, specific) for specific in self.specifics])
        return self._gathered(marginal, scales)[1]

    def update(self, parameters: Parameters, expected: Expected) -> Parameters:
        return self.layout.maximized(parameters, expected.counts, self.item_nodes)

    def gradient(self, parameters: Parameters, expected: Expected) -> FloatArray:
        return self.layout.gradient(parameters, expected.counts, self.item_nodes)

    def moments(self, parameters: Parameters) -> tuple[FloatArray, FloatArray]:
        """Posterior mean (n, D) and covariance (n, D, D) of every person."""
        tables = [self._tables(parameters, specific) for specific in self.specifics]
        marginal, scales = self._summed_out(tables)
        inner_mean, inner_square = np.zeros_like(marginal), np.zeros_like(marginal)
        for s, specific in enumerate(self.specifics):
            at = slice(int(self.first[s]), int(self.first[s + 1]))
            nodes, weights = self._inner(specific)
            _reduction_kernels.fill_inner_moments(
                specific.packed.codes, self._shape(specific), *tables[s], weights, nodes, inner_mean[at], inner_square[at]
            )
        n, n_dims = self.members.shape[0], self.layout.loads.shape[1]
        mean, covariance = np.zeros((n, n_dims)), np.tile(np.eye(n_dims), (n, 1, 1))
        places = np.array([specific.place for specific in self.specifics], dtype=np.int64)

        def fill(rows: slice) -> None:
            own = (mean[rows], covariance[rows])
            at = (inner_mean, inner_square, places)
            members = self.members[rows]
            _reduction_kernels.fill_moments(members, self.first, marginal, scales, self.prior, self.axis, *at, *own)

        each(fill, parts_of(n))
        return mean, covariance


def reduced_model(
    layout: Layout, scores: Int8Array, max_scores: Int8Array, weights: FloatArray, axis: FloatArray
) -> ReducedModel:
    """Find the distinct patterns of answers to every specific ability's items, and pack them."""
    has_specific = layout.loads[:, 1:].any(axis=1)
    place = np.where(has_specific, 1 + np.argmax(layout.loads[:, 1:], axis=1), -1)
    specifics, members = [], []
    for d in np.unique(place).tolist():
        items = np.flatnonzero(place == d)
        own = np.ascontiguousarray(scores[:, items])
        _, first, inverse = np.unique(own.view(np.dtype((np.void, own.shape[1]))).ravel(), return_index=True, return_inverse=True)
        n_nodes = axis.size ** (2 if d >= 0 else 1)
        limit = int(np.clip(min(CELLS_OF_A_GROUP // n_nodes, first.size), 16, _packing.ROW_LIMIT))
        packed = _packing.pack(np.ascontiguousarray(own[first]), max_scores[items], row_limit=limit)
        specifics.append(Specific(int(d), items, packed))
        members.append(inverse.ravel())
    return ReducedModel(layout, tuple(specifics), np.ascontiguousarray(np.stack(members, axis=1), dtype=np.int64), weights, axis)
