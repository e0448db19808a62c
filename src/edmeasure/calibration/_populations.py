"""Ability distributions of one or more groups on common nodes, and their M-step.

A normal density is cut off at the outer nodes and normalised on them; its M-step finds the mean
and deviation whose cut-off moments are the expected ones, so that no step lowers the likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.calibration._evidence import Evidence, Expected

MATCHING_STEPS = 50
MATCHED = 1e-13
EDGE = 1.001


@dataclass(frozen=True, eq=False)
class Populations:
    """Groups of persons; normal densities (of ``free`` groups estimated) or histograms.

    ``codes`` (n_persons,) are empty where the persons are not in memory.
    """

    evidence: Evidence
    codes: IntArray
    free: BoolArray
    is_histogram: bool

    @property
    def n_groups(self) -> int:
        return int(self.free.size)

    @property
    def n_scored(self) -> int:
        """Latent parameters that get standard errors."""
        return 0 if self.is_histogram else 2 * int(self.free.sum())

    def start(self, nodes: FloatArray) -> FloatArray:
        """Standard normal densities: mean and log deviation of free groups, or roots of histograms."""
        if not self.is_histogram:
            return np.zeros(2 * int(self.free.sum()))
        return np.asarray(np.sqrt(np.tile(normal_weights(nodes, 0.0, 1.0), self.n_groups)))

    def moments(self, latent: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and deviation of every normal group."""
        means, deviations = np.zeros(self.n_groups), np.ones(self.n_groups)
        means[self.free] = latent[0::2]
        deviations[self.free] = np.exp(latent[1::2])
        return means, deviations

    def within_bounds(self, latent: FloatArray, nodes: FloatArray) -> FloatArray:
        """Means and log deviations that the nodes can hold: beyond, all weights would vanish."""
        if self.is_histogram:
            return latent
        kept, (low, high) = latent.copy(), limits(nodes)
        kept[0::2] = np.clip(latent[0::2], nodes[0], nodes[-1])
        kept[1::2] = np.clip(latent[1::2], np.log(low), np.log(high))
        return kept

    def at_bound(self, latent: FloatArray, nodes: FloatArray) -> BoolArray:
        """Normal groups whose mean or deviation the nodes cannot hold."""
        if self.is_histogram:
            return np.zeros(self.n_groups, dtype=np.bool_)
        (low, high), (means, deviations) = limits(nodes), self.moments(latent)
        return np.asarray((deviations <= low * EDGE) | (deviations >= high / EDGE) | (np.abs(means) >= nodes[-1] / EDGE))

    def weights(self, latent: FloatArray, nodes: FloatArray) -> FloatArray:
        """Weights of the nodes in every group, (n_groups, n_nodes)."""
        if self.is_histogram:
            squares = latent.reshape(self.n_groups, nodes.size) ** 2
            return np.asarray(squares / squares.sum(axis=1, keepdims=True))
        return np.stack([normal_weights(nodes, mean, sd) for mean, sd in zip(*self.moments(latent), strict=True)])

    def expect(self, log_probs: FloatArray, latent: FloatArray, nodes: FloatArray) -> Expected:
        """Expected answers, log-likelihood, and expected persons (n_groups, n_nodes)."""
        return self.evidence.expect_groups(log_probs, self.weights(latent, nodes))

    def updated(self, latent: FloatArray, persons: FloatArray, nodes: FloatArray) -> FloatArray:
        """M-step from the expected persons."""
        shares = persons / persons.sum(axis=1, keepdims=True)
        if self.is_histogram:
            return np.asarray(np.sqrt(shares).ravel())
        means, deviations = self.moments(latent)
        found = [_matched(share, nodes, means[g], deviations[g]) for g, share in enumerate(shares) if self.free[g]]
        return np.asarray(found, dtype=np.float64).ravel()

    def derivatives(self, latent: FloatArray, nodes: FloatArray) -> FloatArray:
        """Derivatives of the log node weights by mean and log deviation, (n_free, 2, n_nodes)."""
        means, deviations = self.moments(latent)
        found = np.empty((int(self.free.sum()), 2, nodes.size))
        for at, g in enumerate(np.flatnonzero(self.free)):
            weights = normal_weights(nodes, means[g], deviations[g])
            z = (nodes - means[g]) / deviations[g]
            found[at, 0] = (z - np.sum(weights * z)) / deviations[g]
            found[at, 1] = z**2 - np.sum(weights * z**2)
        return found


def normal_weights(nodes: FloatArray, mean: float, sd: float) -> FloatArray:
    """Normal density at the nodes, summing to one."""
    density = np.exp(-0.5 * ((nodes - mean) / sd) ** 2)
    return np.asarray(density / density.sum())


def _matched(share: FloatArray, nodes: FloatArray, mean: float, sd: float) -> tuple[float, float]:
    """Mean and log deviation of the cut-off normal density that has the moments of ``share``."""
    wanted = float(np.sum(share * nodes))
    variance = float(np.sum(share * (nodes - wanted) ** 2))
    low, high = limits(nodes)
    mean, sd = wanted, float(np.clip(np.sqrt(variance), low, high))
    for _ in range(MATCHING_STEPS):
        weights = normal_weights(nodes, mean, sd)
        has = float(np.sum(weights * nodes))
        spread = float(np.sum(weights * (nodes - has) ** 2))
        mean = float(np.clip(mean + wanted - has, nodes[0], nodes[-1]))
        sd = float(np.clip(sd * np.sqrt(variance / spread), low, high))
        if abs(wanted - has) < MATCHED and abs(variance / spread - 1.0) < MATCHED:
            break
    return mean, float(np.log(sd))


def limits(nodes: FloatArray) -> tuple[float, float]:
    """Deviations that the nodes can tell: from one step between them to the reach of all."""
    return float(nodes[1] - nodes[0]), float(nodes[-1] - nodes[0]) / 2.0
