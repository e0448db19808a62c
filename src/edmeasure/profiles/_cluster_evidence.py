"""Evidence for a number of clusters: gap, silhouette, information criteria, bootstrap tests, stability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from sklearn.metrics import adjusted_rand_score, silhouette_score

from edmeasure._validate import FloatArray, IntArray
from edmeasure.profiles._mixture import MixtureFit

SILHOUETTE_SAMPLE = 2_000
REPLICATION_STARTS = 5
CERTAIN = 1e-300


class Fit(Protocol):
    """Clusters found: ``value`` is the greater the better."""

    @property
    def centres(self) -> FloatArray: ...
    @property
    def shares(self) -> FloatArray: ...
    @property
    def value(self) -> float: ...
    @property
    def n_starts(self) -> int: ...
    @property
    def n_agreeing(self) -> int: ...
    @property
    def converged(self) -> bool: ...
    def nearest(self, values: FloatArray) -> IntArray: ...
    def chances(self, values: FloatArray) -> FloatArray: ...


Fitter = Callable[[FloatArray, FloatArray, int, int, np.random.Generator], Fit]


@dataclass(frozen=True, eq=False)
class Stability:
    """Mean adjusted Rand index of a clustering with those of bootstrap samples, and mean Jaccard index by cluster."""

    rand: float
    jaccard: FloatArray


def gaps(
    values: FloatArray,
    weights: FloatArray,
    counts: IntArray,
    found: FloatArray,
    fit: Fitter,
    n_replications: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Gap statistic and its error for every number of clusters (Tibshirani, Walther & Hastie 2001).

    ``found`` are the sums of squares within clusters; the reference is even over the box along the
    principal axes of the values.
    """
    mean = np.average(values, axis=0, weights=weights)
    axes = np.linalg.svd(values - mean, full_matrices=False)[2]
    turned = (values - mean) @ axes.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    logs = np.empty((n_replications, counts.size))
    for at in range(n_replications):
        even = rng.uniform(low, high, size=values.shape) @ axes
        logs[at] = [np.log(-fit(even, weights, int(k), REPLICATION_STARTS, rng).value) for k in counts]
    error = logs.std(axis=0) * np.sqrt(1 + 1 / n_replications)
    return logs.mean(axis=0) - np.log(found), error


def silhouette(values: FloatArray, clusters: IntArray, rng: np.random.Generator) -> float:
    """Mean silhouette (Rousseeuw 1987) over at most 2,000 persons; NaN for one cluster."""
    some = rng.permutation(values.shape[0])[:SILHOUETTE_SAMPLE]
    if np.unique(clusters[some]).size < 2 or np.unique(clusters[some]).size == some.size:
        return float("nan")
    return float(silhouette_score(values[some], clusters[some]))


def stability(
    values: FloatArray, weights: FloatArray, found: Fit, fit: Fitter, n_replications: int, rng: np.random.Generator
) -> Stability:
    """How far bootstrap samples put the same persons together (Hubert & Arabie 1985; Hennig 2007)."""
    k = found.shares.size
    if k == 1 or n_replications == 0:
        return Stability(1.0 if k == 1 else float("nan"), np.ones(k) if k == 1 else np.full(k, np.nan))
    own = found.nearest(values)
    rand, jaccard = np.empty(n_replications), np.empty((n_replications, k))
    for at in range(n_replications):
        rows = np.sort(rng.integers(values.shape[0], size=values.shape[0]))
        other = fit(values[rows], weights[rows], k, REPLICATION_STARTS, rng).nearest(values)
        rand[at] = adjusted_rand_score(own, other)
        together = np.zeros((k, k))
        np.add.at(together, (own, other), weights)
        either = together.sum(axis=1)[:, None] + together.sum(axis=0) - together
        jaccard[at] = (together / np.maximum(either, CERTAIN)).max(axis=1)
    return Stability(float(rand.mean()), jaccard.mean(axis=0))


def entropy(chances: FloatArray, weights: FloatArray) -> float:
    """Relative entropy: 1 where every person's class is certain (Ramaswamy et al. 1993)."""
    k = chances.shape[1]
    if k == 1:
        return 1.0
    disorder = -np.sum(chances * np.log(np.maximum(chances, CERTAIN)), axis=1)
    return 1 - float((weights * disorder).sum() / (weights.sum() * np.log(k)))


def bootstrap_test(
    values: FloatArray,
    weights: FloatArray,
    smaller: MixtureFit,
    fit: Callable[[FloatArray, FloatArray, int, int, np.random.Generator], MixtureFit],
    n_replications: int,
    rng: np.random.Generator,
) -> float:
    """Chance of so great a gain by one more class where there is none (McLachlan 1987), by drawing from the smaller model."""
    k = smaller.shares.size

    def gain(drawn: FloatArray) -> float:
        few, more = (fit(drawn, weights, size, REPLICATION_STARTS, rng).value for size in (k, k + 1))
        return more - few

    observed = gain(values)
    reached = 0
    for _ in range(n_replications):
        classes = rng.choice(k, size=values.shape[0], p=smaller.shares / smaller.shares.sum())
        drawn = smaller.centres[classes] + np.sqrt(smaller.variances[classes]) * rng.standard_normal(values.shape)
        drawn[np.isnan(values)] = np.nan
        reached += gain(drawn) >= observed
    return (1 + reached) / (1 + n_replications)
