"""What is believed about item parameters before the answers come: a normal prior that ties items together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.calibration._item_kernels import MOST_HALVINGS, NEWTON_STEPS, NEWTON_TOLERANCE

LONGEST_STEP = 2.0

Objective = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]
"""Value, gradient and negative Hessian at the parameters of one item."""


@dataclass(frozen=True, eq=False)
class Belief:
    """Normal prior of parameters in the information's order, without those of populations.

    Attributes
    ----------
    items : bool (n_items,)
        Items about which something is believed.
    mean : float64 (P,); precision : float64 (P, P)
        Zero where nothing is believed.
    """

    items: BoolArray
    mean: FloatArray
    precision: FloatArray

    def value(self, parameters: FloatArray) -> float:
        """Log density up to a constant."""
        away = parameters - self.mean
        return float(-0.5 * np.sum(away * np.einsum("ij,j->i", self.precision, away)))

    def gradient(self, parameters: FloatArray) -> FloatArray:
        """Of the log density."""
        return np.asarray(-np.einsum("ij,j->i", self.precision, parameters - self.mean))

    def climbed(self, parameters: FloatArray, places: IntArray, free: BoolArray, objective: Objective) -> FloatArray:
        """The parameters at ``places`` that are best for one item's answers and this prior, all others held.

        A round over all items raises the penalised likelihood item by item (Meng & Rubin 1993).
        """
        own = self.precision[np.ix_(places, places)]
        by_others = np.einsum("ij,j->i", self.precision[places], parameters - self.mean)
        by_others -= np.einsum("ij,j->i", own, parameters[places] - self.mean[places])

        def total(at: FloatArray) -> tuple[float, FloatArray, FloatArray]:
            value, gradient, curvature = objective(at)
            away = at - self.mean[places]
            pull = np.einsum("ij,j->i", own, away)
            value -= float(0.5 * np.sum(away * pull) + np.sum(away * by_others))
            gradient = np.where(free, gradient - pull - by_others, 0.0)
            curvature = np.where(free[:, None] & free, curvature + own, np.eye(free.size))
            return value, gradient, curvature

        return _newton(parameters[places], total)


def _newton(start: FloatArray, objective: Objective) -> FloatArray:
    """Damped Newton ascent."""
    at, (value, gradient, curvature) = start, objective(start)
    for _ in range(NEWTON_STEPS):
        step = _step(curvature, gradient)
        largest = float(np.abs(step).max())
        if largest < NEWTON_TOLERANCE:
            break
        factor = min(1.0, LONGEST_STEP / largest)
        for _halving in range(MOST_HALVINGS):
            trial = objective(at + factor * step)
            if trial[0] >= value:
                break
            factor *= 0.5
        else:
            break
        at, (value, gradient, curvature) = at + factor * step, trial
    return at


def _step(curvature: FloatArray, gradient: FloatArray) -> FloatArray:
    """Newton's step; where the curvature is not positive, along its absolute values."""
    values, vectors = np.linalg.eigh(curvature)
    upright = np.maximum(np.abs(values), 1e-8 * np.abs(values).max())
    return np.asarray(vectors @ ((vectors.T @ gradient) / upright))
