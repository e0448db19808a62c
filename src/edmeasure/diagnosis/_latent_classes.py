"""Attribute patterns, the classes that the items can tell apart, and the groups each item sees.

An item that requires the attributes R sees of a pattern only its part on R; a DINA item only
whether all of R is there, a DINO item whether any is. Patterns that no item tells apart form one
latent class: their likelihoods are equal, so the fit runs over classes and patterns share a
class's probability.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from edmeasure._validate import FloatArray, Int8Array, IntArray

MOST_TALLIES = 10_000_000

Model = Literal["dina", "dino", "gdina", "acdm", "llm", "rrum"]


@dataclass(frozen=True, eq=False)
class LatentClasses:
    """Permitted patterns (n_patterns, K), their classes, and the flat cells (item x group of classes).

    ``cell_of`` (n_items, n_classes) is the cell of every item and class; item j owns the cells
    ``cell_start[j]`` to ``cell_start[j + 1]``, whose ``cell_patterns`` (n_cells, K) hold 1, 0 and,
    for attributes the item does not ask about, -1.
    """

    patterns: Int8Array
    class_of_pattern: IntArray
    cell_of: IntArray
    cell_start: IntArray
    cell_patterns: Int8Array

    @property
    def n_items(self) -> int:
        return int(self.cell_of.shape[0])

    @property
    def n_classes(self) -> int:
        return int(self.cell_of.shape[1])

    @property
    def n_cells(self) -> int:
        return int(self.cell_start[-1])

    @cached_property
    def item_of_cell(self) -> IntArray:
        return np.repeat(np.arange(self.n_items), np.diff(self.cell_start))

    @cached_property
    def parts(self) -> list[slice]:
        """The cells of every item."""
        return [slice(first, last) for first, last in itertools.pairwise(self.cell_start.tolist())]

    @cached_property
    def class_size(self) -> IntArray:
        """Patterns in every class."""
        return np.bincount(self.class_of_pattern, minlength=self.n_classes)

    def spread(self, by_class: FloatArray) -> FloatArray:
        """Probabilities of patterns from those of classes (last axis), shared equally within a class."""
        return np.asarray((by_class / self.class_size)[..., self.class_of_pattern])


def _seen(q_row: Int8Array, model: Model, patterns: Int8Array) -> Int8Array:
    """What one item sees of every pattern: rows (n_patterns, K) of 1, 0 and -1."""
    required = q_row == 1
    held = patterns[:, required]
    if model == "dina":
        return np.where(required, held.min(axis=1, keepdims=True), -1).astype(np.int8)
    if model == "dino":
        return np.where(required, held.max(axis=1, keepdims=True), -1).astype(np.int8)
    return np.where(required, patterns, -1).astype(np.int8)


def _ranked(codes: IntArray) -> tuple[IntArray, IntArray]:
    """Where each different code (not negative) occurs first, and the rank of every code."""
    if codes.max() > MOST_TALLIES:
        _, first, rank = np.unique(codes, return_index=True, return_inverse=True)
        return first, rank
    is_used = np.bincount(codes) > 0
    rank = (np.cumsum(is_used) - 1)[codes]
    first = np.empty(int(is_used.sum()), dtype=np.int64)
    first[rank[::-1]] = np.arange(codes.size)[::-1]
    return first, rank


def latent_classes(q_matrix: Int8Array, models: Sequence[Model], patterns: Int8Array) -> LatentClasses:
    """Classes and cells of a Q-matrix with one model per item, over the permitted patterns."""
    group = np.empty((q_matrix.shape[0], patterns.shape[0]), dtype=np.int64)
    cell_patterns: list[Int8Array] = []
    key = np.zeros(patterns.shape[0], dtype=np.int64)
    for j, (row, model) in enumerate(zip(q_matrix, models, strict=True)):
        seen = _seen(row, model, patterns)
        required = np.flatnonzero(row == 1)
        first, rank = _ranked((seen[:, required] == 1) @ (1 << np.arange(required.size)))
        kinds = seen[first]
        order = np.lexsort((*(-kinds.T[::-1]), (kinds == 1).sum(axis=1)))
        group[j] = np.argsort(order)[rank]
        cell_patterns.append(kinds[order])
        # patterns that look alike to the items so far have the same key
        first, key = _ranked(key * order.size + group[j])
    cell_start = np.cumsum([0, *(kinds.shape[0] for kinds in cell_patterns)], dtype=np.int64)
    order = np.argsort(first)
    return LatentClasses(
        patterns=patterns,
        class_of_pattern=np.argsort(order)[key],
        cell_of=group[:, first[order]] + cell_start[:-1, None],
        cell_start=cell_start,
        cell_patterns=np.concatenate(cell_patterns),
    )
