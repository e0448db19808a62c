"""Which parameters a model of several abilities estimates, and how they lie in one vector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edmeasure._loops import each
from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.calibration import _em
from edmeasure.multidimensional import _item_kernels
from edmeasure.multidimensional._item_kernels import GRADED, NEVER, PARTIAL

ITEM_STRIPES = 8
TESTLET_ROUNDS = 2


@dataclass(eq=False)
class Parameters:
    """Slopes (J, D), flat intercepts (first of every item 0), correlations of the abilities (D, D).

    In a testlet model ``spreads`` (S,) are what the slopes of specific factors are of the general ones.
    """

    slopes: FloatArray
    intercepts: FloatArray
    correlations: FloatArray
    spreads: FloatArray


@dataclass(eq=False)
class Expected:
    """Of an E-step: expected answers of every item (K + 1, n_nodes), persons at the nodes, log-likelihood with the prior."""

    counts: list[FloatArray]
    persons: FloatArray
    loglik: float


@dataclass(frozen=True, eq=False)
class Layout:
    """Families, categories and loading pattern of the calibrated items, and the pairs of free correlations (P, 2).

    ``testlets`` names the specific factor of every item (-1 for none) whose slopes are proportional
    to the general ones, and is None in every other model.
    """

    families: IntArray
    starts: IntArray
    usable: BoolArray
    loads: BoolArray
    pairs: IntArray
    precision: float = 0.0
    testlets: IntArray | None = None

    @cached_property
    def parts(self) -> list[slice]:
        return _em.item_parts(self.starts)

    @cached_property
    def dims(self) -> list[IntArray]:
        """The abilities every item depends on."""
        return [np.flatnonzero(row) for row in self.loads]

    @cached_property
    def free_intercepts(self) -> BoolArray:
        return self.usable & (_em.categories(self.starts)[1] > 0)

    @property
    def n_items(self) -> int:
        return int(self.loads.shape[0])

    @property
    def n_spreads(self) -> int:
        return 0 if self.testlets is None else int(self.testlets.max(initial=-1)) + 1

    @cached_property
    def free_slopes(self) -> BoolArray:
        """Slopes that are parameters: all that load, or only the general ones of a testlet model."""
        if self.testlets is None:
            return self.loads
        free = np.zeros_like(self.loads)
        free[:, 0] = True
        return free

    @property
    def n_parameters(self) -> int:
        return int(self.free_slopes.sum() + self.free_intercepts.sum()) + len(self.pairs) + self.n_spreads

    def vector(self, parameters: Parameters) -> FloatArray:
        """Slopes, intercepts, correlations, spreads."""
        return np.concatenate(
            [
                parameters.slopes[self.free_slopes],
                parameters.intercepts[self.free_intercepts],
                parameters.correlations[self.pairs[:, 0], self.pairs[:, 1]],
                parameters.spreads,
            ]
        )

    def parameters(self, vector: FloatArray) -> Parameters:
        """The same parameters unfolded."""
        n_slopes, n_intercepts = int(self.free_slopes.sum()), int(self.free_intercepts.sum())
        bounds = np.cumsum([n_slopes, n_intercepts, len(self.pairs)])
        slope_part, intercept_part, pair_part, spreads = np.split(vector, bounds)
        slopes = np.zeros(self.loads.shape)
        slopes[self.free_slopes] = slope_part
        intercepts = np.where(self.usable, 0.0, NEVER)
        intercepts[self.free_intercepts] = intercept_part
        correlations = np.eye(self.loads.shape[1])
        correlations[self.pairs[:, 0], self.pairs[:, 1]] = pair_part
        correlations[self.pairs[:, 1], self.pairs[:, 0]] = pair_part
        found = Parameters(slopes, intercepts, correlations, spreads.copy())
        if self.testlets is not None:
            spread_slopes(self.testlets, found)
        return found

    def own(self, parameters: Parameters, j: int) -> FloatArray:
        """One item's slopes and intercepts."""
        part = self.parts[j]
        return np.concatenate([parameters.slopes[j, self.dims[j]], parameters.intercepts[part.start + 1 : part.stop]])

    def log_prior(self, parameters: Parameters) -> float:
        """Log density, up to a constant, of the slopes' normal prior."""
        return -0.5 * self.precision * float(np.sum(parameters.slopes[self.free_slopes] ** 2))

    def log_probs(self, parameters: Parameters, j: int, nodes: FloatArray) -> FloatArray:
        """Log P of one item's categories (K + 1, n_nodes) at nodes of its own abilities (n_dims, n_nodes)."""
        own, size = self.own(parameters, j), self.dims[j].size
        found = np.empty((own.size - size + 1, nodes.shape[1]))
        _item_kernels.fill_log_probs(int(self.families[j]), np.einsum("d,dq->q", own[:size], nodes), own[size:], found)
        return found

    def maximized(self, parameters: Parameters, counts: list[FloatArray], nodes: list[FloatArray]) -> Parameters:
        """M-step of all items; correlations stay."""
        image = Parameters(
            parameters.slopes.copy(), parameters.intercepts.copy(), parameters.correlations, parameters.spreads.copy()
        )
        if self.testlets is not None:
            for _ in range(TESTLET_ROUNDS):
                self._maximize_general(image, counts, nodes)
                self._maximize_spreads(image, counts, nodes)
            return image

        def climb(stripe: int) -> None:
            for j in range(stripe, self.n_items, ITEM_STRIPES):
                own, part, size = self.own(image, j), self.parts[j], self.dims[j].size
                _item_kernels.maximize_item(int(self.families[j]), counts[j], nodes[j], own, self.usable[part], self.precision)
                image.slopes[j, self.dims[j]] = own[:size]
                image.intercepts[part.start + 1 : part.stop] = own[size:]

        each(climb, list(range(min(ITEM_STRIPES, self.n_items))))
        return image

    def _combined(self, image: Parameters, nodes: list[FloatArray], j: int) -> FloatArray:
        """What an item of a testlet depends on through its one slope: general plus spread times specific."""
        assert self.testlets is not None
        if self.testlets[j] < 0:
            return nodes[j]
        return np.ascontiguousarray(nodes[j][:1] + image.spreads[self.testlets[j]] * nodes[j][1:])

    def _maximize_general(self, image: Parameters, counts: list[FloatArray], nodes: list[FloatArray]) -> None:
        assert self.testlets is not None
        for j, part in enumerate(self.parts):
            own = np.concatenate([image.slopes[j, :1], image.intercepts[part.start + 1 : part.stop]])
            at = self._combined(image, nodes, j)
            _item_kernels.maximize_item(int(self.families[j]), counts[j], at, own, self.usable[part], self.precision)
            image.slopes[j, 0] = own[0]
            image.intercepts[part.start + 1 : part.stop] = own[1:]
        spread_slopes(self.testlets, image)

    def _maximize_spreads(self, image: Parameters, counts: list[FloatArray], nodes: list[FloatArray]) -> None:
        """One safeguarded Newton step of every spread, whose objective is concave."""
        assert self.testlets is not None
        for s in range(self.n_spreads):
            members = np.flatnonzero(self.testlets == s)

            def pull(spread: float, members: IntArray = members) -> tuple[float, float, float]:
                value, slope, bend = 0.0, 0.0, 0.0
                for j in members.tolist():
                    by = image.slopes[j, 0]
                    own = self.own(image, j)
                    own[1] = spread * by
                    gain, gradient, hessian = self._derivatives(own, j, counts, nodes, 0.0)
                    value, slope, bend = value + gain, slope + by * gradient[1], bend + by * by * hessian[1, 1]
                return value, slope, bend

            value, slope, bend = pull(float(image.spreads[s]))
            step = slope / max(bend, 1e-12)
            for _ in range(_item_kernels.MOST_HALVINGS):
                if pull(float(image.spreads[s] + step))[0] >= value:
                    image.spreads[s] += step
                    break
                step /= 2
        spread_slopes(self.testlets, image)

    def _derivatives(
        self, own: FloatArray, j: int, counts: list[FloatArray], nodes: list[FloatArray], precision: float
    ) -> tuple[float, FloatArray, FloatArray]:
        gradient, hessian = np.empty(own.size), np.empty((own.size, own.size))
        value = _item_kernels.objective(
            int(self.families[j]), counts[j], nodes[j], own, self.usable[self.parts[j]], precision, gradient, hessian
        )
        return value, gradient, hessian

    def gradient(self, parameters: Parameters, counts: list[FloatArray], nodes: list[FloatArray]) -> FloatArray:
        """Derivatives of the expected log-likelihood with its prior by slopes, intercepts and spreads; correlations 0."""
        by_slope, by_intercept = np.zeros(self.loads.shape), np.zeros(self.usable.size)

        def derive(stripe: int) -> None:
            for j in range(stripe, self.n_items, ITEM_STRIPES):
                part, size = self.parts[j], self.dims[j].size
                _, own, _ = self._derivatives(self.own(parameters, j), j, counts, nodes, 0.0)
                by_slope[j, self.dims[j]] = own[:size]
                by_intercept[part.start + 1 : part.stop] = own[size:]

        each(derive, list(range(min(ITEM_STRIPES, self.n_items))))
        by_spread = np.zeros(self.n_spreads)
        if self.testlets is not None:
            members = np.flatnonzero(self.testlets >= 0)
            own_specific = by_slope[members, 1 + self.testlets[members]]
            np.add.at(by_spread, self.testlets[members], own_specific * parameters.slopes[members, 0])
            by_slope[members, 0] += own_specific * parameters.spreads[self.testlets[members]]
        by_slope -= self.precision * parameters.slopes
        return np.concatenate(
            [by_slope[self.free_slopes], by_intercept[self.free_intercepts], np.zeros(len(self.pairs)), by_spread]
        )


def spread_slopes(testlets: IntArray, parameters: Parameters) -> None:
    """Give the items of testlets their slopes on the specific factors."""
    members = np.flatnonzero(testlets >= 0)
    parameters.slopes[members, 1 + testlets[members]] = parameters.spreads[testlets[members]] * parameters.slopes[members, 0]


def starting_intercepts(layout: Layout, sums: FloatArray, slopes: FloatArray) -> FloatArray:
    """Logits of the weights ``sums`` of all categories, steepened by what the slopes flatten."""
    intercepts = np.zeros(layout.usable.size)
    for j, part in enumerate(layout.parts):
        shares = sums[part] + 0.5
        # marginal logits are flatter than conditional ones: 0.346 = 16^2 3 / (15 pi)^2 (Zeger, Liang & Albert 1988)
        steeper = np.sqrt(1.0 + 0.346 * float(np.sum(slopes[j] ** 2)))
        if layout.families[j] == GRADED:
            kept = np.where(layout.usable[part], shares, 0.0)
            reached = np.cumsum(kept[::-1])[::-1] / kept.sum()
            intercepts[part][1:] = steeper * np.log(reached[1:] / np.maximum(1.0 - reached[1:], 1e-12))
        else:
            intercepts[part] = steeper * np.log(shares / shares[0])
    intercepts[~layout.usable] = NEVER
    return intercepts


FAMILIES = {"2PL": PARTIAL, "GPCM": PARTIAL, "GRM": GRADED}
