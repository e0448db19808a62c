"""Calibration of one-dimensional item response models by marginal likelihood.

Right/wrong and partial credit items (Muraki 1992; slope-intercept form as in R mirt) with scores
0..K have

    P(x = k | theta) = exp(a k theta + d_k) / sum_m exp(a m theta + d_m),   d_0 = 0,

which for K = 1 is the 2PL with difficulty b = -d_1 / a. Step thresholds are
b_k = -(d_k - d_{k-1}) / a. In the other models, with logistic F,

    3PL, 4PL   P(x = 1) = g + (u - g) F(a theta + d_1)                      (Birnbaum 1968; Barton & Lord 1981)
    GRM        P(x >= k) = F(a theta + d_k)                                  (Samejima 1969)
    NRM        P(x = k) proportional to exp(a s_k theta + d_k), s_K = K      (Bock 1972)

and 1PL and PCM are the 2PL and the GPCM with one slope for all (Rasch 1960; Masters 1982).
Ability is standard normal in the (weighted) population, or in the reference group.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypedDict

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray, Int8Array
from edmeasure.calibration import _calibration, _em, _families
from edmeasure.calibration._estimates import estimates
from edmeasure.calibration.certificate import Certificate, certify
from edmeasure.calibration.priors import WEAK, ItemPriors
from edmeasure.errors import BadOption, NothingToCalibrate
from edmeasure.responses import Responses, unit_weights

FEWEST_NODES = 11


def _nothing() -> FloatArray:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class IRTFit(Exported):
    """Calibrated items; arrays run over all items, NaN where an item was excluded.

    Attributes
    ----------
    item_ids : tuple of str, length J
    max_scores : int8 (J,)
    models : tuple of str, length J
    slopes : float64 (J,)
    intercepts : float64 (J, K_max + 1)
        ``d_k`` with ``d_0 = 0``, NaN beyond the item's maximum.
    lower, upper : float64 (J,)
        Asymptotes; 0 and 1 in models without.
    category_slopes : float64 (J, K_max + 1)
        ``a s_k``: what an ability of one adds to the intercept; ``a k`` in partial credit models.
    thresholds : float64 (J, K_max)
        Step thresholds ``b_k``; for right/wrong items the difficulty, for graded ones where half
        the persons reach the category.
    difficulties : float64 (J,)
        Mean of the thresholds.
    slope_se, intercept_se, lower_se, upper_se, category_slope_se
        From the observed information (Louis); NaN when not asked for, or not estimated.
    excluded : tuple of str
        Items without variance, left out.
    unused_categories : tuple of (item id, category)
        Categories nobody chose; their intercept is fixed at -50.
    loglik, log_prior : float
        Marginal log-likelihood, and log prior density up to a constant; ``history`` holds their sum.
    group_labels : tuple of str; group_means, group_sds, group_mean_se, group_sd_se : float64 (G,)
        Ability distributions, reference group first; one unnamed group without ``groups``.
    group_weights : float64 (G, n_nodes)
        The same at the nodes.
    covariance : float64 (P, P)
        Of the parameters of the calibrated items: slope and intercepts 1..K of one after the other,
        then what other models add (logits of asymptotes, category slopes); NaN where not estimated,
        empty when not asked for. `update_bank` needs it; ``to_dict`` leaves it out.
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
    models: tuple[str, ...] = ()
    lower: FloatArray = field(default_factory=_nothing)
    upper: FloatArray = field(default_factory=_nothing)
    lower_se: FloatArray = field(default_factory=_nothing)
    upper_se: FloatArray = field(default_factory=_nothing)
    category_scores: FloatArray = field(default_factory=_nothing)
    category_slope_se: FloatArray = field(default_factory=_nothing)
    log_prior: float = 0.0
    group_labels: tuple[str, ...] = ("",)
    group_means: FloatArray = field(default_factory=_nothing)
    group_sds: FloatArray = field(default_factory=_nothing)
    group_mean_se: FloatArray = field(default_factory=_nothing)
    group_sd_se: FloatArray = field(default_factory=_nothing)
    group_weights: FloatArray = field(default_factory=_nothing)
    covariance: FloatArray = field(default_factory=lambda: np.empty((0, 0)))

    def __post_init__(self) -> None:
        """Fill in what partial credit items need not say."""
        n_items = self.slopes.size
        steps = np.arange(self.intercepts.shape[1], dtype=np.float64)
        scores = np.where(steps <= self.max_scores[:, None], steps, np.nan)
        without = {
            "models": tuple("2PL" if top == 1 else "GPCM" for top in self.max_scores),
            "lower": np.zeros(n_items),
            "upper": np.ones(n_items),
            "category_scores": scores,
            "group_means": np.zeros(1),
            "group_sds": np.ones(1),
            "group_weights": self.node_weights[None, :],
        }
        for name, value in without.items():
            if len(getattr(self, name)) == 0:
                object.__setattr__(self, name, value)

    @property
    def category_slopes(self) -> FloatArray:
        return np.asarray(self.slopes[:, None] * self.category_scores)

    @property
    def thresholds(self) -> FloatArray:
        graded = np.array([model == "GRM" for model in self.models])[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            steps = -np.diff(self.intercepts, axis=1) / np.diff(self.category_slopes, axis=1)
            return np.asarray(np.where(graded, -self.intercepts[:, 1:] / self.slopes[:, None], steps))

    @property
    def difficulties(self) -> FloatArray:
        steps = self.max_scores.astype(np.float64)
        last = self.intercepts[np.arange(self.slopes.size), self.max_scores.astype(np.int64)]
        graded = np.array([model == "GRM" for model in self.models])
        with np.errstate(divide="ignore", invalid="ignore"):
            of_last = -last / (steps * self.slopes)
            return np.asarray(np.where(graded, -np.nansum(self.intercepts, axis=1) / (steps * self.slopes), of_last))

    @property
    def difficulty_se(self) -> FloatArray:
        """Delta-method errors of ``difficulties`` ignoring covariances."""
        steps = self.max_scores.astype(np.float64)
        at = np.arange(self.slopes.size), self.max_scores.astype(np.int64)
        graded = np.array([model == "GRM" for model in self.models])
        with np.errstate(divide="ignore", invalid="ignore"):
            of_intercepts = np.where(graded, np.sqrt(np.nansum(self.intercept_se**2, axis=1)), self.intercept_se[at])
            from_intercept = of_intercepts / (steps * self.slopes)
            from_slope = self.difficulties * self.slope_se / self.slopes
        return np.asarray(np.hypot(from_intercept, from_slope))

    def priors_of(self, groups: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Mean and deviation of every person's group, for ``prior_mean`` and ``prior_sd`` of scores."""
        labels, codes = _validate.group_codes(groups, np.asarray(groups).size)
        names = [str(label) for label in labels.tolist()]
        strangers = [name for name in names if name not in self.group_labels]
        if strangers:
            raise BadOption(f"Groups {strangers[:10]} are not in the fit.", remedy=f"It has {', '.join(self.group_labels[:10])}.")
        at = np.array([self.group_labels.index(name) for name in names], dtype=np.int64)[codes]
        return self.group_means[at], self.group_sds[at]

    def to_dict(self) -> dict[str, object]:
        """Its fields as numbers, text, lists and dictionaries, ready for JSON, but the covariance."""
        told = super().to_dict()
        del told["covariance"]
        return told

    def _columns(self) -> Mapping[str, object]:
        tables = ("intercepts", "intercept_se", "category_scores", "thresholds")
        single = ("slopes", "slope_se", "lower", "lower_se", "upper", "upper_se", "difficulties", "difficulty_se")
        return {
            "item": self.item_ids,
            "max_score": self.max_scores,
            "model": self.models,
            **{name: getattr(self, name) for name in single},
            **{name: getattr(self, name).tolist() for name in tables},
        }

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
        named = sorted(set(self.models) - {"2PL", "GPCM"})
        if named:
            lines.insert(1, "models: " + ", ".join(f"{self.models.count(name)} {name}" for name in sorted(set(self.models))))
        if len(self.group_labels) > 1:
            lines += [
                f"group {label}: mean {mean:.3f}, sd {sd:.3f}"
                for label, mean, sd in zip(self.group_labels, self.group_means, self.group_sds, strict=True)
            ]
        if self.excluded:
            lines.append("without variance, excluded: " + ", ".join(self.excluded))
        return "\n".join(lines)


def calibrate(
    responses: Responses,
    *,
    models: str | Mapping[str, str] = "2PL",
    weights: npt.ArrayLike | None = None,
    n_nodes: int = 61,
    bound: float = 6.0,
    max_iterations: int = 500,
    tolerance: float = 1e-6,
    loglik_tolerance: float = 1e-9,
    standard_errors: bool = True,
    weak_prior: bool = False,
    priors: ItemPriors | None = None,
    start: IRTFit | None = None,
    fixed: IRTFit | None = None,
    groups: npt.ArrayLike | None = None,
    reference: object | None = None,
    free_items: Collection[str] = (),
    latent_density: Literal["normal", "histogram"] = "normal",
    n_starts: int = 1,
    rng: np.random.Generator | None = None,
    backend: object = "numba",
    device: object | None = None,
) -> IRTFit:
    """Calibrate all items together, each by its own model.

    Parameters
    ----------
    responses
        Any negative code counts as missing by design: apply ``Responses.scored`` first.
    models
        ``"1PL"`` to ``"4PL"``, ``"PCM"``, ``"GPCM"``, ``"GRM"`` or ``"NRM"``, for all items or by item
        id (2PL and GPCM for the others). One word for all becomes PCM (1PL) or GPCM where an item
        has more categories than it is made for, and 1PL (PCM) or 2PL where it has two.
    weights : float64 (n_persons,), optional
        Default ``responses.weights``; rescaled to the number of persons.
    n_nodes, bound
        Equally spaced quadrature on ``[-bound, bound]``.
    tolerance, loglik_tolerance
        An EM step that moves no parameter more and gains relatively less log-likelihood is the last.
    standard_errors
        Also compute the observed information (Louis 1982); clustered sampling is not in it.
    weak_prior, priors
        N(1, 1) for slopes and N(0, 4^2) for intercepts, for tiny samples; or any ``ItemPriors``.
    start, fixed
        Earlier fits: items (by id) start from ``start``; those of ``fixed`` keep parameters and
        models, and mean and deviation of every group are estimated on that fit's scale.
    groups : (n_persons,), optional; reference; free_items
        Groups other than ``reference`` (default the first label) have a mean and deviation of their
        own, and parameters of their own, as items ``id@group``, for the ids in ``free_items``.
    latent_density
        ``"histogram"`` estimates the density at every node, standardised in the reference group;
        errors take it as known.
    n_starts, rng
        Further starts at random; the best counts, the certificate tells how many agree.
    backend, device
        What takes the E-steps: ``"numba"``, or an array API namespace (``torch``, on ``"cuda"``).

    Raises
    ------
    NothingToCalibrate, BadOption, BadShape, BadWeight

    Notes
    -----
    Bock & Aitkin (1981) EM, with groups Bock & Zimowski (1997); Newton M-steps; Anderson mixing,
    every accepted step monotone. By numba the same to the last bit whatever the number of threads.
    """
    check_options(responses.n_persons, n_nodes, bound, tolerance, n_starts, rng, weak_prior and priors is not None)
    person_weights = unit_weights(responses, weights)
    grouped = _calibration.grouping(
        groups, responses.n_persons, reference=reference, latent_density=latent_density, is_fixed=fixed is not None
    )
    responses = _calibration.by_group(responses, free_items, grouped)
    names = names_of_models(models, responses, free_items, fixed)
    chosen, known = priors or (WEAK if weak_prior else ItemPriors()), (known_items(start), known_items(fixed))
    task = _calibration.task(responses, person_weights, grouped, names, chosen, *known, n_nodes, bound, (backend, device))
    ends = task.search(n_starts, rng, max_iterations, tolerance, loglik_tolerance)
    return result_of(responses, names, task, ends, task.finished(ends, standard_errors), grouped.labels)


def check_options(
    n_persons: int, n_nodes: int, bound: float, tolerance: float, n_starts: int, rng: object | None, has_two_priors: bool
) -> None:
    """Refuse what no calibration can work with."""
    if n_nodes < FEWEST_NODES or n_nodes > 2001:
        raise BadOption(f"n_nodes is {n_nodes}.", remedy=f"Use {FEWEST_NODES} to 2001 nodes.")
    _validate.positive(bound, "bound")
    _validate.positive(tolerance, "tolerance")
    if n_starts < 1 or (n_starts > 1 and rng is None):
        raise BadOption(f"n_starts is {n_starts}.", remedy="Use at least 1, and pass rng for more than one.")
    if has_two_priors:
        raise BadOption("Both weak_prior and priors are given.", remedy="Give one of them.")
    if n_persons == 0:
        raise NothingToCalibrate("There are no persons.", remedy="Pass at least a few hundred.")


def names_of_models(
    models: str | Mapping[str, str], responses: Responses, free_items: Collection[str], fixed: IRTFit | None
) -> tuple[str, ...]:
    """Every item's model: a copy in another group follows its item, a fixed item its fit."""
    if not isinstance(models, str):
        copies = {name: name.rsplit("@", 1)[0] for name in responses.item_ids if name.rsplit("@", 1)[0] in free_items}
        models = {**models, **{name: models[item] for name, item in copies.items() if item in models}}
    names = _families.model_names(models, responses.item_ids, responses.max_scores)
    known = {} if fixed is None else dict(zip(fixed.item_ids, fixed.models, strict=True))
    return tuple(known.get(item, name) for item, name in zip(responses.item_ids, names, strict=True))


def known_items(fit: IRTFit | None) -> _calibration.KnownItems | None:
    """A fit's parameters by item id."""
    if fit is None:
        return None
    return _calibration.KnownItems(
        rows={name: row for row, name in enumerate(fit.item_ids)},
        models=fit.models,
        max_scores=fit.max_scores.astype(np.int64),
        slopes=fit.slopes,
        intercepts=fit.intercepts,
        lower=fit.lower,
        upper=fit.upper,
        category_slopes=fit.category_slopes,
    )


def _spread(kept: BoolArray, max_scores: Int8Array, parts: list[slice], flat: FloatArray) -> FloatArray:
    """Flat numbers of the kept items' categories as rows of all items, NaN elsewhere."""
    table = np.full((kept.size, int(max_scores.max()) + 1), np.nan)
    for item, part in zip(np.flatnonzero(kept), parts, strict=True):
        table[item, : part.stop - part.start] = flat[part]
    return table


def result_of(
    responses: Responses,
    names: tuple[str, ...],
    task: _calibration.Task,
    ends: Sequence[_calibration.End],
    finished: _calibration.Finished,
    labels: tuple[str, ...],
) -> IRTFit:
    """The fit of all items from the ends that the starts came to."""
    problem, state, trace, kept = finished.problem, finished.state, finished.trace, task.kept
    found = estimates(problem, state, finished.errors)
    kept_items = np.flatnonzero(kept)
    log_prior = _em.prior_value(problem, state)
    kept_ids = [responses.item_ids[item] for item in kept_items]
    return IRTFit(
        item_ids=responses.item_ids,
        max_scores=responses.max_scores,
        models=names,
        **item_columns(kept, responses.max_scores, problem, state, finished.errors),
        loglik=state.loglik - log_prior,
        log_prior=log_prior,
        n_iterations=len(trace.changes),
        converged=trace.converged,
        certificate=certify(problem, state, trace, kept_ids, finished.is_maximum, [end.loglik for end, _ in ends], labels),
        history=trace.logliks,
        excluded=tuple(responses.item_ids[item] for item in np.flatnonzero(~kept)),
        unused_categories=tuple(
            (kept_ids[problem.item_of_category[c]], int(problem.category[c])) for c in np.flatnonzero(~problem.usable)
        ),
        nodes=problem.nodes,
        node_weights=found.group_weights[0],
        group_labels=labels,
        group_means=found.group_means,
        group_sds=found.group_sds,
        group_mean_se=found.group_mean_se,
        group_sd_se=found.group_sd_se,
        group_weights=found.group_weights,
        covariance=_of_items(finished.covariance, int(problem.category_start[-1]) + problem.models.n_extras),
    )


class ItemColumns(TypedDict):
    """Numbers by item (NaN where there are none), as an `IRTFit` holds them."""

    slopes: FloatArray
    intercepts: FloatArray
    slope_se: FloatArray
    intercept_se: FloatArray
    lower: FloatArray
    upper: FloatArray
    lower_se: FloatArray
    upper_se: FloatArray
    category_scores: FloatArray
    category_slope_se: FloatArray


def item_columns(
    kept: BoolArray, max_scores: Int8Array, problem: _em.Problem, state: _em.State, errors: FloatArray | None
) -> ItemColumns:
    """Estimates and errors of the ``kept`` items as rows of all."""
    found = estimates(problem, state, errors)

    def of_items(values: FloatArray) -> FloatArray:
        column = np.full(kept.size, np.nan)
        column[kept] = values
        return column

    def of_categories(flat: FloatArray) -> FloatArray:
        return _spread(kept, max_scores, problem.item_parts, flat)

    return ItemColumns(
        slopes=of_items(state.slopes),
        intercepts=of_categories(state.intercepts),
        slope_se=of_items(found.slope_se),
        intercept_se=of_categories(found.intercept_se),
        lower=of_items(found.lower),
        upper=of_items(found.upper),
        lower_se=of_items(found.lower_se),
        upper_se=of_items(found.upper_se),
        category_scores=of_categories(found.category_scores),
        category_slope_se=of_categories(found.category_slope_se),
    )


def _of_items(covariance: FloatArray | None, size: int) -> FloatArray:
    return np.empty((0, 0)) if covariance is None else covariance[:size, :size]
