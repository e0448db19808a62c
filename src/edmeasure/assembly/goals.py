"""What makes one form better than another: much information, evenly much, or just as much as a target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure._validate import FloatArray
from edmeasure.errors import BadOption


@dataclass(frozen=True)
class MostInformation:
    """As much information as possible in all, weighted over the pool's points (van der Linden & Boekkooi-Timminga 1989)."""

    weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class MaximinInformation:
    """The least information at any point, in units of the weights, as large as possible: weights are the wanted shape."""

    weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class TargetInformation:
    """The largest deviation from the target at any point as small as possible, divided by the weights' inverse.

    Attributes
    ----------
    target : information wanted at every point
    weights : factor of every point's deviation
    """

    target: tuple[float, ...]
    weights: tuple[float, ...] = ()


Goal = MostInformation | MaximinInformation | TargetInformation


def weights_of(goal: Goal, n_points: int) -> FloatArray:
    """Weights of the points, ones where none are given."""
    if n_points == 0:
        raise BadOption("The pool has no points.", remedy="Give points and information to `item_pool`.")
    weights = np.ones(n_points) if not goal.weights else np.array(goal.weights, dtype=np.float64)
    if weights.shape != (n_points,) or not (np.isfinite(weights) & (weights >= 0)).all() or weights.max() <= 0:
        raise BadOption(f"weights are {goal.weights}.", remedy=f"Give {n_points} numbers of 0 or more, not all 0.")
    return weights


def target_of(goal: TargetInformation, n_points: int) -> FloatArray:
    """The target at the points."""
    target = np.array(goal.target, dtype=np.float64)
    if target.shape != (n_points,) or not (np.isfinite(target) & (target >= 0)).all():
        raise BadOption(f"target is {goal.target}.", remedy=f"Give {n_points} numbers of 0 or more.")
    return target


def reached(goal: Goal, information: npt.NDArray[np.float64]) -> float:
    """What forms with this information, (F, P), are worth: a sum, a minimum or a largest deviation."""
    weights = weights_of(goal, information.shape[-1])
    if isinstance(goal, MostInformation):
        return float((information @ weights).sum())
    if isinstance(goal, MaximinInformation):
        counted = weights > 0
        return float((information[:, counted] / weights[counted]).min())
    return float((np.abs(information - target_of(goal, information.shape[-1])) * weights).max())
