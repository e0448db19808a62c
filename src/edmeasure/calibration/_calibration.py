"""What one calibration sets up: the items that can be estimated, their packing, priors and populations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.calibration import _em, _families, _packing, certificate
from edmeasure.calibration._evidence import Evidence, PackedGroups
from edmeasure.calibration._families import ItemModels
from edmeasure.calibration._family_kernels import ASYMPTOTIC, NOMINAL
from edmeasure.calibration._information import observed_information
from edmeasure.calibration._matrix_evidence import matrix_evidence
from edmeasure.calibration._packing import PackedResponses
from edmeasure.calibration._populations import Populations
from edmeasure.calibration.priors import ItemPriors
from edmeasure.errors import BadOption, BadShape, BadWeight, NothingToCalibrate
from edmeasure.responses import Responses

JITTER = 0.5
Kernel = tuple[object, object | None]
"""What takes the E-steps, and on which device."""
NUMBA: Kernel = ("numba", None)


@dataclass(frozen=True, eq=False)
class Groups:
    """Labels, the code of every person, and which groups have their own mean and deviation."""

    labels: tuple[str, ...]
    codes: IntArray
    free: BoolArray
    is_histogram: bool

    @property
    def is_standard(self) -> bool:
        """One population that is standard normal by definition."""
        return len(self.labels) == 1 and not self.is_histogram and not bool(self.free.any())


@dataclass(frozen=True, eq=False)
class KnownItems:
    """Parameters of items of an earlier fit, by id."""

    rows: dict[str, int]
    models: tuple[str, ...]
    max_scores: IntArray
    slopes: FloatArray
    intercepts: FloatArray
    lower: FloatArray
    upper: FloatArray
    category_slopes: FloatArray

    def knows(self, item_ids: Sequence[str]) -> BoolArray:
        """Mask of the items that have parameters here."""
        return np.array([name in self.rows and bool(np.isfinite(self.slopes[self.rows[name]])) for name in item_ids])

    def copy_into(self, state: _em.State, problem: _em.Problem, item_ids: tuple[str, ...], names: tuple[str, ...]) -> None:
        """Give the state these items' parameters, where they follow the same model."""
        known = np.zeros(len(item_ids), dtype=np.bool_)
        at = np.array([self.rows.get(name, -1) for name in item_ids], dtype=np.int64)
        for j, part in enumerate(problem.item_parts):
            row, size = at[j], part.stop - part.start
            if row < 0 or not np.isfinite(self.slopes[row]):
                continue
            if self.max_scores[row] != size - 1:
                raise BadShape(
                    f"Item {item_ids[j]} has another maximum score in the earlier fit.",
                    remedy="Rename the item or leave it out of the earlier fit.",
                )
            known[j] = _families.same_shape(self.models[row], names[j])
            if known[j]:
                state.slopes[j] = self.slopes[row]
                state.intercepts[part] = self.intercepts[row, :size]
        extras = _families.extras_of(problem.models, np.maximum(at, 0), self.lower, self.upper, self.category_slopes)
        for item in problem.models.others:
            if known[item.position]:
                state.extras[item.extras] = extras[item.extras]
        state.intercepts[~problem.usable] = _em.UNUSED_INTERCEPT
        common = problem.models.common
        if common.size:
            state.slopes[common] = state.slopes[common].mean()


def varying_items(parts: Sequence[slice], counts: IntArray) -> BoolArray:
    """Items with at least two different scores; there must be one."""
    varying = np.array([np.count_nonzero(counts[part]) > 1 for part in parts])
    if not varying.any():
        raise NothingToCalibrate(
            "Every item has one and the same score for everybody who answered.",
            remedy="Check the scoring, or pass more persons.",
        )
    return varying


def grouping(groups: npt.ArrayLike | None, n: int, *, reference: object | None, latent_density: str, is_fixed: bool) -> Groups:
    """Groups of the persons; the reference is the standard normal one unless items are fixed."""
    _validate.choice(latent_density, "latent_density", ("normal", "histogram"))
    is_histogram = latent_density == "histogram"
    if is_histogram and is_fixed:
        raise BadOption("Fixed items set the scale of a histogram.", remedy="Use latent_density='normal' with fixed items.")
    if groups is None:
        if reference is not None:
            raise BadOption("A reference is named without groups.", remedy="Pass groups, one label per person.")
        return Groups(("",), np.zeros(n, dtype=np.int64), np.array([is_fixed]), is_histogram)
    labels, codes = _validate.group_codes(groups, n)
    names = tuple(str(label) for label in labels.tolist())
    first = names[0] if reference is None else str(reference)
    if first not in names:
        raise BadOption(f"The reference {first!r} is no group.", remedy=f"Use one of {', '.join(names[:10])}.")
    free = np.array([is_fixed or name != first for name in names])
    # the reference comes first: it carries the scale
    order = sorted(range(len(names)), key=lambda g: (names[g] != first, g))
    place = np.argsort(np.asarray(order))
    return Groups(tuple(names[g] for g in order), place[codes].astype(np.int64), free[order], is_histogram)


def by_group(responses: Responses, free_items: Collection[str], groups: Groups) -> Responses:
    """Responses in which every free item is an item of its own, ``id@group``, in each group but the first."""
    strangers = sorted(set(free_items) - set(responses.item_ids))
    if strangers or (free_items and len(groups.labels) == 1):
        raise BadOption(
            f"Items {strangers[:10]} are not there." if strangers else "Items are freed without groups.",
            remedy="Name items of the responses, and pass groups.",
        )
    if not free_items:
        return responses
    at = [j for j, name in enumerate(responses.item_ids) if name in set(free_items)]
    blocks, ids = [responses.scores.copy()], list(responses.item_ids)
    outside = groups.codes != 0
    for g, label in enumerate(groups.labels[1:], start=1):
        own = responses.scores[:, at].copy()
        own[groups.codes != g] = _validate.MISSING
        blocks.append(own)
        ids += [f"{responses.item_ids[j]}@{label}" for j in at]
    blocks[0][np.ix_(outside, at)] = _validate.MISSING
    tops = np.concatenate([responses.max_scores, *[responses.max_scores[at]] * (len(groups.labels) - 1)])
    return replace(responses, scores=np.concatenate(blocks, axis=1), max_scores=tops, item_ids=tuple(ids))


def problem_of(
    responses: Responses,
    weights: FloatArray,
    groups: Groups,
    names: tuple[str, ...],
    priors: ItemPriors,
    held: BoolArray,
    counts: IntArray,
    *,
    n_nodes: int,
    bound: float,
    kernel: Kernel = NUMBA,
) -> _em.Problem:
    """The problem of items that all vary, with ``counts`` of their answers; parameters of ``held`` ones stay."""
    packed: PackedResponses | Evidence
    if kernel[0] != "numba":
        sheets = list(_sheets_of_groups(responses, weights, groups))
        packed = matrix_evidence(*kernel, sheets, _packing.category_starts(responses.max_scores))
    elif groups.is_standard:
        packed = _packing.pack(responses.scores, responses.max_scores, weights=weights, collapse=True)
    else:
        packed = PackedGroups(tuple(_packed_groups(responses, weights, groups)))
    return problem_with(packed, groups, names, priors, held, counts, n_nodes=n_nodes, bound=bound)


def problem_with(
    packed: PackedResponses | Evidence,
    groups: Groups,
    names: tuple[str, ...],
    priors: ItemPriors,
    held: BoolArray,
    counts: IntArray,
    *,
    n_nodes: int,
    bound: float,
) -> _em.Problem:
    """The same for evidence that is at hand already."""
    nodes, node_weights = _em.quadrature(n_nodes, bound)
    starts = packed.category_start
    usable = counts > 0
    usable[starts[:-1]] = True
    populations = None
    if isinstance(packed, Evidence) and not groups.is_standard:
        populations = Populations(packed, groups.codes, groups.free, groups.is_histogram)
    models = _families.item_models(names, _em.item_parts(starts), ~held)
    return _em.Problem(
        packed=packed,
        nodes=nodes,
        node_weights=node_weights,
        usable=usable,
        item_prior=priors.of_items,
        models=models,
        extra_prior=_extra_prior(models, priors),
        held=held if held.any() else None,
        populations=populations,
    )


def _packed_groups(responses: Responses, weights: FloatArray, groups: Groups) -> Iterator[PackedResponses]:
    for scores, of_members in _sheets_of_groups(responses, weights, groups):
        yield _packing.pack(scores, responses.max_scores, weights=of_members, collapse=True)


def _sheets_of_groups(responses: Responses, weights: FloatArray, groups: Groups) -> Iterator[tuple[Int8Array, FloatArray]]:
    """Scores and weights of every group."""
    for g, label in enumerate(groups.labels):
        members = np.flatnonzero(groups.codes == g)
        scores = np.ascontiguousarray(responses.scores[members])
        if scores.max(initial=_validate.MISSING) < 0:
            raise nobody_answered(label)
        if not weights[members].any():
            raise BadWeight(f"All weights of group {label!r} are zero.", remedy="Leave those persons out.")
        yield scores, weights[members]


def nobody_answered(label: str) -> BadOption:
    """The refusal of a group without any answer."""
    return BadOption(f"Nobody of group {label!r} answered anything.", remedy="Leave those persons out.")


def _extra_prior(models: ItemModels, priors: ItemPriors) -> FloatArray:
    prior = np.zeros((2, models.n_extras))
    slope_mean, slope_precision, _ = priors.of_items
    for item in models.others:
        if item.family == ASYMPTOTIC:
            prior[:, item.extras] = priors.of_asymptotes[:, : item.extras.stop - item.extras.start]
        elif item.family == NOMINAL:
            category = np.arange(1, item.top)
            prior[:, item.extras] = [slope_mean * category, slope_precision / category**2]
    return prior


def shaken(state: _em.State, problem: _em.Problem, rng: np.random.Generator) -> _em.State:
    """Another start: slopes, intercepts and extras moved at random, orders of graded categories kept."""
    slopes = state.slopes * np.exp(JITTER * rng.standard_normal(state.slopes.size))
    intercepts = state.intercepts.copy()
    shifts = JITTER * rng.standard_normal(slopes.size)
    extras = state.extras + JITTER * rng.standard_normal(state.extras.size)
    for j, part in enumerate(problem.item_parts):
        moved = problem.usable[part].copy()
        moved[0] = False
        intercepts[part][moved] += shifts[j]
        if problem.is_held(j):
            slopes[j], intercepts[part] = state.slopes[j], state.intercepts[part]
    for item in problem.models.others:
        if problem.is_held(item.position):
            extras[item.extras] = state.extras[item.extras]
    if problem.models.common.size:
        slopes[problem.models.common] = slopes[problem.models.common[0]]
    return _em.State(slopes, intercepts, extras=problem.models.within_bounds(extras), latent=state.latent.copy())


def standardised(problem: _em.Problem, state: _em.State) -> tuple[_em.Problem, _em.State]:
    """The same fit with nodes moved so that the reference group's histogram has mean 0 and deviation 1."""
    populations = problem.populations
    if populations is None or not populations.is_histogram:
        return problem, state
    weights = populations.weights(state.latent, problem.nodes)
    mean = float(np.sum(weights[0] * problem.nodes))
    sd = float(np.sqrt(np.sum(weights[0] * (problem.nodes - mean) ** 2)))
    item, category = _em.categories(problem.category_start)
    by_category = state.slopes[item] * category
    for other in problem.models.others:
        parameters = other.parameters(state.slopes, state.intercepts, state.extras)
        by_category[other.categories] = other.category_slopes(parameters)
    intercepts = state.intercepts + mean * np.where(problem.usable, by_category, 0.0)
    extras = state.extras.copy()
    for other in problem.models.others:
        if other.family == NOMINAL:
            extras[other.extras] *= sd
    moved = _em.State(state.slopes * sd, intercepts, extras=extras, latent=state.latent)
    rescaled = replace(problem, nodes=(problem.nodes - mean) / sd, node_weights=weights[0])
    _em.expectation(rescaled, moved)
    return rescaled, moved


End = tuple[_em.State, _em.Trace]


@dataclass(frozen=True, eq=False)
class Finished:
    """The best end on its final scale, with errors and covariances of all parameters where they were asked for."""

    problem: _em.Problem
    state: _em.State
    trace: _em.Trace
    errors: FloatArray | None
    covariance: FloatArray | None
    is_maximum: bool | None


@dataclass(frozen=True, eq=False)
class Task:
    """One calibration set up: the varying items' answers, the problem and its first start."""

    kept: BoolArray
    varying: Responses
    weights: FloatArray
    problem: _em.Problem
    first: _em.State

    def search(
        self, n_starts: int, rng: np.random.Generator | None, max_iterations: int, tolerance: float, loglik_tolerance: float
    ) -> list[End]:
        """Climb from the first start and from ``n_starts`` - 1 others."""
        starts = [self.first]
        if rng is not None:
            starts += [shaken(self.first, self.problem, rng) for _ in range(n_starts - 1)]
        options = {"tolerance": tolerance, "loglik_tolerance": loglik_tolerance}
        return [_em.maximize(self.problem, start, max_iterations=max_iterations, **options) for start in starts]

    def information(self, problem: _em.Problem, state: _em.State) -> FloatArray:
        """Observed information of all parameters."""
        return observed_information(problem, state, self.varying.scores, self.weights)[1]

    def finished(self, ends: Sequence[End], standard_errors: bool) -> Finished:
        """The best end, standardised."""
        state, trace = max(ends, key=lambda end: end[0].loglik)
        problem, state = standardised(self.problem, state)
        if not standard_errors:
            return Finished(problem, state, trace, None, None, None)
        information = self.information(problem, state)
        errors, covariance, is_maximum = certificate.errors_of(problem, state, information)
        return Finished(problem, state, trace, errors, covariance, is_maximum)


def task(
    responses: Responses,
    weights: FloatArray,
    groups: Groups,
    names: tuple[str, ...],
    priors: ItemPriors,
    start: KnownItems | None,
    fixed: KnownItems | None,
    n_nodes: int,
    bound: float,
    kernel: Kernel = NUMBA,
) -> Task:
    """Set up a calibration of the items that vary."""
    counts, sums = _packing.count_answers(responses.scores, responses.max_scores, weights)
    starts = _packing.category_starts(responses.max_scores)
    kept = varying_items(_em.item_parts(starts), counts)
    in_kept = kept[_em.categories(starts)[0]]
    varying = responses.items(kept)
    own = tuple(name for name, is_kept in zip(names, kept, strict=True) if is_kept)
    held = np.zeros(varying.n_items, dtype=np.bool_) if fixed is None else fixed.knows(varying.item_ids)
    problem = problem_of(
        varying, weights, groups, own, priors, held, counts[in_kept], n_nodes=n_nodes, bound=bound, kernel=kernel
    )
    first = first_state(problem, sums[in_kept], varying.item_ids, own, (start, fixed))
    return Task(kept, varying, weights, problem, first)


def first_state(
    problem: _em.Problem,
    sums: FloatArray,
    item_ids: tuple[str, ...],
    names: tuple[str, ...],
    known_items: Sequence[KnownItems | None],
) -> _em.State:
    """Starting values from the weights of all categories, or from fits that know the items."""
    first = _em.starting_values(problem, sums)
    for known in known_items:
        if known is not None:
            known.copy_into(first, problem, item_ids, names)
    return first
