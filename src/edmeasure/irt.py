"""Calibration: two-parameter logistic and generalized partial credit by marginal likelihood.

Model (Muraki 1992; slope-intercept form as in R mirt): an item with scores 0..K has

    P(x = k | theta) = exp(a k theta + d_k) / sum_m exp(a m theta + d_m),   d_0 = 0,

which for K = 1 is the 2PL with difficulty b = -d_1 / a. Step thresholds are
b_k = -(d_k - d_{k-1}) / a. Ability is standard normal in the (weighted) population.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _em, _information, _packing, _validate
from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.errors import BadOption, BadShape, NothingToCalibrate
from edmeasure.responses import Responses

FEWEST_NODES = 11
WEAK_SLOPE_SD = 1.0
WEAK_INTERCEPT_SD = 4.0
STEEP_SLOPE = 6.0
FAR_DIFFICULTY = 6.0


@dataclass(frozen=True)
class Certificate:
    """Evidence that a fit is the maximum and that the quadrature is fine enough.

    ``loglik_change`` is the log-likelihood at doubled nodes minus the one reported;
    ``gradient_norm`` the largest absolute gradient element; ``is_maximum`` tells whether the
    observed information is positive definite (None when it was not computed).
    """

    nodes: int
    loglik_doubled: float
    loglik_change: float
    gradient_norm: float
    last_change: float
    is_maximum: bool | None
    negative_slopes: tuple[str, ...]
    extreme_items: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Nodes suffice (log-likelihood moves < 1e-3) and nothing contradicts a maximum."""
        return abs(self.loglik_change) < 1e-3 and self.is_maximum is not False

    def __str__(self) -> str:
        lines = [
            f"nodes {self.nodes}: log-likelihood moves {self.loglik_change:+.1e} when doubled",
            f"largest gradient {self.gradient_norm:.1e}, last change {self.last_change:.1e}",
        ]
        if self.is_maximum is not None:
            lines.append("observed information is " + ("" if self.is_maximum else "NOT ") + "positive definite")
        if self.negative_slopes:
            lines.append("negative slopes: " + ", ".join(self.negative_slopes))
        if self.extreme_items:
            lines.append("extreme parameters: " + ", ".join(self.extreme_items))
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class IRTFit:
    """Calibrated items; arrays run over all items, NaN where an item was excluded.

    Attributes
    ----------
    item_ids : tuple of str, length J
    max_scores : int8 (J,)
    slopes : float64 (J,)
    intercepts : float64 (J, K_max + 1)
        ``d_k`` with ``d_0 = 0``, NaN beyond the item's maximum.
    thresholds : float64 (J, K_max)
        Step thresholds ``b_k``; for right/wrong items the difficulty.
    difficulties : float64 (J,)
        Mean of the thresholds.
    slope_se, intercept_se : float64, as ``slopes`` and ``intercepts``
        From the observed information (Louis); NaN when not asked for.
    excluded : tuple of str
        Items without variance, left out.
    unused_categories : tuple of (item id, category)
        Categories nobody chose; their intercept is fixed at -50.
    """

    item_ids: tuple[str, ...]
    max_scores: Int8Array
    slopes: FloatArray
    intercepts: FloatArray
    slope_se: FloatArray
    intercept_se: FloatArray
    loglik: float
    n_iterations: int
    converged: bool
    certificate: Certificate
    history: tuple[float, ...]
    excluded: tuple[str, ...]
    unused_categories: tuple[tuple[str, int], ...]
    nodes: FloatArray
    node_weights: FloatArray

    @property
    def thresholds(self) -> FloatArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(-np.diff(self.intercepts, axis=1) / self.slopes[:, None])

    @property
    def difficulties(self) -> FloatArray:
        steps = self.max_scores.astype(np.float64)
        last = self.intercepts[np.arange(self.slopes.size), self.max_scores.astype(np.int64)]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(-last / (steps * self.slopes))

    @property
    def difficulty_se(self) -> FloatArray:
        """Delta-method errors of ``difficulties`` ignoring the slope-intercept covariance."""
        steps = self.max_scores.astype(np.float64)
        at = np.arange(self.slopes.size), self.max_scores.astype(np.int64)
        with np.errstate(divide="ignore", invalid="ignore"):
            from_intercept = self.intercept_se[at] / (steps * self.slopes)
            from_slope = self.difficulties * self.slope_se / self.slopes
        return np.asarray(np.hypot(from_intercept, from_slope))

    @property
    def calibrated(self) -> BoolArray:
        """Mask of the items that have parameters."""
        return np.asarray(np.isfinite(self.slopes))

    def __str__(self) -> str:
        lines = [
            f"IRT fit: {int(self.calibrated.sum())} of {len(self.item_ids)} items, "
            f"log-likelihood {self.loglik:.4f}, {self.n_iterations} iterations" + ("" if self.converged else ", NOT CONVERGED"),
            str(self.certificate),
        ]
        if self.excluded:
            lines.append("without variance, excluded: " + ", ".join(self.excluded))
        return "\n".join(lines)


def calibrate(
    responses: Responses,
    *,
    weights: npt.ArrayLike | None = None,
    n_nodes: int = 61,
    bound: float = 6.0,
    max_iterations: int = 500,
    tolerance: float = 1e-6,
    loglik_tolerance: float = 1e-9,
    standard_errors: bool = True,
    weak_prior: bool = False,
    start: IRTFit | None = None,
) -> IRTFit:
    """Calibrate all items together; each is 2PL or partial credit by its maximum score.

    Parameters
    ----------
    responses
        Any negative code counts as missing by design: apply ``Responses.scored`` first.
    weights : float64 (n_persons,), optional
        Default ``responses.weights``; rescaled to the number of persons.
    n_nodes, bound
        Equally spaced quadrature on ``[-bound, bound]``.
    tolerance
        Largest parameter change of one EM step at which iteration may stop.
    loglik_tolerance
        Relative gain of the log-likelihood below which iteration may stop.
    standard_errors
        Also compute the observed information (Louis 1982): errors under the model, without the
        effect of clustered sampling.
    weak_prior
        Normal priors a ~ N(1, 1), d ~ N(0, 4^2): keeps tiny samples finite, off by default.
    start
        Earlier fit whose items (matched by id) give the starting values.

    Returns
    -------
    IRTFit

    Raises
    ------
    NothingToCalibrate, BadOption, BadShape, BadWeight

    Notes
    -----
    Bock & Aitkin (1981) EM; Newton M-steps with analytic derivatives; Anderson mixing of the EM
    map, every accepted step monotone. Given data and options the result is the same to the last
    bit whatever the number of threads.
    """
    if n_nodes < FEWEST_NODES or n_nodes > 2001:
        raise BadOption(f"n_nodes is {n_nodes}.", remedy=f"Use {FEWEST_NODES} to 2001 nodes.")
    _validate.positive(bound, "bound")
    _validate.positive(tolerance, "tolerance")
    person_weights = _normalised(responses, weights)
    kept = _varying_items(responses)
    scores = responses.scores if kept.all() else np.ascontiguousarray(responses.scores[:, kept])
    problem = _problem(scores, responses.max_scores[kept], person_weights, n_nodes, bound, weak_prior)
    kept_ids = tuple(np.asarray(responses.item_ids, dtype=object)[kept])
    state = _em.starting_values(problem, scores, person_weights)
    if start is not None:
        _warm_start(state, problem, kept_ids, start)
    state, trace = _em.maximize(
        problem,
        state,
        max_iterations=max_iterations,
        tolerance=tolerance,
        loglik_tolerance=loglik_tolerance,
    )
    errors = np.full(state.intercepts.size, np.nan)
    is_maximum: bool | None = None
    if standard_errors:
        errors, is_maximum = _standard_errors(problem, state, scores, person_weights)
    certificate = _certify(problem, state, trace, kept_ids, is_maximum)
    return _result(responses, kept, problem, state, trace, errors, certificate)


def _normalised(responses: Responses, weights: npt.ArrayLike | None) -> FloatArray:
    given = responses.weights if weights is None else weights
    checked = _validate.weight_vector(given, responses.n_persons)
    if responses.n_persons == 0:
        raise NothingToCalibrate("There are no persons.", remedy="Pass at least a few hundred.")
    return np.asarray(checked * (checked.size / checked.sum()))


def _varying_items(responses: Responses) -> BoolArray:
    varying = np.zeros(responses.n_items, dtype=np.bool_)
    for j in range(responses.n_items):
        answers = responses.scores[:, j]
        answered = answers[answers >= 0]
        varying[j] = answered.size > 0 and answered.min() != answered.max()
    if not varying.any():
        raise NothingToCalibrate(
            "Every item has one and the same score for everybody who answered.",
            remedy="Check the scoring, or pass more persons.",
        )
    return varying


def _problem(
    scores: Int8Array,
    max_scores: Int8Array,
    weights: FloatArray,
    n_nodes: int,
    bound: float,
    weak_prior: bool,
) -> _em.Problem:
    nodes, node_weights = _em.quadrature(n_nodes, bound)
    packed = _packing.pack(scores, max_scores, weights=weights, collapse=True)
    usable = np.ones(int(packed.category_start[-1]), dtype=np.bool_)
    for j in range(scores.shape[1]):
        first, last = packed.category_start[j], packed.category_start[j + 1]
        column = scores[:, j]
        usable[first:last] = np.bincount(column[column >= 0], minlength=last - first) > 0
        usable[first] = True
    item_prior = np.array([1.0, WEAK_SLOPE_SD**-2, WEAK_INTERCEPT_SD**-2])
    return _em.Problem(packed, nodes, node_weights, usable, item_prior if weak_prior else np.zeros(3))


def _warm_start(state: _em.State, problem: _em.Problem, item_ids: tuple[str, ...], start: IRTFit) -> None:
    known = {name: position for position, name in enumerate(start.item_ids)}
    for j, name in enumerate(item_ids):
        position = known.get(name)
        first, last = int(problem.category_start[j]), int(problem.category_start[j + 1])
        if position is None or not np.isfinite(start.slopes[position]):
            continue
        if start.max_scores[position] != last - first - 1:
            raise BadShape(
                f"Item {name} has another maximum score in the starting fit.",
                remedy="Rename the item or leave it out of `start`.",
            )
        state.slopes[j] = start.slopes[position]
        state.intercepts[first:last] = start.intercepts[position, : last - first]
    state.intercepts[~problem.usable] = _em.UNUSED_INTERCEPT


def _standard_errors(problem: _em.Problem, state: _em.State, scores: Int8Array, weights: FloatArray) -> tuple[FloatArray, bool]:
    _, information = _information.observed_information(problem, state, scores, weights)
    free = problem.usable
    errors = np.full(state.intercepts.size, np.nan)
    try:
        factor = np.linalg.cholesky(information[np.ix_(free, free)])
    except np.linalg.LinAlgError:
        return errors, False
    inverse_factor = np.linalg.inv(factor)
    errors[free] = np.sqrt((inverse_factor**2).sum(axis=0))
    return errors, True


def _certify(
    problem: _em.Problem,
    state: _em.State,
    trace: _em.Trace,
    item_ids: tuple[str, ...],
    is_maximum: bool | None,
) -> Certificate:
    n_nodes = problem.nodes.size
    nodes, node_weights = _em.quadrature(2 * n_nodes - 1, float(problem.nodes[-1]))
    doubled = _em.Problem(problem.packed, nodes, node_weights, problem.usable, problem.item_prior)
    finer = _em.State(state.slopes, state.intercepts)
    _em.expectation(doubled, finer)
    gradient, _ = _information.complete_information(problem, state)
    starts = problem.category_start
    last = state.intercepts[starts[1:] - 1]
    with np.errstate(divide="ignore"):
        location = np.abs(last / (state.slopes * (np.diff(starts) - 1)))
    extreme = (np.abs(state.slopes) > STEEP_SLOPE) | (location > FAR_DIFFICULTY)
    return Certificate(
        nodes=n_nodes,
        loglik_doubled=finer.loglik,
        loglik_change=finer.loglik - state.loglik,
        gradient_norm=float(np.abs(gradient[problem.usable]).max()),
        last_change=trace.changes[-1] if trace.changes else float("nan"),
        is_maximum=is_maximum,
        negative_slopes=tuple(item_ids[j] for j in np.flatnonzero(state.slopes < 0)),
        extreme_items=tuple(item_ids[j] for j in np.flatnonzero(extreme)),
    )


def _spread(kept: BoolArray, max_scores: Int8Array, starts: IntArray, flat: FloatArray) -> FloatArray:
    table = np.full((kept.size, int(max_scores.max()) + 1), np.nan)
    for position, item in enumerate(np.flatnonzero(kept)):
        first, last = starts[position], starts[position + 1]
        table[item, : last - first] = flat[first:last]
    return table


def _result(
    responses: Responses,
    kept: BoolArray,
    problem: _em.Problem,
    state: _em.State,
    trace: _em.Trace,
    errors: FloatArray,
    certificate: Certificate,
) -> IRTFit:
    starts = problem.category_start
    slopes = np.full(kept.size, np.nan)
    slopes[kept] = state.slopes
    slope_se = np.full(kept.size, np.nan)
    slope_se[kept] = errors[starts[:-1]]
    intercept_errors = errors.copy()
    intercept_errors[starts[:-1]] = 0.0
    kept_ids = np.asarray(responses.item_ids, dtype=object)[kept]
    unused = np.flatnonzero(~problem.usable)
    return IRTFit(
        item_ids=responses.item_ids,
        max_scores=responses.max_scores,
        slopes=slopes,
        intercepts=_spread(kept, responses.max_scores, starts, state.intercepts),
        slope_se=slope_se,
        intercept_se=_spread(kept, responses.max_scores, starts, intercept_errors),
        loglik=state.loglik,
        n_iterations=len(trace.changes),
        converged=trace.converged,
        certificate=certificate,
        history=trace.logliks,
        excluded=tuple(name for name, is_kept in zip(responses.item_ids, kept, strict=True) if not is_kept),
        unused_categories=tuple((str(kept_ids[problem.item_of_category[c]]), int(problem.category[c])) for c in unused),
        nodes=problem.nodes,
        node_weights=problem.node_weights,
    )
