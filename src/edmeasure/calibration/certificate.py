"""Evidence that a calibration is a maximum, and that its quadrature is fine enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray
from edmeasure.calibration import _em, _information
from edmeasure.calibration._family_kernels import ASYMPTOTIC, LOWEST_LOGIT

STEEP_SLOPE = 6.0
FAR_DIFFICULTY = 6.0
SAME_MAXIMUM = 1e-3


@dataclass(frozen=True)
class Certificate(Exported):
    """Evidence that a fit is the maximum and that the quadrature is fine enough.

    ``loglik_change`` is the log-likelihood at doubled nodes minus the one reported;
    ``gradient_norm`` the largest absolute gradient element; ``is_maximum`` tells whether the
    observed information is positive definite (None when it was not computed). Of ``n_starts``
    starts ``n_agreeing`` ended within 0.001 of the best. ``boundary_items`` have an asymptote at
    the edge of what is allowed, ``boundary_groups`` a mean or deviation that the nodes cannot hold.
    """

    nodes: int
    loglik_doubled: float
    loglik_change: float
    gradient_norm: float
    last_change: float
    is_maximum: bool | None
    negative_slopes: tuple[str, ...]
    extreme_items: tuple[str, ...]
    boundary_items: tuple[str, ...] = ()
    boundary_groups: tuple[str, ...] = ()
    n_starts: int = 1
    n_agreeing: int = 1

    @property
    def is_sound(self) -> bool:
        """Nodes suffice (log-likelihood moves < 1e-3) and nothing contradicts a maximum."""
        return abs(self.loglik_change) < 1e-3 and self.is_maximum is not False and not self.boundary_groups

    def __str__(self) -> str:
        lines = [
            f"nodes {self.nodes}: log-likelihood moves {self.loglik_change:+.1e} when doubled",
            f"largest gradient {self.gradient_norm:.1e}, last change {self.last_change:.1e}",
        ]
        if self.n_starts > 1:
            lines.append(f"{self.n_agreeing} of {self.n_starts} starts agree on the best log-likelihood")
        if self.is_maximum is not None:
            lines.append("observed information is " + ("" if self.is_maximum else "NOT ") + "positive definite")
        for words, items in (
            ("negative slopes", self.negative_slopes),
            ("extreme parameters", self.extreme_items),
            ("asymptotes at a bound", self.boundary_items),
            ("groups that the nodes cannot hold", self.boundary_groups),
        ):
            if items:
                lines.append(f"{words}: " + ", ".join(items))
        return "\n".join(lines)


def certify(
    problem: _em.Problem,
    state: _em.State,
    trace: _em.Trace,
    item_ids: Sequence[str],
    is_maximum: bool | None,
    logliks: Sequence[float],
    labels: Sequence[str],
) -> Certificate:
    """Look at a finished fit; ``logliks`` are those that all starts ended at, ``labels`` name the groups."""
    change = _loglik_change(problem, state)
    gradient, information = _information.complete_information(problem, state)
    gradient, _, free = _shared(problem, gradient, information, estimated(problem, state))
    starts = problem.category_start
    last = state.intercepts[starts[1:] - 1]
    with np.errstate(divide="ignore"):
        location = np.abs(last / (state.slopes * (np.diff(starts) - 1)))
    extreme = (np.abs(state.slopes) > STEEP_SLOPE) | (location > FAR_DIFFICULTY)
    at_bound = boundary_extras(problem, state)
    return Certificate(
        nodes=problem.nodes.size,
        loglik_doubled=state.loglik - _em.prior_value(problem, state) + change,
        loglik_change=change,
        gradient_norm=float(np.abs(gradient[free]).max(initial=0.0)),
        last_change=trace.changes[-1] if trace.changes else float("nan"),
        is_maximum=is_maximum,
        negative_slopes=tuple(item_ids[j] for j in np.flatnonzero(state.slopes < 0).tolist()),
        extreme_items=tuple(item_ids[j] for j in np.flatnonzero(extreme).tolist()),
        boundary_items=tuple(item_ids[item.position] for item in problem.models.others if at_bound[item.extras].any()),
        boundary_groups=tuple(labels[g] for g in _groups_at_bound(problem, state)),
        n_starts=len(logliks),
        n_agreeing=int(np.sum(np.asarray(logliks) >= max(logliks) - SAME_MAXIMUM)),
    )


def _groups_at_bound(problem: _em.Problem, state: _em.State) -> list[int]:
    if problem.populations is None:
        return []
    return [int(g) for g in np.flatnonzero(problem.populations.at_bound(state.latent, problem.nodes))]


def _loglik_change(problem: _em.Problem, state: _em.State) -> float:
    """What doubling the nodes adds to the log-likelihood; a histogram has no density between its nodes."""
    if problem.populations is not None and problem.populations.is_histogram:
        return 0.0
    nodes, node_weights = _em.quadrature(2 * problem.nodes.size - 1, float(problem.nodes[-1]))
    doubled = replace(problem, nodes=nodes, node_weights=node_weights)
    finer = _em.State(state.slopes, state.intercepts, extras=state.extras, latent=state.latent)
    _em.expectation(doubled, finer)
    return finer.loglik - state.loglik


def boundary_extras(problem: _em.Problem, state: _em.State) -> BoolArray:
    """Mask of the extras that are asymptotes at an edge of their range."""
    at_bound = np.zeros(state.extras.size, dtype=np.bool_)
    for item in problem.models.others:
        if item.family == ASYMPTOTIC:
            logits = np.abs(state.extras[item.extras])
            at_bound[item.extras] = (logits >= -LOWEST_LOGIT) | (logits <= 0.0)
    return at_bound


def estimated(problem: _em.Problem, state: _em.State) -> BoolArray:
    """Mask of the parameters, in the information's order, that are free and inside their range."""
    free = np.ones(_information.n_parameters(problem), dtype=np.bool_)
    n_categories = problem.usable.size
    free[:n_categories] = problem.usable
    at_bound = boundary_extras(problem, state)
    for item in problem.models.others:
        free[_information.columns_of(problem, item)] = item.usable(problem.usable)
    free[n_categories : n_categories + at_bound.size] &= ~at_bound
    for j, part in enumerate(problem.item_parts):
        if problem.is_held(j):
            free[part] = False
    for item in problem.models.others:
        if problem.is_held(item.position):
            free[_information.columns_of(problem, item)] = False
    return free


def _shared(
    problem: _em.Problem, gradient: FloatArray, information: FloatArray, free: BoolArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Derivatives by the common slope, put at the first of the items that share it."""
    common = problem.category_start[problem.models.common]
    if not common.size:
        return gradient, information, free
    gradient, information, free = gradient.copy(), information.copy(), free.copy()
    gradient[common[0]] = gradient[common].sum()
    information[common[0]] = information[common].sum(axis=0)
    information[:, common[0]] = information[:, common].sum(axis=1)
    free[common[1:]] = False
    return gradient, information, free


def errors_of(problem: _em.Problem, state: _em.State, information: FloatArray) -> tuple[FloatArray, FloatArray, bool]:
    """Errors and covariances of all parameters (NaN where not estimated); whether the information is positive definite."""
    errors, covariance = np.full(information.shape[0], np.nan), np.full(information.shape, np.nan)
    _, information, free = _shared(problem, errors, information, estimated(problem, state))
    try:
        factor = np.linalg.cholesky(information[np.ix_(free, free)])
    except np.linalg.LinAlgError:
        return errors, covariance, False
    inverse_factor = np.linalg.inv(factor)
    errors[free] = np.sqrt((inverse_factor**2).sum(axis=0))
    covariance[np.ix_(free, free)] = inverse_factor.T @ inverse_factor
    common = problem.category_start[problem.models.common]
    errors[common] = errors[common[:1]]
    return errors, covariance, True
