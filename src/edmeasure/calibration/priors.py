"""Prior densities of item parameters: none, weak ones, and those that asymptotes need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edmeasure._validate import FloatArray
from edmeasure.errors import BadOption


@dataclass(frozen=True)
class ItemPriors:
    """Normal priors; an infinite deviation means none.

    Attributes
    ----------
    slope_mean, slope_sd : float
        Of every slope. For nominal items the slope between neighbouring categories.
    intercept_sd : float
        Of every intercept, around zero.
    lower, lower_sd : float
        Where the lower asymptote is expected (one over the number of options), and the deviation
        of its logit. The default says 0.2, and 0.08 to 0.40 with a probability of 95 %.
    upper, upper_sd : float
        The same for the upper asymptote: 0.95, and 0.88 to 0.98.
    """

    slope_mean: float = 1.0
    slope_sd: float = np.inf
    intercept_sd: float = np.inf
    lower: float = 0.2
    lower_sd: float = 0.5
    upper: float = 0.95
    upper_sd: float = 0.5

    def __post_init__(self) -> None:
        for name in ("slope_sd", "intercept_sd", "lower_sd", "upper_sd"):
            if np.isnan(getattr(self, name)) or getattr(self, name) <= 0:
                raise BadOption(f"{name} is {getattr(self, name)}.", remedy="Give a positive number, or infinity for no prior.")
        if not (0 < self.lower < 0.5 < self.upper < 1) or not np.isfinite(self.slope_mean):
            raise BadOption(
                f"Asymptotes around {self.lower} and {self.upper} with slopes around {self.slope_mean} cannot be.",
                remedy="Expect the lower one between 0 and 0.5, the upper one between 0.5 and 1.",
            )

    @property
    def of_items(self) -> FloatArray:
        """Mean and precision of slopes, precision of intercepts."""
        return np.array([self.slope_mean, self.slope_sd**-2.0, self.intercept_sd**-2.0])

    @property
    def of_asymptotes(self) -> FloatArray:
        """Mean and precision of the logits of both asymptotes, (2, 2)."""
        shares, deviations = np.array([self.lower, self.upper]), np.array([self.lower_sd, self.upper_sd])
        return np.stack([np.log(shares / (1.0 - shares)), deviations**-2.0])


WEAK = ItemPriors(slope_sd=1.0, intercept_sd=4.0)
"""Keeps tiny samples finite."""
