"""Answers of pupils to tasks of skills in the order they were given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.errors import BadOption, BadScore, BadShape

Labels = npt.NDArray[np.generic]
MOST_CODES = 4


@dataclass(frozen=True, eq=False)
class Interactions:
    """One row per answer, in the order they were passed.

    Attributes
    ----------
    pupil_ids, skill_ids, group_ids : arrays of labels, sorted
    pupils, skills : int64 (n,)
        Codes of the labels.
    correct : int8 (n,)
    groups : int64 (n_pupils,)
        Group of every pupil; all 0 without groups.
    order : array (n,)
        As passed; row numbers without.
    time : int64 (n,)
        Rows from the earliest to the latest; rows of equal ``order`` as they were passed.
    rows : int64 (n,)
        Rows by skill, then pupil, then time: one sequence after another.
    starts : int64 (n_sequences + 1,)
        Where in ``rows`` every sequence begins.
    """

    pupil_ids: Labels
    skill_ids: Labels
    group_ids: Labels
    pupils: IntArray
    skills: IntArray
    correct: Int8Array
    groups: IntArray
    order: npt.NDArray[np.generic]
    time: IntArray
    rows: IntArray
    starts: IntArray

    @classmethod
    def from_arrays(
        cls,
        *,
        pupils: npt.ArrayLike,
        correct: npt.ArrayLike,
        skills: npt.ArrayLike | None = None,
        order: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Interactions:
        """Sort and check answers; without ``order`` the rows are in order of time, without ``skills`` there is one.

        ``order`` is any number that grows with time; a pupil's answers to one skill must differ in
        it. ``groups`` gives every row its pupil's group, for priors and learning rates of groups.
        """
        given = _answers(correct)
        n = given.size
        pupil_ids, pupil_codes = _codes(pupils, n, "pupils")
        skill_ids, skill_codes = _codes(np.zeros(n, dtype=np.int64) if skills is None else skills, n, "skills")
        group_ids, group_codes = _codes(np.zeros(n, dtype=np.int64) if groups is None else groups, n, "groups")
        of_pupil = np.zeros(pupil_ids.size, dtype=np.int64)
        of_pupil[pupil_codes] = group_codes
        if groups is not None and not np.array_equal(of_pupil[pupil_codes], group_codes):
            raise BadOption("A pupil is in two groups.", remedy="Give all rows of a pupil one group.")
        time, ranks = _times(order, n)
        sequence = skill_codes * pupil_ids.size + pupil_codes
        rows = np.arange(n) if order is None else time
        if (np.diff(sequence[rows]) < 0).any():
            rows = rows[np.argsort(sequence[rows], kind="stable")]
        sorted_sequence = sequence[rows]
        is_same = sorted_sequence[1:] == sorted_sequence[:-1]
        if ranks is not None and (is_same & (ranks[rows][1:] == ranks[rows][:-1])).any():
            at = rows[1:][is_same & (ranks[rows][1:] == ranks[rows][:-1])][0]
            raise BadOption(
                f"Pupil {pupil_ids[pupil_codes[at]]} has two answers to skill {skill_ids[skill_codes[at]]} of one order.",
                remedy="Give every answer its own order, or leave order out where rows are in order.",
            )
        starts = np.concatenate([[0], np.flatnonzero(~is_same) + 1, [n]]).astype(np.int64)
        kept = np.arange(n) if ranks is None else ranks
        return cls(pupil_ids, skill_ids, group_ids, pupil_codes, skill_codes, given, of_pupil, kept, time, rows, starts)

    @property
    def n(self) -> int:
        return self.correct.size

    @property
    def clock(self) -> FloatArray:
        """``order`` as a number, seconds where it is a time."""
        if self.order.dtype.kind in "mM":
            seconds = (self.order - self.order[self.time[0]]) / np.timedelta64(1, "s")
            return np.asarray(seconds, dtype=np.float64)
        return self.order.astype(np.float64)

    @property
    def sequence_skills(self) -> IntArray:
        """The skill of every sequence."""
        return self.skills[self.rows[self.starts[:-1]]]

    @property
    def sequence_pupils(self) -> IntArray:
        """The pupil of every sequence."""
        return self.pupils[self.rows[self.starts[:-1]]]

    def part(self, chosen: BoolArray) -> Interactions:
        """The chosen rows, in the same order, with the labels that occur in them."""
        return Interactions.from_arrays(
            pupils=self.pupil_ids[self.pupils[chosen]],
            skills=self.skill_ids[self.skills[chosen]],
            correct=self.correct[chosen],
            order=self.order[chosen],
            groups=self.group_ids[self.groups[self.pupils[chosen]]],
        )

    def with_answers(self, correct: npt.ArrayLike) -> Interactions:
        """The same rows with other answers."""
        given = _answers(correct)
        if given.size != self.n:
            raise BadShape(f"{given.size} answers for {self.n} rows.", remedy="Give one answer per row.")
        return Interactions(**{**vars(self), "correct": given})

    def __str__(self) -> str:
        return (
            f"{self.n:,} answers of {self.pupil_ids.size:,} pupils to {self.skill_ids.size:,} skills, "
            f"{self.correct.mean():.1%} right"
        )


def pupil_folds(interactions: Interactions, *, n_folds: int = 5, rng: np.random.Generator) -> IntArray:
    """A fold 0..n_folds - 1 for every row; all rows of a pupil are in one fold."""
    if not 2 <= n_folds <= interactions.pupil_ids.size:
        raise BadOption(f"n_folds is {n_folds}.", remedy="Use at least 2 and no more than there are pupils.")
    folds = rng.permutation(np.arange(interactions.pupil_ids.size) % n_folds)
    return np.asarray(folds[interactions.pupils], dtype=np.int64)


def _answers(correct: npt.ArrayLike) -> Int8Array:
    given = np.asarray(correct)
    if given.ndim != 1 or given.size == 0:
        raise BadShape(f"correct has shape {given.shape}.", remedy="Give one answer per row, and at least one row.")
    if not (np.issubdtype(given.dtype, np.number) or given.dtype == np.bool_):
        raise BadScore(f"correct has the type {given.dtype}.", remedy="Code answers 0 or 1.")
    right = np.asarray(given == 1)
    if not (right | np.asarray(given == 0)).all():
        raise BadScore("Some answers are neither 0 nor 1.", remedy="Score them 0 or 1 and leave out rows without an answer.")
    return np.asarray(right, dtype=np.int8)


def _codes(labels: npt.ArrayLike, n: int, name: str) -> tuple[Labels, IntArray]:
    given = np.asarray(labels)
    if given.shape != (n,):
        raise BadShape(f"{name} has shape {given.shape} for {n} rows.", remedy="Give one label per row.")
    if np.issubdtype(given.dtype, np.floating) and not np.isfinite(given).all():
        raise BadOption(f"{name} holds NaN or infinity.", remedy="Leave out rows without a label.")
    if given.dtype == object:
        given = given.astype(str)
    if np.issubdtype(given.dtype, np.integer):
        low, high = int(given.min()), int(given.max())
        # small whole numbers need no sorting
        if high - low < MOST_CODES * n:
            seen = np.bincount(given.astype(np.int64) - low) > 0
            place = np.cumsum(seen) - 1
            return np.flatnonzero(seen) + low, np.asarray(place[given.astype(np.int64) - low], dtype=np.int64)
    found, codes = np.unique(given, return_inverse=True)
    return found, codes.astype(np.int64)


def _times(order: npt.ArrayLike | None, n: int) -> tuple[IntArray, npt.NDArray[np.generic] | None]:
    """Rows by time, and the order itself."""
    if order is None:
        return np.arange(n), None
    given = np.asarray(order)
    if given.shape != (n,):
        raise BadShape(f"order has shape {given.shape} for {n} rows.", remedy="Give one number per row.")
    if given.dtype.kind not in "iufbMm" or (given.dtype.kind == "f" and not np.isfinite(given).all()):
        raise BadOption("order is no number, or not finite.", remedy="Give row numbers or times.")
    return np.argsort(given, kind="stable"), given
