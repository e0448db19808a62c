"""M-step of items that share one slope (Rasch, one-parameter and partial credit models)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edmeasure._validate import BoolArray, FloatArray
from edmeasure.calibration import _item_kernels
from edmeasure.calibration._item_kernels import MOST_HALVINGS, NEWTON_STEPS, NEWTON_TOLERANCE

LONGEST_STEP = 2.0


@dataclass(frozen=True, eq=False)
class Sharing:
    """Expected answers of the items that share a slope, and what else the M-step needs."""

    parts: tuple[slice, ...]
    counts: FloatArray
    nodes: FloatArray
    usable: BoolArray
    prior: FloatArray

    def step(self, slope: float, intercepts: FloatArray) -> tuple[float, float, FloatArray]:
        """Value, and Newton's step of the slope and of the intercepts, at some parameters.

        The Hessian is an arrow: intercepts of two items meet only through the slope.
        """
        value, pull, bend = 0.0, 0.0, 0.0
        along, across = np.zeros_like(intercepts), np.zeros_like(intercepts)
        for part in self.parts:
            size = part.stop - part.start
            gradient, hessian = np.empty(size), np.empty((size, size))
            value += _item_kernels.objective(
                self.counts[part], self.nodes, slope, intercepts[part], self.usable[part], self.prior, gradient, hessian
            )
            own, cross = gradient[1:].copy(), hessian[1:, 0].copy()
            for solved in (own, cross):
                _item_kernels.solve_in_place(hessian[1:, 1:].copy(), solved, size - 1)
            pull += gradient[0] - float(np.sum(hessian[1:, 0] * own))
            bend += hessian[0, 0] - float(np.sum(hessian[1:, 0] * cross))
            along[part.start + 1 : part.stop], across[part.start + 1 : part.stop] = own, cross
        of_slope = pull / bend
        return value, of_slope, along - of_slope * across


def maximize(sharing: Sharing, slope: float, intercepts: FloatArray) -> tuple[float, FloatArray]:
    """Damped Newton ascent; returns the slope and the intercepts of all items."""
    value, of_slope, of_intercepts = sharing.step(slope, intercepts)
    for _ in range(NEWTON_STEPS):
        largest = max(abs(of_slope), float(np.abs(of_intercepts).max()))
        if largest < NEWTON_TOLERANCE:
            break
        factor = min(1.0, LONGEST_STEP / largest)
        for _halving in range(MOST_HALVINGS):
            trial = sharing.step(slope + factor * of_slope, intercepts + factor * of_intercepts)
            if trial[0] >= value:
                break
            factor *= 0.5
        else:
            break
        slope, intercepts = slope + factor * of_slope, intercepts + factor * of_intercepts
        value, of_slope, of_intercepts = trial
    return slope, intercepts
