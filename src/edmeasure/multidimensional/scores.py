"""Scores of persons on several abilities: means and modes of posteriors with their covariances, and draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray, Int8Array
from edmeasure.calibration import _packing
from edmeasure.errors import BadOption, BadScore, BadShape
from edmeasure.multidimensional._layout import FAMILIES, Layout, Parameters
from edmeasure.multidimensional._product import MOST_AXES, product_model
from edmeasure.multidimensional._reduction import reduced_model
from edmeasure.multidimensional._sampling import REPLICATES, Persons, items_of
from edmeasure.multidimensional._setup import axis
from edmeasure.multidimensional.fits import DimensionsFit
from edmeasure.responses import Responses

GAP = 10


@dataclass(frozen=True, eq=False)
class DimensionScores(Exported):
    """Abilities of persons: ``theta`` and ``se`` (n, D), ``covariance`` of the errors (n, D, D)."""

    theta: FloatArray
    se: FloatArray
    covariance: FloatArray
    dimensions: tuple[str, ...]
    method: str

    @property
    def reliability(self) -> FloatArray:
        """Of every ability: variance of the scores over it plus the mean squared error, (D,)."""
        spread = np.var(self.theta, axis=0)
        with np.errstate(invalid="ignore"):
            return np.asarray(spread / (spread + np.mean(self.se**2, axis=0)))

    def _columns(self) -> Mapping[str, object]:
        columns: dict[str, object] = {}
        for d, name in enumerate(self.dimensions):
            columns[name] = self.theta[:, d]
            columns[f"se {name}"] = self.se[:, d]
        return columns

    def __str__(self) -> str:
        lines = [f"{self.method} of {self.theta.shape[0]:,} persons on {len(self.dimensions)} abilities"]
        if self.theta.shape[0]:
            reliability = self.reliability
            for name, own, share in zip(self.dimensions, self.theta.T, reliability, strict=True):
                lines.append(f"{name}: mean {np.mean(own):.3f}, sd {np.std(own):.3f}, reliability {share:.3f}")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class DimensionValues(Exported):
    """Plausible values of several abilities: draws (m, n, D) from every person's posterior."""

    values: FloatArray
    dimensions: tuple[str, ...]

    def of(self, dimension: str) -> FloatArray:
        """The draws (m, n) of one ability, as `mean` and the other figures take them."""
        _validate.choice(dimension, "dimension", self.dimensions)
        return np.ascontiguousarray(self.values[:, :, self.dimensions.index(dimension)])

    def _columns(self) -> Mapping[str, object]:
        n_values = self.values.shape[0]
        return {f"{name} {k + 1}": self.values[k, :, d] for d, name in enumerate(self.dimensions) for k in range(n_values)}

    def __str__(self) -> str:
        m, n, _ = self.values.shape
        return f"{m} plausible values of {n:,} persons on {', '.join(self.dimensions)}"


def score_dimensions(
    fit: DimensionsFit,
    responses: Responses,
    *,
    method: Literal["EAP", "MAP"] = "EAP",
    n_nodes: int | None = None,
    rng: np.random.Generator | None = None,
) -> DimensionScores:
    """Score every person on all abilities, which lend each other strength where they correlate.

    Parameters
    ----------
    fit, responses
        Items are matched by id; negative codes count as missing. For a bifactor calibration pass
        its ``.fit``.
    method
        ``"EAP"``: mean and covariance of the posterior; by quadrature up to three abilities and in
        bifactor models, by importance sampling (2,048 points, ``rng`` needed) in others.
        ``"MAP"``: its highest point; errors from the curvature there.
    n_nodes
        Quadrature nodes per ability; default those of the fit.

    Returns
    -------
    DimensionScores
        A person without answers gets the mean 0 and the correlations of the abilities.
    """
    _validate.choice(method, "method", ("EAP", "MAP"))
    layout, parameters, scores = aligned(fit, responses)
    if method == "MAP":
        theta, roots = Persons(scores, items_of(layout, parameters)).modes
        covariance = np.einsum("nde,nfe->ndf", roots, roots)
    else:
        theta, covariance = _means(fit, layout, parameters, scores, n_nodes, rng)
    se = np.sqrt(np.einsum("ndd->nd", covariance))
    return DimensionScores(theta, np.ascontiguousarray(se), covariance, fit.dimensions, method)


def plausible_dimensions(
    fit: DimensionsFit, responses: Responses, *, rng: np.random.Generator, n_values: int = 5
) -> DimensionValues:
    """Draw plausible values of all abilities together (Mislevy 1991).

    Independence Metropolis chains that propose from a normal at the mode of every person's posterior
    and from the prior, 30 steps ahead of the first draw and ten between draws. The population is the
    fit's: groups that reports compare need a latent regression (`plausible_values`), or a fit of
    their own.
    """
    if n_values < 1:
        raise BadOption(f"n_values is {n_values}.", remedy="Draw at least one.")
    layout, parameters, scores = aligned(fit, responses)
    persons = Persons(scores, items_of(layout, parameters))
    return DimensionValues(persons.draws(n_values, GAP, rng), fit.dimensions)


def _means(
    fit: DimensionsFit,
    layout: Layout,
    parameters: Parameters,
    scores: Int8Array,
    n_nodes: int | None,
    rng: np.random.Generator | None,
) -> tuple[FloatArray, FloatArray]:
    n_dims = layout.loads.shape[1]
    nodes = n_nodes or fit.n_nodes or 31
    if nodes < 3:
        raise BadOption(f"n_nodes is {nodes}.", remedy="Use at least 3.")
    max_scores = np.asarray(np.diff(layout.starts) - 1, dtype=np.int8)
    weights = np.ones(scores.shape[0])
    if scores.shape[0] == 0:
        return np.empty((0, n_dims)), np.empty((0, n_dims, n_dims))
    if is_bifactor(layout, parameters):
        return reduced_model(layout, scores, max_scores, weights, axis(nodes, fit.bound)).moments(parameters)
    if n_dims <= MOST_AXES:
        return product_model(layout, scores, max_scores, weights, [axis(nodes, fit.bound)] * n_dims).moments(parameters)
    if rng is None:
        raise BadOption("EAPs of more than three abilities are sampled.", remedy='Pass rng, or use method="MAP".')
    persons = Persons(scores, items_of(layout, parameters))
    found = [persons.weighed(rng) for _ in range(REPLICATES)]
    theta = np.mean([mean for _, mean, _ in found], axis=0)
    squares = [spread + np.einsum("nd,ne->nde", mean - theta, mean - theta) for _, mean, spread in found]
    return theta, np.mean(squares, axis=0)


def is_bifactor(layout: Layout, parameters: Parameters) -> bool:
    """Whether every item has at most one ability beside the first, and none correlate."""
    n_dims = layout.loads.shape[1]
    if n_dims < 2 or not np.array_equal(parameters.correlations, np.eye(n_dims)):
        return False
    return bool(layout.loads[:, 0].all() and (layout.loads[:, 1:].sum(axis=1) <= 1).all())


def aligned(fit: DimensionsFit, responses: Responses) -> tuple[Layout, Parameters, Int8Array]:
    """A fit's parameters for the items of some responses, and their answers; items without parameters are left out."""
    known = {name: position for position, name in enumerate(fit.item_ids)}
    strangers = [name for name in responses.item_ids if name not in known]
    if strangers:
        raise BadShape(
            f"Items {strangers[:10]} are not in the fit.", remedy="Calibrate them, or leave them out with `Responses.items`."
        )
    at = np.array([known[name] for name in responses.item_ids], dtype=np.int64)
    calibrated = fit.calibrated[at]
    at = at[calibrated]
    if at.size == 0:
        raise BadShape("None of these items has parameters.", remedy="Pass at least one calibrated item.")
    max_scores = fit.max_scores[at]
    scores = np.maximum(responses.items(calibrated).scores, _validate.MISSING)
    if scores.size and (scores.max(axis=0) > max_scores).any():
        raise BadScore(
            "Some scores are above the maximum the items were calibrated with.", remedy="Mend the scores or calibrate again."
        )
    flat = np.concatenate([fit.intercepts[j, : int(top) + 1] for j, top in zip(at, max_scores, strict=True)])
    layout = Layout(
        families=np.array([FAMILIES[fit.models[j]] for j in at], dtype=np.int64),
        starts=_packing.category_starts(max_scores),
        usable=np.ones(flat.size, dtype=np.bool_),
        loads=fit.loads[at],
        pairs=np.empty((0, 2), dtype=np.int64),
    )
    return layout, Parameters(fit.slopes[at], flat, fit.correlations, np.empty(0)), np.ascontiguousarray(scores)
