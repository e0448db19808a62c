"""HiGHS, in this process: the best solution within a time, and the bound it proved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from edmeasure._validate import BoolArray, FloatArray
from edmeasure.assembly._model import GOAL, Model

INFEASIBLE = 2
FEASIBLE_TO = 1e-6


@dataclass(frozen=True, eq=False)
class Found:
    """A solution of a model, or none, with the bound below its cost; ``is_infeasible`` once there can be none."""

    x: FloatArray | None = None
    cost: float = np.inf
    bound: float = -np.inf
    is_infeasible: bool = False
    solver: str = "HiGHS"

    def is_proven(self, gap: float) -> bool:
        """Whether nothing can be better by more than that share."""
        return self.x is not None and self.cost - self.bound <= gap * max(abs(self.cost), 1e-9) + 1e-9

    def joined(self, other: Found) -> Found:
        """The better solution and the better bound of two."""
        better, worse = (other, self) if other.cost < self.cost else (self, other)
        return replace(better, bound=max(better.bound, worse.bound), is_infeasible=better.is_infeasible or worse.is_infeasible)


def solve(model: Model, *, seconds: float, gap: float) -> Found:
    """Minimise by HiGHS through SciPy."""
    answer = milp(
        model.cost,
        constraints=LinearConstraint(model.matrix, model.low, model.high),
        integrality=model.is_integer.astype(np.int64),
        bounds=Bounds(model.lower, model.upper),
        options={"time_limit": max(seconds, 0.01), "mip_rel_gap": gap},
    )
    bound = -np.inf if answer.mip_dual_bound is None else float(answer.mip_dual_bound)
    bound = max(bound, lowest_cost(model))
    if answer.x is None:
        return Found(bound=bound, is_infeasible=answer.status == INFEASIBLE)
    x = rounded(model, answer.x)
    return Found(x, float(model.cost @ x), bound)


def lowest_cost(model: Model) -> float:
    """What is known without solving: a deviation from a target is no smaller than what counts as none."""
    return float(model.lower[-1]) if model.cost[-1] > 0 else -np.inf


def rounded(model: Model, x: FloatArray) -> FloatArray:
    """Whole numbers where they must be, and the goal's column at what the items give."""
    found = np.where(model.is_integer, np.round(x), x)
    if model.cost[-1]:
        values = values_of_rows(model, found)
        found[-1] = max(values.max() if model.cost[-1] > 0 else values.min(), model.lower[-1])
    return found


def finished(model: Model, x: FloatArray) -> Found:
    """The solution with its goal, or none where it breaks a rule."""
    found = rounded(model, x)
    return Found(found, float(model.cost @ found)) if model.excess(found) < FEASIBLE_TO else Found()


def values_of_rows(model: Model, x: FloatArray) -> FloatArray:
    """What every row of the goal lets the goal's column be."""
    rows = np.flatnonzero(model.line == GOAL)
    part = model.matrix[rows]
    slope = part[:, -1].toarray().ravel()
    told = part @ x - slope * x[-1]
    end = np.where(np.isfinite(model.low[rows]), model.low[rows], model.high[rows])
    return np.asarray((end - told) / slope)


def part_of(model: Model, x: FloatArray, is_free: BoolArray) -> tuple[Model, BoolArray]:
    """The model of the free columns, the others kept at ``x``; goals of units that are all kept are left out."""
    fixed = np.where(is_free, 0.0, x)
    fixed[-1] = 0.0
    is_free = is_free.copy()
    is_free[-1] = True
    offset = model.matrix @ fixed
    columns = model.matrix[:, np.flatnonzero(is_free)]
    counts = np.diff(columns.indptr) - (np.asarray((columns[:, -1] != 0).sum(axis=1)).ravel() > 0)
    keep = counts > 0
    return replace(
        model,
        matrix=columns[keep],
        low=(model.low - offset)[keep],
        high=(model.high - offset)[keep],
        line=model.line[keep],
        lower=model.lower[is_free],
        upper=model.upper[is_free],
        is_integer=model.is_integer[is_free],
        cost=model.cost[is_free],
    ), is_free
