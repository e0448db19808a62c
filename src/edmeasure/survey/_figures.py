"""Means, spreads, differences, correlations, percentiles and group figures as functions of weighted totals."""

from __future__ import annotations

import numpy as np

from edmeasure._loops import each, exact
from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.survey import _design_errors
from edmeasure.survey._design_errors import Figure
from edmeasure.survey.sampling import SampleDesign

BLOCK_CELLS = 2_000_000
REPLICATES_AT_ONCE = 8


def weighted_mean(y: FloatArray, weights: FloatArray) -> float:
    return float(np.sum(weights * y) / weights.sum())


def mean_figure(y: FloatArray, design: SampleDesign) -> Figure:
    """Weighted mean; values are taken from their mean so that no digits are lost."""
    centre = weighted_mean(y, design.weights)

    def parts(rows: slice) -> FloatArray:
        away = y[rows] - centre
        return np.stack([np.ones_like(away), away])

    return Figure(
        2,
        1,
        parts,
        lambda totals: centre + totals[1:] / totals[:1],
        lambda rows, totals: (y[rows] - centre - totals[1] / totals[0])[None, :] / totals[0],
    )


def deviation_figure(y: FloatArray, design: SampleDesign) -> Figure:
    """Weighted standard deviation, divisor the sum of weights."""
    centre = weighted_mean(y, design.weights)

    def parts(rows: slice) -> FloatArray:
        away = y[rows] - centre
        return np.stack([np.ones_like(away), away, away**2])

    def value(totals: FloatArray) -> FloatArray:
        shift, squares = totals[1:2] / totals[:1], totals[2:] / totals[:1]
        return np.asarray(np.sqrt(np.maximum(squares - shift**2, 0.0)))

    def influence(rows: slice, totals: FloatArray) -> FloatArray:
        found = value(totals)
        away = (y[rows] - centre)[None, :]
        return np.asarray((away**2 - found**2) / (2 * found * totals[0]) if found[0, 0] else away / totals[0])

    return Figure(3, 1, parts, value, influence)


def difference_figure(y: FloatArray, design: SampleDesign, is_first: BoolArray) -> Figure:
    """Mean of the persons where ``is_first`` minus the mean of the others."""
    w = design.weights
    centres = [weighted_mean(y[chosen], w[chosen]) for chosen in (is_first, ~is_first)]
    # persons drawn one by one count as two samples of their own sizes
    sizes = [np.count_nonzero(w[chosen]) for chosen in (is_first, ~is_first)]
    grown = [1.0, 1.0]
    if design.method == "simple":
        whole = sum(sizes) / (sum(sizes) - 1)
        grown = [float(np.sqrt(size / (size - 1) / whole)) if size > 1 else np.nan for size in sizes]

    def parts(rows: slice) -> FloatArray:
        first, away = is_first[rows], [y[rows] - centre for centre in centres]
        return np.stack([first * 1.0, first * away[0], ~first * 1.0, ~first * away[1]])

    def value(totals: FloatArray) -> FloatArray:
        return np.asarray(centres[0] - centres[1] + totals[1:2] / totals[:1] - totals[3:] / totals[2:3])

    def influence(rows: slice, totals: FloatArray) -> FloatArray:
        own, others = ((y[rows] - centre) / totals[at] for centre, at in zip(centres, (0, 2), strict=True))
        return np.asarray(np.where(is_first[rows], grown[0] * own, -grown[1] * others)[None, :], dtype=np.float64)

    return Figure(4, 1, parts, value, influence)


def correlation_figure(x: FloatArray, y: FloatArray, design: SampleDesign) -> Figure:
    """Pearson's correlation of two variables."""
    a, b = (given - weighted_mean(given, design.weights) for given in (x, y))
    a, b = (given / np.sqrt(weighted_mean(given**2, design.weights)) for given in (a, b))

    def parts(rows: slice) -> FloatArray:
        u, v = a[rows], b[rows]
        return np.stack([np.ones_like(u), u, v, u * u, v * v, u * v])

    def value(totals: FloatArray) -> FloatArray:
        u, v, uu, vv, uv = totals[1:] / totals[0]
        return np.asarray(((uv - u * v) / np.sqrt((uu - u**2) * (vv - v**2)))[None, :])

    def influence(rows: slice, totals: FloatArray) -> FloatArray:
        u, v = a[rows], b[rows]
        return np.asarray((u * v - 0.5 * value(totals)[0, 0] * (u * u + v * v))[None, :] / totals[0])

    return Figure(6, 1, parts, value, influence)


@exact
def _interpolate(y: FloatArray, weights: FloatArray, asked: FloatArray, found: FloatArray) -> None:
    """Percentiles of sorted values, linear between mid-weights; ``asked`` rises; persons of weight 0 are passed over."""
    total = 0.0
    for i in range(weights.size):
        total += weights[i]
    at, cumulated = 0, 0.0
    previous, previous_value = -1.0, y[0]
    for i in range(weights.size):
        if weights[i] == 0.0:
            continue
        place = (cumulated + 0.5 * weights[i]) / total
        while at < asked.size and place > asked[at]:
            if previous < 0.0:
                found[at] = y[i]
            else:
                found[at] = previous_value + (asked[at] - previous) / (place - previous) * (y[i] - previous_value)
            at += 1
        cumulated += weights[i]
        previous, previous_value = place, y[i]
    while at < asked.size:
        found[at] = previous_value
        at += 1


def sorted_percentiles(y: FloatArray, weights: FloatArray, asked: FloatArray) -> FloatArray:
    """Percentiles (k,) of sorted values at rising or falling probabilities."""
    order = np.argsort(asked, kind="stable")
    found = np.empty(asked.size)
    _interpolate(y, weights, asked[order], found)
    back = np.empty_like(found)
    back[order] = found
    return back


def percentiles(design: SampleDesign, values: FloatArray, asked: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Percentiles of one value set and their sampling variances, each (k,)."""
    order = np.argsort(values, kind="stable")
    y, w = values[order], design.weights[order]
    found = sorted_percentiles(y, w, asked)
    if design.n_replicates == 0:
        return found, _woodruff(design, values, y, w, found, asked)
    away = np.empty((asked.size, design.n_replicates))
    if design.is_given:
        _given_percentiles(design, order, y, asked, away)
    else:
        _cell_percentiles(design, order, y, w, asked, away)
    return found, np.diag(_design_errors.spread(away - found[:, None], design.coefficients)).copy()


def _woodruff(
    design: SampleDesign, values: FloatArray, y: FloatArray, w: FloatArray, found: FloatArray, asked: FloatArray
) -> FloatArray:
    """The interval of the share below a percentile, read back on the scale of the values (Woodruff 1952)."""

    def influence(rows: slice) -> FloatArray:
        return np.asarray(((values[rows] <= found[:, None]) - asked[:, None]) / w.sum())

    half = np.sqrt(np.diag(_design_errors.influence_covariance(design, influence, asked.size)))
    if not np.isfinite(half).all():
        return np.full(asked.size, np.nan)
    ends = np.clip([asked - half, asked + half], 0.0, 1.0)
    low, high = (sorted_percentiles(y, w, end) for end in ends)
    return np.asarray(((high - low) / 2) ** 2)


def _cell_percentiles(
    design: SampleDesign, order: IntArray, y: FloatArray, w: FloatArray, asked: FloatArray, away: FloatArray
) -> None:
    assert design.clusters is not None
    cells = design.clusters.cells[order]

    def replicate(r: int) -> None:
        away[:, r] = sorted_percentiles(y, w * design.cell_factors(r)[cells], asked)

    each(replicate, range(away.shape[1]))


def _given_percentiles(design: SampleDesign, order: IntArray, y: FloatArray, asked: FloatArray, away: FloatArray) -> None:
    """A few replicates at a time, so that no more than their weights are held."""
    back = np.empty_like(order)
    back[order] = np.arange(order.size)
    for first in range(0, away.shape[1], REPLICATES_AT_ONCE):
        columns = slice(first, min(first + REPLICATES_AT_ONCE, away.shape[1]))
        held = np.empty((columns.stop - first, order.size))
        for rows in design.chunks(REPLICATES_AT_ONCE):
            held[:, back[rows]] = design.replicate_weights(rows, columns).T

        def replicate(r: int, held: FloatArray = held, first: int = first) -> None:
            away[:, first + r] = sorted_percentiles(y, held[r], asked)

        each(replicate, range(held.shape[0]))


def group_weights(weights: FloatArray, codes: IntArray, n_groups: int) -> FloatArray:
    """Sum of weights of every group."""
    return np.asarray(np.bincount(codes, weights=weights, minlength=n_groups), dtype=np.float64)


def group_means(
    design: SampleDesign, values: FloatArray, codes: IntArray, is_designed: BoolArray, is_census: bool
) -> tuple[FloatArray, FloatArray]:
    """Means (m, G) and sampling variances (m, G), by the design where ``is_designed`` (G,)."""
    n_groups = is_designed.size
    w = design.weights
    weight_sum = group_weights(w, codes, n_groups)
    sizes = np.bincount(codes, weights=w > 0, minlength=n_groups)
    found = np.empty((values.shape[0], n_groups))
    variance = np.empty_like(found)
    with np.errstate(divide="ignore", invalid="ignore"):
        for at, y in enumerate(values):
            found[at] = np.bincount(codes, weights=w * y, minlength=n_groups) / weight_sum
            away = y - found[at][codes]
            if is_census:
                variance[at] = 0.0
            else:
                squares = np.bincount(codes, weights=(w * away) ** 2, minlength=n_groups)
                variance[at] = np.where(sizes > 1, sizes / (sizes - 1) * squares / weight_sum**2, np.nan)
            if is_designed.any():
                variance[at, is_designed] = _group_variances(design, codes, is_designed, away, weight_sum[is_designed])
    return found, variance


def group_degrees(design: SampleDesign, codes: IntArray, n_groups: int) -> FloatArray:
    """Degrees of freedom of every group's error by the design: its clusters minus their strata; 0 without a design."""
    if design.clusters is None:
        return np.full(n_groups, design.degrees if design.is_given else 0.0)
    strata = design.clusters.strata
    present = np.unique(codes * strata.size + design.clusters.cells)
    of_group, of_stratum = present // strata.size, strata[present % strata.size]
    held = np.unique(of_group * (int(strata.max()) + 1) + of_stratum) // (int(strata.max()) + 1)
    found = np.bincount(of_group, minlength=n_groups) - np.bincount(held, minlength=n_groups)
    return np.asarray(found, dtype=np.float64)


def _group_variances(
    design: SampleDesign, codes: IntArray, chosen: BoolArray, away: FloatArray, weight_sum: FloatArray
) -> FloatArray:
    """Sampling variances of the chosen groups' means, some groups at a time."""
    rank = np.where(chosen, np.cumsum(chosen) - 1, -1)[codes]
    width = design.n_replicates if design.clusters is None else design.clusters.strata.size
    n_chosen, block = int(chosen.sum()), max(1, BLOCK_CELLS // max(width, design.n_replicates))
    variance = np.empty(n_chosen)
    for first in range(0, n_chosen, block):
        count = min(block, n_chosen - first)
        members = (rank >= first) & (rank < first + count)
        of_member, here = rank[members] - first, away[members]
        if design.is_given:
            tables = _given_group_totals(design, members, of_member, here, count)
        else:
            assert design.clusters is not None
            cell = of_member * width + design.clusters.cells[members]
            w = design.weights[members]
            tables = [_table(cell, part, count, width) for part in (w, w * here)]
            if design.method == "taylor":
                scaled = tables[1] / weight_sum[first : first + count, None]
                variance[first : first + count] = [design.clusters.variance(row[None, :])[0, 0] for row in scaled]
                continue
            tables = [design.replicate_totals_of_cells(table) for table in tables]
        shift = np.nan_to_num(tables[1] / tables[0])
        variance[first : first + count] = (shift**2 * design.coefficients).sum(axis=1)
    return variance


def _table(cells: IntArray, part: FloatArray, count: int, width: int) -> FloatArray:
    return np.asarray(np.bincount(cells, weights=part, minlength=count * width).reshape(count, width), dtype=np.float64)


def _given_group_totals(
    design: SampleDesign, members: BoolArray, of_member: IntArray, away: FloatArray, count: int
) -> list[FloatArray]:
    """Replicate totals of the weights and of the weighted deviations, each (count, R)."""
    totals = [np.zeros((count, design.n_replicates)) for _ in range(2)]
    at = np.flatnonzero(members)
    order = np.argsort(of_member, kind="stable")
    for rows in design.chunks(design.n_replicates):
        piece = order[rows.start : rows.stop]
        if piece.size == 0:
            break
        weights, groups = design.replicate_weights(at[piece]), of_member[piece]
        starts = np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]]))
        totals[0][groups[starts]] += np.add.reduceat(weights, starts, axis=0)
        totals[1][groups[starts]] += np.add.reduceat(weights * away[piece][:, None], starts, axis=0)
    return totals


def group_percentiles(values: FloatArray, weights: FloatArray, codes: IntArray, n_groups: int, asked: FloatArray) -> FloatArray:
    """Percentiles (G, k) averaged over value sets; NaN for a group without weight."""
    found = np.zeros((n_groups, asked.size))
    for one in values:
        order = np.lexsort((one, codes))
        bounds = np.searchsorted(codes[order], np.arange(n_groups + 1))
        y, w = one[order], weights[order]
        for g in range(n_groups):
            part = slice(bounds[g], bounds[g + 1])
            found[g] += sorted_percentiles(y[part], w[part], asked) if w[part].sum() > 0 else np.nan
    return np.asarray(found / values.shape[0])


def between_share(values: FloatArray, weights: FloatArray, codes: IntArray, n_groups: int, is_corrected: bool) -> float:
    """Share of variance between groups, averaged over value sets."""
    w = weights * (weights.size / weights.sum())
    weight_sum = np.bincount(codes, weights=w, minlength=n_groups)
    occupied = weight_sum > 0
    shares = []
    for y in values:
        with np.errstate(invalid="ignore"):
            means = np.bincount(codes, weights=w * y, minlength=n_groups) / weight_sum
        centre = weighted_mean(y, w)
        between = float(np.sum(weight_sum[occupied] * (means[occupied] - centre) ** 2))
        within = float(np.sum(w * (y - means[codes]) ** 2))
        if between + within == 0:
            shares.append(float("nan"))
        elif is_corrected:
            n_used = int(occupied.sum())
            within_mean = within / (w.size - n_used)
            size = (w.sum() - np.sum(weight_sum**2) / w.sum()) / (n_used - 1)
            component = max((between / (n_used - 1) - within_mean) / size, 0.0)
            shares.append(component / (component + within_mean))
        else:
            shares.append(between / (between + within))
    return float(np.mean(shares))
