"""Scored answers of many persons to many items, with every kind of no answer kept apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from edmeasure import _arrow, _validate
from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.errors import BadShape

NOT_ADMINISTERED = -1
OMITTED = -2
NOT_REACHED = -3


@dataclass(frozen=True, eq=False)
class Responses:
    """Score matrix in one byte per cell: 1,000,000 persons x 40 items take 40 MB.

    Attributes
    ----------
    scores : int8 (n_persons, n_items)
        ``0..max`` for answers, ``NOT_ADMINISTERED`` (-1), ``OMITTED`` (-2), ``NOT_REACHED`` (-3).
    max_scores : int8 (n_items,)
        Highest score of every item; 1 means right/wrong.
    item_ids : tuple of str
    weights : float64 (n_persons,)
        Sampling weights, ones when the caller gave none.
    zones, reps : int64 (n_persons,) or None
        Jackknife zone and half-sample (0/1) of every person.
    """

    scores: Int8Array
    max_scores: Int8Array
    item_ids: tuple[str, ...]
    weights: FloatArray
    zones: IntArray | None = None
    reps: IntArray | None = None

    @classmethod
    def from_array(
        cls,
        scores: npt.ArrayLike,
        *,
        max_scores: npt.ArrayLike | None = None,
        item_ids: Sequence[str] | None = None,
        weights: npt.ArrayLike | None = None,
        zones: npt.ArrayLike | None = None,
        reps: npt.ArrayLike | None = None,
    ) -> Responses:
        """Check and wrap a matrix; int8 input is not copied, NaN counts as not administered.

        Raises
        ------
        BadShape, BadScore, BadWeight
            When shapes disagree, scores leave their range or weights are impossible.
        """
        matrix = _validate.score_matrix(scores)
        n, n_items = matrix.shape
        replicate = _validate.replicate_codes(zones, reps, n)
        return cls(
            scores=matrix,
            max_scores=_validate.max_score_vector(matrix, max_scores),
            item_ids=_validate.item_names(item_ids, n_items),
            weights=_validate.weight_vector(weights, n),
            zones=None if replicate is None else replicate[0],
            reps=None if replicate is None else replicate[1],
        )

    @classmethod
    def from_batches(
        cls,
        batches: Iterable[npt.ArrayLike],
        *,
        max_scores: npt.ArrayLike | None = None,
        item_ids: Sequence[str] | None = None,
        weights: npt.ArrayLike | None = None,
        zones: npt.ArrayLike | None = None,
        reps: npt.ArrayLike | None = None,
    ) -> Responses:
        """Gather blocks of rows; at no time is more than one wide block held beside the bytes."""
        matrix = np.empty((0, 0), dtype=np.int8)
        filled = 0
        for batch in batches:
            block = _validate.score_matrix(batch)
            if matrix.shape[1] == 0:
                matrix = np.empty((max(1024, block.shape[0]), block.shape[1]), dtype=np.int8)
            if block.shape[1] != matrix.shape[1]:
                raise BadShape(
                    f"A block has {block.shape[1]} items, the first had {matrix.shape[1]}.",
                    remedy="Fill items that were not given with -1.",
                )
            needed = filled + block.shape[0]
            if needed > matrix.shape[0]:
                # refcheck off: views of the growing buffer never leave this loop
                matrix.resize((max(needed, matrix.shape[0] * 3 // 2), matrix.shape[1]), refcheck=False)
            matrix[filled:needed] = block
            filled = needed
        matrix.resize((filled, matrix.shape[1]), refcheck=False)
        return cls.from_array(
            matrix,
            max_scores=max_scores,
            item_ids=item_ids,
            weights=weights,
            zones=zones,
            reps=reps,
        )

    @classmethod
    def from_parquet(
        cls,
        source: object,
        *,
        items: Sequence[str] | None = None,
        max_scores: npt.ArrayLike | None = None,
        weights: str | None = None,
        zones: str | None = None,
        reps: str | None = None,
        batch_rows: int = 65_536,
    ) -> Responses:
        """Read columns of a Parquet file, a folder of them, or any Arrow dataset or table.

        Parameters
        ----------
        source
            Path, ``pyarrow.dataset.Dataset`` or ``pyarrow.Table``.
        items
            Columns of scores, whose names become item ids; default all that are not named below.
            Null and NaN count as not administered.
        weights, zones, reps
            Columns of sampling weights, jackknife zones and half-samples.
        batch_rows
            Rows read at a time: beside the byte per answer no more than that is in memory.

        Raises
        ------
        MissingPackage, BadShape, BadScore, BadWeight
        """
        named = {"weights": weights, "zones": zones, "reps": reps}
        others = tuple(column for column in named.values() if column is not None)
        names, scores, columns = _arrow.read(source, items, others, batch_rows)
        given = {option: columns[column] for option, column in named.items() if column is not None}
        return cls.from_array(scores, max_scores=max_scores, item_ids=names, **given)

    @property
    def n_persons(self) -> int:
        return int(self.scores.shape[0])

    @property
    def n_items(self) -> int:
        return int(self.scores.shape[1])

    def scored(
        self,
        *,
        omitted_as: Literal[0, "missing"] = 0,
        not_reached_as: Literal[0, "missing"] = "missing",
    ) -> Responses:
        """The same answers with omitted and not reached turned into score 0 or missing (-1).

        TIMSS and PISA practice: omitted is wrong always; not reached is missing while items are
        calibrated and wrong when persons are scored.
        """
        omitted = _validate.scoring_policy(omitted_as, "omitted_as")
        not_reached = _validate.scoring_policy(not_reached_as, "not_reached_as")
        if self.scores.size == 0 or self.scores.min() >= NOT_ADMINISTERED:
            return self
        turned = self.scores.copy()
        turned[turned == OMITTED] = omitted
        turned[turned == NOT_REACHED] = not_reached
        return replace(self, scores=turned)

    def items(self, selection: Sequence[int] | IntArray | BoolArray) -> Responses:
        """The same persons on some of the items (positions or mask), for domain scores."""
        chosen = np.asarray(selection)
        positions = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen.astype(np.int64)
        if np.array_equal(positions, np.arange(self.n_items)):
            return self
        return replace(
            self,
            scores=np.ascontiguousarray(self.scores[:, positions]),
            max_scores=self.max_scores[positions],
            item_ids=tuple(self.item_ids[position] for position in positions),
        )

    def persons(self, selection: Sequence[int] | IntArray | BoolArray) -> Responses:
        """The same items for some of the persons (positions or mask)."""
        rows = np.asarray(selection)
        return replace(
            self,
            scores=np.ascontiguousarray(self.scores[rows]),
            weights=self.weights[rows],
            zones=None if self.zones is None else self.zones[rows],
            reps=None if self.reps is None else self.reps[rows],
        )

    def __str__(self) -> str:
        answered = float((self.scores >= 0).mean()) if self.scores.size else 0.0
        return f"Responses: {self.n_persons:,} persons x {self.n_items} items, {answered:.1%} answered"


def person_weights(responses: Responses, weights: npt.ArrayLike | None) -> FloatArray:
    """The weights given, or those of the responses."""
    return _validate.weight_vector(responses.weights if weights is None else weights, responses.n_persons)


def unit_weights(responses: Responses, weights: npt.ArrayLike | None) -> FloatArray:
    """The same, rescaled to a mean of one; there must be persons."""
    checked = person_weights(responses, weights)
    return np.asarray(checked * (checked.size / checked.sum()))
