"""What a survey function was given, checked: value sets and the design they were drawn by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._validate import FloatArray
from edmeasure.errors import BadOption, BadShape
from edmeasure.survey import _design_errors
from edmeasure.survey._design_errors import Figure
from edmeasure.survey._results import Estimate
from edmeasure.survey.sampling import SampleDesign

Practice = Literal["all", "first"]


@dataclass(frozen=True, eq=False)
class Sample:
    """Values (m, n) and their design."""

    values: FloatArray
    design: SampleDesign

    @property
    def size(self) -> int:
        """Rows, members or not."""
        return int(self.design.weights.size)

    def estimates(self, found: FloatArray, sampling: FloatArray, practice: Practice) -> tuple[Estimate, ...]:
        """One estimate for every number, from (m, q) numbers and their sampling variances."""
        value, drawn, measured = _design_errors.combined(found, sampling, practice)
        degrees = _design_errors.degrees_combined(self.design.degrees, found.shape[0], drawn, measured)
        total = float(self.design.weights.sum())
        return tuple(
            Estimate(float(v), float(np.sqrt(s + b)), float(s), float(b), self.design.n, total, float(d))
            for v, s, b, d in zip(value, drawn, measured, degrees, strict=True)
        )


def read_sample(
    values: npt.ArrayLike,
    weights: npt.ArrayLike | None,
    zones: npt.ArrayLike | None,
    reps: npt.ArrayLike | None,
    design: SampleDesign | None,
) -> Sample:
    """Check values, and make a design of weights, zones and reps where none is given."""
    given = _validate.value_matrix(values)
    return Sample(given, read_design(given.shape[1], weights, zones, reps, design))


def read_design(
    n: int,
    weights: npt.ArrayLike | None,
    zones: npt.ArrayLike | None,
    reps: npt.ArrayLike | None,
    design: SampleDesign | None,
) -> SampleDesign:
    """The given design, or one of weights, zones and reps."""
    if design is not None:
        if weights is not None or zones is not None or reps is not None:
            raise BadOption("A design and weights, zones or reps are given.", remedy="Put them into the design.")
        if design.weights.size != n:
            raise BadShape(f"The design has {design.weights.size} persons, the values {n}.", remedy="Use the same persons.")
        return design
    checked = _validate.weight_vector(weights, n)
    codes = _validate.replicate_codes(zones, reps, n)
    if codes is None:
        return SampleDesign.simple(checked)
    return SampleDesign.paired(checked, zones=codes[0], reps=codes[1])


def combined_figures(
    sample: Sample, figure: Callable[[FloatArray, SampleDesign], Figure], practice: Practice
) -> tuple[Estimate, ...]:
    """Estimates of all numbers of a figure, over all value sets."""
    pairs = [_design_errors.covariance(sample.design, figure(y, sample.design)) for y in sample.values]
    return sample.estimates(np.array([v for v, _ in pairs]), np.array([np.diag(drawn) for _, drawn in pairs]), practice)
