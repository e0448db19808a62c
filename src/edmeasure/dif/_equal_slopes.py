"""Groups whose items have the same slopes and intercepts of their own: maximum likelihood by EM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from edmeasure._validate import FloatArray, Int8Array, IntArray
from edmeasure.calibration import _common_slope
from edmeasure.calibration._em import Anderson, log_probabilities, quadrature

BLOCK = 4096
MOST_STEPS = 500
GAIN = 1e-9
LEAST_DEVIATION = 0.05


@dataclass(frozen=True, eq=False)
class EqualSlopes:
    """Slopes (J,), intercepts (G, C) with 0 for every first category, deviations (G,) of which the first is 1."""

    slopes: FloatArray
    intercepts: FloatArray
    deviations: FloatArray
    loglik: float
    converged: bool


@dataclass(frozen=True, eq=False)
class GroupedAnswers:
    """Scores, weights and group codes of persons; every category of every item is used in each group."""

    scores: Int8Array
    weights: FloatArray
    codes: IntArray
    category_start: IntArray
    n_groups: int

    def fit(self, start: EqualSlopes, *, n_nodes: int, bound: float) -> EqualSlopes:
        """EM (Bock & Zimowski 1997) with means of 0 in all groups, mixed by Anderson's method."""
        nodes, _ = quadrature(n_nodes, bound)
        mixing, current, safe, last = Anderson(), start, start, -np.inf
        for _ in range(MOST_STEPS):
            image, loglik = self._step(current, nodes)
            if loglik < last:
                mixing.clear()
                current = safe
                image, loglik = self._step(current, nodes)
            elif loglik - last < GAIN * abs(loglik):
                return EqualSlopes(current.slopes, current.intercepts, current.deviations, loglik, True)
            last, safe = loglik, image
            current = self._unpacked(mixing.push(_packed(current), _packed(image)))
        return EqualSlopes(current.slopes, current.intercepts, current.deviations, last, False)

    def _step(self, at: EqualSlopes, nodes: FloatArray) -> tuple[EqualSlopes, float]:
        """The next parameters, and the log-likelihood of these."""
        n_categories = int(self.category_start[-1])
        counts = np.zeros((self.n_groups, n_categories, nodes.size))
        deviations, loglik = np.ones(self.n_groups), 0.0
        for g in range(self.n_groups):
            log_probs = log_probabilities(at.slopes, at.intercepts[g], self.category_start, nodes)
            density = -0.5 * (nodes / at.deviations[g]) ** 2
            persons, value = self._expected(g, log_probs, density - logsumexp(density), counts[g])
            loglik += value
            spread = float(np.sqrt(np.sum(persons * nodes**2) / np.sum(persons)))
            deviations[g] = 1.0 if g == 0 else max(spread, LEAST_DEVIATION)
        slopes, intercepts = at.slopes.copy(), at.intercepts.copy()
        stacked, flat = counts.reshape(-1, nodes.size), intercepts.ravel()
        usable = np.ones(flat.size, dtype=np.bool_)
        for j in range(slopes.size):
            first, last = int(self.category_start[j]), int(self.category_start[j + 1])
            parts = tuple(slice(g * n_categories + first, g * n_categories + last) for g in range(self.n_groups))
            sharing = _common_slope.Sharing(parts, stacked, nodes, usable, np.zeros(3))
            slopes[j], flat = _common_slope.maximize(sharing, float(slopes[j]), flat)
        return EqualSlopes(slopes, flat.reshape(intercepts.shape), deviations, loglik, False), loglik

    def _expected(self, g: int, log_probs: FloatArray, log_density: FloatArray, counts: FloatArray) -> tuple[FloatArray, float]:
        """Adds expected answers of a group to ``counts``; expected persons per node and the log-likelihood."""
        members = np.flatnonzero(self.codes == g)
        persons, loglik = np.zeros(log_density.size), 0.0
        starts, sizes = self.category_start[:-1], np.diff(self.category_start)
        category = np.concatenate([np.arange(size) for size in sizes])
        item = np.repeat(np.arange(starts.size), sizes)
        for first in range(0, members.size, BLOCK):
            rows = members[first : first + BLOCK]
            chosen = (self.scores[rows][:, item] == category).astype(np.float64)
            logs = chosen @ log_probs + log_density
            total = logsumexp(logs, axis=1, keepdims=True)
            posterior = np.exp(logs - total) * self.weights[rows, None]
            counts += chosen.T @ posterior
            persons += posterior.sum(axis=0)
            loglik += float(np.sum(self.weights[rows] * total[:, 0]))
        return persons, loglik

    def _unpacked(self, vector: FloatArray) -> EqualSlopes:
        n_items, n_categories = self.category_start.size - 1, int(self.category_start[-1])
        slopes, flat, logs = np.split(vector, [n_items, n_items + self.n_groups * n_categories])
        deviations = np.concatenate([[1.0], np.exp(logs)])
        return EqualSlopes(slopes, flat.reshape(self.n_groups, n_categories), deviations, -np.inf, False)


def _packed(found: EqualSlopes) -> FloatArray:
    return np.concatenate([found.slopes, found.intercepts.ravel(), np.log(found.deviations[1:])])
