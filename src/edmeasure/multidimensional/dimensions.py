"""Calibration of items that depend on several abilities, which may correlate.

With z = a'theta, a compensatory model (Reckase 2009), right/wrong and partial credit items have
P(x = k) proportional to exp(k z + d_k), graded ones P(x >= k) = F(z + d_k). The abilities are
standard normal in the (weighted) population with correlations R, or none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure.calibration.certificate import Certificate
from edmeasure.errors import BadOption
from edmeasure.multidimensional import _climb, _exploratory, _mhrm
from edmeasure.multidimensional._layout import Layout, Parameters
from edmeasure.multidimensional._product import ProductModel, product_model
from edmeasure.multidimensional._setup import Sheets, axis, loading_pattern, precision_of, sheets_of
from edmeasure.multidimensional.fits import Calibrated, DimensionsFit, extreme_items, fit_of, negative_slopes
from edmeasure.responses import Responses

USUAL_NODES = {1: 61, 2: 31, 3: 21}
USUAL_BOUNDS = {1: 6.0, 2: 6.0, 3: 5.0}
WIDEST = 6.0
STARTING_SLOPE = 0.9
FEWEST_NODES = 5
MOST_NODES = {1: 2001, 2: 201, 3: 61}


def calibrate_dimensions(
    responses: Responses,
    *,
    loadings: npt.ArrayLike | None = None,
    n_dimensions: int | None = None,
    correlated: bool = True,
    dimensions: Sequence[str] | None = None,
    models: str | Mapping[str, str] = "2PL",
    method: Literal["EM", "MHRM"] | None = None,
    weights: npt.ArrayLike | None = None,
    slope_prior_sd: float = np.inf,
    n_nodes: int | None = None,
    bound: float | None = None,
    max_iterations: int | None = None,
    tolerance: float = 1e-5,
    loglik_tolerance: float = 1e-9,
    standard_errors: bool = True,
    n_starts: int = 1,
    rng: np.random.Generator | None = None,
) -> DimensionsFit:
    """Calibrate items of several abilities, by EM up to three and by sampling beyond.

    Parameters
    ----------
    responses
        Any negative code counts as missing by design: apply ``Responses.scored`` first.
    loadings : 0/1 (n_items, D), optional
        Which abilities every item depends on: a confirmatory model.
    n_dimensions : int, optional
        Instead of ``loadings``: that many uncorrelated abilities on which every item may depend. As
        they may be turned, D (D - 1) / 2 slopes of the items that tell most are held at zero;
        ``DimensionsFit.rotated`` turns them to simple loadings.
    correlated
        Whether the abilities of a confirmatory model correlate.
    dimensions
        Their names, default D1, D2, ...
    models
        ``"2PL"``, ``"GPCM"`` or ``"GRM"``, for all items or by item id.
    method
        ``"EM"`` (Bock & Aitkin 1981) on a product grid, the default up to three abilities, or
        ``"MHRM"`` (Cai 2010), which needs ``rng``.
    slope_prior_sd
        Deviation of a normal prior around zero of every slope, against those that grow without bound.
    n_nodes, bound
        Nodes per ability (default 61, 31, 21), equally spaced on ``[-bound, bound]`` (6, 6, 5).
    max_iterations, tolerance, loglik_tolerance
        At most 500 steps of EM, 2,000 of MHRM. EM stops when a step moves no parameter by more than
        ``tolerance`` and the log-likelihood gains relatively less than ``loglik_tolerance``.
    n_starts, rng
        Further random starts on half the nodes, the best of which goes on. MHRM draws from ``rng``.

    Raises
    ------
    NothingToCalibrate, BadOption, BadScore, BadShape, BadWeight

    Notes
    -----
    Anderson mixing, every accepted step monotone. The same bits whatever the number of threads.
    """
    if (loadings is None) == (n_dimensions is None):
        raise BadOption("Pass either loadings or n_dimensions.", remedy="loadings confirm a structure, n_dimensions explores.")
    sheets = sheets_of(responses, models, weights)
    layout, start = _structure(sheets, loadings, n_dimensions, correlated, precision_of(slope_prior_sd))
    n_dims = layout.loads.shape[1]
    names = _dimension_names(dimensions, n_dims)
    chosen = method or ("EM" if n_dims in USUAL_NODES else "MHRM")
    _validate.choice(chosen, "method", ("EM", "MHRM"))
    reach = USUAL_BOUNDS.get(n_dims, WIDEST) if bound is None else bound
    nodes = _checked_nodes(n_nodes, reach, n_dims, tolerance) if chosen == "EM" else 0
    if chosen == "EM":
        limits = (max_iterations or 500, tolerance, loglik_tolerance)
        starts = _climb.shaken_starts(layout, start, n_starts, rng)
        found = _by_quadrature(layout, sheets, starts, nodes, reach, limits, standard_errors)
    elif n_starts != 1:
        raise BadOption(f"n_starts is {n_starts} with MHRM.", remedy="Compare fits of several seeds instead.")
    else:
        found = _mhrm.calibrate(layout, sheets, start, max_iterations or 2000, standard_errors, rng)
    return fit_of(sheets, layout, names, found, n_nodes=nodes, bound=reach, is_exploratory=loadings is None)


def _structure(
    sheets: Sheets, loadings: npt.ArrayLike | None, n_dimensions: int | None, correlated: bool, precision: float
) -> tuple[Layout, Parameters]:
    """What is estimated, and where to begin."""
    no_pairs = np.empty((0, 2), dtype=np.int64)
    if n_dimensions is not None:
        n_dims = _possible_dimensions(n_dimensions, int(sheets.kept.sum()))
        slopes, free = _exploratory.starting_slopes(sheets.responses.items(sheets.kept), sheets.weights, n_dims)
        layout = sheets.layout(free, no_pairs, precision=precision)
        return layout, sheets.start(layout, slopes)
    assert loadings is not None
    pattern = loading_pattern(loadings, sheets.responses, is_correlated=correlated)
    pairs = np.array(np.triu_indices(pattern.shape[1], 1), dtype=np.int64).T if correlated else no_pairs
    layout = sheets.layout(pattern[sheets.kept], np.ascontiguousarray(pairs), precision=precision)
    return layout, sheets.start(layout, np.full(layout.loads.shape, STARTING_SLOPE))


def _possible_dimensions(n_dimensions: int, n_items: int) -> int:
    if not 1 <= n_dimensions <= max(1, n_items // 3):
        raise BadOption(f"{n_dimensions} abilities for {n_items} items.", remedy="Explore at most one ability per three items.")
    return n_dimensions


def _dimension_names(dimensions: Sequence[str] | None, n_dims: int) -> tuple[str, ...]:
    names = tuple(f"D{d + 1}" for d in range(n_dims)) if dimensions is None else tuple(str(name) for name in dimensions)
    if len(names) != n_dims or len(set(names)) != n_dims:
        raise BadOption(f"dimensions names {list(names)[:10]} for {n_dims} abilities.", remedy="Give every ability its own name.")
    return names


def _checked_nodes(n_nodes: int | None, bound: float, n_dims: int, tolerance: float) -> int:
    _validate.positive(bound, "bound")
    _validate.positive(tolerance, "tolerance")
    if n_dims > max(USUAL_NODES):
        raise BadOption(f"EM takes up to three abilities, not {n_dims}.", remedy='Use method="MHRM".')
    nodes = USUAL_NODES[n_dims] if n_nodes is None else n_nodes
    if not FEWEST_NODES <= nodes <= MOST_NODES[n_dims]:
        raise BadOption(f"n_nodes is {nodes}.", remedy=f"Use {FEWEST_NODES} to {MOST_NODES[n_dims]} nodes per ability.")
    return nodes


def _by_quadrature(
    layout: Layout,
    sheets: Sheets,
    starts: list[Parameters],
    n_nodes: int,
    bound: float,
    limits: tuple[int, float, float],
    standard_errors: bool,
) -> Calibrated:
    """Climb on about half the nodes, then on all; look at the maximum."""
    n_dims = layout.loads.shape[1]
    max_iterations, tolerance, loglik_tolerance = limits
    coarse = max(FEWEST_NODES, (n_nodes + 1) // 2 + 1)
    model = product_model(layout, sheets.rows, sheets.max_scores, sheets.row_weights, [axis(coarse, bound)] * n_dims)
    first, n_agreeing = _climb.search(model, starts, max_iterations=max_iterations)
    model = model.on([axis(n_nodes, bound)] * n_dims)
    summit = _climb.climb(
        model, first.parameters, max_iterations=max_iterations, tolerance=tolerance, loglik_tolerance=loglik_tolerance
    )
    gradient = model.gradient(summit.parameters, summit.expected)
    covariance, is_maximum = None, None
    if standard_errors:
        rougher = model.on([axis(_nodes_for_errors(n_nodes, n_dims), bound)] * n_dims)
        covariance, is_maximum = _climb.covariance_of(_climb.observed_information(rougher, summit.parameters))
    loglik = summit.expected.loglik - layout.log_prior(summit.parameters)
    doubled = _doubled_loglik(model, summit.parameters, n_nodes, bound)
    evidence = Certificate(
        nodes=n_nodes,
        loglik_doubled=doubled,
        loglik_change=doubled - loglik,
        gradient_norm=float(np.abs(gradient).max(initial=0.0)),
        last_change=summit.last_change,
        is_maximum=is_maximum,
        negative_slopes=negative_slopes(sheets, layout, summit.parameters),
        extreme_items=extreme_items(sheets, layout, summit.parameters),
        n_starts=len(starts),
        n_agreeing=n_agreeing,
    )
    return Calibrated(
        summit.parameters, covariance, loglik, 0.0, summit.after(first).n_iterations, summit.converged, evidence, summit.logliks
    )


def _nodes_for_errors(n_nodes: int, n_dims: int) -> int:
    """Curvature needs fewer nodes than the maximum does, and in three dimensions they are dear."""
    return n_nodes if n_dims < 3 else max(FEWEST_NODES, 2 * (n_nodes // 3) + 1)


def _doubled_loglik(model: ProductModel, parameters: Parameters, n_nodes: int, bound: float) -> float:
    finer = [axis(2 * n_nodes - 1, bound)] * len(model.axes)
    return float(np.einsum("i,i->", model.weights, model.marginals(parameters, finer)))
