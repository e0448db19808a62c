"""Linear reporting scales: what a theta means in reported points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._validate import FloatArray
from edmeasure.errors import BadOption


@dataclass(frozen=True)
class ReportingScale:
    """points = intercept + slope * theta."""

    slope: float
    intercept: float

    def points(self, theta: npt.ArrayLike) -> FloatArray:
        """Reported points of abilities (any shape)."""
        return np.asarray(self.intercept + self.slope * np.asarray(theta, dtype=np.float64))

    def errors(self, se: npt.ArrayLike) -> FloatArray:
        """Standard errors in points."""
        return np.asarray(abs(self.slope) * np.asarray(se, dtype=np.float64))

    def thetas(self, points: npt.ArrayLike) -> FloatArray:
        """Abilities that reported points stand for (cut scores, for example)."""
        return np.asarray((np.asarray(points, dtype=np.float64) - self.intercept) / self.slope)

    def __str__(self) -> str:
        return f"points = {self.intercept:.4g} + {self.slope:.4g} theta"


def scale_with(
    values: npt.ArrayLike,
    *,
    mean: float = 500.0,
    sd: float = 100.0,
    weights: npt.ArrayLike | None = None,
) -> ReportingScale:
    """Scale on which the (weighted) population of ``values`` (n,) or (m, n) has this mean and sd.

    Use plausible values, not point estimates: EAPs spread too little, WLEs too much.
    """
    given = _validate.value_matrix(values)
    w = _validate.weight_vector(weights, given.shape[1])
    centres = given @ w / w.sum()
    spread = np.sqrt(np.mean([w @ (y - c) ** 2 for y, c in zip(given, centres, strict=True)]) / w.sum())
    if spread <= 0:
        raise BadOption("The values do not vary.", remedy="Scale a population with variance.")
    slope = _validate.positive(sd, "sd") / float(spread)
    return ReportingScale(slope, mean - slope * float(centres.mean()))


def scale_matching(values: npt.ArrayLike, *, reference: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> ReportingScale:
    """Scale on which ``values`` get the mean and sd of ``reference`` values of the same persons."""
    target = scale_with(reference, mean=0.0, sd=1.0, weights=weights)
    return scale_with(values, mean=-target.intercept / target.slope, sd=1.0 / target.slope, weights=weights)
