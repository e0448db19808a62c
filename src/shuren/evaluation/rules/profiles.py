"""Where a unit does better or worse than its overall result would lead one to expect, by domain and by item.

Expected score of a pupil on an item: the calibrated item's expected share of its marks at the pupil's plausible
values, averaged. Residual = observed share − expected share. Summed over a domain and divided by the marks at stake it
says how many percentage points the unit lies above or below its own overall performance; the population's own value is
taken off, so that the city is 0.
"""

# Annotations stay words: only who measures loads the compiler and the solvers behind `edmeasure`.
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import edmeasure
from shuren.evaluation.data import Level
from shuren.evaluation.rules.measuring import Answers, FloatArray, IntArray, Measurement, domains_of, expected_marks
from shuren.evaluation.rules.units import LevelUnits, climb, roll_up, sums

WIDE = (Level.CITY, Level.DISTRICT)
OMITTED = -2


@dataclass(frozen=True, eq=False)
class DomainFigures:
    """By unit and domain: pupils, weighted share of marks gained, and the profile difference, each with its error."""

    n: FloatArray
    rate: FloatArray
    rate_se: FloatArray
    difference: FloatArray
    se: FloatArray


@dataclass(frozen=True, eq=False)
class ItemFigures:
    """By unit and item; `discrimination` and `omitted` only for city and district (NaN elsewhere)."""

    n: FloatArray
    rate: FloatArray
    rate_se: FloatArray
    difference: FloatArray
    difference_se: FloatArray
    discrimination: FloatArray
    omitted: FloatArray


def expected_share(fit: edmeasure.IRTFit, item: int, theta: FloatArray) -> FloatArray:
    """Expected share of item `item`'s marks at abilities `theta` (partial credit model)."""
    highest = int(fit.max_scores[item])
    return expected_marks(float(fit.slopes[item]), fit.intercepts[item, : highest + 1], theta) / highest


@dataclass(eq=False)
class _Marks:
    """Per pupil and domain: marks gained, expected and at stake; filled item by item."""

    gained: npt.NDArray[np.float32]
    expected: npt.NDArray[np.float32]
    stake: npt.NDArray[np.float32]


def profiles(
    answers: Answers, measurement: Measurement, tree: tuple[LevelUnits, ...]
) -> tuple[list[DomainFigures], list[ItemFigures]]:
    """Domain and item figures at every level, top first."""
    lowest = tree[-1]
    domains = domains_of(answers.items)
    shape = (len(domains), answers.n)
    marks = _Marks(np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.float32))
    wide = [units for units in tree if units.level in WIDE]
    totals, wide_totals = [], []
    for item in range(len(answers.items)):
        observed, expected, rows = _one_item(measurement, item)
        for position, (_, members) in enumerate(domains):
            if item in members:
                highest = answers.items[item].max_score
                marks.gained[position, rows] += observed * highest
                marks.expected[position, rows] += expected * highest
                marks.stake[position, rows] += highest
        weights = answers.weights[rows]
        totals.append(_item_totals(lowest.codes[rows], lowest.count, weights, observed, observed - expected))
        if wide:
            wide_totals.append(_wide_totals(answers, measurement, wide[-1], item, rows, observed))
    by_level = climb(tree, np.stack(totals, axis=1))
    wide_by_level = _wide_levels(tree, wide, wide_totals)
    items = [_item_figures(by_level[position], wide_by_level.get(position)) for position in range(len(tree))]
    return _domain_figures(answers, tree, marks), items


def _one_item(measurement: Measurement, item: int) -> tuple[FloatArray, FloatArray, IntArray]:
    """Observed and expected shares of the pupils who answered, and where those pupils stand."""
    column = measurement.scored.scores[:, item]
    rows = np.flatnonzero(column >= 0)
    observed = column[rows] / float(measurement.scored.max_scores[item])
    if not np.isfinite(measurement.fit.slopes[item]):
        return observed, np.full(rows.size, observed.mean() if rows.size else 0.0), rows
    line = measurement.scores.line
    expected = np.zeros(rows.size)
    for draw in measurement.scores.pvs:
        expected += _expected_fast(measurement.fit, item, (draw[rows] - line.intercept) / line.slope)
    return observed, expected / len(measurement.scores.pvs), rows


def _expected_fast(fit: edmeasure.IRTFit, item: int, theta: FloatArray) -> FloatArray:
    if fit.max_scores[item] == 1:
        return np.asarray(1.0 / (1.0 + np.exp(-fit.slopes[item] * theta - fit.intercepts[item, 1])))
    return expected_share(fit, item, theta)


def _item_totals(codes: IntArray, count: int, weights: FloatArray, observed: FloatArray, residual: FloatArray) -> FloatArray:
    columns = (
        None,
        weights,
        weights * observed,
        weights * residual,
        weights**2,
        (weights * observed) ** 2,
        weights**2 * observed,
        (weights * residual) ** 2,
        weights**2 * residual,
    )
    return np.stack([sums(codes, count, column) for column in columns], axis=1)


def _wide_totals(
    answers: Answers, measurement: Measurement, units: LevelUnits, item: int, rows: IntArray, observed: FloatArray
) -> FloatArray:
    """Sums for the correlation with ability, and the weight that left the item out."""
    codes, weights = units.codes[rows], answers.weights[rows]
    ability = (measurement.scores.eap[rows] - 500.0) / 100.0
    omitted = answers.scores[:, item] == OMITTED
    columns = (
        weights,
        weights * observed,
        weights * observed**2,
        weights * ability,
        weights * ability**2,
        weights * observed * ability,
    )
    found = [sums(codes, units.count, column) for column in columns]
    return np.stack([*found, sums(units.codes[omitted], units.count, answers.weights[omitted])], axis=1)


def _wide_levels(tree: tuple[LevelUnits, ...], wide: list[LevelUnits], totals: list[FloatArray]) -> dict[int, FloatArray]:
    if not wide:
        return {}
    lowest = len(wide) - 1
    found = {lowest: np.stack(totals, axis=1)}
    for position in range(lowest, 0, -1):
        found[position - 1] = roll_up(tree[position], found[position], tree[position - 1].count)
    return found


def _item_figures(total: FloatArray, wide: FloatArray | None) -> ItemFigures:
    n, weight, gained, residual = (total[:, :, column] for column in range(4))
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, difference = gained / weight, residual / weight
        factor = n / (n - 1) / weight**2
        rate_variance = (total[:, :, 5] - 2 * rate * total[:, :, 6] + rate**2 * total[:, :, 4]) * factor
        difference_variance = (total[:, :, 7] - 2 * difference * total[:, :, 8] + difference**2 * total[:, :, 4]) * factor
        discrimination = omitted = np.full_like(n, np.nan)
        if wide is not None:
            discrimination = _correlation(wide)
            omitted = wide[:, :, 6] / weight
    return ItemFigures(
        n=n,
        rate=rate,
        rate_se=np.sqrt(np.maximum(rate_variance, 0.0)),
        difference=difference,
        difference_se=np.sqrt(np.maximum(difference_variance, 0.0)),
        discrimination=discrimination,
        omitted=omitted,
    )


def _correlation(wide: FloatArray) -> FloatArray:
    weight, x, xx, y, yy, xy = (wide[:, :, column] for column in range(6))
    covariance = xy / weight - x * y / weight**2
    spread = (xx / weight - (x / weight) ** 2) * (yy / weight - (y / weight) ** 2)
    return np.asarray(covariance / np.sqrt(np.where(spread > 0, spread, np.nan)))


def _domain_figures(answers: Answers, tree: tuple[LevelUnits, ...], marks: _Marks) -> list[DomainFigures]:
    lowest = tree[-1]
    per_domain = []
    for gained, expected, stake in zip(marks.gained, marks.expected, marks.stake, strict=True):
        rows = np.flatnonzero(stake > 0)
        weights, marks_at_stake = answers.weights[rows], stake[rows].astype(np.float64)
        residual = (gained[rows] - expected[rows]).astype(np.float64)
        columns = (
            None,
            weights * gained[rows],
            weights * residual,
            weights * marks_at_stake,
            (weights * marks_at_stake) ** 2,
            (weights * residual) ** 2,
            weights**2 * residual * marks_at_stake,
            (weights * gained[rows]) ** 2,
            weights**2 * gained[rows] * marks_at_stake,
        )
        per_domain.append(np.stack([sums(lowest.codes[rows], lowest.count, column) for column in columns], axis=1))
    empty = np.zeros((lowest.count, 0, 9))
    by_level = climb(tree, np.stack(per_domain, axis=1) if per_domain else empty)
    schools = next((position for position, units in enumerate(tree) if units.level is Level.SCHOOL), None)
    found: list[DomainFigures] = []
    city: FloatArray | None = None
    for position, units in enumerate(tree):
        total = by_level[position]
        is_clustered = units.level in WIDE and schools is not None
        inside = (by_level[schools], _owners(tree, position, schools)) if is_clustered and schools is not None else None
        rate, rate_se = _ratio(total, _GAINED, inside)
        raw, se = _ratio(total, _RESIDUAL, inside)
        city = raw[0] if city is None else city
        found.append(DomainFigures(total[:, :, 0], rate, rate_se, raw - city, se))
    return found


@dataclass(frozen=True, slots=True)
class _Sum:
    """Where a domain's total keeps a numerator: its weighted sum, the sum of its squares, of its products with the stake."""

    plain: int
    squares: int
    products: int


_STAKE, _STAKE_SQUARES = 3, 4
_RESIDUAL, _GAINED = _Sum(2, 5, 6), _Sum(1, 7, 8)


def _ratio(total: FloatArray, of: _Sum, schools: tuple[FloatArray, IntArray] | None) -> tuple[FloatArray, FloatArray]:
    """Sum over marks at stake with its error: between schools where they and their owners are given, else between pupils."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value = total[:, :, of.plain] / total[:, :, _STAKE]
        n = total[:, :, 0]
        squares = total[:, :, of.squares] - 2 * value * total[:, :, of.products] + value**2 * total[:, :, _STAKE_SQUARES]
        variance = squares * n / (n - 1) / total[:, :, _STAKE] ** 2
        if schools is not None:
            clustered = _school_variance(*schools, total, value, of.plain)
            variance = np.where(np.isnan(clustered), variance, clustered)
    return value, np.sqrt(np.maximum(variance, 0.0))


def _school_variance(schools: FloatArray, owners: IntArray, total: FloatArray, value: FloatArray, column: int) -> FloatArray:
    shift = schools[:, :, column] - value[owners] * schools[:, :, _STAKE]
    summed = np.zeros(value.shape)
    np.add.at(summed, owners, shift**2)
    count = np.bincount(owners, minlength=value.shape[0]).astype(np.float64)[:, None]
    return np.asarray(np.where(count > 1, summed * count / (count - 1), np.nan) / total[:, :, _STAKE] ** 2)


def _owners(tree: tuple[LevelUnits, ...], position: int, lower: int) -> IntArray:
    """The unit of level `position` that each unit of level `lower` lies in."""
    index = np.arange(tree[lower].count)
    for level in range(lower, position, -1):
        index = tree[level].parents[index]
    return index
