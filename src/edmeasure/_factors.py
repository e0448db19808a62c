"""Common factors of a correlation matrix: least residuals, oblique rotation, one general factor."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from edmeasure._validate import FloatArray

LEAST_UNIQUENESS = 0.005
MOST_TURNS = 1000
FLAT = 1e-7


def least_residual_loadings(correlations: FloatArray, n_factors: int) -> FloatArray:
    """Unrotated loadings (J, n_factors) with the least sum of squared residual correlations.

    Harman & Jones (1966); minimised over the uniquenesses with the gradient of Joreskog (1977).
    """
    n_items = correlations.shape[0]
    start = 1 / np.diag(np.linalg.pinv(correlations))

    def rest(uniqueness: FloatArray) -> tuple[float, FloatArray]:
        values, vectors = np.linalg.eigh(correlations - np.diag(uniqueness))
        left, sides = values[: n_items - n_factors], vectors[:, : n_items - n_factors]
        return 0.5 * float(left @ left), -(sides**2 @ left)

    found = minimize(
        rest,
        np.clip(start, LEAST_UNIQUENESS, 1.0),
        jac=True,
        method="L-BFGS-B",
        bounds=[(LEAST_UNIQUENESS, 1.0)] * n_items,
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 5000, "maxfun": 20_000},
    )
    values, vectors = np.linalg.eigh(correlations - np.diag(found.x))
    largest = slice(n_items - 1, n_items - 1 - n_factors, -1)
    loadings = vectors[:, largest] * np.sqrt(np.maximum(values[largest], 0.0))
    return np.asarray(loadings * np.where(loadings.sum(axis=0) < 0, -1.0, 1.0))


def oblimin(loadings: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Quartimin rotation: oblique pattern (J, m) and factor correlations (m, m).

    Gradient projection of Jennrich (2002) on f = 1/4 sum over factor pairs of l_ir^2 l_is^2.
    """
    n_factors = loadings.shape[1]
    turn = np.eye(n_factors)
    others = 1.0 - np.eye(n_factors)
    step = 1.0

    def pattern(turn: FloatArray) -> tuple[FloatArray, float, FloatArray]:
        rotated = loadings @ np.linalg.inv(turn).T
        mixed = rotated**2 @ others
        value = float(np.sum(rotated**2 * mixed)) / 4
        return rotated, value, -(rotated.T @ (rotated * mixed) @ np.linalg.inv(turn)).T

    rotated, value, gradient = pattern(turn)
    for _ in range(MOST_TURNS):
        projected = gradient - turn * (turn * gradient).sum(axis=0)
        size = float((projected**2).sum())
        if size < FLAT**2:
            break
        step *= 2
        while True:
            moved = turn - step * projected
            moved /= np.linalg.norm(moved, axis=0)
            candidate = pattern(moved)
            if value - candidate[1] > 0.5 * size * step or step < FLAT**2:
                break
            step /= 2
        turn = moved
        rotated, value, gradient = candidate
    return rotated, np.asarray(turn.T @ turn)


def general_loadings(factor_correlations: FloatArray) -> FloatArray:
    """Loadings of the factors on one general factor (Schmid & Leiman 1957)."""
    n_factors = factor_correlations.shape[0]
    if n_factors == 1:
        return np.ones(1)
    if n_factors == 2:
        return np.full(2, np.sqrt(max(float(factor_correlations[0, 1]), 0.0)))
    return least_residual_loadings(factor_correlations, 1)[:, 0]
