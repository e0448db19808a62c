"""Readers and books on one scale: a reader's level is that of the texts they would understand three quarters of.

Comprehension of a text of level L by a reader of ability theta is taken to follow Rasch's model,
P = 1 / (1 + exp(-(theta - d(L)))), with a difficulty d(L) = intercept + slope L that rises with the level. Where
P = 75 %, reader and text are said to be at the same level (Stenner 1996; Stenner, Burdick, Sanford & Burdick 2006).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, roots_hermitenorm

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray
from edmeasure.errors import BadOption, BadShape

TARGET = 0.75
SUITED = (0.70, 0.80)
NODES = 21


@dataclass(frozen=True, eq=False)
class ReadingLink(Exported):
    """The line from levels to difficulties, and how far single texts lie from it.

    Attributes
    ----------
    slope, intercept : float
        Difficulty (of the ability scale) per level, and at level 0.
    covariance : float64 (2, 2)
        Of (slope, intercept).
    text_deviation : float
        Standard deviation of texts' true difficulties around the line.
    target : float
        Comprehension at which reader and text are at one level.
    """

    slope: float
    intercept: float
    covariance: FloatArray
    text_deviation: float
    target: float = TARGET

    def __post_init__(self) -> None:
        if not (np.isfinite(self.slope) and self.slope > 0):
            raise BadOption(f"The slope is {self.slope:.3g}.", remedy="Harder texts must have higher levels: check the levels.")
        if not 0 < self.target < 1:
            raise BadOption(f"target is {self.target}.", remedy="Use a share such as 0.75.")

    def difficulties(self, levels: npt.ArrayLike) -> FloatArray:
        """Difficulties of texts on the ability scale."""
        return np.asarray(self.intercept + self.slope * np.asarray(levels, dtype=np.float64))

    def reader_levels(self, theta: npt.ArrayLike) -> FloatArray:
        """Levels of the texts these readers would understand at ``target``."""
        return np.asarray((np.asarray(theta, dtype=np.float64) - logit(self.target) - self.intercept) / self.slope)

    def reader_errors(self, theta: npt.ArrayLike, standard_errors: npt.ArrayLike) -> FloatArray:
        """Standard errors of `reader_levels`: of the ability and of the line (delta method)."""
        level, se = self.reader_levels(theta), np.asarray(standard_errors, dtype=np.float64)
        of_line = level**2 * self.covariance[0, 0] + 2 * level * self.covariance[0, 1] + self.covariance[1, 1]
        return np.asarray(np.sqrt(se**2 + of_line) / self.slope)

    def comprehension(
        self,
        theta: npt.ArrayLike,
        levels: npt.ArrayLike,
        *,
        theta_errors: npt.ArrayLike = 0.0,
        level_errors: npt.ArrayLike = 0.0,
    ) -> FloatArray:
        """Chance of comprehension of readers by texts; arrays are broadcast against each other.

        Errors of ability and level and the texts' own deviation draw the chance towards one half: it is the mean over
        what reader and text may be. Without errors and deviation it is Rasch's.
        """
        gap = np.asarray(theta, dtype=np.float64) - self.difficulties(levels)
        spread = np.sqrt(
            np.asarray(theta_errors, dtype=np.float64) ** 2
            + (self.slope * np.asarray(level_errors, dtype=np.float64)) ** 2
            + self.text_deviation**2
        )
        if not (np.isfinite(gap).all() and np.isfinite(spread).all()):
            raise BadOption("Abilities, levels or errors hold NaN or infinity.", remedy="Leave those readers and texts out.")
        nodes, weights = roots_hermitenorm(NODES)
        found = expit(gap[..., None] + spread[..., None] * nodes) @ (weights / weights.sum())
        return np.asarray(found, dtype=np.float64)

    def are_suited(self, theta: npt.ArrayLike, levels: npt.ArrayLike, *, between: tuple[float, float] = SUITED) -> BoolArray:
        """Texts that a reader would understand neither too badly nor too easily; arrays are broadcast."""
        if not 0 <= between[0] < between[1] <= 1:
            raise BadOption(f"between is {between}.", remedy="Use rising shares such as (0.70, 0.80).")
        chance = expit(np.asarray(theta, dtype=np.float64) - self.difficulties(levels))
        return np.asarray((chance >= between[0]) & (chance <= between[1]))

    def _columns(self) -> Mapping[str, object]:
        return {name: [getattr(self, name)] for name in ("slope", "intercept", "text_deviation", "target")}

    def __str__(self) -> str:
        return (
            f"one level is {self.slope:.3g} of ability ({np.sqrt(self.covariance[0, 0]):.2g}), texts lie "
            f"{self.text_deviation:.3g} around the line; reader and text are level at {self.target:.0%}"
        )


def link_reading(
    levels: npt.ArrayLike,
    difficulties: npt.ArrayLike,
    *,
    standard_errors: npt.ArrayLike = 0.0,
    target: float = TARGET,
) -> ReadingLink:
    """Fit the line from texts whose comprehension was tested.

    Parameters
    ----------
    levels : (n,)
        Of texts, such as `ReadabilityModel.predict`.
    difficulties : (n,)
        Mean difficulty of each text's questions on the ability scale of the readers.
    standard_errors : (n,) or float
        Of the difficulties. What texts vary beyond them is ``text_deviation`` (method of moments, DerSimonian & Laird 1986).
    target
        Comprehension at which reader and text are at one level.
    """
    x = np.asarray(levels, dtype=np.float64)
    if x.ndim != 1 or x.size < 3:
        raise BadShape(f"levels has shape {x.shape}.", remedy="Pass levels of at least three texts.")
    x = _validate.float_vector(x, x.size, "levels")
    y = _validate.float_vector(difficulties, x.size, "difficulties")
    known = _validate.float_vector(standard_errors, x.size, "standard_errors") ** 2
    if x.min() == x.max():
        raise BadOption("All texts have the same level.", remedy="Pass texts of several levels.")
    design = np.column_stack([x, np.ones(x.size)])
    between = _variance_between(design, y, known)
    precision = 1.0 / np.maximum(known + between, 1e-300)
    covariance = np.asarray(np.linalg.inv(design.T @ (precision[:, None] * design)), dtype=np.float64)
    slope, intercept = covariance @ (design.T @ (precision * y))
    return ReadingLink(float(slope), float(intercept), covariance, float(np.sqrt(between)), target)


def _variance_between(design: FloatArray, y: FloatArray, known: FloatArray) -> float:
    """Variance of texts around the line beyond the errors of their difficulties."""
    # texts without error count alike
    w = 1.0 / known if (known > 0).all() else np.ones(y.size)
    inverse = np.linalg.inv(design.T @ (w[:, None] * design))
    rest = y - design @ (inverse @ (design.T @ (w * y)))
    left = w * (1 - w * np.einsum("ia,ab,ib->i", design, inverse, design))
    return max(float(w @ rest**2 - left @ known) / float(left.sum()), 0.0)
