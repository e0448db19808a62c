"""Marginal maximum likelihood by EM with safeguarded Anderson acceleration."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.calibration import _common_slope, _family_kernels, _item_kernels, _linear_intercepts
from edmeasure.calibration._beliefs import Belief, Objective
from edmeasure.calibration._evidence import Evidence
from edmeasure.calibration._families import PARTIAL_CREDIT, ItemModels, OtherItem
from edmeasure.calibration._packing import PackedResponses
from edmeasure.calibration._populations import Populations

UNUSED_INTERCEPT = -50.0
MEMORY = 6
LONGEST_JUMP = 3.0
SPANNED = 1e-8


@dataclass(frozen=True, eq=False)
class Problem:
    """What one calibration maximises: packed answers, quadrature, models and prior of the items.

    ``held`` marks items whose parameters stay; without ``populations`` everybody has the density
    ``node_weights``. With a ``design`` (n_categories, n_effects) all items share a slope and their
    intercepts are the design times fewer effects. ``belief`` is what earlier answers said about
    some of the items.
    """

    packed: PackedResponses | Evidence
    nodes: FloatArray
    node_weights: FloatArray
    usable: BoolArray
    item_prior: FloatArray
    models: ItemModels = PARTIAL_CREDIT
    extra_prior: FloatArray = field(default_factory=lambda: np.empty((2, 0)))
    held: BoolArray | None = None
    populations: Populations | None = None
    design: FloatArray | None = None
    belief: Belief | None = None

    @property
    def category_start(self) -> IntArray:
        return self.packed.category_start

    @cached_property
    def item_parts(self) -> list[slice]:
        """The categories of every item."""
        return item_parts(self.category_start)

    @cached_property
    def plain_items(self) -> list[int]:
        """Items whose M-step is partial credit's own."""
        apart = {item.position for item in self.models.others} | set(self.models.common.tolist())
        return [j for j in range(len(self.item_parts)) if j not in apart and not self.is_held(j)]

    def is_held(self, j: int) -> bool:
        return self.held is not None and bool(self.held[j])

    def is_believed(self, j: int) -> bool:
        return self.belief is not None and bool(self.belief.items[j])

    def prior_of(self, item: OtherItem) -> FloatArray:
        """Mean and precision of an other item's parameters, (2, n_parameters)."""
        mean, slope_precision, intercept_precision = self.item_prior
        own = np.array([[mean, *[0.0] * item.top], [slope_precision, *[intercept_precision] * item.top]])
        return np.concatenate([own, self.extra_prior[:, item.extras]], axis=1)

    @property
    def item_of_category(self) -> IntArray:
        return categories(self.category_start)[0]

    @property
    def category(self) -> IntArray:
        return categories(self.category_start)[1]


@dataclass(eq=False)
class State:
    """Parameters on their way: one slope per item, one intercept per category (first is 0).

    ``extras`` holds what other models add, ``latent`` what describes the populations; ``loglik``
    includes the log prior density, ``persons`` are expected persons per population and node.
    """

    slopes: FloatArray
    intercepts: FloatArray
    loglik: float = -np.inf
    counts: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    extras: FloatArray = field(default_factory=lambda: np.empty(0))
    latent: FloatArray = field(default_factory=lambda: np.empty(0))
    persons: FloatArray = field(default_factory=lambda: np.empty((0, 0)))


@dataclass(frozen=True, eq=False)
class Trace:
    """How the iterations went."""

    logliks: tuple[float, ...]
    changes: tuple[float, ...]
    converged: bool


def quadrature(n_nodes: int, bound: float) -> tuple[FloatArray, FloatArray]:
    """Equally spaced nodes in [-bound, bound] and normalised standard normal weights."""
    nodes = np.linspace(-bound, bound, n_nodes)
    density = np.exp(-0.5 * nodes**2)
    return nodes, density / density.sum()


def item_parts(category_start: IntArray) -> list[slice]:
    """Where the categories of every item lie on the flat axis."""
    return [slice(first, last) for first, last in itertools.pairwise(category_start.tolist())]


def categories(category_start: IntArray) -> tuple[IntArray, IntArray]:
    """Item, and number within the item, of every category of the flat axis."""
    sizes = np.diff(category_start)
    item = np.repeat(np.arange(sizes.size), sizes)
    return item, np.arange(category_start[-1]) - category_start[item]


def log_probabilities(slopes: FloatArray, intercepts: FloatArray, category_start: IntArray, nodes: FloatArray) -> FloatArray:
    """Log P(category | theta) of shape (n_categories, n_nodes), generalized partial credit."""
    item, category = categories(category_start)
    eta = (slopes[item] * category)[:, None] * nodes + intercepts[:, None]
    starts = category_start[:-1]
    highest = np.maximum.reduceat(eta, starts, axis=0)
    total = np.add.reduceat(np.exp(eta - highest[item]), starts, axis=0)
    return np.asarray(eta - (highest + np.log(total))[item], dtype=np.float64)


def item_log_probabilities(problem: Problem, state: State) -> FloatArray:
    """Log P(category | theta) of shape (n_categories, n_nodes), every item by its own model."""
    log_probs = log_probabilities(state.slopes, state.intercepts, problem.category_start, problem.nodes)
    for item in problem.models.others:
        parameters = item.parameters(state.slopes, state.intercepts, state.extras)
        log_probs[item.categories], _ = item.curves(parameters, problem.nodes)
    return log_probs


def prior_value(problem: Problem, state: State) -> float:
    """Log density (up to a constant) of the items' normal prior."""
    mean, slope_precision, intercept_precision = problem.item_prior
    free = problem.usable & (problem.category > 0)
    away, precision = state.extras - problem.extra_prior[0], problem.extra_prior[1]
    believed = 0.0 if problem.belief is None else problem.belief.value(flat_parameters(problem, state))
    return believed + float(
        -0.5 * slope_precision * np.sum((state.slopes - mean) ** 2)
        - 0.5 * intercept_precision * np.sum(state.intercepts[free] ** 2)
        - 0.5 * np.sum(precision * away**2)
    )


def flat_parameters(problem: Problem, state: State) -> FloatArray:
    """Slopes at the first category of every item, intercepts, extras: the order of the information."""
    parameters = np.concatenate([state.intercepts, state.extras])
    parameters[problem.category_start[:-1]] = state.slopes
    return parameters


def expectation(problem: Problem, state: State) -> None:
    """E-step: counts and (penalised) log-likelihood of the state's parameters."""
    log_probs = item_log_probabilities(problem, state)
    if problem.populations is None:
        state.counts, loglik = problem.packed.expect(log_probs, problem.node_weights)
    else:
        state.counts, loglik, state.persons = problem.populations.expect(log_probs, state.latent, problem.nodes)
    state.loglik = loglik + prior_value(problem, state)


def maximization(problem: Problem, state: State) -> State:
    """M-step from the state's counts."""
    image = State(state.slopes.copy(), state.intercepts.copy(), extras=state.extras.copy(), latent=state.latent)
    for j in problem.plain_items:
        if problem.is_believed(j):
            continue
        part = problem.item_parts[j]
        image.slopes[j] = _item_kernels.maximize_item(
            state.counts[part],
            problem.nodes,
            state.slopes[j],
            image.intercepts[part],
            problem.usable[part],
            problem.item_prior,
        )
    _maximize_others(problem, state, image)
    if problem.belief is not None:
        _maximize_believed(problem, problem.belief, state, image)
    if problem.populations is not None:
        image.latent = problem.populations.updated(state.latent, state.persons, problem.nodes)
    return image


def _maximize_others(problem: Problem, state: State, image: State) -> None:
    """M-step of the items with a common slope and of those that are no partial credit."""
    common = problem.models.common
    if common.size:
        parts = tuple(problem.item_parts[j] for j in common)
        sharing = _common_slope.Sharing(parts, state.counts, problem.nodes, problem.usable, problem.item_prior)
        slope = float(state.slopes[common[0]])
        if problem.design is None:
            image.slopes[common], image.intercepts = _common_slope.maximize(sharing, slope, image.intercepts)
        else:
            effects = effects_of(problem.design, state.intercepts)
            image.slopes[common], effects = _linear_intercepts.maximize(sharing, problem.design, slope, effects)
            image.intercepts = np.einsum("ce,e->c", problem.design, effects)
    for item in problem.models.others:
        if problem.is_held(item.position) or problem.is_believed(item.position):
            continue
        parameters = item.parameters(state.slopes, state.intercepts, state.extras)
        _family_kernels.maximize_item(
            item.family,
            np.ascontiguousarray(state.counts[item.categories].T),
            problem.nodes,
            parameters,
            item.usable(problem.usable),
            problem.prior_of(item),
        )
        image.slopes[item.position] = parameters[0]
        image.intercepts[item.categories.start + 1 : item.categories.stop] = parameters[1 : item.top + 1]
        image.extras[item.extras] = parameters[item.top + 1 :]


def _maximize_believed(problem: Problem, belief: Belief, state: State, image: State) -> None:
    """M-step of the items about which something is believed, one after the other."""
    others = {item.position: item for item in problem.models.others}
    n_categories = int(problem.category_start[-1])
    parameters = flat_parameters(problem, image)
    for j in np.flatnonzero(belief.items).tolist():
        part = problem.item_parts[j]
        places = np.arange(part.start, part.stop)
        if j in others:
            item = others[j]
            places = np.concatenate([places, n_categories + np.arange(item.extras.start, item.extras.stop)])
            objective: Objective = partial(_objective_of_other, problem, state, item)
            usable = item.usable(problem.usable)
        else:
            objective = partial(_objective_of_plain, problem, state, part)
            usable = problem.usable[part]
        parameters[places] = belief.climbed(parameters, places, usable, objective)
    image.extras = problem.models.within_bounds(parameters[n_categories:])
    firsts = problem.category_start[:-1]
    image.slopes = parameters[firsts]
    image.intercepts = parameters[:n_categories]
    image.intercepts[firsts] = 0.0


def _objective_of_plain(
    problem: Problem, state: State, part: slice, parameters: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    size = part.stop - part.start
    gradient, lower = np.empty(size), np.empty((size, size))
    intercepts = np.concatenate([[0.0], parameters[1:]])
    value = _item_kernels.objective(
        state.counts[part],
        problem.nodes,
        float(parameters[0]),
        intercepts,
        problem.usable[part],
        problem.item_prior,
        gradient,
        lower,
    )
    lower = np.tril(lower)
    return value, gradient, lower + np.tril(lower, -1).T


def _objective_of_other(
    problem: Problem, state: State, item: OtherItem, parameters: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    size = parameters.size
    gradient, lower, expected = np.empty(size), np.empty((size, size)), np.empty((size, size))
    counts = np.ascontiguousarray(state.counts[item.categories].T)
    usable, prior = item.usable(problem.usable), problem.prior_of(item)
    value = _family_kernels.objective(item.family, counts, problem.nodes, parameters, usable, prior, gradient, lower, expected)
    lower = np.tril(lower)
    return value, gradient, lower + np.tril(lower, -1).T


def effects_of(design: FloatArray, intercepts: FloatArray) -> FloatArray:
    """The effects whose intercepts are closest to those given."""
    gram: FloatArray = np.einsum("ce,cf->ef", design, design)
    moment: FloatArray = np.einsum("ce,c->e", design, intercepts)
    _item_kernels.solve_in_place(gram, moment, moment.size)
    return moment


def _least_squares(rows: FloatArray, target: FloatArray) -> FloatArray:
    """Coefficients c with sum c_k rows[k] closest to target, newest rows first.

    Modified Gram-Schmidt, so that no threaded LAPACK decides the last bits; a row that the newer
    ones already span gets coefficient zero.
    """
    count = rows.shape[0]
    basis: list[FloatArray] = []
    kept: list[int] = []
    upper = np.zeros((count, count))
    rest = target.copy()
    projections: list[float] = []
    for k in range(count - 1, -1, -1):
        row = rows[k].copy()
        length = np.sqrt(np.sum(row * row))
        for at, direction in enumerate(basis):
            upper[at, len(basis)] = np.sum(direction * row)
            row -= upper[at, len(basis)] * direction
        norm = np.sqrt(np.sum(row * row))
        if not norm > SPANNED * length:
            continue
        upper[len(basis), len(basis)] = norm
        direction = row / norm
        projections.append(float(np.sum(direction * rest)))
        rest = rest - projections[-1] * direction
        basis.append(direction)
        kept.append(k)
    solution = np.zeros(count)
    solved = np.zeros(len(basis))
    for at in range(len(basis) - 1, -1, -1):
        known = np.sum(upper[at, at + 1 : len(basis)] * solved[at + 1 :])
        solved[at] = (projections[at] - known) / upper[at, at]
        solution[kept[at]] = solved[at]
    return solution


class Anderson:
    """Anderson mixing of a fixed-point map: next point from the last few points and images.

    Source: Walker & Ni (2011), SIAM J. Numer. Anal. 49, type-II mixing by least squares.
    """

    def __init__(self, memory: int = MEMORY) -> None:
        self.memory = memory
        self.points: list[FloatArray] = []
        self.images: list[FloatArray] = []

    def clear(self) -> None:
        self.points.clear()
        self.images.clear()

    def push(self, point: FloatArray, image: FloatArray) -> FloatArray:
        """Record one evaluation of the map and propose where to evaluate it next."""
        self.points.append(point)
        self.images.append(image)
        del self.points[: -self.memory - 1]
        del self.images[: -self.memory - 1]
        if len(self.points) < 2:
            return image
        residuals = np.array(self.images) - np.array(self.points)
        mix = _least_squares(np.diff(residuals, axis=0), residuals[-1])
        moves = np.diff(np.array(self.images), axis=0)
        proposal = image - np.sum(mix[:, None] * moves, axis=0)
        jump = proposal - image
        longest = float(np.abs(jump).max())
        if not np.isfinite(longest):
            self.clear()
            return image
        return np.asarray(image + jump * min(1.0, LONGEST_JUMP / max(longest, 1e-300)))


def _as_vector(state: State) -> FloatArray:
    return np.concatenate([state.slopes, state.intercepts, state.extras, state.latent])


def _as_state(vector: FloatArray, like: State, problem: Problem) -> State:
    bounds = np.cumsum([like.slopes.size, like.intercepts.size, like.extras.size])
    slopes, intercepts, extras, latent = np.split(vector.copy(), bounds)
    if problem.populations is not None:
        latent = problem.populations.within_bounds(latent, problem.nodes)
    return State(slopes, intercepts, extras=problem.models.within_bounds(extras), latent=latent)


def maximize(
    problem: Problem,
    start: State,
    *,
    max_iterations: int,
    tolerance: float,
    loglik_tolerance: float,
) -> tuple[State, Trace]:
    """Iterate until the EM map moves no parameter by ``tolerance`` and the log-likelihood stalls.

    An accelerated point that lowers the log-likelihood is thrown away and replaced by the plain
    EM image it started from, so accepted log-likelihoods never fall.
    """
    mixing = Anderson()
    current = start
    expectation(problem, current)
    logliks = [current.loglik]
    changes: list[float] = []
    converged = False
    for _ in range(max_iterations):
        image = maximization(problem, current)
        point, target = _as_vector(current), _as_vector(image)
        change = float(np.abs(target - point).max())
        changes.append(change)
        gain = logliks[-1] - logliks[-2] if len(logliks) > 1 else np.inf
        if change < tolerance and gain < loglik_tolerance * max(1.0, abs(current.loglik)):
            converged = True
            break
        proposal = _as_state(mixing.push(point, target), current, problem)
        expectation(problem, proposal)
        if not proposal.loglik >= current.loglik - 1e-10 * abs(current.loglik):
            mixing.clear()
            proposal = image
            expectation(problem, proposal)
        current = proposal
        logliks.append(current.loglik)
    return current, Trace(tuple(logliks), tuple(changes), converged)


def starting_values(problem: Problem, sums: FloatArray) -> State:
    """Slope one and intercepts from the logits of the category shares; ``sums`` are the weights of all categories."""
    intercepts = np.zeros(problem.usable.size)
    for part in problem.item_parts:
        shares = sums[part] + 0.5
        # 1.16 ~ sqrt(1 + pi/8 * ...): marginal logits are flatter than conditional ones
        intercepts[part] = 1.16 * np.log(shares / shares[0])
    for item in problem.models.others:
        if item.model == "GRM":
            intercepts[item.categories] = _cumulated_logits(intercepts[item.categories], problem.usable[item.categories])
    intercepts[~problem.usable] = UNUSED_INTERCEPT
    latent = np.empty(0) if problem.populations is None else problem.populations.start(problem.nodes)
    return State(np.ones(len(problem.item_parts)), intercepts, extras=problem.models.starting_extras(), latent=latent)


def _cumulated_logits(log_shares: FloatArray, usable: BoolArray) -> FloatArray:
    """Logits of reaching every category, from the logs of the categories' relative shares."""
    shares = np.where(usable, np.exp(log_shares - log_shares.max()), 0.0)
    reached = np.cumsum(shares[::-1])[::-1] / shares.sum()
    logits = np.zeros(shares.size)
    above = np.flatnonzero(usable)[1:]
    logits[above] = np.log(reached[above]) - np.log1p(-reached[above])
    return logits
