"""Groups of pupils compared by a questionnaire answer, at city and district level.

A table of groups is shown at a level only if it is safe in every unit of that level: each answer, and the pupils
without one, is given by nobody or by at least the minimum. One unit without its table could be put together from the
others, so then no unit of the level shows it.
"""

from dataclasses import dataclass

import numpy as np

from shuren.evaluation.data import Level
from shuren.evaluation.rules.figures import CENTRE
from shuren.evaluation.rules.measuring import Answers, FloatArray, IntArray
from shuren.evaluation.rules.units import LevelUnits, sums

MOST_CATEGORIES = 8


@dataclass(frozen=True, eq=False)
class ContrastFigures:
    """One questionnaire variable at one level: arrays by unit and answer; `gap` is last answer minus first."""

    column: str
    values: tuple[float, ...]
    n: FloatArray
    share: FloatArray
    mean: FloatArray
    se: FloatArray
    gap: FloatArray
    gap_se: FloatArray


def contrast_figures(
    answers: Answers,
    pvs: FloatArray,
    tree: tuple[LevelUnits, ...],
    columns: tuple[str, ...],
    *,
    minimum: int,
    withheld: list[np.ndarray],
) -> list[list[ContrastFigures]]:
    """Safe contrasts per level of the tree (empty below district); `withheld` marks the units withheld per level."""
    schools = next((units for units in tree if units.level is Level.SCHOOL), None)
    found: list[list[ContrastFigures]] = []
    for units, hidden in zip(tree, withheld, strict=True):
        level: list[ContrastFigures] = []
        if units.level in (Level.CITY, Level.DISTRICT) and schools is not None and not hidden.any():
            for column in columns:
                figures = _contrast(answers, pvs, units, schools, column, minimum)
                if figures is not None:
                    level.append(figures)
        found.append(level)
    return found


def _contrast(
    answers: Answers, pvs: FloatArray, units: LevelUnits, schools: LevelUnits, column: str, minimum: int
) -> ContrastFigures | None:
    given = answers.context.get(column)
    if given is None:
        return None
    values = np.unique(given[np.isfinite(given)])
    if not 2 <= values.size <= MOST_CATEGORIES:
        return None
    kinds = values.size
    category = np.where(np.isfinite(given), np.searchsorted(values, given), kinds)
    n = sums(units.codes * (kinds + 1) + category, units.count * (kinds + 1)).reshape(-1, kinds + 1)
    if ((n > 0) & (n < minimum)).any() or (n[:, :kinds] == 0).any():
        return None
    rows = np.flatnonzero(category < kinds)
    return _figures(
        answers.weights[rows],
        pvs[:, rows],
        units.codes[rows],
        schools.codes[rows],
        category[rows],
        column,
        tuple(values.tolist()),
        n[:, :kinds],
    )


def _figures(
    weights: FloatArray,
    pvs: FloatArray,
    unit: IntArray,
    school: IntArray,
    category: IntArray,
    column: str,
    values: tuple[float, ...],
    n: FloatArray,
) -> ContrastFigures:
    count, kinds = n.shape
    n_schools = int(school.max()) + 1
    owner = np.zeros(n_schools, dtype=np.int64)
    owner[school] = unit
    cell = school * kinds + category
    school_weight = sums(cell, n_schools * kinds, weights).reshape(n_schools, kinds)
    weight = np.zeros((count, kinds))
    np.add.at(weight, owner, school_weight)
    clusters = np.bincount(owner, minlength=count)
    factor = np.where(clusters > 1, clusters / np.maximum(clusters - 1, 1), np.nan)
    means, variances, gap_variances = [], [], []
    for draw in pvs:
        school_total = sums(cell, n_schools * kinds, weights * (draw - CENTRE)).reshape(n_schools, kinds)
        total = np.zeros((count, kinds))
        np.add.at(total, owner, school_total)
        mean = total / weight
        shift = (school_total - mean[owner] * school_weight) / weight[owner]
        means.append(mean + CENTRE)
        variances.append(_summed(shift**2, owner, count) * factor[:, None])
        gap_variances.append(_summed((shift[:, -1] - shift[:, 0])[:, None] ** 2, owner, count)[:, 0] * factor)
    stacked = np.stack(means)
    gaps = stacked[:, :, -1] - stacked[:, :, 0]
    inflate = 1 + 1 / len(pvs)
    return ContrastFigures(
        column=column,
        values=values,
        n=n,
        share=weight / weight.sum(axis=1, keepdims=True),
        mean=stacked.mean(axis=0),
        se=np.sqrt(np.mean(variances, axis=0) + inflate * stacked.var(axis=0, ddof=1)),
        gap=gaps.mean(axis=0),
        gap_se=np.sqrt(np.mean(gap_variances, axis=0) + inflate * gaps.var(axis=0, ddof=1)),
    )


def _summed(values: FloatArray, owner: IntArray, count: int) -> FloatArray:
    total = np.zeros((count, values.shape[1]))
    np.add.at(total, owner, values)
    return total
