"""Marginal maximum likelihood by EM with safeguarded Anderson acceleration."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edmeasure import _kernels
from edmeasure._packing import PackedResponses
from edmeasure._validate import BoolArray, FloatArray, IntArray

UNUSED_INTERCEPT = -50.0
MEMORY = 6
NEWTON_STEPS = 12
NEWTON_TOLERANCE = 1e-11
LONGEST_JUMP = 3.0
SPANNED = 1e-8


@dataclass(frozen=True, eq=False)
class Problem:
    """What one calibration maximises: packed answers, quadrature and prior of the items."""

    packed: PackedResponses
    nodes: FloatArray
    node_weights: FloatArray
    usable: BoolArray
    item_prior: FloatArray

    @property
    def category_start(self) -> IntArray:
        return self.packed.category_start

    @property
    def item_of_category(self) -> IntArray:
        sizes = np.diff(self.category_start)
        return np.repeat(np.arange(sizes.size), sizes)

    @property
    def category(self) -> IntArray:
        return np.arange(self.category_start[-1]) - self.category_start[self.item_of_category]


@dataclass(eq=False)
class State:
    """Parameters on their way: one slope per item, one intercept per category (first is 0)."""

    slopes: FloatArray
    intercepts: FloatArray
    loglik: float = -np.inf
    counts: FloatArray = field(default_factory=lambda: np.empty((0, 0)))


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


def log_probabilities(slopes: FloatArray, intercepts: FloatArray, category_start: IntArray, nodes: FloatArray) -> FloatArray:
    """Log P(category | theta) of shape (n_categories, n_nodes), generalized partial credit."""
    sizes = np.diff(category_start)
    item = np.repeat(np.arange(sizes.size), sizes)
    category = np.arange(category_start[-1]) - category_start[item]
    eta = (slopes[item] * category)[:, None] * nodes + intercepts[:, None]
    starts = category_start[:-1]
    highest = np.maximum.reduceat(eta, starts, axis=0)
    total = np.add.reduceat(np.exp(eta - highest[item]), starts, axis=0)
    return np.asarray(eta - (highest + np.log(total))[item], dtype=np.float64)


def prior_value(problem: Problem, state: State) -> float:
    """Log density (up to a constant) of the items' normal prior."""
    mean, slope_precision, intercept_precision = problem.item_prior
    free = problem.usable & (problem.category > 0)
    return float(
        -0.5 * slope_precision * np.sum((state.slopes - mean) ** 2)
        - 0.5 * intercept_precision * np.sum(state.intercepts[free] ** 2)
    )


def expectation(problem: Problem, state: State) -> None:
    """E-step: counts and (penalised) log-likelihood of the state's parameters."""
    log_probs = log_probabilities(state.slopes, state.intercepts, problem.category_start, problem.nodes)
    state.counts, loglik = problem.packed.expect(log_probs, problem.node_weights)
    state.loglik = loglik + prior_value(problem, state)


def maximization(problem: Problem, state: State) -> State:
    """M-step from the state's counts."""
    image = State(state.slopes.copy(), state.intercepts.copy())
    _kernels.maximize_items(
        state.counts,
        problem.nodes,
        problem.category_start,
        image.slopes,
        image.intercepts,
        problem.usable,
        problem.item_prior,
        NEWTON_STEPS,
        NEWTON_TOLERANCE,
    )
    return image


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
    return np.concatenate([state.slopes, state.intercepts])


def _as_state(vector: FloatArray, n_items: int) -> State:
    return State(vector[:n_items].copy(), vector[n_items:].copy())


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
    n_items = start.slopes.size
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
        proposal = _as_state(mixing.push(point, target), n_items)
        expectation(problem, proposal)
        if not proposal.loglik >= current.loglik - 1e-10 * abs(current.loglik):
            mixing.clear()
            proposal = image
            expectation(problem, proposal)
        current = proposal
        logliks.append(current.loglik)
    return current, Trace(tuple(logliks), tuple(changes), converged)


def starting_values(problem: Problem, scores: npt.NDArray[np.int8], weights: FloatArray) -> State:
    """Slope one and intercepts from the logits of the category shares."""
    starts = problem.category_start
    intercepts = np.zeros(int(starts[-1]))
    for j in range(scores.shape[1]):
        column = scores[:, j]
        answered = column >= 0
        size = int(starts[j + 1] - starts[j])
        shares = np.bincount(column[answered], weights=weights[answered], minlength=size) + 0.5
        # 1.16 ~ sqrt(1 + pi/8 * ...): marginal logits are flatter than conditional ones
        intercepts[starts[j] : starts[j + 1]] = 1.16 * np.log(shares / shares[0])
    intercepts[~problem.usable] = UNUSED_INTERCEPT
    return State(np.ones(scores.shape[1]), intercepts)
