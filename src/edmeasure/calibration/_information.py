"""Observed information of the marginal likelihood by Louis' identity.

Source: Louis (1982), JRSS B 44: I = E[-H_complete | y] - Var(score_complete | y), summed over
persons. The person-level variance needs E[s s'] at every node; s is linear in answer (and group)
indicators, so one weighted cross-product of indicators per node holds everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edmeasure import _linear
from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.calibration import _family_kernels, _item_kernels, _packing
from edmeasure.calibration._em import Problem, State, categories, flat_parameters, item_log_probabilities
from edmeasure.calibration._families import OtherItem
from edmeasure.calibration._populations import Populations

BLOCK = 16_384


def n_parameters(problem: Problem) -> int:
    """Categories (slopes at their first), extras, then mean and log deviation of free populations."""
    scored = 0 if problem.populations is None else problem.populations.n_scored
    return int(problem.category_start[-1]) + problem.models.n_extras + scored


def columns_of(problem: Problem, item: OtherItem) -> IntArray:
    """Where an other item's parameters lie among all."""
    extras = int(problem.category_start[-1]) + np.arange(item.extras.start, item.extras.stop)
    return np.concatenate([item.columns, extras])


def complete_information(problem: Problem, state: State) -> tuple[FloatArray, FloatArray]:
    """Gradient and complete-data information in flat order; held items have none."""
    size = n_parameters(problem)
    gradient = np.zeros(size)
    information = np.zeros((size, size))
    for j in [*problem.plain_items, *problem.models.common.tolist()]:
        part = problem.item_parts[j]
        lower = information[part, part].copy()
        _item_kernels.objective(
            state.counts[part],
            problem.nodes,
            state.slopes[j],
            state.intercepts[part],
            problem.usable[part],
            problem.item_prior,
            gradient[part],
            lower,
        )
        information[part, part] = lower + np.tril(lower, -1).T
    for item in problem.models.others:
        if not problem.is_held(item.position):
            at = columns_of(problem, item)
            gradient[at], information[np.ix_(at, at)] = _other_information(problem, state, item)
    if problem.belief is not None:
        believed = slice(0, problem.belief.mean.size)
        gradient[believed] += problem.belief.gradient(flat_parameters(problem, state))
        information[believed, believed] += problem.belief.precision
    if problem.populations is not None and problem.populations.n_scored:
        first = size - problem.populations.n_scored
        gradient[first:], information[first:, first:] = _latent_information(problem, problem.populations, state)
    return gradient, information


def _other_information(problem: Problem, state: State, item: OtherItem) -> tuple[FloatArray, FloatArray]:
    parameters = item.parameters(state.slopes, state.intercepts, state.extras)
    size = parameters.size
    gradient, lower, expected = np.empty(size), np.empty((size, size)), np.empty((size, size))
    _family_kernels.objective(
        item.family,
        np.ascontiguousarray(state.counts[item.categories].T),
        problem.nodes,
        parameters,
        item.usable(problem.usable),
        problem.prior_of(item),
        gradient,
        lower,
        expected,
    )
    lower = np.tril(lower)
    return gradient, lower + np.tril(lower, -1).T


def _latent_information(problem: Problem, populations: Populations, state: State) -> tuple[FloatArray, FloatArray]:
    """Exact where the expected persons have the moments of the density, as they have at a maximum."""
    derivatives = populations.derivatives(state.latent, problem.nodes)
    weights = populations.weights(state.latent, problem.nodes)[populations.free]
    persons = state.persons[populations.free]
    gradient = np.einsum("gpq,gq->gp", derivatives, persons)
    information = np.zeros((gradient.size, gradient.size))
    for g, own in enumerate(derivatives):
        at = slice(2 * g, 2 * g + 2)
        information[at, at] = persons[g].sum() * np.einsum("pq,rq,q->pr", own, own, weights[g])
    return gradient.ravel(), information


@dataclass(frozen=True, eq=False)
class Basis:
    """0/1 columns of which every score is a linear function at every node.

    Column 0 is the constant; then come the categories above 0, then a mask of every item that
    was not given to everybody, then membership of ``groups``. Both arrays run over the flat
    categories and name columns: of the category's answer, and of its item's mask (the constant
    where the item has none).
    """

    category_start: IntArray
    answer_column: IntArray
    mask_column: IntArray
    first_group_column: int
    groups: IntArray

    @property
    def width(self) -> int:
        return self.first_group_column + self.groups.size

    def indicators(self, block: Int8Array, group: int) -> BoolArray:
        """Columns of some persons of one group, (n_persons, width)."""
        item, category = categories(self.category_start)
        columns = np.zeros((block.shape[0], self.width), dtype=np.bool_)
        columns[:, self.mask_column] = block[:, item] >= 0
        columns[:, self.answer_column] = block[:, item] == category
        columns[:, 0] = True
        columns[:, self.first_group_column :] = self.groups == group
        return columns


def basis_of(has_missing: BoolArray, category_start: IntArray, groups: IntArray) -> Basis:
    """The columns that answers need; ``groups`` are those with a density of their own."""
    item, category = categories(category_start)
    is_answer = category > 0
    masks = is_answer.sum() + np.cumsum(has_missing)
    answer_column = np.where(is_answer, np.cumsum(is_answer), 0)
    mask_column = np.where(has_missing, masks, 0)[item]
    return Basis(
        category_start=category_start,
        answer_column=answer_column,
        mask_column=mask_column,
        first_group_column=1 + int(max(answer_column.max(), mask_column.max())),
        groups=groups,
    )


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of all parameters at every node, as functions of a basis's columns.

    The score of a partial credit intercept is its answer minus its chance where the item was
    given; that of a slope is theta times the sum of those by category. ``others`` holds what
    other items follow: the flat places of their parameters, those of their categories, and the
    derivatives of log P (n_nodes, n_parameters, n_categories).
    """

    basis: Basis
    nodes: FloatArray
    probs: FloatArray
    others: tuple[tuple[IntArray, IntArray, FloatArray], ...]
    latent: FloatArray
    size: int

    def at(self, q: int, indicators: FloatArray) -> FloatArray:
        """Scores at one node from (sums of) indicators, both along the last axis."""
        starts = self.basis.category_start
        _, category = categories(starts)
        n_categories, firsts = starts[-1], starts[:-1]
        scores = np.zeros((*indicators.shape[:-1], self.size))
        plain = scores[..., :n_categories]
        plain[...] = indicators[..., self.basis.answer_column] - self.probs[:, q] * indicators[..., self.basis.mask_column]
        plain[..., firsts] = self.nodes[q] * np.add.reduceat(category * plain, firsts, axis=-1)
        for places, own, derivatives in self.others:
            given = indicators[..., self.basis.mask_column[own[:1]]]
            answers = indicators[..., self.basis.answer_column[own[1:]]]
            zero, rest = derivatives[q, :, 0], derivatives[q, :, 1:]
            scores[..., places] = given * zero + np.einsum("...k,pk->...p", answers, rest - zero[:, None])
        for g, derivatives in enumerate(self.latent):
            first = self.size - 2 * (len(self.latent) - g)
            scores[..., first : first + 2] = indicators[..., [self.basis.first_group_column + g]] * derivatives[:, q]
        return scores

    def means(self, indicators: BoolArray, posterior: FloatArray) -> FloatArray:
        """Posterior mean of every person's scores, (n_persons, n_parameters)."""
        starts = self.basis.category_start
        _, category = categories(starts)
        n_categories, firsts = starts[-1], starts[:-1]
        chances = self.probs.copy()
        chances[firsts] = self.nodes * np.add.reduceat(category[:, None] * self.probs, firsts, axis=0)
        mean = np.zeros((indicators.shape[0], self.size))
        plain = mean[:, :n_categories]
        plain[...] = -_linear.product(posterior, np.ascontiguousarray(chances.T)) * indicators[:, self.basis.mask_column]
        answers = indicators[:, self.basis.answer_column] * (category > 0)
        plain += answers
        ability = _linear.combination(posterior, self.nodes)
        plain[:, firsts] += np.add.reduceat(category * answers, firsts, axis=1) * ability[:, None]
        for places, own, derivatives in self.others:
            by_category = _linear.product(posterior, np.ascontiguousarray(derivatives.reshape(self.nodes.size, -1)))
            chosen = indicators[:, self.basis.answer_column[own]]
            chosen[:, 0] = indicators[:, self.basis.mask_column[own[0]]] & ~chosen[:, 1:].any(axis=1)
            mean[:, places] = np.einsum("npk,nk->np", by_category.reshape(-1, places.size, own.size), chosen)
        for g, derivatives in enumerate(self.latent):
            first = self.size - 2 * (len(self.latent) - g)
            member = indicators[:, [self.basis.first_group_column + g]]
            mean[:, first : first + 2] = _linear.product(posterior, np.ascontiguousarray(derivatives.T)) * member
        return mean


def scores_of(problem: Problem, state: State, basis: Basis, probs: FloatArray) -> Scores:
    """The scores at the parameters of ``state``."""
    others = []
    for item in problem.models.others:
        _, derivatives = item.curves(item.parameters(state.slopes, state.intercepts, state.extras), problem.nodes)
        others.append((columns_of(problem, item), item.columns, derivatives))
    latent = np.empty((0, 2, problem.nodes.size))
    if problem.populations is not None and problem.populations.n_scored:
        latent = problem.populations.derivatives(state.latent, problem.nodes)
    return Scores(basis, problem.nodes, probs, tuple(others), latent, n_parameters(problem))


Sheet = tuple[int, Int8Array, FloatArray]
"""Group, scores and weights of some persons."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What squares and cross-products of persons' scores are reckoned from, at the parameters of a state."""

    scores: Scores
    log_probs: FloatArray
    priors: FloatArray

    def sums(self, sheets: Iterable[Sheet]) -> tuple[FloatArray, FloatArray]:
        """Squared posterior means of persons' scores, and cross-products of their indicators at every node."""
        basis = self.scores.basis
        squared = np.zeros((self.scores.size, self.scores.size))
        crossed = np.zeros((basis.width, basis.width, self.scores.nodes.size))
        for group, scores, weights in sheets:
            squared += _add_persons(self.scores, group, scores, weights, self.log_probs, self.priors[group], crossed)
        return squared, crossed


def ground_of(problem: Problem, state: State, has_missing: BoolArray) -> Ground:
    """``has_missing`` marks the items that somebody was not given."""
    log_probs = item_log_probabilities(problem, state)
    groups = np.empty(0, dtype=np.int64)
    priors = problem.node_weights[None, :]
    if problem.populations is not None:
        priors = problem.populations.weights(state.latent, problem.nodes)
        groups = np.flatnonzero(problem.populations.free) if problem.populations.n_scored else groups
    basis = basis_of(has_missing, problem.category_start, groups)
    return Ground(scores_of(problem, state, basis, np.exp(log_probs)), log_probs, priors)


def information_of(
    problem: Problem, state: State, ground: Ground, squared: FloatArray, crossed: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Gradient and observed information from the sums over all persons."""
    gradient, information = complete_information(problem, state)
    information += squared
    for q in range(problem.nodes.size):
        full = np.tril(crossed[:, :, q]) + np.tril(crossed[:, :, q], -1).T
        one_side = ground.scores.at(q, full)
        information -= ground.scores.at(q, one_side.T)
    return gradient, information


def observed_information(problem: Problem, state: State, scores: Int8Array, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gradient and observed information in flat order.

    The E-step counts of ``state`` must belong to its parameters.
    """
    members: list[slice | IntArray] = [slice(None)]
    if problem.populations is not None:
        populations = problem.populations
        members = [np.flatnonzero(populations.codes == g) for g in range(populations.n_groups)]
    ground = ground_of(problem, state, scores.min(axis=0, initial=0) < 0)
    sums = ground.sums((g, scores[persons], weights[persons]) for g, persons in enumerate(members))
    return information_of(problem, state, ground, *sums)


def _add_persons(
    of_answers: Scores,
    group: int,
    scores: Int8Array,
    weights: FloatArray,
    log_probs: FloatArray,
    prior: FloatArray,
    crossed: FloatArray,
) -> FloatArray:
    """Squared posterior means of one group's scores; cross-products of its indicators are added to ``crossed``."""
    basis = of_answers.basis
    packed = _packing.pack(scores, np.asarray(np.diff(basis.category_start) - 1, dtype=np.int8))
    tables = packed.tables(log_probs)
    squared = np.zeros((of_answers.size, of_answers.size))
    for first in range(0, scores.shape[0], BLOCK):
        rows = slice(first, first + BLOCK)
        posterior = packed.posterior(tables, prior, rows)
        indicators = basis.indicators(scores[rows], group)
        holders, columns = np.nonzero(indicators)
        offsets = np.searchsorted(holders, np.arange(indicators.shape[0] + 1))
        rank = np.where(indicators, np.cumsum(indicators, axis=1) - 1, -1)
        _linear.add_indicator_grams(offsets, columns, rank, posterior * weights[rows, None], crossed)
        squared += _linear.weighted_gram(of_answers.means(indicators, posterior), weights[rows])
    return squared
