"""What a rotation makes small: simplicity criteria of loadings with their gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edmeasure._validate import BoolArray, FloatArray

Criterion = Callable[[FloatArray], tuple[float, FloatArray]]


@dataclass(frozen=True)
class CrawfordFerguson:
    """(1 - kappa) x complexity of rows + kappa x complexity of columns (Crawford & Ferguson 1970).

    In p rows and m columns kappa 0 is quartimax, 1 / p varimax, m / (2 p) equamax and
    (m - 1) / (p + m - 2) parsimax.
    """

    kappa: float

    def __call__(self, loadings: FloatArray) -> tuple[float, FloatArray]:
        squares = loadings**2
        in_rows = squares.sum(axis=1, keepdims=True) - squares
        in_columns = squares.sum(axis=0) - squares
        mixed = (1 - self.kappa) * in_rows + self.kappa * in_columns
        return float(np.sum(squares * mixed)) / 4, loadings * mixed


@dataclass(frozen=True)
class Oblimin:
    """Sums of products of squared loadings, less ``gamma`` times those of their means; gamma 0 is quartimin.

    Carroll (1957), Jennrich & Sampson (1966).
    """

    gamma: float

    def __call__(self, loadings: FloatArray) -> tuple[float, FloatArray]:
        squares = loadings**2
        mixed = squares.sum(axis=1, keepdims=True) - squares
        mixed = mixed - self.gamma * mixed.mean(axis=0)
        return float(np.sum(squares * mixed)) / 4, loadings * mixed


@dataclass(frozen=True)
class Geomin:
    """Geometric means of the squared loadings of every row (Yates 1987), ``epsilon`` added to each."""

    epsilon: float

    def __call__(self, loadings: FloatArray) -> tuple[float, FloatArray]:
        raised = loadings**2 + self.epsilon
        means = np.exp(np.log(raised).mean(axis=1, keepdims=True))
        return float(means.sum()), 2 / loadings.shape[1] * loadings / raised * means


@dataclass(frozen=True)
class Bifactor:
    """Quartimin of all columns but the first, which is left to the general factor (Jennrich & Bentler 2011)."""

    def __call__(self, loadings: FloatArray) -> tuple[float, FloatArray]:
        value, inner = Oblimin(0.0)(loadings[:, 1:])
        return value, np.concatenate([np.zeros((loadings.shape[0], 1)), inner], axis=1)


@dataclass(frozen=True, eq=False)
class Target:
    """Squared distance from the entries of a target that are given (Browne 1972)."""

    wanted: FloatArray
    given: BoolArray

    def __call__(self, loadings: FloatArray) -> tuple[float, FloatArray]:
        away = np.where(self.given, loadings - self.wanted, 0.0)
        return float(np.sum(away**2)), 2 * away
