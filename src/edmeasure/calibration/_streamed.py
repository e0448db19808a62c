"""A calibration's sums over answers that are read in chunks, or packed into memory while they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from edmeasure import _validate
from edmeasure._validate import FloatArray, Int8Array, IntArray
from edmeasure.calibration import _calibration, _em, _information, _packing
from edmeasure.calibration._evidence import Evidence, Expected
from edmeasure.calibration._information import Ground, Sheet
from edmeasure.calibration._packing import PackedResponses
from edmeasure.calibration._pattern_kernels import Codes, Layout
from edmeasure.calibration._sheets import Chunk, Sheets, Tally

WEIGHT_BYTES = 8


@dataclass(frozen=True, eq=False)
class Form:
    """What turns chunks into sums: items that are kept, groups by label, their layouts, and the weights' unit."""

    kept: IntArray
    n_items: int
    groups: dict[object, int]
    layouts: tuple[Layout, ...]
    unit: float

    def sheets(self, chunk: Chunk) -> Iterator[Sheet]:
        """Group, scores of kept items, and weights with a mean of one, of the chunk's persons."""
        for place, label in enumerate(chunk.labels):
            rows = chunk.members(place)
            scores, weights = chunk.scores[rows], chunk.weights[rows]
            if self.kept.size < self.n_items:
                scores = scores[:, self.kept]
            yield self.groups[label], np.ascontiguousarray(scores), weights * self.unit

    def expected(self, chunk: Chunk, *, log_probs: FloatArray, priors: FloatArray) -> Expected:
        """E-step over one chunk."""
        counts, persons, loglik = np.zeros_like(log_probs), np.zeros(priors.shape), 0.0
        for g, scores, weights in self.sheets(chunk):
            packed = PackedResponses(_packing.codes_of(scores, self.layouts[g]), weights, self.layouts[g])
            of_group, value = packed.expect(log_probs, priors[g], persons=persons[g])
            counts += of_group
            loglik += value
        return counts, loglik, persons

    def squares(self, chunk: Chunk, *, ground: Ground) -> tuple[FloatArray, FloatArray]:
        """What the chunk adds to the observed information."""
        return ground.sums(self.sheets(chunk))


def _both_expected(one: Expected, other: Expected) -> Expected:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _both_squares(one: tuple[FloatArray, FloatArray], other: tuple[FloatArray, FloatArray]) -> tuple[FloatArray, FloatArray]:
    one[0][...] += other[0]
    one[1][...] += other[1]
    return one


@dataclass(frozen=True, eq=False)
class StreamedEvidence(Evidence):
    """Answers that are gone through anew at every E-step."""

    source: Sheets
    form: Form

    @property
    def category_start(self) -> IntArray:
        return self.form.layouts[0].category_start

    def expect_groups(self, log_probs: FloatArray, priors: FloatArray) -> Expected:
        found = self.source.summed(partial(self.form.expected, log_probs=log_probs, priors=priors), _both_expected)
        return found or (np.zeros_like(log_probs), 0.0, np.zeros(priors.shape))


@dataclass(frozen=True, eq=False)
class StreamedTask(_calibration.Task):
    """A calibration whose persons are not at hand when errors are asked for, but can be gone through once more."""

    source: Sheets
    form: Form
    has_missing: _validate.BoolArray

    def information(self, problem: _em.Problem, state: _em.State) -> FloatArray:
        ground = _information.ground_of(problem, state, self.has_missing)
        sums = self.source.summed(partial(self.form.squares, ground=ground), _both_squares)
        squared, crossed = sums or ground.sums(())
        return _information.information_of(problem, state, ground, squared, crossed)[1]


@dataclass(eq=False)
class Store:
    """Packed answers of one group while they come in: as many rows as persons, or as there can be patterns."""

    layout: Layout
    codes: Codes
    weights: FloatArray
    filled: int = 0

    def add(self, scores: Int8Array, weights: FloatArray) -> None:
        codes, weights = _packing.collapsed(_packing.codes_of(scores, self.layout), weights)
        if self.filled + weights.size > self.weights.size:
            self._put(*_packing.merged(self.codes[: self.filled], self.weights[: self.filled]), first=0)
        self._put(codes, weights, first=self.filled)

    def _put(self, codes: Codes, weights: FloatArray, *, first: int) -> None:
        self.filled = first + weights.size
        self.codes[first : self.filled] = codes
        self.weights[first : self.filled] = weights

    def packed(self) -> PackedResponses:
        return PackedResponses(*_packing.collapsed(self.codes[: self.filled], self.weights[: self.filled]), self.layout)


def rows_needed(layout: Layout, n_persons: int, chunk_rows: int) -> int:
    """Rows that a store of these persons must hold."""
    patterns = float(np.prod(np.diff(layout.row_start), dtype=np.float64))
    return n_persons if n_persons <= patterns else min(n_persons, int(patterns) + chunk_rows)


def bytes_needed(form: Form, tallies: Tally, chunk_rows: int) -> int:
    """Bytes that all answers take when they are packed."""
    total = 0
    for label, g in form.groups.items():
        layout = form.layouts[g]
        width = layout.group_first.size - 1 + WEIGHT_BYTES
        total += width * rows_needed(layout, tallies[label].n_persons, chunk_rows)
    return total


def packed_groups(chunks: Iterable[Chunk], form: Form, tallies: Tally, chunk_rows: int) -> tuple[PackedResponses, ...]:
    """Every group's answers packed while they are read once."""
    stores: dict[int, Store] = {}
    for label, g in form.groups.items():
        layout, n = form.layouts[g], rows_needed(form.layouts[g], tallies[label].n_persons, chunk_rows)
        # memory that nothing is written to is never taken
        stores[g] = Store(layout, np.empty((n, layout.group_first.size - 1), dtype=np.uint8), np.empty(n))
    for chunk in chunks:
        for g, scores, weights in form.sheets(chunk):
            stores[g].add(scores, weights)
    return tuple(stores[g].packed() for g in range(len(stores)))
