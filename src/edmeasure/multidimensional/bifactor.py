"""Bifactor and testlet models: one general ability and, uncorrelated with it, one for every group of items.

An item of group s depends on z = a_g theta_g + a_s theta_s. In a testlet model a_s is the same
multiple of a_g for all items of the group (Bradlow, Wainer & Wang 1999). Given theta_g the groups
are independent, so that the likelihood needs two-dimensional sums whatever the number of groups
(Gibbons & Hedeker 1992; Gibbons et al. 2007 for graded items).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray, IntArray
from edmeasure.calibration.certificate import Certificate
from edmeasure.errors import BadOption, BadShape
from edmeasure.multidimensional import _climb
from edmeasure.multidimensional._layout import Layout, Parameters, spread_slopes
from edmeasure.multidimensional._reduction import ReducedModel, reduced_model
from edmeasure.multidimensional._setup import Sheets, axis, precision_of, sheets_of
from edmeasure.multidimensional.fits import Calibrated, DimensionsFit, extreme_items, fit_of, negative_slopes
from edmeasure.responses import Responses

GENERAL = "general"
FEWEST_NODES, MOST_NODES = 5, 201
START_GENERAL, START_SPECIFIC = 1.1, 0.6


@dataclass(frozen=True, eq=False)
class BifactorFit(Exported):
    """A bifactor or testlet calibration, and what it says about one score.

    Attributes
    ----------
    fit : DimensionsFit
        Abilities ``general`` and then the groups, for scoring; its loadings are those of the
        general and the specific factors.
    groups : tuple of str, length S
    group : int64 (J,)
        Every item's group, -1 for items of the general ability alone.
    is_testlet : bool
    spreads, spread_se : float64 (S,)
        In a testlet model the deviation of the group's ability on the scale of the general one; else NaN.
    omega_total, omega_hierarchical : float
        Of the sum of the standardised latent answers: the share of variance that is common, and
        that is the general ability's (McDonald 1999; Reise 2012).
    omega_specific : float64 (S,)
        Share of the variance of a group's own sum that is its specific ability's.
    ecv : float
        Explained common variance: the general ability's share of all squared loadings (Sijtsma
        2009; Reise, Moore & Haviland 2010).
    item_ecv : float64 (J,)
        The same by item.
    sum_score_total, sum_score_hierarchical : float
        The same shares of the variance of the sum score as it is, points of all items.
    """

    fit: DimensionsFit
    groups: tuple[str, ...]
    group: IntArray
    is_testlet: bool
    spreads: FloatArray
    spread_se: FloatArray
    omega_total: float
    omega_hierarchical: float
    omega_specific: FloatArray
    ecv: float
    item_ecv: FloatArray
    sum_score_total: float
    sum_score_hierarchical: float

    def _columns(self) -> Mapping[str, object]:
        names = [self.groups[g] if g >= 0 else None for g in self.group]
        own = np.where(self.group >= 0, self.group + 1, 0)
        at = np.arange(self.group.size)
        specific = np.where(self.group >= 0, self.fit.loadings[at, own], np.nan)
        return {
            "item": self.fit.item_ids,
            "group": names,
            "general": self.fit.loadings[:, 0],
            "specific": specific,
            "item_ecv": self.item_ecv,
        }

    def __str__(self) -> str:
        kind = "testlet" if self.is_testlet else "bifactor"
        lines = [
            f"{kind} model of {len(self.groups)} groups: log-likelihood {self.fit.loglik:.4f}, "
            f"{self.fit.n_parameters} parameters, {self.fit.n_iterations} iterations"
            + ("" if self.fit.converged else ", NOT CONVERGED"),
            str(self.fit.certificate),
            f"omega total {self.omega_total:.3f}, hierarchical {self.omega_hierarchical:.3f}; explained common {self.ecv:.3f}",
            f"of the sum score's variance {self.sum_score_total:.3f} is common, {self.sum_score_hierarchical:.3f} general",
        ]
        if self.is_testlet:
            pairs = zip(self.groups, self.spreads, strict=True)
            lines.append("deviations of testlets: " + ", ".join(f"{name} {spread:.2f}" for name, spread in pairs))
        if self.fit.excluded:
            lines.append("without variance, excluded: " + ", ".join(self.fit.excluded))
        return "\n".join(lines)


def calibrate_bifactor(
    responses: Responses,
    *,
    groups: Sequence[object] | Mapping[str, object],
    is_testlet: bool = False,
    models: str | Mapping[str, str] = "2PL",
    weights: npt.ArrayLike | None = None,
    slope_prior_sd: float = np.inf,
    n_nodes: int = 31,
    bound: float = 6.0,
    max_iterations: int = 500,
    tolerance: float = 1e-5,
    loglik_tolerance: float = 1e-9,
    standard_errors: bool = True,
    n_starts: int = 1,
    rng: np.random.Generator | None = None,
) -> BifactorFit:
    """Calibrate one general ability and one specific ability per group of items.

    Parameters
    ----------
    responses
        Any negative code counts as missing by design: apply ``Responses.scored`` first.
    groups
        Every item's group: a label per item, or by item id; None for items of the general ability
        alone. A group has at least three items (two in a testlet model).
    is_testlet
        Slopes on the specific ability proportional to those on the general one, one factor per group.
    models, weights, slope_prior_sd, n_nodes, bound, max_iterations, tolerance, loglik_tolerance, n_starts, rng
        As in ``calibrate_dimensions``; the nodes are those of each ability.

    Raises
    ------
    NothingToCalibrate, BadOption, BadScore, BadShape, BadWeight

    Notes
    -----
    EM with Anderson mixing, every accepted step monotone. Items of one group of two would leave
    their two specific slopes undetermined: only the product shows.
    """
    sheets = sheets_of(responses, models, weights)
    _validate.positive(bound, "bound")
    _validate.positive(tolerance, "tolerance")
    if not FEWEST_NODES <= n_nodes <= MOST_NODES:
        raise BadOption(f"n_nodes is {n_nodes}.", remedy=f"Use {FEWEST_NODES} to {MOST_NODES} nodes.")
    names, member = _groups_of(groups, sheets, fewest=2 if is_testlet else 3)
    if len(names) + (member < 0).any() < (3 if is_testlet else 2):
        raise BadOption(
            f"{len(names)} groups cannot be told from the general ability.",
            remedy="Pass at least two groups (three testlets), items without a group counting as one.",
        )
    layout, start = _start(sheets, member[sheets.kept], len(names), is_testlet, precision_of(slope_prior_sd))
    model = reduced_model(
        layout, sheets.rows, sheets.max_scores, sheets.row_weights, axis(max(FEWEST_NODES, n_nodes // 2 + 1), bound)
    )
    starts = _climb.shaken_starts(layout, start, n_starts, rng)
    first, n_agreeing = _climb.search(model, starts, max_iterations=max_iterations)
    model = model.on(axis(n_nodes, bound))
    summit = _climb.climb(
        model, first.parameters, max_iterations=max_iterations, tolerance=tolerance, loglik_tolerance=loglik_tolerance
    )
    found = _finished(sheets, model, summit.after(first), standard_errors, (n_starts, n_agreeing))
    fit = fit_of(sheets, layout, (GENERAL, *names), found, n_nodes=n_nodes, bound=bound)
    return _result(fit, names, member, layout, found)


def _groups_of(
    groups: Sequence[object] | Mapping[str, object], sheets: Sheets, *, fewest: int
) -> tuple[tuple[str, ...], IntArray]:
    """Labels in the order they appear, and every item's (-1 for none)."""
    ids = sheets.responses.item_ids
    if isinstance(groups, Mapping):
        strangers = sorted(set(groups) - set(ids))
        if strangers:
            raise BadOption(f"groups names items that are not there: {strangers[:10]}.", remedy="Use the ids of the responses.")
        labels = [groups.get(name) for name in ids]
    else:
        labels = list(groups)
    if len(labels) != len(ids):
        raise BadShape(f"There are {len(labels)} groups for {len(ids)} items.", remedy="Give one label, or None, per item.")
    texts = [None if label is None else str(label) for label in labels]
    names = tuple(dict.fromkeys(text for text in texts if text is not None))
    if not names or GENERAL in names:
        raise BadOption(f"The groups are {list(names)[:10]}.", remedy=f'Name at least one, and none "{GENERAL}".')
    member = np.array([-1 if text is None else names.index(text) for text in texts], dtype=np.int64)
    sizes = np.bincount(member[sheets.kept & (member >= 0)], minlength=len(names))
    small = [name for name, size in zip(names, sizes, strict=True) if size < fewest]
    if small:
        raise BadOption(
            f"Groups {small[:10]} have fewer than {fewest} items that vary.",
            remedy="Join them with others, or give those items None.",
        )
    return names, member


def _start(sheets: Sheets, member: IntArray, n_groups: int, is_testlet: bool, precision: float) -> tuple[Layout, Parameters]:
    loads = np.zeros((member.size, 1 + n_groups), dtype=np.bool_)
    loads[:, 0] = True
    grouped = np.flatnonzero(member >= 0)
    loads[grouped, 1 + member[grouped]] = True
    slopes = np.where(loads, START_SPECIFIC, 0.0)
    slopes[:, 0] = START_GENERAL
    no_pairs = np.empty((0, 2), dtype=np.int64)
    layout = sheets.layout(loads, no_pairs, precision=precision, testlets=member if is_testlet else None)
    start = sheets.start(layout, slopes, np.full(n_groups, START_SPECIFIC) if is_testlet else None)
    if is_testlet:
        spread_slopes(member, start)
    return layout, start


def _finished(
    sheets: Sheets, model: ReducedModel, summit: _climb.Summit, standard_errors: bool, starts: tuple[int, int]
) -> Calibrated:
    """The end as a result; ``starts`` are those tried and those that agree."""
    layout = model.layout
    parameters, expected = summit.parameters, summit.expected
    gradient = model.gradient(parameters, expected)
    covariance, is_maximum = None, None
    if standard_errors:
        covariance, is_maximum = _climb.covariance_of(_climb.observed_information(model, parameters))
    loglik = expected.loglik - layout.log_prior(parameters)
    doubled = model.on(axis(2 * model.axis.size - 1, float(model.axis[-1]))).loglik(parameters)
    evidence = Certificate(
        nodes=model.axis.size,
        loglik_doubled=doubled,
        loglik_change=doubled - loglik,
        gradient_norm=float(np.abs(gradient).max(initial=0.0)),
        last_change=summit.last_change,
        is_maximum=is_maximum,
        negative_slopes=negative_slopes(sheets, layout, parameters),
        extreme_items=extreme_items(sheets, layout, parameters),
        n_starts=starts[0],
        n_agreeing=starts[1],
    )
    return Calibrated(parameters, covariance, loglik, 0.0, summit.n_iterations, summit.converged, evidence, summit.logliks)


def _result(fit: DimensionsFit, names: tuple[str, ...], member: IntArray, layout: Layout, found: Calibrated) -> BifactorFit:
    loadings = np.where(np.isfinite(fit.loadings), fit.loadings, 0.0)
    common, n_groups = loadings @ loadings.T, len(names)
    unique = np.where(fit.calibrated, 1.0 - np.diag(common), 0.0)
    variance = float(common.sum() + unique.sum())
    own = [member == g for g in range(n_groups)]
    of_groups = [float(common[np.ix_(mask, mask)].sum() + unique[mask].sum()) for mask in own]
    squares = loadings**2
    spreads, errors = np.full(n_groups, np.nan), np.full(n_groups, np.nan)
    if layout.testlets is not None:
        spreads = np.abs(found.parameters.spreads)
        if found.covariance is not None:
            errors = np.sqrt(np.diag(found.covariance))[-n_groups:]
    total, hierarchical = _sum_score_shares(fit, layout, found.parameters)
    with np.errstate(invalid="ignore"):
        item_ecv = np.where(fit.calibrated, squares[:, 0] / squares.sum(axis=1), np.nan)
    return BifactorFit(
        fit=fit,
        groups=names,
        group=member,
        is_testlet=layout.testlets is not None,
        spreads=spreads,
        spread_se=errors,
        omega_total=float(common.sum()) / variance,
        omega_hierarchical=float(loadings[:, 0].sum()) ** 2 / variance,
        omega_specific=np.array([float(loadings[mask, 1 + g].sum()) ** 2 / of_groups[g] for g, mask in enumerate(own)]),
        ecv=float(squares[:, 0].sum() / squares.sum()),
        item_ecv=item_ecv,
        sum_score_total=total,
        sum_score_hierarchical=hierarchical,
    )


def _sum_score_shares(fit: DimensionsFit, layout: Layout, parameters: Parameters) -> tuple[float, float]:
    """Shares of the sum score's variance that all abilities, and the general one alone, explain.

    With T the expected points at all abilities: var E[X | general] and var T over var X, where
    groups are independent given the general ability.
    """
    nodes = axis(max(fit.n_nodes, 31), fit.bound)
    prior = np.exp(-0.5 * nodes**2)
    prior /= prior.sum()
    at_general, within, noise = np.zeros(nodes.size), 0.0, 0.0
    specific = np.where(layout.loads[:, 1:].any(axis=1), 1 + np.argmax(layout.loads[:, 1:], axis=1), 0)
    for d in np.unique(specific).tolist():
        true, error = np.zeros((nodes.size, nodes.size)), np.zeros((nodes.size, nodes.size))
        for j in np.flatnonzero(specific == d).tolist():
            both = np.stack([np.repeat(nodes, nodes.size), np.tile(nodes, nodes.size)])[: layout.dims[j].size]
            chances = np.exp(layout.log_probs(parameters, j, np.ascontiguousarray(both)))
            points = np.arange(chances.shape[0])
            mean = np.einsum("k,kq->q", points, chances).reshape(nodes.size, -1)
            square = np.einsum("k,kq->q", points**2, chances).reshape(nodes.size, -1)
            true, error = true + mean, error + square - mean**2
        given_general = np.einsum("qr,r->q", true, prior)
        at_general += given_general
        within += float(prior @ (np.einsum("qr,r->q", true**2, prior) - given_general**2))
        noise += float(prior @ np.einsum("qr,r->q", error, prior))
    between = float(prior @ at_general**2 - (prior @ at_general) ** 2)
    return (between + within) / (between + within + noise), between / (between + within + noise)
