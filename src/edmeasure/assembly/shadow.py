"""Adaptive tests that keep every rule of a blueprint: before each item a whole best form is assembled around the items given."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import linprog

from edmeasure import _validate
from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.adaptive._cat_kernels import UNANSWERED
from edmeasure.adaptive.cat import REASONS, ItemBank, NextStep, SimulatedTests, TestState
from edmeasure.assembly._layout import Layout, Scope
from edmeasure.assembly._model import Model, build
from edmeasure.assembly._solving import solve
from edmeasure.assembly.blueprint import Blueprint, both_ends
from edmeasure.assembly.conflicts import InfeasibleBlueprint, NoFormFound, explain
from edmeasure.assembly.goals import MostInformation
from edmeasure.assembly.pool import ItemPool
from edmeasure.errors import BadOption, BadScore, BadShape

SOLVING_SECONDS = 20.0
EXPLAINING_SECONDS = 60.0
LONGEST = REASONS.index("longest test")
CORE, FEW = 200, 90
SAFE = 1e-7


@dataclass(frozen=True, eq=False)
class ShadowDesign:
    """A bank, a blueprint, and the program of one form, ready for any number of tests.

    Attributes
    ----------
    gap : float
        A form within that share of the best is good enough.
    refresh : "item" or "stimulus"
        Before what a new form is assembled.
    """

    bank: ItemBank
    pool: ItemPool
    blueprint: Blueprint
    gap: float
    refresh: str
    model: Model
    rows: _Rows
    starts: dict[float, _Form] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows as the linear program takes them: equal ones, and those with one bound, turned to be upper ones."""

    equal: IntArray
    upper: IntArray
    lower: IntArray
    matrix: sparse.csc_matrix


@dataclass(frozen=True, eq=False)
class _Form:
    """A form around the items given, and prices of the rows that tell which other items could not be in a better one."""

    x: FloatArray
    prices: FloatArray


def shadow_design(
    bank: ItemBank, pool: ItemPool, blueprint: Blueprint, *, gap: float = 1e-3, refresh: str = "item"
) -> ShadowDesign:
    """Prepare shadow tests (van der Linden & Reese 1998); the pool's items are those of the bank, in its order.

    Parameters
    ----------
    gap
        The last form stays, and the solver may stop, within that share of the best.
    refresh
        "item": a new form before every item; "stimulus": only where no stimulus is begun, which is quicker.

    Raises
    ------
    InfeasibleBlueprint
        With the rules that exclude each other.
    """
    if pool.item_ids != bank.item_ids:
        raise BadShape("Pool and bank have different items.", remedy="Make the pool with `item_pool(bank, ...)`.")
    low, high = both_ends(blueprint.n_items)
    if low != high or low < 1:
        raise BadOption(f"n_items is {blueprint.n_items}.", remedy="Give shadow tests one length, 1 or more.")
    _validate.choice(refresh, "refresh", ("item", "stimulus"))
    if not 0 <= gap < 1:
        raise BadOption(f"gap is {gap}.", remedy="Use a share from 0 to below 1.")
    seen = replace(pool, points=np.zeros(1), information=bank.information[:, :1])
    layout = Layout(seen, ("form",), (1,), (Scope("form", (0,), blueprint, MostInformation()),))
    model = build(layout)
    found = solve(model, seconds=SOLVING_SECONDS, gap=1e-2)
    if found.is_infeasible:
        conflict = explain(layout, seconds=EXPLAINING_SECONDS)
        assert conflict is not None
        raise InfeasibleBlueprint(conflict)
    if found.x is None:
        raise NoFormFound(f"No form was found in {SOLVING_SECONDS:g} s.", remedy="Ease the blueprint.")
    return ShadowDesign(bank, pool, blueprint, gap, refresh, model, _rows(model))


def next_shadow_step(design: ShadowDesign, state: TestState) -> NextStep:
    """The next item, or None at the end, by going through the answers so far again.

    Raises
    ------
    BadScore, BadShape
        Also if bank and blueprint lead to other items than were given.
    """
    place = {name: at for at, name in enumerate(design.bank.item_ids)}
    answers = np.full(len(place), -1, dtype=np.int64)
    for name, score in zip(state.item_ids, state.scores, strict=True):
        if name not in place:
            raise BadShape(f"Item {name} is not in the bank.", remedy="Use the bank with which the test began.")
        if not 0 <= score <= design.bank.items.max_scores[place[name]]:
            raise BadScore(f"Item {name} has the score {score}.", remedy="Use 0 to the item's maximum.")
        answers[place[name]] = score
    path, theta, se = _run(design, answers)
    is_waiting = bool(path) and answers[path[-1]] < 0
    names = tuple(design.bank.item_ids[at] for at in path)
    if names[: len(names) - is_waiting] != state.item_ids:
        raise BadShape("Bank and blueprint lead to other items than were given.", remedy="Use those with which the test began.")
    reason = REASONS[UNANSWERED if is_waiting else LONGEST]
    return NextStep(names[-1] if is_waiting else None, reason, theta, se)


def simulate_shadow_tests(design: ShadowDesign, answers: npt.ArrayLike) -> SimulatedTests:
    """Run the test of every row of ``answers`` (n, J), drawn by `ItemBank.draw` or observed on the whole bank.

    Every test has the blueprint's number of items and keeps all its rules. Items of a stimulus come one after the other.
    """
    given = _validate.score_matrix(answers)
    n_items = len(design.bank.item_ids)
    if given.shape[1] != n_items or given.shape[0] == 0:
        raise BadShape(f"answers has shape {given.shape}.", remedy=f"Give at least one row of {n_items} answers.")
    if (given < 0).any() or (given > design.bank.items.max_scores).any():
        raise BadScore("Some answers are missing or above the item's maximum.", remedy="Give an answer to every item.")
    runs = [_run(design, row.astype(np.int64)) for row in given]
    items = np.array([path for path, _, _ in runs], dtype=np.int64)
    theta, se = np.array([[one[1], one[2]] for one in runs]).T
    exposure = np.bincount(items.ravel(), minlength=n_items) / items.shape[0]
    return SimulatedTests(
        theta, se, np.full(items.shape[0], items.shape[1]), items, np.full(items.shape[0], LONGEST), exposure, exposure.copy()
    )


def _run(design: ShadowDesign, answers: IntArray) -> tuple[list[int], float, float]:
    """Items in order (the last one without an answer where one is missing), estimate and error."""
    bank = design.bank
    posterior = bank.prior.copy()
    length = both_ends(design.blueprint.n_items)[0]
    is_given, is_closed = np.zeros((2, len(bank.item_ids)), dtype=np.bool_)
    path: list[int] = []
    form: _Form | None = None
    while True:
        theta = float(posterior @ bank.nodes / posterior.sum())
        se = float(np.sqrt(posterior @ (bank.nodes - theta) ** 2 / posterior.sum()))
        if len(path) == length:
            return path, theta, se
        information = _information(bank, theta)
        if not path and theta in design.starts:
            form = design.starts[theta]
        elif form is None or design.refresh == "item" or not _is_within(design.pool, form, is_given, path):
            form = _reassembled(design, information, is_given, is_closed, form)
        if not path:
            design.starts[theta] = form
        chosen = _next_item(design.pool, information, form, is_given, is_closed, path)
        path.append(chosen)
        is_given[chosen] = True
        if answers[chosen] < 0:
            return path, theta, se
        posterior = posterior * bank.probabilities[bank.category_start[chosen] + answers[chosen]]
        posterior /= posterior.sum()


def _information(bank: ItemBank, theta: float) -> FloatArray:
    """Between the nodes in a straight line, as adaptive tests take it."""
    step = bank.nodes[1] - bank.nodes[0]
    left = int(np.clip((theta - bank.nodes[0]) / step, 0, bank.nodes.size - 2))
    share = float(np.clip((theta - bank.nodes[left]) / step, 0.0, 1.0))
    return np.asarray((1 - share) * bank.information[:, left] + share * bank.information[:, left + 1])


def _is_within(pool: ItemPool, form: _Form, is_given: BoolArray, path: list[int]) -> bool:
    """Whether the form has more items of the stimulus begun."""
    at = pool.stimuli[path[-1]]
    return bool(at >= 0 and ((form.x[: pool.n_items] > 0.5) & ~is_given & (pool.stimuli == at)).any())


def _next_item(
    pool: ItemPool, information: FloatArray, form: _Form, is_given: BoolArray, is_closed: BoolArray, path: list[int]
) -> int:
    """The most informative item of the form that was not given; those of the stimulus begun come first."""
    ahead = (form.x[: pool.n_items] > 0.5) & ~is_given
    if path and pool.stimuli[path[-1]] >= 0:
        same = pool.stimuli == pool.stimuli[path[-1]]
        if (ahead & same).any():
            ahead &= same
        else:
            is_closed |= same
    return int(np.argmax(np.where(ahead, information, -1.0)))


def _rows(model: Model) -> _Rows:
    is_equal = model.low == model.high
    upper, lower = np.flatnonzero(~is_equal & np.isfinite(model.high)), np.flatnonzero(~is_equal & np.isfinite(model.low))
    return _Rows(np.flatnonzero(is_equal), upper, lower, sparse.csc_matrix(model.matrix))


def _reassembled(
    design: ShadowDesign, information: FloatArray, is_given: BoolArray, is_closed: BoolArray, before: _Form | None
) -> _Form:
    """The best form at an estimate around what was given.

    The last form still is one, and the prices of its rows bound every other (Lagrangian relaxation): if it is good
    enough it stays. Else the program is solved with the few items that prices leave a chance, which loses nothing.
    """
    model = design.model
    profit = np.zeros(model.cost.size)
    profit[: model.n_items] = information
    lower, upper = model.lower.copy(), model.upper.copy()
    lower[: model.n_items][is_given] = 1.0
    upper[: model.n_items][is_closed & ~is_given] = 0.0
    upper[-1] = 0.0
    if before is not None:
        bound, _ = _bound(design, profit, lower, upper, before.prices)
        if bound - profit @ before.x <= design.gap * (profit @ before.x):
            return before
    core = np.ones(profit.size, dtype=np.bool_)
    if before is not None and not design.pool.stimulus_ids:
        core = _core(design, profit, lower, upper, before, CORE)
    while True:
        relaxed, prices = _relaxed(design, profit, lower, upper, core)
        bound, reduced = _bound(design, profit, lower, upper, prices)
        wanted = (reduced > SAFE) & (upper > 0) & ~core
        if not wanted.any():
            break
        core |= wanted
    whole = np.round(relaxed)
    if np.abs(relaxed - whole).max() < SAFE and model.excess(whole) < SAFE:
        return _Form(whole, prices)
    if before is not None:
        few = _core(design, profit, lower, upper, _Form(before.x, prices), FEW)
        before = _Form(_solved(design, profit, lower, upper, few, before), prices)
        if bound - profit @ before.x <= design.gap * (profit @ before.x):
            return before
    # an item that cannot be in a better form than the best so far is left out
    floor = -np.inf if before is None else float(profit @ before.x)
    may = (reduced > floor - bound - SAFE) | (lower > 0)
    may[model.n_items :] = True
    return _Form(_solved(design, profit, lower, upper, may, before), prices)


def _core(
    design: ShadowDesign, profit: FloatArray, lower: FloatArray, upper: FloatArray, before: _Form, n_more: int
) -> BoolArray:
    """Columns enough for good prices: the last form's, and those that its prices find worth most."""
    _, reduced = _bound(design, profit, lower, upper, before.prices)
    n_items = design.model.n_items
    core = before.x > 0.5
    core[np.argsort(-reduced[:n_items])[: min(n_items, n_more)]] = True
    core[n_items:] = True
    return np.asarray(core | (lower > 0))


def _bound(
    design: ShadowDesign, profit: FloatArray, lower: FloatArray, upper: FloatArray, prices: FloatArray
) -> tuple[float, FloatArray]:
    """No form has more information than that; and what every column adds once its rows are paid for."""
    model = design.model
    reduced = profit - design.rows.matrix.T @ prices
    ends = np.where(prices > 0, model.high, model.low)
    paid = prices != 0
    return float(prices[paid] @ ends[paid] + np.where(reduced > 0, upper, lower) @ reduced), reduced


def _relaxed(
    design: ShadowDesign, profit: FloatArray, lower: FloatArray, upper: FloatArray, core: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Solution and dual values of the linear program of some columns."""
    rows, model = design.rows, design.model
    part = sparse.csr_matrix(rows.matrix[:, np.flatnonzero(core)])
    answer = linprog(
        -profit[core],
        A_ub=sparse.vstack([part[rows.upper], -part[rows.lower]]),
        b_ub=np.concatenate([model.high[rows.upper], -model.low[rows.lower]]),
        A_eq=part[rows.equal],
        b_eq=model.low[rows.equal],
        bounds=np.stack([lower[core], upper[core]], axis=1),
        method="highs-ds",
        options={"time_limit": SOLVING_SECONDS},
    )
    x, prices = np.full(profit.size, 0.5), np.zeros(model.low.size)
    if answer.status == 0:
        x[:] = 0.0
        x[core] = answer.x
        prices[rows.equal] = -answer.eqlin.marginals
        values = -answer.ineqlin.marginals
        prices[rows.upper] += np.maximum(values[: rows.upper.size], 0.0)
        prices[rows.lower] -= np.maximum(values[rows.upper.size :], 0.0)
    return x, prices


def _solved(
    design: ShadowDesign, profit: FloatArray, lower: FloatArray, upper: FloatArray, may: BoolArray, before: _Form | None
) -> FloatArray:
    """The best form of the columns that may be in it; the last one where the solver finds none better."""
    model = design.model
    columns = model.matrix[:, np.flatnonzero(may)]
    keep = np.diff(columns.indptr) > 0
    small = replace(
        model,
        matrix=columns[keep],
        low=model.low[keep],
        high=model.high[keep],
        line=model.line[keep],
        lower=lower[may],
        upper=upper[may],
        is_integer=model.is_integer[may],
        cost=np.where(np.arange(int(may.sum())) == int(may.sum()) - 1, 0.0, -profit[may]),
    )
    found = solve(small, seconds=SOLVING_SECONDS, gap=design.gap)
    if found.x is None:
        if before is None:
            raise NoFormFound(f"No form was found in {SOLVING_SECONDS:g} s.", remedy="Ease the blueprint.")
        return before.x
    x = np.zeros(profit.size)
    x[may] = found.x
    return x if before is None or profit @ x >= profit @ before.x else before.x
