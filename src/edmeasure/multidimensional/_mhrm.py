"""Metropolis-Hastings Robbins-Monro: calibration with any number of abilities.

Source: Cai (2010), Psychometrika 75 and JEBS 35: abilities are drawn from their posteriors by a
Metropolis chain, the complete-data gradient is turned by a filtered complete-data information, and
steps shrink. Parameters are averaged over the last stage (Polyak & Juditsky 1992), whose batch
means tell their Monte Carlo error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edmeasure import _linear
from edmeasure._loops import each, parts_of
from edmeasure._validate import FloatArray, IntArray
from edmeasure.errors import BadOption
from edmeasure.multidimensional import _climb, _item_kernels, _person_kernels
from edmeasure.multidimensional._layout import ITEM_STRIPES, Layout, Parameters
from edmeasure.multidimensional._sampling import Persons, items_of
from edmeasure.multidimensional._setup import Sheets
from edmeasure.multidimensional.fits import Calibrated, SampledCertificate, extreme_items, negative_slopes

BURN_IN = 60
JUMPS = 2
REFRESHED = 20
DECAY = 0.65
BATCHES = 10
LOOK_EVERY = 100
SMALL_ERROR = 0.04
FEWEST_AVERAGED = 300
DRAWS_FOR_ERRORS = 100


class Chain:
    """Abilities of all persons on their way through their posteriors.

    An independence chain proposes from a normal at every person's posterior mode, found anew now
    and then as the parameters move, and from the prior; it is exact whatever the proposals.
    """

    def __init__(self, layout: Layout, sheets: Sheets, rng: np.random.Generator) -> None:
        self.layout, self.sheets, self.rng = layout, sheets, rng
        n, n_dims = sheets.rows.shape[0], layout.loads.shape[1]
        self.theta = rng.standard_normal((n, n_dims))
        self.modes, self.roots = np.zeros((n, n_dims)), np.empty((n, n_dims, n_dims))
        self.age: int = 0
        self.moved: int = 0

    def advance(self, parameters: Parameters) -> None:
        """A few steps of every person under these parameters."""
        items, rows = items_of(self.layout, parameters), self.sheets.rows
        parts, values = parts_of(rows.shape[0]), np.empty(rows.shape[0])
        if self.age % REFRESHED == 0:
            each(lambda at: _person_kernels.fill_modes(rows[at], items, self.modes[at], self.roots[at]), parts)

        def weigh(at: slice) -> None:
            _person_kernels.fill_log_weights(rows[at], items, self.modes[at], self.roots[at], self.theta[at], values[at])

        each(weigh, parts)
        for _ in range(JUMPS):
            normals, uniforms = self.rng.standard_normal(self.theta.shape), self.rng.random((rows.shape[0], 2))

            def step(at: slice, normals: FloatArray = normals, uniforms: FloatArray = uniforms) -> int:
                own = (self.modes[at], self.roots[at], self.theta[at], values[at])
                return _person_kernels.jump(rows[at], items, *own, normals[at], uniforms[at])

            self.moved += sum(each(step, parts))
        self.age += 1

    @property
    def acceptance(self) -> float:
        return self.moved / float(self.age * JUMPS * self.theta.shape[0])


def calibrate(
    layout: Layout,
    sheets: Sheets,
    start: Parameters,
    max_iterations: int,
    standard_errors: bool,
    rng: np.random.Generator | None,
) -> Calibrated:
    """Burn in and settle with whole steps, then average under shrinking ones until the Monte Carlo error is small."""
    if rng is None:
        raise BadOption("MHRM draws abilities at random.", remedy="Pass rng, or use up to three abilities with EM.")
    if max_iterations < BURN_IN + BATCHES:
        raise BadOption(f"max_iterations is {max_iterations}.", remedy=f"Use more than {BURN_IN + BATCHES}.")
    chain = Chain(layout, sheets, rng)
    ascent = Ascent(chain, start)
    for _ in range(BURN_IN):
        ascent.step(1.0)
    path = ascent.average(max_iterations - BURN_IN)
    parameters = layout.parameters(path.mean)
    covariance, is_maximum, gradient = Louis(ascent, parameters).finished(standard_errors)
    errors = ascent.complete_errors() if covariance is None or not is_maximum else np.sqrt(np.diag(covariance))
    loglik, error, n_points = Persons(sheets.rows, items_of(layout, parameters)).loglik(sheets.row_weights, rng)
    evidence = SampledCertificate(
        gradient_norm=gradient,
        last_change=path.last_change,
        parameter_error=float(np.sqrt(np.mean((path.error / errors) ** 2))),
        acceptance=chain.acceptance,
        loglik_error=error,
        n_points=n_points,
        is_maximum=is_maximum,
        negative_slopes=negative_slopes(sheets, layout, parameters),
        extreme_items=extreme_items(sheets, layout, parameters),
    )
    n_iterations = BURN_IN + path.n_iterations
    return Calibrated(parameters, covariance, loglik, error, n_iterations, path.converged, evidence, ())


@dataclass(frozen=True, eq=False)
class Path:
    """Parameters of the last stage: their mean, its Monte Carlo error from batches, and how the stage ended."""

    mean: FloatArray
    error: FloatArray
    last_change: float
    converged: bool
    n_iterations: int


class Ascent:
    """Parameters that climb the complete-data likelihood of ever new draws."""

    def __init__(self, chain: Chain, start: Parameters) -> None:
        self.chain, self.layout, self.parameters = chain, chain.layout, start
        rows, weights = chain.sheets.rows, chain.sheets.row_weights
        tops = np.diff(self.layout.starts)
        self.counts = [
            np.ascontiguousarray((rows[:, j] == np.arange(tops[j])[:, None]) * weights) for j in range(self.layout.n_items)
        ]
        sizes = [self.layout.own(start, j).size for j in range(self.layout.n_items)]
        self.information = [np.zeros((size, size)) for size in sizes]
        self.latent_information = np.empty((0, 0))
        self.is_first = True

    def step(self, gain: float) -> float:
        """One draw of abilities and one move of the parameters; the largest change."""
        self.chain.advance(self.parameters)
        by_dim = np.ascontiguousarray(self.chain.theta.T)
        moved = Parameters(
            self.parameters.slopes.copy(),
            self.parameters.intercepts.copy(),
            self.parameters.correlations.copy(),
            self.parameters.spreads,
        )
        changes = np.zeros(self.layout.n_items)
        filtering = 1.0 if self.is_first else gain

        def climb(stripe: int) -> None:
            for j in range(stripe, self.layout.n_items, ITEM_STRIPES):
                changes[j] = self._move_item(j, by_dim, moved, gain, filtering)

        each(climb, list(range(min(ITEM_STRIPES, self.layout.n_items))))
        change = float(changes.max())
        if len(self.layout.pairs):
            change = max(change, self._move_correlations(moved, gain, filtering))
        self.parameters, self.is_first = moved, False
        return change

    def _move_item(self, j: int, by_dim: FloatArray, moved: Parameters, gain: float, filtering: float) -> float:
        layout, part, size = self.layout, self.layout.parts[j], self.layout.dims[j].size
        own, nodes = layout.own(self.parameters, j), np.ascontiguousarray(by_dim[layout.dims[j]])
        family, usable = int(layout.families[j]), layout.usable[part]
        change = _item_kernels.move_item(
            family, self.counts[j], nodes, own, usable, layout.precision, self.information[j], gain, filtering
        )
        moved.slopes[j, layout.dims[j]] = own[:size]
        moved.intercepts[part.start + 1 : part.stop] = own[size:]
        return float(change)

    def _move_correlations(self, moved: Parameters, gain: float, filtering: float) -> float:
        first, second = self.layout.pairs.T
        weights = self.chain.sheets.row_weights
        squares = _linear.weighted_gram(self.chain.theta, weights)
        precision = np.linalg.inv(self.parameters.correlations)
        n = float(weights.sum())
        gradient = (precision @ squares @ precision - n * precision)[first, second]
        crossed = precision[np.ix_(first, first)] * precision[np.ix_(second, second)]
        information = n * (crossed + precision[np.ix_(first, second)] * precision[np.ix_(second, first)])
        before = self.latent_information if self.latent_information.size else information
        self.latent_information = before + filtering * (information - before)
        step = gain * np.linalg.solve(self.latent_information, gradient)
        while True:
            trial = self.parameters.correlations.copy()
            trial[first, second] += step
            trial[second, first] = trial[first, second]
            if np.linalg.eigvalsh(trial)[0] > 1e-3:
                break
            step = step / 2
        moved.correlations = trial
        return float(np.abs(step).max())

    def average(self, most: int) -> Path:
        """Shrinking steps until the mean of the last three quarters has a small Monte Carlo error."""
        points: list[FloatArray] = []
        change = np.inf
        for k in range(1, most + 1):
            change = self.step((k + 1.0) ** -DECAY)
            points.append(self.layout.vector(self.parameters))
            if k % LOOK_EVERY == 0 or k == most:
                kept = np.array(points[k // 4 :])
                batches = np.array([batch.mean(axis=0) for batch in np.array_split(kept, BATCHES)])
                error = batches.std(axis=0, ddof=1) / np.sqrt(BATCHES)
                small = np.sqrt(np.mean((error / self.complete_errors()) ** 2)) < SMALL_ERROR
                converged = bool(small) and k >= FEWEST_AVERAGED
                if converged or k == most:
                    break
        return Path(kept.mean(axis=0), error, change, converged, k)

    def complete_errors(self) -> FloatArray:
        """Standard errors that the parameters would have if the abilities were known."""
        slopes, intercepts = np.ones(self.layout.loads.shape), np.ones(self.layout.usable.size)
        for j, part in enumerate(self.layout.parts):
            own = np.sqrt(np.diag(np.linalg.inv(_whole(self.information[j]))))
            size = self.layout.dims[j].size
            slopes[j, self.layout.dims[j]] = own[:size]
            intercepts[part.start + 1 : part.stop] = own[size:]
        pairs = np.sqrt(np.diag(np.linalg.inv(self.latent_information))) if len(self.layout.pairs) else np.empty(0)
        return np.concatenate([slopes[self.layout.free_slopes], intercepts[self.layout.free_intercepts], pairs])


def _whole(lower: FloatArray) -> FloatArray:
    """A symmetric matrix from its lower half."""
    return np.asarray(np.tril(lower) + np.tril(lower, -1).T)


@dataclass(frozen=True, eq=False)
class Louis:
    """Draws at fixed parameters, and what they say about gradient and information."""

    ascent: Ascent
    parameters: Parameters

    def finished(self, standard_errors: bool) -> tuple[FloatArray | None, bool | None, float]:
        """Covariance of the parameters (Louis 1982), whether it is one, and the largest gradient in its sampling errors."""
        chain, layout = self.ascent.chain, self.ascent.layout
        weights, size = chain.sheets.row_weights, layout.n_parameters
        total, crossed = np.zeros((size, size)), np.zeros((size, size))
        mean, gradients = np.zeros((chain.theta.shape[0], size)), np.empty((DRAWS_FOR_ERRORS, size))
        pull = np.zeros(size)
        n_slopes = int(layout.free_slopes.sum())
        pull[:n_slopes] = layout.precision * layout.vector(self.parameters)[:n_slopes]
        for m in range(DRAWS_FOR_ERRORS):
            chain.advance(self.parameters)
            scores = self._scores()
            gradients[m] = np.einsum("i,ip->p", weights, scores) - pull
            if standard_errors:
                total += self._complete_information()
                crossed += _linear.weighted_gram(scores, weights)
                mean += scores / DRAWS_FOR_ERRORS
        batches = np.array([batch.mean(axis=0) for batch in np.array_split(gradients, BATCHES)])
        noise = batches.std(axis=0, ddof=1) / np.sqrt(BATCHES)
        gradient = float(np.abs(gradients.mean(axis=0) / np.maximum(noise, 1e-300)).max(initial=0.0))
        if not standard_errors:
            return None, None, gradient
        missing = (crossed - DRAWS_FOR_ERRORS * _linear.weighted_gram(mean, weights)) / (DRAWS_FOR_ERRORS - 1)
        covariance, is_maximum = _climb.covariance_of(total / DRAWS_FOR_ERRORS - missing)
        return covariance, is_maximum, gradient

    def _own_columns(self, j: int) -> IntArray:
        """Where an item's slopes and intercepts lie in the vector; -1 for intercepts that are fixed."""
        layout, part = self.ascent.layout, self.ascent.layout.parts[j]
        slopes = np.cumsum(layout.free_slopes.ravel()).reshape(layout.loads.shape)[j, layout.dims[j]] - 1
        intercepts = int(layout.free_slopes.sum()) + np.cumsum(layout.free_intercepts)[part][1:] - 1
        return np.concatenate([slopes, np.where(layout.free_intercepts[part][1:], intercepts, -1)])

    def _scores(self) -> FloatArray:
        """Derivatives of every person's complete log-likelihood (n, n_parameters) at the abilities drawn last."""
        chain, layout = self.ascent.chain, self.ascent.layout
        scores = np.zeros((chain.theta.shape[0], layout.n_parameters))
        by_dim = np.ascontiguousarray(chain.theta.T)

        def fill(stripe: int) -> None:
            for j in range(stripe, layout.n_items, ITEM_STRIPES):
                own, nodes = layout.own(self.parameters, j), np.ascontiguousarray(by_dim[layout.dims[j]])
                found, columns = np.empty((scores.shape[0], own.size)), self._own_columns(j)
                answers = np.ascontiguousarray(chain.sheets.rows[:, j])
                _item_kernels.fill_scores(int(layout.families[j]), answers, nodes, own, layout.usable[layout.parts[j]], found)
                scores[:, columns[columns >= 0]] = found[:, columns >= 0]

        each(fill, list(range(min(ITEM_STRIPES, layout.n_items))))
        if len(layout.pairs):
            first, second = layout.pairs.T
            precision = np.linalg.inv(self.parameters.correlations)
            turned = np.einsum("nd,de->ne", chain.theta, precision)
            scores[:, -first.size :] = turned[:, first] * turned[:, second] - precision[first, second]
        return scores

    def _complete_information(self) -> FloatArray:
        """Negative second derivatives of the complete log-likelihood at the abilities drawn last."""
        chain, layout = self.ascent.chain, self.ascent.layout
        total = np.zeros((layout.n_parameters, layout.n_parameters))
        by_dim = np.ascontiguousarray(chain.theta.T)
        for j in range(layout.n_items):
            own, columns = layout.own(self.parameters, j), self._own_columns(j)
            gradient, lower = np.empty(own.size), np.empty((own.size, own.size))
            nodes, usable = np.ascontiguousarray(by_dim[layout.dims[j]]), layout.usable[layout.parts[j]]
            family = int(layout.families[j])
            _item_kernels.objective(family, self.ascent.counts[j], nodes, own, usable, layout.precision, gradient, lower)
            full, is_free = _whole(lower), columns >= 0
            total[np.ix_(columns[is_free], columns[is_free])] = full[np.ix_(is_free, is_free)]
        if len(layout.pairs):
            size = len(layout.pairs)
            total[-size:, -size:] = self._latent_information()
        return total

    def _latent_information(self) -> FloatArray:
        """Exact second derivatives of the abilities' log density by their correlations."""
        layout, weights = self.ascent.layout, self.ascent.chain.sheets.row_weights
        precision = np.linalg.inv(self.parameters.correlations)
        squares = precision @ _linear.weighted_gram(self.ascent.chain.theta, weights) @ precision
        n = float(weights.sum())
        found = np.empty((len(layout.pairs), len(layout.pairs)))
        for at, (a, b) in enumerate(layout.pairs.tolist()):
            for to, (c, d) in enumerate(layout.pairs.tolist()):
                turned = precision[a, c] * squares[b, d] + precision[a, d] * squares[b, c]
                turned += precision[b, c] * squares[a, d] + precision[b, d] * squares[a, c]
                found[at, to] = turned - n * (precision[a, c] * precision[b, d] + precision[a, d] * precision[b, c])
        return found
