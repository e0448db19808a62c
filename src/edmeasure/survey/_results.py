"""What survey functions return: a figure with its error, or the figures of many groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.errors import BadOption

NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class Estimate(Exported):
    """One population figure with its error and where the error comes from.

    ``degrees`` are the degrees of freedom of the error: those of the design, fewer where plausible values differ much
    (Barnard & Rubin 1999).
    """

    value: float
    standard_error: float
    sampling_variance: float
    imputation_variance: float
    n: int
    weight_sum: float
    degrees: float = float("inf")

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval from Student's t."""
        half = float(t_975(self.degrees)) * self.standard_error
        return self.value - half, self.value + half

    def _columns(self) -> Mapping[str, object]:
        return {name: [value] for name, value in self.to_dict().items()}

    def __str__(self) -> str:
        return f"{self.value:.4g} ({self.standard_error:.2g})"


@dataclass(frozen=True, eq=False)
class GroupEstimates(Exported):
    """Figures of many groups at once; all arrays have length G, sorted by label.

    ``is_jackknifed`` tells where the sample design (zones, replicates, clusters) gave the sampling variance; elsewhere it
    is the simple-random-sample formula within the group. ``degrees`` are those of the group's own clusters (replicates,
    where they were given), or its persons less one.
    """

    labels: npt.NDArray[np.generic]
    value: FloatArray
    standard_error: FloatArray
    sampling_variance: FloatArray
    imputation_variance: FloatArray
    n: IntArray
    weight_sum: FloatArray
    is_jackknifed: BoolArray
    degrees: FloatArray

    @property
    def interval(self) -> tuple[FloatArray, FloatArray]:
        """Ends of 95 % intervals from Student's t."""
        half = t_975(self.degrees) * self.standard_error
        return self.value - half, self.value + half

    def of(self, label: object) -> Estimate:
        """The estimate of one group."""
        found = np.flatnonzero(self.labels == label)
        if found.size == 0:
            raise BadOption(f"There is no group {label!r}.", remedy="See `labels`.")
        at = int(found[0])
        return Estimate(
            float(self.value[at]),
            float(self.standard_error[at]),
            float(self.sampling_variance[at]),
            float(self.imputation_variance[at]),
            int(self.n[at]),
            float(self.weight_sum[at]),
            float(self.degrees[at]),
        )

    def __str__(self) -> str:
        return (
            f"{self.labels.size:,} groups of {self.n.sum():,} persons: "
            f"{np.nanmin(self.value):.4g} to {np.nanmax(self.value):.4g}, "
            f"median error {np.nanmedian(self.standard_error):.2g}"
        )


def t_975(degrees: FloatArray | float) -> FloatArray:
    """How many standard errors a 95 % interval reaches to either side."""
    finite = np.where(np.isfinite(degrees), np.maximum(degrees, 1.0), 1.0)
    return np.where(np.isfinite(degrees), stdtrit(finite, 0.975), NORMAL_95)
