"""Exploring abilities: where to start, which slopes to hold at zero, and how to turn what was found."""

from __future__ import annotations

import numpy as np
from scipy.linalg import qr

from edmeasure._validate import BoolArray, FloatArray
from edmeasure.classical.items import item_covariances
from edmeasure.profiles.rotation import rotate
from edmeasure.responses import Responses

HIGHEST_START = 0.85
SPREAD_OF_ANSWERS = 1.702
FLATTENED = 1.25
"""Correlations of coarse answers are lower than those of the latent answers, by about this."""


def starting_slopes(responses: Responses, weights: FloatArray, n_dims: int) -> tuple[FloatArray, BoolArray]:
    """Slopes from principal factors of the item correlations, turned so that some are zero, and which may move.

    The D items that span the factors best (pivoted QR) become corners: the first depends on the
    first ability alone, the second on two, and so on, which leaves no way to turn the abilities.
    """
    covariance, seen = item_covariances(responses, weights=weights)
    spread = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
    correlations = np.where(seen & np.isfinite(covariance), covariance, 0.0) / np.outer(spread, spread)
    np.fill_diagonal(correlations, 1.0)
    loadings = np.zeros((correlations.shape[0], n_dims))
    shared = np.clip(np.abs(correlations - np.eye(correlations.shape[0])).max(axis=0), 0.05, 0.9)
    for _ in range(20):
        reduced = correlations.copy()
        np.fill_diagonal(reduced, shared)
        values, vectors = np.linalg.eigh(reduced)
        largest = slice(values.size - 1, values.size - 1 - n_dims if values.size > n_dims else None, -1)
        loadings = vectors[:, largest] * np.sqrt(np.maximum(values[largest], 1e-3))
        shared = np.clip((loadings**2).sum(axis=1), 0.05, 0.9)
    loadings *= np.sqrt(FLATTENED)
    length = np.linalg.norm(loadings, axis=1, keepdims=True)
    loadings *= np.minimum(1.0, HIGHEST_START / np.maximum(length, 1e-12))
    slopes = SPREAD_OF_ANSWERS * loadings / np.sqrt(1.0 - (loadings**2).sum(axis=1, keepdims=True))
    corners = np.asarray(qr(loadings.T, pivoting=True, mode="r")[1])[:n_dims]
    turn, _ = np.linalg.qr(slopes[corners].T)
    slopes = slopes @ turn
    slopes *= np.where(np.diag(slopes[corners]) < 0, -1.0, 1.0)
    free = np.ones(slopes.shape, dtype=np.bool_)
    for place, corner in enumerate(corners.tolist()):
        free[corner, place + 1 :] = False
    return slopes, free


def loadings_of(slopes: FloatArray, correlations: FloatArray, spread: float) -> FloatArray:
    """Slopes over the deviation of the latent answer."""
    explained = np.einsum("jd,de,je->j", slopes, correlations, slopes)
    return np.asarray(slopes / np.sqrt(spread**2 + explained)[:, None])


def rotated(slopes: FloatArray, loadings: FloatArray, method: str) -> tuple[FloatArray, FloatArray]:
    """Slopes turned as ``method`` turns their loadings, and the correlations of the turned abilities."""
    found = rotate(loadings, method=method)
    return np.asarray(slopes @ np.linalg.inv(found.turn).T), found.factor_correlations
