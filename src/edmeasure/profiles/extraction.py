"""Common factors of a correlation matrix: least residuals, maximum likelihood, one general factor."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from edmeasure._validate import FloatArray

LEAST_UNIQUENESS = 0.005
LIMITS = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 5000, "maxfun": 20_000}
COARSE_LIMITS = {"ftol": 1e-7, "gtol": 1e-4, "maxiter": 100, "maxfun": 200}


def least_residual_loadings(correlations: FloatArray, n_factors: int, *, is_coarse: bool = False) -> FloatArray:
    """Unrotated loadings (J, n_factors) with the least sum of squared residual correlations.

    Harman & Jones (1966); minimised over the uniquenesses with the gradient of Joreskog (1977).
    ``is_coarse`` stops at about three digits.
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
        options=COARSE_LIMITS if is_coarse else LIMITS,
    )
    values, vectors = np.linalg.eigh(correlations - np.diag(found.x))
    largest = slice(n_items - 1, n_items - 1 - n_factors, -1)
    return _upright(vectors[:, largest] * np.sqrt(np.maximum(values[largest], 0.0)))


def likelihood_loadings(correlations: FloatArray, n_factors: int) -> FloatArray:
    """Unrotated loadings (J, n_factors) of greatest normal likelihood.

    Joreskog (1967): for given uniquenesses u the best loadings come from the greatest eigenvalues of
    u^-1/2 R u^-1/2; what is left, the sum of (e - 1 - log e) over the others, is minimised over u.
    """
    n_items = correlations.shape[0]
    start = (1 - 0.5 * n_factors / n_items) / np.diag(np.linalg.inv(correlations))

    def rest(uniqueness: FloatArray) -> tuple[float, FloatArray]:
        scale = 1 / np.sqrt(uniqueness)
        values, vectors = np.linalg.eigh(correlations * np.outer(scale, scale))
        left = np.maximum(values[: n_items - n_factors], 1e-300)
        sides = vectors[:, : n_items - n_factors]
        return float(np.sum(left - 1 - np.log(left))), sides**2 @ (1 - left) / uniqueness

    found = minimize(
        rest,
        np.clip(start, LEAST_UNIQUENESS, 1.0),
        jac=True,
        method="L-BFGS-B",
        bounds=[(LEAST_UNIQUENESS, 1.0)] * n_items,
        options=LIMITS,
    )
    scale = np.sqrt(found.x)
    values, vectors = np.linalg.eigh(correlations / np.outer(scale, scale))
    largest = slice(n_items - 1, n_items - 1 - n_factors, -1)
    return _upright(scale[:, None] * vectors[:, largest] * np.sqrt(np.maximum(values[largest] - 1, 0.0)))


def general_loadings(factor_correlations: FloatArray) -> FloatArray:
    """Loadings of the factors on one general factor (Schmid & Leiman 1957)."""
    n_factors = factor_correlations.shape[0]
    if n_factors == 1:
        return np.ones(1)
    if n_factors == 2:
        return np.full(2, np.sqrt(max(float(factor_correlations[0, 1]), 0.0)))
    return least_residual_loadings(factor_correlations, 1)[:, 0]


def _upright(loadings: FloatArray) -> FloatArray:
    return np.asarray(loadings * np.where(loadings.sum(axis=0) < 0, -1.0, 1.0))
