"""Weighted statistics of several value sets with paired-jackknife or simple sampling variance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._validate import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Sample:
    """Checked input: values (m, n), weights (n,), and zone x rep cells (no zones: zero)"""

    values: FloatArray
    weights: FloatArray
    cells: IntArray
    n_zones: int

    @property
    def n(self) -> int:
        return int(self.weights.size)

    def replicate_sums(self, quantity: FloatArray) -> FloatArray:
        """Total of a weighted quantity in each replicate, (n_zones,)."""
        cells = np.bincount(self.cells, weights=quantity, minlength=2 * self.n_zones)
        dropped, doubled = cells[0::2], cells[1::2]
        return np.asarray(quantity.sum() - dropped + doubled)

    def replicate_means(self, y: FloatArray, weights: FloatArray) -> FloatArray:
        """Weighted mean in each replicate, (n_zones,)."""
        return self.replicate_sums(weights * y) / self.replicate_sums(weights)


Statistic = Callable[[Sample, FloatArray], tuple[float | FloatArray, float | FloatArray]]


def sample(
    values: npt.ArrayLike,
    weights: npt.ArrayLike | None,
    zones: npt.ArrayLike | None,
    reps: npt.ArrayLike | None,
) -> Sample:
    """Check what a survey function was given."""
    given = _validate.value_matrix(values)
    n = given.shape[1]
    checked = _validate.weight_vector(weights, n)
    replicate = _validate.replicate_codes(zones, reps, n)
    if replicate is None:
        return Sample(given, checked, np.zeros(n, dtype=np.int64), 0)
    zone, rep = replicate
    return Sample(given, checked, 2 * zone + rep, int(zone.max(initial=-1)) + 1)


def _weighted_mean(y: FloatArray, weights: FloatArray) -> float:
    return float(np.sum(weights * y) / weights.sum())


def _simple_variance(influence: FloatArray, weights: FloatArray) -> float:
    """Variance of a weighted mean of ``influence`` under simple random sampling."""
    n = int(np.count_nonzero(weights))
    if n < 2:
        return float("nan")
    return float(n / (n - 1) * np.sum((weights * influence) ** 2) / weights.sum() ** 2)


def of_every_set(sample: Sample, statistic: Statistic) -> tuple[FloatArray, FloatArray]:
    """A statistic of every value set and its sampling variance, each (m,) or (m, k)."""
    pairs = [statistic(sample, y) for y in sample.values]
    return np.array([found for found, _ in pairs]), np.array([variance for _, variance in pairs])


def mean(sample: Sample, y: FloatArray) -> tuple[float, float]:
    """Weighted mean of one value set and its sampling variance."""
    centre = _weighted_mean(y, sample.weights)
    if sample.n_zones == 0:
        return centre, _simple_variance(y - centre, sample.weights)
    return centre, float(np.sum(sample.replicate_means(y - centre, sample.weights) ** 2))


def standard_deviation(sample: Sample, y: FloatArray) -> tuple[float, float]:
    """Weighted standard deviation of one value set and its sampling variance."""
    w = sample.weights
    deviation = y - _weighted_mean(y, w)
    spread = _weighted_mean(deviation**2, w)
    found = float(np.sqrt(spread))
    if sample.n_zones == 0:
        influence = (deviation**2 - spread) / (2 * found) if spread else deviation
        return found, _simple_variance(influence, w)
    shift, squares = sample.replicate_means(deviation, w), sample.replicate_means(deviation**2, w)
    return found, float(np.sum((np.sqrt(np.maximum(squares - shift**2, 0)) - found) ** 2))


def difference(sample: Sample, y: FloatArray, is_first: BoolArray) -> tuple[float, float]:
    """Difference of two groups' means in one value set and its sampling variance."""
    parts = sample.weights * is_first, sample.weights * ~is_first
    centres = [_weighted_mean(y, w) for w in parts]
    if sample.n_zones == 0:
        variance = sum(_simple_variance(y - centre, w) for centre, w in zip(centres, parts, strict=True))
    else:
        first, second = (sample.replicate_means(y - centre, w) for centre, w in zip(centres, parts, strict=True))
        variance = float(np.nansum((first - second) ** 2))
    return centres[0] - centres[1], variance


def _sorted_percentiles(y: FloatArray, w: FloatArray, asked: FloatArray) -> FloatArray:
    """Percentiles of sorted values by interpolation at mid-weights."""
    cumulated = np.cumsum(w)
    return np.asarray(np.interp(asked, (cumulated - 0.5 * w) / cumulated[-1], y))


def percentiles(sample: Sample, values: FloatArray, asked: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Percentiles of one value set and their sampling variances, each (k,)."""
    order = np.argsort(values, kind="stable")
    y, w = values[order], sample.weights[order]
    found = _sorted_percentiles(y, w, asked)
    variance = np.zeros_like(found)
    if sample.n_zones == 0:
        for k, cut in enumerate(found):
            half = np.sqrt(_simple_variance((y <= cut) - asked[k], w))
            around = np.clip([asked[k] - half, asked[k] + half], 0.0, 1.0)
            variance[k] = (np.diff(_sorted_percentiles(y, w, around))[0] / 2) ** 2
        return found, variance
    cells = sample.cells[order]
    for zone in range(sample.n_zones):
        factor = np.ones(y.size)
        factor[cells == 2 * zone] = 0.0
        factor[cells == 2 * zone + 1] = 2.0
        variance += (_sorted_percentiles(y, w * factor, asked) - found) ** 2
    return found, variance


def group_weights(sample: Sample, codes: IntArray, n_groups: int) -> FloatArray:
    """Sum of weights of every group."""
    summed = np.bincount(codes, weights=sample.weights, minlength=n_groups)
    return np.asarray(summed, dtype=np.float64)


def group_means(
    sample: Sample, codes: IntArray, n_groups: int, fewest_zones: int, is_census: bool
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Means (m, G), sampling variances (m, G) and where the jackknife gave them (G,)."""
    w = sample.weights
    weight_sum = group_weights(sample, codes, n_groups)
    sizes = np.bincount(codes, weights=w > 0, minlength=n_groups)
    is_jackknifed = np.zeros(n_groups, dtype=np.bool_)
    if sample.n_zones > 0:
        is_jackknifed = _paired_zones(sample, codes, n_groups) >= fewest_zones
    found = np.empty((sample.values.shape[0], n_groups))
    variance = np.empty_like(found)
    with np.errstate(divide="ignore", invalid="ignore"):
        for at, y in enumerate(sample.values):
            found[at] = np.bincount(codes, weights=w * y, minlength=n_groups) / weight_sum
            deviation = w * (y - found[at][codes])
            if is_census:
                variance[at] = 0.0
            else:
                squares = np.bincount(codes, weights=deviation**2, minlength=n_groups)
                variance[at] = np.where(sizes > 1, sizes / (sizes - 1) * squares / weight_sum**2, np.nan)
            if is_jackknifed.any():
                shifts = _group_shifts(sample, codes, is_jackknifed, deviation)
                variance[at, is_jackknifed] = np.nansum(shifts**2, axis=1)
    return found, variance, is_jackknifed


def _paired_zones(sample: Sample, codes: IntArray, n_groups: int) -> IntArray:
    """Number of zones of which a group holds both half-samples."""
    width = 2 * sample.n_zones
    present = np.unique(codes * width + sample.cells)
    pairs, counts = np.unique(present // 2, return_counts=True)
    full = pairs[counts == 2] // sample.n_zones
    return np.bincount(full, minlength=n_groups).astype(np.int64)


def _group_shifts(sample: Sample, codes: IntArray, chosen: BoolArray, deviation: FloatArray) -> FloatArray:
    """Replicate mean minus full mean of the chosen groups, (n_chosen, n_zones)."""
    rank = np.cumsum(chosen) - 1
    members = chosen[codes]
    width = 2 * sample.n_zones
    cell = rank[codes[members]] * width + sample.cells[members]
    n_chosen = int(chosen.sum())

    def replicate(quantity: FloatArray) -> FloatArray:
        cells = np.bincount(cell, weights=quantity, minlength=n_chosen * width)
        table = cells.reshape(n_chosen, sample.n_zones, 2)
        return np.asarray(table.sum(axis=(1, 2))[:, None] - table[:, :, 0] + table[:, :, 1])

    return replicate(deviation[members]) / replicate(sample.weights[members])


def group_percentiles(sample: Sample, codes: IntArray, n_groups: int, asked: FloatArray) -> FloatArray:
    """Percentiles (G, k) averaged over value sets; NaN for a group without weight."""
    found = np.zeros((n_groups, asked.size))
    for values in sample.values:
        order = np.lexsort((values, codes))
        bounds = np.searchsorted(codes[order], np.arange(n_groups + 1))
        y, w = values[order], sample.weights[order]
        for g in range(n_groups):
            part = slice(bounds[g], bounds[g + 1])
            found[g] += _sorted_percentiles(y[part], w[part], asked) if w[part].sum() > 0 else np.nan
    return np.asarray(found / sample.values.shape[0])


def between_share(sample: Sample, codes: IntArray, n_groups: int, is_corrected: bool) -> float:
    """Share of variance between groups, averaged over value sets."""
    w = sample.weights * (sample.n / sample.weights.sum())
    weight_sum = np.bincount(codes, weights=w, minlength=n_groups)
    occupied = weight_sum > 0
    shares = []
    for y in sample.values:
        with np.errstate(invalid="ignore"):
            means = np.bincount(codes, weights=w * y, minlength=n_groups) / weight_sum
        centre = _weighted_mean(y, w)
        between = float(np.sum(weight_sum[occupied] * (means[occupied] - centre) ** 2))
        within = float(np.sum(w * (y - means[codes]) ** 2))
        if between + within == 0:
            shares.append(float("nan"))
        elif is_corrected:
            n_used = int(occupied.sum())
            within_mean = within / (sample.n - n_used)
            size = (w.sum() - np.sum(weight_sum**2) / w.sum()) / (n_used - 1)
            component = max((between / (n_used - 1) - within_mean) / size, 0.0)
            shares.append(component / (component + within_mean))
        else:
            shares.append(between / (between + within))
    return float(np.mean(shares))
