"""E-step and M-step on a product grid of up to three abilities, which may correlate."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from edmeasure._loops import each, parts_of
from edmeasure._validate import FloatArray, Int8Array, IntArray
from edmeasure.calibration import _packing
from edmeasure.calibration._packing import PackedResponses
from edmeasure.calibration._pattern_kernels import Codes
from edmeasure.multidimensional import _grid_kernels
from edmeasure.multidimensional._grid_kernels import Blocks
from edmeasure.multidimensional._layout import Expected, Layout, Parameters

MOST_AXES = 3
MOST_CELLS = 30_000_000
CELLS_OF_A_GROUP = 200_000
PERSONS_PER_ROW = 32
MATCHING_STEPS = 30
MATCHED = 1e-12
LEAST_EIGENVALUE = 1e-3


@dataclass(frozen=True, eq=False)
class Block:
    """Items that depend on the same abilities, their places, and their packed answers."""

    dims: IntArray
    items: IntArray
    packed: PackedResponses


@dataclass(frozen=True, eq=False)
class ProductModel:
    """Packed answers on the product of one axis per ability."""

    layout: Layout
    blocks: tuple[Block, ...]
    codes: Codes
    weights: FloatArray
    axes: tuple[FloatArray, ...]

    def on(self, axes: Sequence[FloatArray]) -> ProductModel:
        """The same answers on another grid."""
        return replace(self, axes=tuple(axes))

    @cached_property
    def nodes(self) -> FloatArray:
        """Abilities (D, n_nodes), the last axis fastest."""
        return np.ascontiguousarray(np.stack([axis.ravel() for axis in np.meshgrid(*self.axes, indexing="ij")]))

    @cached_property
    def block_nodes(self) -> list[FloatArray]:
        found = []
        for block in self.blocks:
            mesh = np.meshgrid(*[self.axes[d] for d in block.dims], indexing="ij")
            found.append(np.ascontiguousarray(np.stack([axis.ravel() for axis in mesh])))
        return found

    @cached_property
    def item_nodes(self) -> list[FloatArray]:
        """Nodes of every item's own abilities."""
        found: list[FloatArray] = [np.empty((0, 0))] * self.layout.n_items
        for block, nodes in zip(self.blocks, self.block_nodes, strict=True):
            for j in block.items.tolist():
                found[j] = nodes
        return found

    @cached_property
    def _shape(self) -> Blocks:
        sizes = np.array([*[axis.size for axis in self.axes], *[1] * (MOST_AXES - len(self.axes))], dtype=np.int64)
        width, stride, group_first, cell_start, scale_start, skip_code = [], [], [0], [], [], []
        cells, rows = 0, 0
        for block, nodes in zip(self.blocks, self.block_nodes, strict=True):
            steps, step = np.zeros(MOST_AXES, dtype=np.int64), 1
            for d in reversed(block.dims.tolist()):
                steps[d] = step
                step *= int(sizes[d])
            starts = block.packed.layout.row_start
            width.append(nodes.shape[1])
            stride.append(steps)
            group_first.append(group_first[-1] + starts.size - 1)
            cell_start += [cells + int(start) * nodes.shape[1] for start in starts[:-1]]
            scale_start += [rows + int(start) for start in starts[:-1]]
            skip_code += block.packed.layout.skip_code.tolist()
            cells, rows = cells + int(starts[-1]) * nodes.shape[1], rows + int(starts[-1])
        numbers = [np.asarray(one, dtype=np.int64) for one in (group_first, width, cell_start, scale_start, skip_code)]
        return Blocks(numbers[0], numbers[1], np.array(stride), numbers[2], numbers[3], numbers[4], sizes)

    def prior(self, correlations: FloatArray) -> FloatArray:
        """Normal density at the nodes, summing to one; empty where the correlations are impossible."""
        return normal_density(self.nodes, correlations)

    def tables(self, parameters: Parameters) -> tuple[FloatArray, FloatArray]:
        """Flat likelihoods of all patterns of all groups, and their log scales."""
        likelihoods, scales = [], []
        for block, nodes in zip(self.blocks, self.block_nodes, strict=True):
            logs = np.concatenate([self.layout.log_probs(parameters, j, nodes) for j in block.items.tolist()])
            found = block.packed.tables(logs)
            likelihoods.append(found.likelihood.ravel())
            scales.append(found.log_scale)
        return np.concatenate(likelihoods), np.concatenate(scales)

    def expect(self, parameters: Parameters) -> Expected:
        prior = self.prior(parameters.correlations)
        if not prior.size:
            return Expected([], prior, -np.inf)
        likelihood, scale = self.tables(parameters)
        parts = parts_of(self.codes.shape[0], max(1, MOST_CELLS // likelihood.size))
        counts = np.zeros((len(parts), likelihood.size))
        persons = np.zeros((len(parts), prior.size))

        def add(part: tuple[slice, FloatArray, FloatArray]) -> float:
            rows, own, at_nodes = part
            codes, weights = self.codes[rows], self.weights[rows]
            return _grid_kernels.expect(codes, weights, self._shape, likelihood, scale, prior, own, at_nodes)

        logliks = each(add, list(zip(parts, counts, persons, strict=True)))
        loglik = float(np.sum(logliks)) + self.layout.log_prior(parameters)
        return Expected(self._unfolded(counts.sum(axis=0)), persons.sum(axis=0), loglik)

    def _unfolded(self, flat: FloatArray) -> list[FloatArray]:
        counts: list[FloatArray] = [np.empty((0, 0))] * self.layout.n_items
        at = 0
        for block, nodes in zip(self.blocks, self.block_nodes, strict=True):
            size = block.packed.n_rows * nodes.shape[1]
            by_category = block.packed.unfolded(flat[at : at + size].reshape(-1, nodes.shape[1]))
            starts = block.packed.category_start
            for place, (first, last) in enumerate(itertools.pairwise(starts.tolist())):
                counts[block.items[place]] = by_category[first:last]
            at += size
        return counts

    def update(self, parameters: Parameters, expected: Expected) -> Parameters:
        image = self.layout.maximized(parameters, expected.counts, self.item_nodes)
        if len(self.layout.pairs):
            image.correlations = self._matched(parameters.correlations, expected.persons)
        return image

    def gradient(self, parameters: Parameters, expected: Expected) -> FloatArray:
        found = self.layout.gradient(parameters, expected.counts, self.item_nodes)
        if len(self.layout.pairs):
            last = found.size - self.layout.n_spreads
            slopes, _ = self._pull(parameters.correlations, expected.persons)
            found[last - slopes.size : last] = slopes
        return found

    def _pull(self, correlations: FloatArray, persons: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gradient and expected information of the persons' log density by the free correlations.

        d log density / d r_ab = (P t)_a (P t)_b less its mean on the grid, P the inverse of the correlations.
        """
        turned = np.einsum("de,eq->dq", np.linalg.inv(correlations), self.nodes)
        products = turned[self.layout.pairs[:, 0]] * turned[self.layout.pairs[:, 1]]
        density = self.prior(correlations)
        away = products - np.einsum("pq,q->p", products, density)[:, None]
        spread = np.einsum("pq,rq,q->pr", away, away, density)
        return np.einsum("pq,q->p", away, persons), persons.sum() * spread

    def _matched(self, correlations: FloatArray, persons: FloatArray) -> FloatArray:
        """M-step of the correlations: Fisher scoring with halved steps."""
        first, second = self.layout.pairs.T
        found, value = correlations.copy(), self._density_value(correlations, persons)
        for _ in range(MATCHING_STEPS):
            slopes, information = self._pull(found, persons)
            step = np.linalg.solve(information, slopes)
            for _ in range(MATCHING_STEPS):
                trial = found.copy()
                trial[first, second] += step
                trial[second, first] = trial[first, second]
                reached = self._density_value(trial, persons)
                if reached >= value:
                    found, value = trial, reached
                    break
                step = step / 2
            if np.abs(step).max() < MATCHED:
                break
        return found

    def _density_value(self, correlations: FloatArray, persons: FloatArray) -> float:
        density = self.prior(correlations)
        if not density.size:
            return -np.inf
        return float(np.einsum("q,q->", persons, np.log(np.maximum(density, 1e-300))))

    def marginals(self, parameters: Parameters, finer: Sequence[FloatArray]) -> FloatArray:
        """Log-likelihood of every row of codes on a finer grid, which holds every second node of each axis twice over.

        The finer grid is cut into one grid per choice of even and odd nodes, so that no table grows.
        """
        halves = [(axis[0::2], axis[1::2]) for axis in finer]
        whole = self.on(finer)
        total = float(np.sum(np.exp(whole.log_kernel(parameters.correlations))))
        logs = np.full(self.codes.shape[0], -np.inf)
        for chosen in itertools.product(*halves):
            part = self.on(chosen)
            prior = np.exp(part.log_kernel(parameters.correlations)) / total
            likelihood, scale = part.tables(parameters)

            def fill(
                rows: slice,
                part: ProductModel = part,
                table: FloatArray = likelihood,
                at: FloatArray = scale,
                w: FloatArray = prior,
            ) -> None:
                _grid_kernels.fill_marginals(self.codes[rows], part._shape, table, at, w, logs[rows])

            each(fill, parts_of(logs.size))
        return logs

    def log_kernel(self, correlations: FloatArray) -> FloatArray:
        """Log density of the nodes up to a constant."""
        return np.asarray(-0.5 * np.einsum("dq,de,eq->q", self.nodes, np.linalg.inv(correlations), self.nodes))

    def moments(self, parameters: Parameters) -> tuple[FloatArray, FloatArray]:
        """Posterior mean (n, D) and covariance (n, D, D) of every row of codes."""
        likelihood, scale = self.tables(parameters)
        prior, n, n_dims = self.prior(parameters.correlations), self.codes.shape[0], len(self.axes)
        mean, covariance = np.empty((n, n_dims)), np.empty((n, n_dims, n_dims))

        def fill(rows: slice) -> None:
            _grid_kernels.fill_moments(
                self.codes[rows], self._shape, likelihood, scale, prior, self.nodes, mean[rows], covariance[rows]
            )

        each(fill, parts_of(n))
        return mean, covariance


def normal_density(nodes: FloatArray, correlations: FloatArray) -> FloatArray:
    """Normal density at nodes (D, n_nodes), summing to one; empty where the correlations are impossible."""
    values = np.linalg.eigvalsh(correlations)
    if not (np.isfinite(values).all() and values[0] > LEAST_EIGENVALUE):
        return np.empty(0)
    density = np.exp(-0.5 * np.einsum("dq,de,eq->q", nodes, np.linalg.inv(correlations), nodes))
    return np.asarray(density / density.sum())


def product_model(
    layout: Layout, scores: Int8Array, max_scores: Int8Array, weights: FloatArray, axes: Sequence[FloatArray]
) -> ProductModel:
    """Pack the answers of every set of items that depend on the same abilities."""
    patterns, member = np.unique(layout.loads, axis=0, return_inverse=True)
    blocks, codes = [], []
    for b, pattern in enumerate(patterns):
        items, dims = np.flatnonzero(member.ravel() == b), np.flatnonzero(pattern)
        n_nodes = int(np.prod([axes[d].size for d in dims.tolist()]))
        limit = int(np.clip(min(CELLS_OF_A_GROUP // n_nodes, scores.shape[0] // PERSONS_PER_ROW), 16, _packing.ROW_LIMIT))
        packed = _packing.pack(np.ascontiguousarray(scores[:, items]), max_scores[items], row_limit=limit)
        blocks.append(Block(dims, items, packed))
        codes.append(packed.codes)
    return ProductModel(layout, tuple(blocks), np.ascontiguousarray(np.concatenate(codes, axis=1)), weights, tuple(axes))
