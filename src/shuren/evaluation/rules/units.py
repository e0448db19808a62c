"""The units of a run, level by level, and sums that climb from class to city.

Every additive figure is summed once, at the lowest level, and rolled up: what a district reports is by construction
the sum of what its schools report.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shuren.evaluation.data import Level
from shuren.evaluation.rules.measuring import Answers, FloatArray, IntArray

LEVELS = (Level.CITY, Level.DISTRICT, Level.SCHOOL, Level.CLASS)
NO_ORG = 0


@dataclass(frozen=True, eq=False)
class LevelUnits:
    """Units of one level, ordered by parent. `codes` gives each pupil's unit; an id of 0 gathers pupils without one."""

    level: Level
    ids: IntArray
    parents: IntArray
    codes: IntArray

    @property
    def count(self) -> int:
        return int(self.ids.size)


def levels_from(top: Level) -> tuple[Level, ...]:
    return LEVELS[LEVELS.index(top) :]


def unit_tree(answers: Answers, *, root_id: int, top: Level) -> tuple[LevelUnits, ...]:
    """Levels from the population's root down to the class; a level where nobody has a unit is left out."""
    n = answers.n
    root = LevelUnits(top, np.array([root_id]), np.array([-1]), np.zeros(n, dtype=np.int64))
    columns = {Level.DISTRICT: answers.district_ids, Level.SCHOOL: answers.school_ids, Level.CLASS: answers.class_ids}
    tree = [root]
    for level in levels_from(top)[1:]:
        ids = columns[level]
        if not (ids > NO_ORG).any():
            continue
        above = tree[-1]
        labels, inverse = np.unique(ids, return_inverse=True)
        keys, codes = np.unique(above.codes * labels.size + inverse, return_inverse=True)
        tree.append(LevelUnits(level, labels[keys % labels.size], keys // labels.size, codes.astype(np.int64)))
    return tuple(tree)


def sums(codes: IntArray, count: int, values: FloatArray | None = None) -> FloatArray:
    """Sum of `values` (ones when None) over the pupils of every unit."""
    return np.bincount(codes, weights=values, minlength=count).astype(np.float64)


def roll_up(lower: LevelUnits, values: npt.NDArray[np.float64], count: int) -> FloatArray:
    """Sum the rows of `values`, one per lower unit, into the `count` units above."""
    if lower.count == 0:
        return np.zeros((count, *values.shape[1:]))
    starts = np.flatnonzero(np.diff(lower.parents, prepend=-1))
    summed = np.zeros((count, *values.shape[1:]))
    summed[lower.parents[starts]] = np.add.reduceat(values, starts, axis=0)
    return summed


def climb(tree: tuple[LevelUnits, ...], lowest: npt.NDArray[np.float64]) -> list[FloatArray]:
    """The same totals at every level, top first, from those of the lowest level."""
    totals = [lowest]
    for position in range(len(tree) - 1, 0, -1):
        totals.insert(0, roll_up(tree[position], totals[0], tree[position - 1].count))
    return totals


def ancestors_at(tree: tuple[LevelUnits, ...], position: int) -> list[IntArray]:
    """For the units of level `position`, their unit at every level above, nearest first."""
    found = []
    index = tree[position].parents
    for above in range(position - 1, -1, -1):
        found.append(index)
        index = tree[above].parents[index]
    return found
