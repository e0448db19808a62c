"""M-step of items with one slope whose intercepts are linear in fewer parameters (facets of a rating)."""

from __future__ import annotations

import numpy as np

from edmeasure._validate import FloatArray
from edmeasure.calibration import _item_kernels
from edmeasure.calibration._common_slope import LONGEST_STEP, Sharing
from edmeasure.calibration._item_kernels import MOST_HALVINGS, NEWTON_STEPS, NEWTON_TOLERANCE


def _derivatives(sharing: Sharing, design: FloatArray, slope: float, effects: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Value, gradient and negative Hessian by the slope, then by the effects."""
    intercepts = np.einsum("ce,e->c", design, effects)
    value = 0.0
    gradient, hessian = np.zeros(1 + effects.size), np.zeros((1 + effects.size, 1 + effects.size))
    for part in sharing.parts:
        size = part.stop - part.start
        own, lower = np.empty(size), np.empty((size, size))
        value += _item_kernels.objective(
            sharing.counts[part], sharing.nodes, slope, intercepts[part], sharing.usable[part], sharing.prior, own, lower
        )
        full = np.tril(lower) + np.tril(lower, -1).T
        reach = np.zeros((size, 1 + effects.size))
        reach[0, 0] = 1.0
        reach[1:, 1:] = design[part][1:]
        gradient += np.einsum("ke,k->e", reach, own)
        hessian += np.einsum("ke,kl,lf->ef", reach, full, reach)
    return value, gradient, hessian


def maximize(sharing: Sharing, design: FloatArray, slope: float, effects: FloatArray) -> tuple[float, FloatArray]:
    """Damped Newton ascent; returns the slope and the effects."""
    value, step, hessian = _derivatives(sharing, design, slope, effects)
    for _ in range(NEWTON_STEPS):
        if not _item_kernels.solve_in_place(hessian, step, step.size):
            break
        largest = float(np.abs(step).max())
        if largest < NEWTON_TOLERANCE:
            break
        factor = min(1.0, LONGEST_STEP / largest)
        for _halving in range(MOST_HALVINGS):
            trial = _derivatives(sharing, design, slope + factor * step[0], effects + factor * step[1:])
            if trial[0] >= value:
                break
            factor *= 0.5
        else:
            break
        slope, effects = slope + factor * step[0], effects + factor * step[1:]
        value, step, hessian = trial
    return slope, effects
