"""Cumulative logits for grouped counts; with two categories the ordinary logistic regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from edmeasure._validate import FloatArray

MOST_STEPS = 100
SMALLEST_STEP = 2**-30
CONVERGED = 1e-9
LEAST_CHANCE = 1e-300
FARTHEST = 30.0


@dataclass(frozen=True, eq=False)
class CumulativeFit:
    """Maximum-likelihood effects of the columns, and the log-likelihood."""

    effects: FloatArray
    loglik: float
    n: float


def cumulative_logit(columns: FloatArray, counts: FloatArray) -> CumulativeFit:
    """logit P(score >= k) = x' effects - threshold_k by Fisher scoring (McCullagh 1980).

    ``columns`` (n_cells, p) describe the cells, ``counts`` (n_cells, K + 1) hold the persons at every
    score. Scores nobody got are left out.
    """
    seen = counts[:, counts.sum(axis=0) > 0]
    used = seen.sum(axis=1) > 0
    seen, x = seen[used], columns[used]
    n_thresholds = seen.shape[1] - 1
    above = np.cumsum(seen.sum(axis=0)[::-1])[::-1][1:] / seen.sum()
    at = np.concatenate([np.log((1 - above) / above), np.zeros(x.shape[1])])

    def chances(point: FloatArray) -> tuple[FloatArray, FloatArray]:
        eta = (x @ point[n_thresholds:])[:, None] - point[:n_thresholds]
        reach = expit(eta)
        edges = np.concatenate([np.ones((x.shape[0], 1)), reach, np.zeros((x.shape[0], 1))], axis=1)
        return np.maximum(edges[:, :-1] - edges[:, 1:], LEAST_CHANCE), reach * (1 - reach)

    def value(point: FloatArray) -> float:
        if (np.diff(point[:n_thresholds]) <= 0).any() or np.abs(point).max() > FARTHEST:
            return -np.inf
        return float(np.sum(seen * np.log(chances(point)[0])))

    current = value(at)
    for _ in range(MOST_STEPS):
        chance, density = chances(at)
        slopes = _derivatives(x, density, n_thresholds)
        gradient = np.einsum("ck,ckp->p", seen / chance, slopes)
        information = np.einsum("ck,ckp,ckq->pq", seen.sum(axis=1)[:, None] / chance, slopes, slopes)
        step = np.linalg.lstsq(information, gradient, rcond=None)[0]
        if float(gradient @ step) < CONVERGED:
            break
        share = 1.0
        while not (gained := value(at + share * step)) >= current and share > SMALLEST_STEP:
            share /= 2
        if share <= SMALLEST_STEP:
            break
        at, current = at + share * step, gained
    return CumulativeFit(at[n_thresholds:], current, float(seen.sum()))


def _derivatives(x: FloatArray, density: FloatArray, n_thresholds: int) -> FloatArray:
    """Of every category's chance by thresholds and effects, (n_cells, K + 1, parameters)."""
    by_reach = np.concatenate([-density[:, :, None] * np.eye(n_thresholds), density[:, :, None] * x[:, None, :]], axis=2)
    edge = np.zeros((x.shape[0], 1, by_reach.shape[2]))
    edges = np.concatenate([edge, by_reach, edge], axis=1)
    return np.asarray(edges[:, :-1] - edges[:, 1:])
