"""K-means from many starts: all of them on a sample of the persons, the best one finished on everybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans

from edmeasure._validate import FloatArray, IntArray

SAMPLE = 20_000
SAME_INERTIA = 1e-4
TOLERANCE = 1e-7
MOST_STEPS = 500
SEEDS = 2**31 - 1


@dataclass(frozen=True, eq=False)
class KMeansFit:
    """Centres (K, J), shares of the persons, and minus the sum of squares within clusters as ``value``."""

    centres: FloatArray
    shares: FloatArray
    value: float
    n_starts: int
    n_agreeing: int
    converged: bool

    def nearest(self, values: FloatArray) -> IntArray:
        """The cluster of every person."""
        crossed = np.einsum("nj,kj->nk", values, self.centres)
        return np.asarray(np.argmin((self.centres**2).sum(axis=1) - 2 * crossed, axis=1), dtype=np.int64)

    def chances(self, values: FloatArray) -> FloatArray:
        """1 for the nearest cluster, 0 for the others, (n, K)."""
        return np.eye(self.centres.shape[0])[self.nearest(values)]


def fit_kmeans(values: FloatArray, weights: FloatArray, k: int, n_starts: int, rng: np.random.Generator) -> KMeansFit:
    """The best of ``n_starts`` runs of Lloyd's (1982) method from k-means++ starts (Arthur & Vassilvitskii 2007)."""
    some = slice(None) if values.shape[0] <= SAMPLE else np.sort(rng.choice(values.shape[0], SAMPLE, replace=False))
    runs = [_run(values[some], weights[some], k, int(seed)) for seed in rng.integers(SEEDS, size=n_starts)]
    best = min(runs, key=lambda run: float(run.inertia_))
    agreeing = sum(run.inertia_ <= best.inertia_ * (1 + SAME_INERTIA) for run in runs)
    if values.shape[0] > SAMPLE:
        best = _run(values, weights, k, 0, best.cluster_centers_)
    shares = np.bincount(best.labels_, weights=weights, minlength=k) / weights.sum()
    centres = np.asarray(best.cluster_centers_, dtype=np.float64)
    return KMeansFit(centres, shares, -float(best.inertia_), n_starts, int(agreeing), bool(best.n_iter_ < MOST_STEPS))


def _run(values: FloatArray, weights: FloatArray, k: int, seed: int, start: FloatArray | str = "k-means++") -> KMeans:
    model = KMeans(k, init=start, n_init=1, tol=TOLERANCE, max_iter=MOST_STEPS, random_state=seed)
    return model.fit(values, sample_weight=weights)
