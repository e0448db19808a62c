"""Answers that are read in chunks, as often as they are needed, and tallied on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol, TypeVar

import numpy as np

from edmeasure import _arrow, _validate
from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.calibration import _pattern_kernels
from edmeasure.errors import BadOption, BadScore, BadWeight

Part = TypeVar("Part")
Block = tuple[Int8Array, Any]
"""Scores of some persons, and an Arrow table of other columns."""

SCORES = 128
CHUNK_ROWS = 262_144


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some persons: scores (m, J), weights (m,), and the place of each one's label among ``labels``."""

    scores: Int8Array
    weights: FloatArray
    labels: tuple[object, ...] = ("",)
    codes: IntArray | None = None

    def members(self, group: int) -> IntArray | slice:
        """The persons that carry one of the labels."""
        return slice(None) if self.codes is None else np.flatnonzero(self.codes == group)


class Sheets(Protocol):
    """Persons' answers that can be gone through more than once, here or on other machines."""

    @property
    def item_ids(self) -> tuple[str, ...]: ...

    def summed(self, of_chunk: Callable[[Chunk], Part], together: Callable[[Part, Part], Part]) -> Part | None:
        """What is told of every chunk, put together in the order of the chunks; None without persons."""


@dataclass(frozen=True, eq=False)
class GroupTally:
    """Persons, their weights, and how many (and with what weight) got each score on each item, (J, 128)."""

    n_persons: int
    weight: float
    counts: IntArray
    sums: FloatArray

    def plus(self, other: GroupTally) -> GroupTally:
        return GroupTally(
            self.n_persons + other.n_persons, self.weight + other.weight, self.counts + other.counts, self.sums + other.sums
        )

    @property
    def has_missing(self) -> BoolArray:
        return np.asarray(self.counts.sum(axis=1) < self.n_persons)


Tally = Mapping[Any, GroupTally]
"""A tally by label of the group."""


def tally(chunk: Chunk) -> Tally:
    """Tally one chunk."""
    n_items = chunk.scores.shape[1]
    starts = np.arange(n_items + 1, dtype=np.int64) * SCORES
    items = np.arange(n_items)
    found = {}
    for g, label in enumerate(chunk.labels):
        rows = chunk.members(g)
        scores, weights = np.ascontiguousarray(chunk.scores[rows]), chunk.weights[rows]
        counts, sums = np.zeros(starts[-1], dtype=np.int64), np.zeros(starts[-1])
        _pattern_kernels.count_answers(_validate.read_only(scores), weights, starts, items, counts, sums)
        shape = n_items, SCORES
        found[label] = GroupTally(scores.shape[0], float(weights.sum()), counts.reshape(shape), sums.reshape(shape))
    return found


def both_tallies(one: Tally, other: Tally) -> Tally:
    """Persons of two tallies."""
    found = dict(one)
    for label, own in other.items():
        found[label] = found[label].plus(own) if label in found else own
    return found


def checked_chunk(item_ids: Sequence[str], chunk: Chunk) -> Chunk:
    """The chunk itself, where its codes and weights are possible."""
    if chunk.scores.size and int(chunk.scores.min()) < _validate.LOWEST_CODE:
        item = item_ids[int(chunk.scores.min(axis=0).argmin())]
        raise BadScore(
            f"Item {item} holds the unknown code {int(chunk.scores.min())}.",
            remedy="Use -1 not administered, -2 omitted, -3 not reached.",
        )
    if not np.isfinite(chunk.weights).all() or (chunk.weights < 0).any():
        raise BadWeight("Some weights are negative or not finite.", remedy="Drop those persons or give them weight 0.")
    return chunk


def folded(chunks: Iterable[Chunk], of_chunk: Callable[[Chunk], Part], together: Callable[[Part, Part], Part]) -> Part | None:
    """What is told of every chunk, put together from the first to the last."""
    parts = (of_chunk(chunk) for chunk in chunks)
    first = next(parts, None)
    return None if first is None else reduce(together, parts, first)


@dataclass(frozen=True, eq=False)
class DatasetSheets:
    """Columns of an Arrow dataset, ``chunk_rows`` persons at a time whatever its files and row groups."""

    data: Any
    item_ids: tuple[str, ...]
    weights: str | None = None
    groups: str | None = None
    chunk_rows: int = CHUNK_ROWS

    def summed(self, of_chunk: Callable[[Chunk], Part], together: Callable[[Part, Part], Part]) -> Part | None:
        return folded(self, of_chunk, together)

    def __iter__(self) -> Iterator[Chunk]:
        for scores, others in self.blocks(tuple(name for name in (self.weights, self.groups) if name is not None)):
            yield checked_chunk(self.item_ids, chunk_of(scores, others, self.weights, self.groups))

    def blocks(self, others: Sequence[str]) -> Iterator[Block]:
        """Scores and other columns of ``chunk_rows`` persons at a time."""
        return regrouped(_arrow.batches(self.data, self.item_ids, others), self.chunk_rows)


def regrouped(blocks: Iterable[Block], chunk_rows: int) -> Iterator[Block]:
    """The same rows in blocks of ``chunk_rows``; the last one has what is left."""
    arrow = _arrow.module("pyarrow")
    scores, tables, filled = np.empty((0, 0), dtype=np.int8), [], 0
    for block, columns in blocks:
        taken = 0
        while taken < block.shape[0]:
            if not filled:
                scores = np.empty((chunk_rows, block.shape[1]), dtype=np.int8)
            size = min(block.shape[0] - taken, chunk_rows - filled)
            scores[filled : filled + size] = block[taken : taken + size]
            tables.append(columns.slice(taken, size))
            filled, taken = filled + size, taken + size
            if filled == chunk_rows:
                yield scores, arrow.concat_tables(tables)
                tables, filled = [], 0
    if filled:
        yield scores[:filled], arrow.concat_tables(tables)


def chunk_of(scores: Int8Array, others: Any, weights: str | None, groups: str | None) -> Chunk:
    """A chunk with the weights and labels that some columns of an Arrow table hold."""
    n = scores.shape[0]
    of_persons = np.ones(n) if weights is None else _arrow.floats(weights, others.column(weights))
    if groups is None:
        return Chunk(scores, of_persons)
    labels, codes = _arrow.labels(groups, others.column(groups))
    return Chunk(scores, of_persons, labels, codes)


def dataset_sheets(
    source: object,
    items: Sequence[str] | None,
    weights: str | None,
    groups: str | None,
    chunk_rows: int,
    others: Sequence[str] = (),
) -> DatasetSheets:
    """Sheets of a Parquet file, folder, Arrow dataset or table; items are all columns but those named otherwise."""
    if chunk_rows < 1:
        raise BadOption(f"chunk_rows is {chunk_rows}.", remedy="Read at least one row at a time; 262,144 do well.")
    data = _arrow.dataset(source)
    named = [name for name in (weights, groups, *others) if name is not None]
    return DatasetSheets(data, _arrow.item_columns(data, items, named), weights, groups, chunk_rows)
