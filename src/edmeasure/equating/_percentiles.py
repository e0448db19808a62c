"""Discrete score distributions made continuous: uniform blocks or Gaussian kernels.

A score k stands for the interval k - 1/2 .. k + 1/2. Uniform blocks follow Kolen & Brennan (2014,
ch. 2), kernels von Davier, Holland & Thayer (2004).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import ndtr

from edmeasure._validate import FloatArray

HALVINGS = 80
FAR = 12.0
ROOT_2_PI = np.sqrt(2 * np.pi)


@dataclass(frozen=True, eq=False)
class Uniform:
    """Probabilities of the scores 0..K, each spread evenly over one point."""

    probabilities: FloatArray

    @cached_property
    def cumulated(self) -> FloatArray:
        return np.concatenate([[0.0], np.cumsum(self.probabilities)])

    def below(self, points: FloatArray) -> FloatArray:
        """Share below these points."""
        edges = np.arange(self.cumulated.size) - 0.5
        return np.interp(points, edges, self.cumulated)

    def point(self, shares: FloatArray) -> FloatArray:
        """Points below which these shares lie; on a gap the upper end, and -1/2 for the share 0."""
        upper = self.block(shares)
        density = self.probabilities[upper]
        within = np.where(density > 0, (shares - self.cumulated[upper]) / np.where(density > 0, density, 1.0), 0.0)
        return np.where(shares <= 0, -0.5, upper - 0.5 + np.clip(within, 0.0, 1.0))

    def block(self, shares: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        """The smallest score whose cumulated share is above the given."""
        at = np.searchsorted(self.cumulated[1:], shares, side="right")
        return np.minimum(at, self.probabilities.size - 1)


@dataclass(frozen=True, eq=False)
class Kernel:
    """The same scores smeared by a Gaussian of bandwidth h, shrunk so that mean and variance stay."""

    probabilities: FloatArray
    bandwidth: float

    @cached_property
    def scores(self) -> FloatArray:
        return np.arange(self.probabilities.size, dtype=np.float64)

    @cached_property
    def mean(self) -> float:
        return float(self.probabilities @ self.scores)

    @cached_property
    def variance(self) -> float:
        return float(self.probabilities @ (self.scores - self.mean) ** 2)

    @cached_property
    def shrinkage(self) -> float:
        return float(np.sqrt(self.variance / (self.variance + self.bandwidth**2)))

    def _standardised(self, points: FloatArray) -> FloatArray:
        centres = self.shrinkage * self.scores + (1 - self.shrinkage) * self.mean
        return np.asarray((points[:, None] - centres) / (self.shrinkage * self.bandwidth))

    def below(self, points: FloatArray) -> FloatArray:
        return np.asarray(ndtr(self._standardised(points)) @ self.probabilities)

    def density(self, points: FloatArray) -> FloatArray:
        z = self._standardised(points)
        return np.asarray(np.exp(-0.5 * z * z) @ self.probabilities / (ROOT_2_PI * self.shrinkage * self.bandwidth))

    def point(self, shares: FloatArray) -> FloatArray:
        """Points below which these shares lie, by bisection."""
        reach = FAR * np.sqrt(self.variance)
        low, high = np.full(shares.shape, self.mean - reach), np.full(shares.shape, self.mean + reach)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            is_left = self.below(middle) < shares
            low, high = np.where(is_left, middle, low), np.where(is_left, high, middle)
        return np.asarray((low + high) / 2)

    def slope(self, points: FloatArray) -> FloatArray:
        """Derivative of the share below by every probability, (n_points, K + 1)."""
        away = (self.scores - self.mean) ** 2 / self.variance
        moved = 0.5 * (points[:, None] - self.mean) * (1 - self.shrinkage**2) * away + (1 - self.shrinkage) * self.scores
        return np.asarray(ndtr(self._standardised(points)) - moved * self.density(points)[:, None])


def kernel(probabilities: FloatArray, bandwidth: float | None = None) -> Kernel:
    """The kernel whose density comes closest to the probabilities at the scores, or the one asked for."""
    if bandwidth is not None:
        return Kernel(probabilities, bandwidth)
    scores = np.arange(probabilities.size, dtype=np.float64)

    def distance(h: float) -> float:
        return float(np.sum((probabilities - Kernel(probabilities, h).density(scores)) ** 2))

    # below 0.3 the density falls to nothing between scores; above 3 little of the shape is left
    found = minimize_scalar(distance, bounds=(0.3, 3.0), method="bounded", options={"xatol": 1e-6})
    return Kernel(probabilities, float(found.x))
