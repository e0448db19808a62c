"""Which way leads to the estimates of which persons: a table per booklet, or each person's own equation."""

from __future__ import annotations

import numpy as np

from edmeasure import _validate
from edmeasure._loops import each, parts_of
from edmeasure._validate import FloatArray, IntArray
from edmeasure.calibration import _em
from edmeasure.calibration._families import FAMILY, OtherItem
from edmeasure.calibration._items import ScoringItems
from edmeasure.scores import _score_kernels, _sufficient, _warm_kernels
from edmeasure.scores._score_kernels import LIKELIHOOD, POSTERIOR, WARM, Curves, Grid
from edmeasure.scores._sufficient import Table

GRID_STEP = 0.5
FLATTEST = 1e-4
FEWEST_NODES = 4


def likelihood(items: ScoringItems, bound: float) -> tuple[FloatArray, FloatArray]:
    """Maximum likelihood estimates and errors."""
    n = items.scores.shape[0]
    return _solved(items, LIKELIHOOD, np.broadcast_to(0.0, n), np.broadcast_to(1.0, n), bound)


def posterior(items: ScoringItems, mean: FloatArray, sd: FloatArray, bound: float) -> tuple[FloatArray, FloatArray]:
    """Posterior modes and errors under normal priors."""
    return _solved(items, POSTERIOR, mean, sd, bound)


def warm(items: ScoringItems, bound: float) -> tuple[FloatArray, FloatArray]:
    """Warm's weighted likelihood estimates and errors."""
    n = items.scores.shape[0]
    return _solved(items, WARM, np.broadcast_to(0.0, n), np.broadcast_to(1.0, n), bound)


def _solved(items: ScoringItems, method: int, mean: FloatArray, sd: FloatArray, bound: float) -> tuple[FloatArray, FloatArray]:
    n = items.scores.shape[0]
    theta, se = np.empty(n), np.empty(n)
    rest: list[IntArray | slice] = [slice(None)]
    has_one_prior = n > 0 and bool((mean == mean[0]).all() and (sd == sd[0]).all())
    if not items.models.others and has_one_prior and n >= _sufficient.FEWEST_PERSONS:
        rest = []
        for persons, answered in _sufficient.booklets(items.scores):
            size = n if isinstance(persons, slice) else persons.size
            table = None
            if size >= _sufficient.FEWEST_PERSONS and answered.size:
                table = _table(items, answered, method, float(mean[0]), float(sd[0]), bound)
            if table is None:
                rest.append(persons)
                continue
            found, errors = (theta, se) if isinstance(persons, slice) else (np.empty(size), np.empty(size))
            scores = items.scores
            if answered.size < items.slopes.size or size < n:
                scores = _validate.read_only(np.ascontiguousarray(scores[persons][:, answered]))
            _sufficient.filled(scores, items.slopes[answered], table, found, errors)
            if not isinstance(persons, slice):
                theta[persons], se[persons] = found, errors
            outside = np.flatnonzero(np.isinf(found))
            if outside.size:
                rest.append(outside if isinstance(persons, slice) else persons[outside])
    for persons in rest:
        theta[persons], se[persons] = _each(items, persons, method, mean[persons], sd[persons], bound)
    return theta, se


def _each(
    items: ScoringItems, persons: IntArray | slice, method: int, mean: FloatArray, sd: FloatArray, bound: float
) -> tuple[FloatArray, FloatArray]:
    scores = _validate.read_only(np.ascontiguousarray(items.scores[persons]))
    theta, se = np.empty(mean.size), np.empty(mean.size)
    mean, sd = np.array(mean), np.array(sd)
    if method == WARM and not items.models.others:

        def fill(rows: slice) -> None:
            _warm_kernels.warm_scores(
                scores[rows], items.slopes, items.intercepts, items.category_start, bound, theta[rows], se[rows]
            )

    else:
        curves = _curves(items)
        grid = _grid(curves, bound)

        def fill(rows: slice) -> None:
            _score_kernels.estimates(scores[rows], curves, grid, method, mean[rows], sd[rows], theta[rows], se[rows])

    each(fill, parts_of(mean.size))
    return theta, se


def _curves(items: ScoringItems) -> Curves:
    item, category = _em.categories(items.category_start)
    family = np.zeros(items.slopes.size, dtype=np.int64)
    slopes = items.slopes[item] * category
    lower, upper = np.zeros(items.slopes.size), np.ones(items.slopes.size)
    for other in items.models.others:
        family[other.position] = FAMILY[other.model]
        slopes[other.categories] = other.category_slopes(other.parameters(items.slopes, items.intercepts, items.extras))
        lower[other.position], upper[other.position] = _asymptotes(other, items.extras)
    return Curves(family, items.category_start, items.intercepts, slopes, lower, upper)


def _asymptotes(item: OtherItem, extras: FloatArray) -> tuple[float, float]:
    if item.model not in ("3PL", "4PL"):
        return 0.0, 1.0
    shares = 1.0 / (1.0 + np.exp(-extras[item.extras]))
    return float(shares[0]), float(shares[1]) if shares.size > 1 else 1.0


def _grid(curves: Curves, bound: float) -> Grid:
    nodes = np.linspace(-bound, bound, 2 * int(np.ceil(bound / GRID_STEP)) + 1)
    of_categories, of_items = (int(curves.category_start[-1]), nodes.size), (curves.family.size, nodes.size)
    grid = Grid(nodes, np.empty(of_categories), np.empty(of_categories), np.empty(of_items), np.empty(of_items))
    _score_kernels.fill_grid(curves, grid)
    return grid


def _table(items: ScoringItems, answered: IntArray, method: int, mean: float, sd: float, bound: float) -> Table | None:
    """G of the estimating equation T = G(theta) around its steepest part; None where it does not rise there."""
    nodes = np.linspace(-bound, bound, 2 * int(np.ceil(bound / _sufficient.STEP)) + 1)
    expected, information, third, fourth = np.zeros((4, nodes.size))
    log_probs = items.log_probabilities(nodes)
    for j in answered:
        chances = np.exp(log_probs[items.category_start[j] : items.category_start[j + 1]])
        points = np.arange(chances.shape[0], dtype=np.float64)
        average = points @ chances
        away = points[:, None] - average
        a, spread = items.slopes[j], np.sum(chances * away**2, axis=0)
        expected += a * average
        information += a**2 * spread
        third += a**3 * np.sum(chances * away**3, axis=0)
        fourth += a**4 * (np.sum(chances * away**4, axis=0) - 3.0 * spread**2)
    values, slopes = expected, information
    if method == POSTERIOR:
        values, slopes = expected + (nodes - mean) / sd**2, information + sd**-2.0
    elif method == WARM:
        values = expected - third / (2.0 * information)
        slopes = information - fourth / (2.0 * information) + third**2 / (2.0 * information**2)
    # far out G is so flat that T has no digits left to tell abilities apart
    steep = slopes > FLATTEST
    middle = int(np.argmax(information))
    first = middle - int(np.argmin(np.append(steep[middle::-1], False))) + 1
    last = middle + int(np.argmin(np.append(steep[middle:], False)))
    if last - first < FEWEST_NODES or not (np.diff(values[first:last]) > 0).all():
        return None
    return Table(nodes[first:last], values[first:last], slopes[first:last])
