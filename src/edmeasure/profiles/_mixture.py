"""Mixtures of normal densities without correlation inside a class: EM with weights and missing values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from edmeasure._validate import FloatArray, IntArray
from edmeasure.calibration._em import Anderson

SAMPLE = 20_000
SHORT_RUN, MOST_STEPS = 15, 3000
STARTS_PER_FINALIST = 10
GAIN, COARSE_GAIN = 1e-9, 1e-7
MOVE, COARSE_MOVE = 1e-4, 1e-2
SAME_LOGLIK = 1e-5
LEAST_VARIANCE = 1e-3
LEAST_SHARE = 1e-10
LOG_TWO_PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, eq=False)
class Measures:
    """Values with zeros for gaps, where they are, and the persons' weights."""

    filled: FloatArray
    present: FloatArray
    weights: FloatArray

    @classmethod
    def of(cls, values: FloatArray, weights: FloatArray) -> Measures:
        present = ~np.isnan(values)
        return cls(np.where(present, values, 0.0), present.astype(np.float64), weights)

    def part(self, rows: IntArray) -> Measures:
        return Measures(self.filled[rows], self.present[rows], self.weights[rows])


@dataclass(frozen=True, eq=False)
class MixtureFit:
    """Centres and variances (K, J), shares (K,), and the log-likelihood as ``value``."""

    centres: FloatArray
    variances: FloatArray
    shares: FloatArray
    value: float
    n_starts: int
    n_agreeing: int
    converged: bool

    def log_densities(self, measures: Measures) -> FloatArray:
        """Log share x density of every person in every class, (n, K); what is missing is left out."""
        precision = 1 / self.variances
        constant = -0.5 * (self.centres**2 * precision + np.log(self.variances) + LOG_TWO_PI)
        found = measures.present @ constant.T + measures.filled @ (self.centres * precision).T
        found -= 0.5 * measures.filled**2 @ precision.T
        return np.asarray(found + np.log(np.maximum(self.shares, LEAST_SHARE)))

    def chances(self, values: FloatArray) -> FloatArray:
        """Posterior probabilities of the classes, (n, K)."""
        logs = self.log_densities(Measures.of(values, np.ones(values.shape[0])))
        return np.asarray(np.exp(logs - logsumexp(logs, axis=1, keepdims=True)))

    def nearest(self, values: FloatArray) -> IntArray:
        """The most likely class of every person."""
        return np.asarray(np.argmax(self.chances(values), axis=1), dtype=np.int64)


@dataclass(frozen=True)
class MixtureFitter:
    """Maximum likelihood from many starts; ``is_shared`` gives all classes the same variances, ``is_coarse`` stops early."""

    is_shared: bool
    is_coarse: bool = False

    def __call__(self, values: FloatArray, weights: FloatArray, k: int, n_starts: int, rng: np.random.Generator) -> MixtureFit:
        """Short runs from all starts on a sample, the best tenth to the end, the best one on everybody."""
        measures = Measures.of(values, weights)
        is_large = values.shape[0] > SAMPLE
        sampled = measures.part(np.sort(rng.choice(values.shape[0], SAMPLE, replace=False))) if is_large else measures
        starts = [self._run(sampled, _start(sampled, k, rng), SHORT_RUN) for _ in range(n_starts)]
        starts.sort(key=lambda fit: -fit.value)
        ends = [
            self._run(sampled, start, MOST_STEPS) for start in starts[: 1 + (n_starts - 1) // STARTS_PER_FINALIST if k > 1 else 1]
        ]
        best = max(ends, key=lambda fit: fit.value)
        allowed = SAME_LOGLIK * max(1.0, abs(best.value))
        agreeing = sum(best.value - fit.value <= allowed for fit in ends)
        if is_large:
            best = self._run(measures, best, MOST_STEPS)
        return MixtureFit(best.centres, best.variances, best.shares, best.value, len(ends), agreeing, best.converged)

    def n_parameters(self, k: int, n_columns: int) -> int:
        return k - 1 + k * n_columns + (n_columns if self.is_shared else k * n_columns)

    def _run(self, measures: Measures, start: MixtureFit, most_steps: int) -> MixtureFit:
        """EM (Dempster, Laird & Rubin 1977), mixed by Anderson's method; a step that loses is taken back."""
        floor = LEAST_VARIANCE * _variances(measures)
        gain, move = (COARSE_GAIN, COARSE_MOVE) if self.is_coarse else (GAIN, MOVE)
        mixing, fit, safe, previous = Anderson(), start, start, -np.inf
        for _ in range(most_steps):
            image, value = self._step(measures, fit, floor)
            if value < previous:
                mixing.clear()
                fit = safe
                image, value = self._step(measures, fit, floor)
            elif value - previous < gain * abs(value) and np.abs(_vector(image) - _vector(fit)).max() < move:
                return _valued(image, value, converged=True)
            previous, safe = value, image
            fit = _fit_of(mixing.push(_vector(fit), _vector(image)), image, floor)
        return _valued(image, value, converged=False)

    def _step(self, measures: Measures, fit: MixtureFit, floor: FloatArray) -> tuple[MixtureFit, float]:
        """The next fit, and the log-likelihood of this one."""
        logs = fit.log_densities(measures)
        total = logsumexp(logs, axis=1, keepdims=True)
        weighted = np.exp(logs - total) * measures.weights[:, None]
        mass = weighted.T @ measures.present
        sums = weighted.T @ measures.filled
        squares = weighted.T @ measures.filled**2
        centres = np.where(mass > LEAST_SHARE, sums / np.maximum(mass, LEAST_SHARE), fit.centres)
        around = squares - 2 * centres * sums + centres**2 * mass
        if self.is_shared:
            pooled = around.sum(axis=0) / mass.sum(axis=0)
            variances = np.tile(np.maximum(pooled, floor), (mass.shape[0], 1))
        else:
            variances = np.maximum(around / np.maximum(mass, LEAST_SHARE), floor)
        shares = weighted.sum(axis=0) / measures.weights.sum()
        value = float((measures.weights * total[:, 0]).sum())
        return MixtureFit(centres, variances, shares, value, 1, 1, False), value


def _vector(fit: MixtureFit) -> FloatArray:
    """Parameters on scales without bounds."""
    logs = np.log(np.maximum(fit.shares, LEAST_SHARE))
    return np.concatenate([logs, fit.centres.ravel(), np.log(fit.variances).ravel()])


def _fit_of(vector: FloatArray, like: MixtureFit, floor: FloatArray) -> MixtureFit:
    k, n_columns = like.centres.shape
    logs, centres, variances = np.split(vector, [k, k + k * n_columns])
    shares = np.exp(logs - logsumexp(logs))
    bounded = np.maximum(np.exp(variances.reshape(k, n_columns)), floor)
    return MixtureFit(centres.reshape(k, n_columns), bounded, shares, like.value, 1, 1, False)


def _valued(fit: MixtureFit, value: float, *, converged: bool) -> MixtureFit:
    return MixtureFit(fit.centres, fit.variances, fit.shares, value, 1, 1, converged)


def _variances(measures: Measures) -> FloatArray:
    w = measures.weights[:, None] * measures.present
    mean = (w * measures.filled).sum(axis=0) / w.sum(axis=0)
    return np.asarray((w * (measures.filled - mean) ** 2).sum(axis=0) / w.sum(axis=0))


def _start(measures: Measures, k: int, rng: np.random.Generator) -> MixtureFit:
    """Centres at persons far from each other (k-means++), everybody's variances."""
    w = measures.weights[:, None] * measures.present
    mean = (w * measures.filled).sum(axis=0) / w.sum(axis=0)
    variances = _variances(measures)
    whole = np.where(measures.present > 0, measures.filled, mean)
    chosen = [int(rng.choice(whole.shape[0], p=measures.weights / measures.weights.sum()))]
    apart = np.full(whole.shape[0], np.inf)
    for _ in range(k - 1):
        apart = np.minimum(apart, ((whole - whole[chosen[-1]]) ** 2 / variances).sum(axis=1))
        chance = measures.weights * apart
        chosen.append(int(rng.choice(whole.shape[0], p=chance / chance.sum())))
    return MixtureFit(whole[chosen], np.tile(variances, (k, 1)), np.full(k, 1 / k), -np.inf, 1, 1, False)
