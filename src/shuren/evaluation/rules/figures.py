"""Group figures from plausible values: mean, spread, levels, percentiles, each with its standard error.

Sampling variance: paired jackknife over the declared zones for city and district, or, where a test has none,
linearisation with schools as clusters; pupils as a random sample within a school or class. Imputation variance
(1 + 1/M) B is added to each (Rubin 1987; TIMSS 2011 Methods and Procedures).
"""

from dataclasses import dataclass

import numpy as np

from shuren.evaluation.data import Level
from shuren.evaluation.rules.measuring import Answers, FloatArray, IntArray
from shuren.evaluation.rules.units import LevelUnits, climb, sums

CENTRE = 500.0
BIN_WIDTH = 20.0
PERCENTILES = (10, 25, 50, 75, 90)
MANY_PUPILS = 30
WIDE = (Level.CITY, Level.DISTRICT)


@dataclass(frozen=True, eq=False)
class LevelFigures:
    """Figures of all units of a level: arrays by unit; `shares` (unit, level), `histogram` (unit, bin)."""

    n: FloatArray
    weight: FloatArray
    mean: FloatArray
    mean_se: FloatArray
    sd: FloatArray
    sd_se: FloatArray
    shares: FloatArray
    share_se: FloatArray
    percentiles: FloatArray
    histogram: FloatArray
    histogram_start: float


@dataclass(frozen=True, eq=False)
class _Moments:
    """Weighted totals per unit and plausible value; `values` stacks y, y² and the level indicators on the last axis."""

    weight: FloatArray
    values: FloatArray


def level_figures(answers: Answers, pvs: FloatArray, tree: tuple[LevelUnits, ...], cuts: tuple[float, ...]) -> list[LevelFigures]:
    """Figures at every level of the tree, top first."""
    lowest = tree[-1]
    counts = climb(tree, sums(lowest.codes, lowest.count)[:, None])
    weights = climb(tree, sums(lowest.codes, lowest.count, answers.weights)[:, None])
    squares = climb(tree, sums(lowest.codes, lowest.count, answers.weights**2)[:, None])
    moments = climb(tree, _value_totals(lowest.codes, lowest.count, answers.weights, pvs, cuts))
    start, bins = _bins(pvs)
    histograms = climb(tree, _histogram(lowest, answers.weights, pvs, start, bins))
    orders = [np.argsort(draw, kind="stable") for draw in pvs]
    found = []
    for position, units in enumerate(tree):
        weight = weights[position][:, 0]
        total = _Moments(weight, moments[position])
        variance = _sample_variance(total, counts[position][:, 0], squares[position][:, 0])
        clusters = _clusters(answers, units, tree, pvs, cuts)
        if clusters is not None:
            # A district of one school has no clusters to vary: its pupils stand for themselves.
            wide = clusters.variance(total)
            variance = _filled(wide[0], variance[0]), _filled(wide[1], variance[1]), _filled(wide[2], variance[2])
        mean, sd, shares = _statistics(total)
        found.append(
            LevelFigures(
                n=counts[position][:, 0],
                weight=weight,
                mean=mean.mean(axis=1),
                mean_se=np.sqrt(_with_imputation(variance[0], mean)),
                sd=sd.mean(axis=1),
                sd_se=np.sqrt(_with_imputation(variance[1], sd)),
                shares=shares.mean(axis=1),
                share_se=np.sqrt(_with_imputation(variance[2], shares)),
                percentiles=_percentiles(units, weight, answers.weights, pvs, orders),
                histogram=histograms[position] / weight[:, None],
                histogram_start=start,
            )
        )
    return found


def level_codes(values: FloatArray, cuts: tuple[float, ...]) -> IntArray:
    """0 below the first cut, and one more for every cut reached."""
    return np.searchsorted(np.asarray(cuts), values, side="right").astype(np.int64)


def _value_totals(codes: IntArray, count: int, weights: FloatArray, pvs: FloatArray, cuts: tuple[float, ...]) -> FloatArray:
    n_levels = len(cuts) + 1
    totals = np.empty((count, len(pvs), 2 + n_levels))
    for draw, values in enumerate(pvs):
        centred = values - CENTRE
        totals[:, draw, 0] = sums(codes, count, weights * centred)
        totals[:, draw, 1] = sums(codes, count, weights * centred**2)
        cells = codes * n_levels + level_codes(values, cuts)
        totals[:, draw, 2:] = sums(cells, count * n_levels, weights).reshape(count, n_levels)
    return totals


def _statistics(total: _Moments) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean, sd and level shares per unit and plausible value."""
    share = total.values / total.weight[:, None, None]
    centred = share[:, :, 0]
    variance = np.maximum(share[:, :, 1] - centred**2, 0.0)
    return centred + CENTRE, np.sqrt(variance), share[:, :, 2:]


def _sample_variance(total: _Moments, n: FloatArray, squares: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Pupils as a random sample: s² Σw²/(Σw)² n/(n-1)."""
    _, sd, shares = _statistics(total)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(n > 1, squares / total.weight**2 * n / (n - 1), np.nan)
        sd_variance = np.where(n > 1, sd.T**2 / (2 * (n - 1)), np.nan).T
    return sd**2 * factor[:, None], sd_variance, shares * (1 - shares) * factor[:, None, None]


def _filled(wide: FloatArray, narrow: FloatArray) -> FloatArray:
    return np.where(np.isnan(wide), narrow, wide)


def _with_imputation(sampling: FloatArray, values: FloatArray) -> FloatArray:
    draws = values.shape[1]
    return np.asarray(sampling.mean(axis=1) + (1 + 1 / draws) * values.var(axis=1, ddof=1))


@dataclass(frozen=True, eq=False)
class _Clusters:
    """Totals of the sampling units that replicate a wide unit's figures: jackknife halves, or schools."""

    owner: IntArray
    weight: FloatArray
    values: FloatArray
    is_paired: bool

    def variance(self, total: _Moments) -> tuple[FloatArray, FloatArray, FloatArray]:
        return self._jackknife(total) if self.is_paired else self._linearised(total)

    def _jackknife(self, total: _Moments) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Σ over zones of (replicate − full)²; a zone's replicate counts half-sample 1 twice and half-sample 0 not."""
        full = _statistics(total)
        found = [np.zeros_like(part) for part in full]
        shift_weight = self.weight[:, 1] - self.weight[:, 0]
        shift_values = self.values[:, 1] - self.values[:, 0]
        for zone, unit in enumerate(self.owner):
            weight = total.weight[unit] + shift_weight[zone]
            if weight <= 0:
                continue
            replicate = _statistics(_Moments(np.array([weight]), (total.values[unit] + shift_values[zone])[None]))
            for part, value, whole in zip(found, replicate, full, strict=True):
                part[unit] += (value[0] - whole[unit]) ** 2
        return found[0], found[1], found[2]

    def _linearised(self, total: _Moments) -> tuple[FloatArray, FloatArray, FloatArray]:
        owner, count = self.owner, total.weight.size
        mean, sd, shares = _statistics(total)
        centred = (mean - CENTRE)[owner]
        weight = self.weight[:, None]
        from_mean = self.values[:, :, 0] - centred * weight
        squares = self.values[:, :, 1] - 2 * centred * self.values[:, :, 0] + centred**2 * weight
        with np.errstate(divide="ignore", invalid="ignore"):
            from_sd = np.where(sd[owner] > 0, (squares - sd[owner] ** 2 * weight) / (2 * sd[owner]), 0.0)
        from_shares = self.values[:, :, 2:] - shares[owner] * weight[:, :, None]
        n_clusters = np.bincount(owner, minlength=count).astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.where(n_clusters > 1, n_clusters / (n_clusters - 1), np.nan) / total.weight**2
        found = []
        for part in (from_mean, from_sd, from_shares):
            summed = np.zeros((count, *part.shape[1:]))
            np.add.at(summed, owner, part**2)
            found.append(summed * factor.reshape(-1, *[1] * (part.ndim - 1)))
        return found[0], found[1], found[2]


def _clusters(
    answers: Answers, units: LevelUnits, tree: tuple[LevelUnits, ...], pvs: FloatArray, cuts: tuple[float, ...]
) -> _Clusters | None:
    """What replicates the figures of a wide level; None for a school or class, and where the tree knows no school."""
    if units.level not in WIDE:
        return None
    is_paired = answers.zones is not None and answers.reps is not None
    schools = next((level for level in tree if level.level is Level.SCHOOL), None)
    if answers.zones is not None and answers.reps is not None:
        _, codes = np.unique(units.codes * (int(answers.zones.max()) + 1) + answers.zones, return_inverse=True)
    elif schools is not None:
        codes = schools.codes
    else:
        return None
    count = int(codes.max()) + 1
    first = np.zeros(count, dtype=np.int64)
    first[codes] = np.arange(answers.n)
    if is_paired:
        codes = codes * 2 + answers.reps
        count *= 2
    weight = sums(codes, count, answers.weights)
    values = _value_totals(codes, count, answers.weights, pvs, cuts)
    if is_paired:
        weight, values = weight.reshape(-1, 2), values.reshape(-1, 2, *values.shape[1:])
    return _Clusters(units.codes[first], weight, values, is_paired)


def _bins(pvs: FloatArray) -> tuple[float, int]:
    low = float(np.floor(np.quantile(pvs, 0.0005) / BIN_WIDTH) * BIN_WIDTH)
    high = float(np.ceil(np.quantile(pvs, 0.9995) / BIN_WIDTH) * BIN_WIDTH)
    return low, max(1, round((high - low) / BIN_WIDTH))


def _histogram(units: LevelUnits, weights: FloatArray, pvs: FloatArray, start: float, bins: int) -> FloatArray:
    """Weight per bin, averaged over the plausible values; the outermost bins take what lies beyond them."""
    totals = np.zeros(units.count * bins)
    for values in pvs:
        at = np.clip(((values - start) / BIN_WIDTH).astype(np.int64), 0, bins - 1)
        totals += sums(units.codes * bins + at, units.count * bins, weights)
    return np.asarray(totals.reshape(units.count, bins) / len(pvs))


def _percentiles(
    units: LevelUnits, weight: FloatArray, weights: FloatArray, pvs: FloatArray, orders: list[IntArray]
) -> FloatArray:
    """Weighted percentiles per unit (smallest value reaching the share), averaged over the plausible values."""
    found = np.zeros((units.count, len(PERCENTILES)))
    shares = np.array(PERCENTILES) / 100
    for values, order in zip(pvs, orders, strict=True):
        by_unit = order[np.argsort(units.codes[order], kind="stable")]
        climbed = np.cumsum(weights[by_unit])
        ends = np.searchsorted(units.codes[by_unit], np.arange(units.count), side="right")
        before = climbed[ends - 1] - weight
        wanted = before[:, None] + shares * weight[:, None]
        starts = np.concatenate([[0], ends[:-1]])[:, None]
        at = np.searchsorted(climbed, wanted - 1e-9 * weight[:, None])
        found += values[by_unit[np.clip(at, starts, ends[:, None] - 1)]]
    return np.asarray(found / len(pvs))
