"""Overall fit of a calibration from its first and second moments: M2, M2*, C2, RMSEA and SRMSR.

With conditionally independent items every expected moment, its covariance with any other, and its
derivative by a parameter is one sum over the nodes of products of single items' moments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtr, chdtrc, chndtr

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray, IntArray
from edmeasure.calibration import _em, _items
from edmeasure.calibration._families import COMMON_SLOPE
from edmeasure.calibration.irt import IRTFit
from edmeasure.errors import BadOption, BadShape
from edmeasure.responses import Responses

CONFIDENCE = 0.9
MOST_ITEMS = 90


@dataclass(frozen=True)
class ModelFit(Exported):
    """``rmsea`` with its 90 % interval; ``srmsr`` is the root mean square of residual correlations."""

    statistic: str
    chi_square: float
    degrees: int
    p_value: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    srmsr: float
    n_persons: int

    def __str__(self) -> str:
        return (
            f"{self.statistic}({self.degrees}) = {self.chi_square:.3f}, p = {self.p_value:.4f}, "
            f"RMSEA {self.rmsea:.4f} [{self.rmsea_low:.4f}, {self.rmsea_high:.4f}], SRMSR {self.srmsr:.4f}, "
            f"{self.n_persons:,} complete persons"
        )


@dataclass(frozen=True, eq=False)
class Moments:
    """Functions of single items (``of_item``, values at its categories) and the pairs whose products count too.

    ``mean`` (n_functions, n_nodes) are conditional means, ``points`` and ``squares`` (J, n_nodes) those of
    the item scores and their squares; ``cross`` and ``score_cross`` those of products of two functions of
    one item, and of a function and its item's score.
    """

    of_item: IntArray
    mean: FloatArray
    cross: FloatArray
    score_cross: FloatArray
    points: FloatArray
    squares: FloatArray
    weights: FloatArray

    @property
    def pairs(self) -> tuple[IntArray, IntArray]:
        rows, columns = np.triu_indices(self.points.shape[0], 1)
        return rows, columns

    def expected(self) -> FloatArray:
        """Expected moments: functions, then products of pairs."""
        one, other = self.pairs
        return np.concatenate([self.mean @ self.weights, (self.points[one] * self.points[other]) @ self.weights])

    def covariance(self) -> FloatArray:
        """Covariance of one person's functions and products."""
        one, other = self.pairs
        products = self.points[one] * self.points[other]
        every = np.concatenate([self.mean, products])
        second = (every * self.weights) @ every.T
        n = self.mean.shape[0]
        second[:n, :n] = self._functions(second[:n, :n])
        second[:n, n:] = self._functions_with_pairs(second[:n, n:])
        second[n:, :n] = second[:n, n:].T
        second[n:, n:] = self._pairs(second[n:, n:])
        expected = self.expected()
        return np.asarray(second - np.outer(expected, expected))

    def _functions(self, second: FloatArray) -> FloatArray:
        same = self.of_item[:, None] == self.of_item
        return np.where(same, self.cross @ self.weights, second)

    def _functions_with_pairs(self, second: FloatArray) -> FloatArray:
        """Where a function's item is one of the pair its product with the score takes the product of means' place."""
        for first, second_of in (self.pairs, self.pairs[::-1]):
            at_function, at_pair = np.nonzero(self.of_item[:, None] == first)
            values = (self.score_cross[at_function] * self.points[second_of[at_pair]]) @ self.weights
            second[at_function, at_pair] = values
        return second

    def _pairs(self, second: FloatArray) -> FloatArray:
        one, other = self.pairs
        for a, b in ((one, other), (other, one)):
            for c, d in ((one, other), (other, one)):
                left, right = np.nonzero(a[:, None] == c)
                left, right = left[b[left] != d[right]], right[b[left] != d[right]]
                second[left, right] = (self.squares[a[left]] * self.points[b[left]] * self.points[d[right]]) @ self.weights
        np.fill_diagonal(second, (self.squares[one] * self.squares[other]) @ self.weights)
        return second


def model_fit(fit: IRTFit, responses: Responses, *, statistic: Literal["M2*", "C2"] = "M2*") -> ModelFit:
    """Test the calibration against first and second moments of the answers of persons who answered all items.

    Parameters
    ----------
    statistic
        ``"M2*"``: means of scores and their products, M2 for right/wrong items. ``"C2"``: shares of all
        categories and products of scores, for few items with many categories, where M2* has no degrees
        of freedom left.

    Notes
    -----
    Maydeu-Olivares & Joe (2006); M2* Cai & Hansen (2013); C2 Cai & Monro (2014).
    RMSEA of the bivariate kind with interval (Maydeu-Olivares & Joe 2014); below 0.05 and SRMSR below
    0.05 is a close fit whatever the p-value says about large samples.
    """
    _validate.choice(statistic, "statistic", ("M2*", "C2"))
    if len(fit.group_labels) > 1:
        raise BadOption("The fit has several groups.", remedy="Test the fit of every group's own calibration.")
    items = _items.aligned(fit, responses)
    if items.slopes.size > MOST_ITEMS:
        raise BadOption(
            f"There are {items.slopes.size} items.", remedy=f"Test at most {MOST_ITEMS} at a time: `responses.items(...)`."
        )
    complete = items.scores[(items.scores >= 0).all(axis=1)].astype(np.float64)
    if len(complete) < 2:
        raise BadShape("Nobody answered all items.", remedy="Test one booklet: `responses.items(...).persons(...)`.")
    functions = _functions(items, statistic)
    moments, slopes = _moments(items, functions, fit)
    one, other = moments.pairs
    observed = np.concatenate(
        [_observed(complete, moments.of_item, functions), (complete.T @ complete / len(complete))[one, other]]
    )
    known = [fit.models[fit.item_ids.index(name)] for name in responses.item_ids if fit.calibrated[fit.item_ids.index(name)]]
    delta = _jacobian(moments, slopes, [name in COMMON_SLOPE for name in known])
    away = observed - moments.expected()
    chi_square = len(complete) * _quadratic(away, moments.covariance(), delta)
    degrees = away.size - int(np.linalg.matrix_rank(delta))
    if degrees < 1:
        raise BadOption(
            f"{statistic} has {degrees} degrees of freedom.", remedy="Use 'C2', more items, or a model with fewer parameters."
        )
    low, high = _rmsea_interval(chi_square, degrees, len(complete))
    rmsea = float(np.sqrt(max(chi_square - degrees, 0.0) / (degrees * (len(complete) - 1))))
    p_value = float(chdtrc(degrees, chi_square))
    return ModelFit(statistic, chi_square, degrees, p_value, rmsea, low, high, _srmsr(complete, moments), len(complete))


def _functions(items: _items.ScoringItems, statistic: str) -> list[tuple[int, FloatArray]]:
    """Item and values at its categories: the score, or every category above 0 by itself."""
    found: list[tuple[int, FloatArray]] = []
    for j, top in enumerate(items.max_scores.tolist()):
        if statistic == "C2":
            found += [(j, np.eye(top + 1)[k]) for k in range(1, top + 1)]
        else:
            found.append((j, np.arange(top + 1.0)))
    return found


def _observed(complete: FloatArray, of_item: IntArray, functions: list[tuple[int, FloatArray]]) -> FloatArray:
    values = [float(np.mean(table[complete[:, j].astype(np.int64)])) for j, (_, table) in zip(of_item, functions, strict=True)]
    return np.array(values)


def _moments(
    items: _items.ScoringItems, functions: list[tuple[int, FloatArray]], fit: IRTFit
) -> tuple[Moments, list[tuple[int, FloatArray, FloatArray]]]:
    """Conditional moments at the nodes; and per parameter its item, and derivatives of that item's functions and score."""
    nodes, parts = fit.nodes, _em.item_parts(items.category_start)
    chances = np.exp(items.log_probabilities(nodes))
    of_item = np.array([j for j, _ in functions], dtype=np.int64)
    mean = np.stack([table @ chances[parts[j]] for j, table in functions])
    cross = np.zeros((len(functions), len(functions), nodes.size))
    for a, (j, table) in enumerate(functions):
        for b in np.flatnonzero(of_item == j):
            cross[a, b] = (table * functions[b][1]) @ chances[parts[j]]
    score_cross = np.stack([(table * np.arange(table.size)) @ chances[parts[j]] for j, table in functions])
    points = np.stack([np.arange(part.stop - part.start) @ chances[part] for part in parts])
    squares = np.stack([np.arange(part.stop - part.start) ** 2 @ chances[part] for part in parts])
    moments = Moments(of_item, mean, cross, score_cross, points, squares, fit.node_weights)
    slopes = []
    for j, part in enumerate(parts):
        tables = np.stack([table for i, table in functions if i == j])
        for derivative in _derivatives(items, j, nodes) * chances[part]:
            slopes.append((j, tables @ derivative, np.arange(derivative.shape[0]) @ derivative))
    return moments, slopes


def _derivatives(items: _items.ScoringItems, j: int, nodes: FloatArray) -> FloatArray:
    """Derivatives of an item's log P by its parameters, (n_parameters, n_categories, n_nodes)."""
    for other in items.models.others:
        if other.position == j:
            _, scores = other.curves(other.parameters(items.slopes, items.intercepts, items.extras), nodes)
            return np.asarray(np.moveaxis(scores, 0, 2))
    part = _em.item_parts(items.category_start)[j]
    chances = np.exp(items.log_probabilities(nodes)[part])
    size = chances.shape[0]
    by_intercept = np.eye(size)[:, :, None] - chances[:, None, :]
    by_slope = np.einsum("k,kcq->cq", np.arange(size), by_intercept) * nodes
    return np.concatenate([by_slope[None], by_intercept[1:]])


def _jacobian(moments: Moments, slopes: list[tuple[int, FloatArray, FloatArray]], has_common_slope: list[bool]) -> FloatArray:
    """Derivatives of the expected moments by all parameters; a common slope is one."""
    one, other = moments.pairs
    columns = []
    shared = np.zeros(moments.mean.shape[0] + one.size)
    seen = -1
    for j, of_functions, of_score in slopes:
        column = np.zeros(moments.mean.shape[0] + one.size)
        column[np.flatnonzero(moments.of_item == j)] = of_functions @ moments.weights
        for own, partner in ((one, other), (other, one)):
            at = np.flatnonzero(own == j)
            column[moments.mean.shape[0] + at] += (of_score * moments.points[partner[at]]) @ moments.weights
        is_slope, seen = j != seen, j
        if is_slope and has_common_slope[j]:
            shared += column
        else:
            columns.append(column)
    return np.stack([*columns, shared] if shared.any() else columns, axis=1)


def _quadratic(away: FloatArray, covariance: FloatArray, delta: FloatArray) -> float:
    """e' C e with C the inverse covariance without what the parameters can reach (Browne's form)."""
    weight = np.linalg.pinv(covariance, hermitian=True)
    solved = weight @ away
    reached = delta.T @ solved
    return float(away @ solved - reached @ np.linalg.pinv(delta.T @ weight @ delta, hermitian=True) @ reached)


def _rmsea_interval(chi_square: float, degrees: int, n: int) -> tuple[float, float]:
    ends = []
    for share in (0.5 + CONFIDENCE / 2, 0.5 - CONFIDENCE / 2):
        below = chdtr(degrees, chi_square) < share
        top = 4.0 * chi_square + 100.0
        noncentral = 0.0 if below else brentq(lambda nc, s=share: chndtr(chi_square, degrees, nc) - s, 1e-12, top)
        ends.append(float(np.sqrt(noncentral / (degrees * (n - 1)))))
    return ends[0], ends[1]


def _srmsr(complete: FloatArray, moments: Moments) -> float:
    one, other = moments.pairs
    mean, square = moments.points @ moments.weights, moments.squares @ moments.weights
    covariance = (moments.points[one] * moments.points[other]) @ moments.weights - mean[one] * mean[other]
    spread = np.sqrt(square - mean**2)
    observed = np.asarray(np.corrcoef(complete.T))[one, other]
    return float(np.sqrt(np.mean((observed - covariance / (spread[one] * spread[other])) ** 2)))
