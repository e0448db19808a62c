"""Abilities of persons as points: modes, chains and importance sampling, shared out to threads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import qmc

from edmeasure._loops import each, parts_of
from edmeasure._validate import FloatArray, Int8Array
from edmeasure.multidimensional import _person_kernels
from edmeasure.multidimensional._layout import Layout, Parameters
from edmeasure.multidimensional._person_kernels import PRIOR_SHARE, Items

LOG_POINTS = 7
REPLICATES = 8
WARMING_JUMPS = 30


def items_of(layout: Layout, parameters: Parameters) -> Items:
    """What the loops over persons need of a model."""
    n_dims = layout.loads.shape[1]
    sign, determinant = np.linalg.slogdet(parameters.correlations)
    assert sign > 0
    return Items(
        families=layout.families,
        starts=layout.starts,
        slopes=np.ascontiguousarray(parameters.slopes),
        intercepts=parameters.intercepts,
        precision=np.ascontiguousarray(np.linalg.inv(parameters.correlations)),
        root=np.ascontiguousarray(np.linalg.cholesky(parameters.correlations)),
        log_constant=float(-0.5 * (n_dims * np.log(2 * np.pi) + determinant)),
    )


@dataclass(frozen=True, eq=False)
class Persons:
    """Answer rows (n, J) and the items they were given to."""

    rows: Int8Array
    items: Items

    @property
    def n_dims(self) -> int:
        return int(self.items.slopes.shape[1])

    @cached_property
    def modes(self) -> tuple[FloatArray, FloatArray]:
        """Highest posterior points (n, D), and roots (n, D, D) of the inverse curvatures."""
        n, n_dims = self.rows.shape[0], self.n_dims
        modes, roots = np.zeros((n, n_dims)), np.empty((n, n_dims, n_dims))
        each(lambda part: _person_kernels.fill_modes(self.rows[part], self.items, modes[part], roots[part]), parts_of(n))
        return modes, roots

    def weighed(self, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Marginal log-likelihoods (n,), posterior means (n, D) and covariances (n, D, D) from scrambled Sobol points."""
        modes, roots = self.modes
        logs, mean, covariance = np.empty(modes.shape[0]), np.empty_like(modes), np.empty_like(roots)
        points, shifts = even_points(self.n_dims, rng), rng.random(modes.shape)
        n_prior = round(PRIOR_SHARE * points.shape[0])

        def fill(part: slice) -> None:
            own = (modes[part], roots[part])
            found = (logs[part], mean[part], covariance[part])
            _person_kernels.weigh(self.rows[part], self.items, *own, points, shifts[part], n_prior, *found)

        each(fill, parts_of(modes.shape[0]))
        return logs, mean, covariance

    def loglik(self, weights: FloatArray, rng: np.random.Generator) -> tuple[float, float, int]:
        """Marginal log-likelihood, its Monte Carlo error and the points per person, in all."""
        each_logs = np.stack([self.weighed(rng)[0] for _ in range(REPLICATES)])
        highest = each_logs.max(axis=0)
        together = highest + np.log(np.mean(np.exp(each_logs - highest), axis=0))
        totals = each_logs @ weights
        error = float(np.std(totals, ddof=1) / np.sqrt(REPLICATES))
        return float(together @ weights), error, REPLICATES * 2**LOG_POINTS

    def draws(self, n_values: int, gap: int, rng: np.random.Generator) -> FloatArray:
        """Draws (n_values, n, D) from every person's posterior: an independence chain, ``gap`` steps between draws."""
        modes, roots = self.modes
        n, n_dims = modes.shape
        theta, values = modes.copy(), np.full(n, -np.inf)
        drawn = np.empty((n_values, n, n_dims))
        for step in range(WARMING_JUMPS + gap * n_values):
            normals, uniforms = rng.standard_normal((n, n_dims)), rng.random((n, 2))

            def move(part: slice, normals: FloatArray = normals, uniforms: FloatArray = uniforms) -> int:
                at = (modes[part], roots[part], theta[part], values[part])
                return _person_kernels.jump(self.rows[part], self.items, *at, normals[part], uniforms[part])

            each(move, parts_of(n))
            done = step + 1 - WARMING_JUMPS
            if done > 0 and done % gap == 0:
                drawn[done // gap - 1] = theta
        return drawn


def even_points(n_dims: int, rng: np.random.Generator) -> FloatArray:
    """Scrambled Sobol points in the unit cube, in random order."""
    return np.ascontiguousarray(rng.permutation(qmc.Sobol(n_dims, scramble=True, seed=rng).random_base2(LOG_POINTS)))
