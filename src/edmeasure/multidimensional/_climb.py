"""EM of a model of several abilities, its steps mixed by Anderson's method, and its information."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from edmeasure._validate import FloatArray
from edmeasure.calibration import _em
from edmeasure.errors import BadOption
from edmeasure.multidimensional._layout import Expected, Layout, Parameters

DIFFERENCE = 1e-5
ROUGH = 1e-4
"""Where climbs on a coarse grid end and the one on all nodes begins."""
SAME_SUMMIT = 0.01
JITTER = 0.6


class Model(Protocol):
    """What EM needs of a quadrature."""

    @property
    def layout(self) -> Layout: ...

    def expect(self, parameters: Parameters) -> Expected:
        """E-step; a log-likelihood of minus infinity where the parameters are impossible."""

    def update(self, parameters: Parameters, expected: Expected) -> Parameters:
        """M-step."""

    def gradient(self, parameters: Parameters, expected: Expected) -> FloatArray:
        """Of the marginal log-likelihood with its prior, at the parameters of the E-step (Fisher's identity)."""


@dataclass(frozen=True, eq=False)
class Summit:
    """Where the iterations ended, and how they went."""

    parameters: Parameters
    expected: Expected
    logliks: tuple[float, ...]
    last_change: float
    converged: bool
    n_iterations: int

    def after(self, earlier: Summit) -> Summit:
        """The same end, counting the iterations of an earlier climb as well."""
        return replace(self, n_iterations=self.n_iterations + earlier.n_iterations)


def climb(model: Model, start: Parameters, *, max_iterations: int, tolerance: float, loglik_tolerance: float) -> Summit:
    """Iterate until the EM map moves no parameter by ``tolerance`` and the log-likelihood stalls.

    An accelerated point that lowers the log-likelihood is replaced by the plain EM image it
    started from, so accepted log-likelihoods never fall.
    """
    layout, mixing = model.layout, _em.Anderson()
    current, expected = start, model.expect(start)
    logliks = [expected.loglik]
    change, gain, converged = np.inf, np.inf, False
    for _ in range(max_iterations):
        image = model.update(current, expected)
        point, target = layout.vector(current), layout.vector(image)
        change = float(np.abs(target - point).max(initial=0.0))
        if change < tolerance and gain < loglik_tolerance * max(1.0, abs(expected.loglik)):
            converged = True
            break
        proposal = layout.parameters(mixing.push(point, target))
        proposed = model.expect(proposal)
        if not proposed.loglik >= expected.loglik - 1e-10 * abs(expected.loglik):
            mixing.clear()
            proposal, proposed = image, model.expect(image)
        gain = proposed.loglik - expected.loglik
        current, expected = proposal, proposed
        logliks.append(expected.loglik)
    return Summit(current, expected, tuple(logliks), change, converged, len(logliks))


def search(model: Model, starts: Sequence[Parameters], *, max_iterations: int) -> tuple[Summit, int]:
    """The highest of rough climbs from several starts, and how many reach it; meant for a coarse grid."""
    ends = [climb(model, start, max_iterations=max_iterations, tolerance=ROUGH, loglik_tolerance=ROUGH) for start in starts]
    best = max(ends, key=lambda end: end.expected.loglik)
    return best, sum(end.expected.loglik >= best.expected.loglik - SAME_SUMMIT for end in ends)


def shaken_starts(layout: Layout, first: Parameters, n_starts: int, rng: np.random.Generator | None) -> list[Parameters]:
    """The first start, and others with slopes moved at random."""
    if n_starts < 1 or (n_starts > 1 and rng is None):
        raise BadOption(f"n_starts is {n_starts}.", remedy="Use at least 1, and pass rng for more than one.")
    starts = [first]
    for _ in range(n_starts - 1):
        assert rng is not None
        at = layout.vector(first)
        n_slopes = int(layout.free_slopes.sum())
        at[:n_slopes] += JITTER * rng.standard_normal(n_slopes)
        if layout.n_spreads:
            at[-layout.n_spreads :] *= np.exp(JITTER * rng.standard_normal(layout.n_spreads))
        starts.append(layout.parameters(at))
    return starts


def observed_information(model: Model, parameters: Parameters) -> FloatArray:
    """Negative second derivatives of the log-likelihood, from differences of its exact gradient.

    The gradient at moved parameters is that of the expected log-likelihood after an E-step there,
    so every column holds both terms of Oakes (1999).
    """
    layout = model.layout
    at = layout.vector(parameters)
    gradient = model.gradient(parameters, model.expect(parameters))
    columns = np.empty((at.size, at.size))
    for r in range(at.size):
        moved = at.copy()
        moved[r] += DIFFERENCE
        away = layout.parameters(moved)
        columns[:, r] = (gradient - model.gradient(away, model.expect(away))) / DIFFERENCE
    return np.asarray((columns + columns.T) / 2)


def covariance_of(information: FloatArray) -> tuple[FloatArray, bool]:
    """Inverse of the information (NaN where it has none), and whether it is positive definite."""
    try:
        factor = np.linalg.inv(np.linalg.cholesky(information))
    except np.linalg.LinAlgError:
        return np.full(information.shape, np.nan), False
    return np.asarray(factor.T @ factor), True
