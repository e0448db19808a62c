"""Every error this library raises: each says what is wrong and how to mend it."""

from __future__ import annotations


class MeasurementError(ValueError):
    """Base of all refusals; ``remedy`` repeats the way out on its own."""

    def __init__(self, problem: str, *, remedy: str) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem} {remedy}")


class BadShape(MeasurementError):
    """Arrays that should describe the same persons or items do not fit together."""


class BadScore(MeasurementError):
    """A score lies outside the range its item allows."""


class BadWeight(MeasurementError):
    """Weights are negative, not finite, or all zero."""


class BadOption(MeasurementError):
    """An option has a value the function cannot work with."""


class MissingPackage(MeasurementError):
    """An optional package that this function needs is not installed."""


class NothingToCalibrate(MeasurementError):
    """No item shows any variance, so no parameter can be estimated."""
