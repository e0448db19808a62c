"""Why no form can follow a blueprint: the fewest of its rules that exclude each other, and what each would have to give."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.assembly._layout import Layout, summed
from edmeasure.assembly._model import STRUCTURE, Model, build
from edmeasure.assembly._search import unused
from edmeasure.assembly._solving import solve
from edmeasure.errors import MeasurementError

SLACK = 1e-6
EXACT = 1e-6
TEST_SECONDS = 20.0


@dataclass(frozen=True)
class Give:
    """A rule and by how much it would have to give way, added up over all forms: items, or the unit of its sum."""

    rule: str
    amount: float

    def __str__(self) -> str:
        return f"{self.rule}: by {self.amount:.6g}"


@dataclass(frozen=True)
class Conflict(Exported):
    """Rules that exclude each other.

    Attributes
    ----------
    rules : tuple of Give
        Without any one of them the others can be kept together; each with what it alone would have to give.
    repairs : tuple of Give
        The least that has to give way in the whole blueprint, in items or what sums count on average per item, before
        there is a form. Longer than one conflict where there are several.
    is_minimal : bool
        False where time was over before every rule was tried.
    """

    rules: tuple[Give, ...]
    repairs: tuple[Give, ...]
    is_minimal: bool

    def __str__(self) -> str:
        lines = ["These rules exclude each other; any one of them would have to give way:"]
        lines += [f"  {give}" for give in self.rules]
        if self.repairs:
            lines += ["The whole blueprint can be followed once these give way:", *(f"  {give}" for give in self.repairs)]
        return "\n".join(lines)


class InfeasibleBlueprint(MeasurementError):
    """No form can follow the blueprint; ``conflict`` says which rules exclude each other."""

    def __init__(self, conflict: Conflict) -> None:
        self.conflict = conflict
        rules = "; ".join(give.rule for give in conflict.rules)
        super().__init__(f"No form can follow the blueprint: {rules}.", remedy="Let one of these rules give way.")


class NoFormFound(MeasurementError):
    """Time was over before any form was found, and nobody knows whether there is one."""


def explain(layout: Layout, *, seconds: float) -> Conflict | None:
    """The conflict of a layout, or None where forms exist.

    Notes
    -----
    Elastic filter and deletion filter (Chinneck & Dravnieks 1991). Forms that are alike are summed up first: what
    their sum cannot do they cannot do either, and it is far smaller; the rules found are then tried on the forms.
    """
    until = time.perf_counter() + seconds
    model = build(layout).without_goal()
    small = model
    if len(layout.alike) > 1:
        small = build(summed(layout, (), 0, unused(layout))[0]).without_goal()
        small = small if is_infeasible(small, until) else model
    if small is model and not is_infeasible(model, until):
        return None
    found = [small.lines[line] for line in candidates(small, until)]
    places = [model.lines.index(words) for words in found]
    if not is_infeasible(of_lines(model, places), until):
        places = candidates(model, until).tolist()
    kept, is_minimal = deletion_filter(model, places, until)
    rules = tuple(Give(model.lines[line], amount_alone(model, kept, line, until)) for line in kept)
    amounts = elastic(small, np.ones(len(small.lines), dtype=np.bool_), until)
    repairs = [] if amounts is None else [Give(small.lines[at], float(amounts[at])) for at in np.flatnonzero(amounts > SLACK)]
    return Conflict(rules, tuple(repairs), is_minimal)


def left(until: float) -> float:
    return float(np.clip(until - time.perf_counter(), 0.5, TEST_SECONDS))


def is_infeasible(model: Model, until: float) -> bool:
    """Whether it is proved that there is no solution; the linear relaxation is asked first."""
    relaxed = replace(model, is_integer=np.zeros_like(model.is_integer))
    if solve(relaxed, seconds=left(until), gap=EXACT).is_infeasible:
        return True
    return solve(model, seconds=left(until), gap=EXACT).is_infeasible


def of_lines(model: Model, lines: list[int]) -> Model:
    """The rules named and what holds of itself."""
    return model.with_rows(np.isin(model.line, [STRUCTURE, *lines]))


def candidates(model: Model, until: float) -> IntArray:
    """Rules among which there is a conflict: those that give way are held firm until nothing else can."""
    gives = np.ones(len(model.lines), dtype=np.bool_)
    while (amounts := elastic(model, gives, until)) is not None:
        yielding = (amounts > SLACK) & gives
        if not yielding.any():
            return np.arange(len(model.lines))
        gives &= ~yielding
    firm = np.flatnonzero(~gives)
    if firm.size and is_infeasible(of_lines(model, firm.tolist()), until):
        return firm
    return np.arange(len(model.lines))


def elastic(model: Model, gives: BoolArray, until: float) -> FloatArray | None:
    """How much every rule gives way at the least total, or None where those that may give cannot help."""
    rows = np.flatnonzero((model.line >= 0) & gives[np.maximum(model.line, 0)])
    n_rows, n_columns = model.matrix.shape
    unit = sparse.csr_matrix((np.ones(rows.size), (rows, np.arange(rows.size))), shape=(n_rows, rows.size))
    sizes = np.maximum(np.diff(model.matrix.indptr), 1)
    typical = np.asarray(abs(model.matrix).sum(axis=1)).ravel() / sizes
    price = 1.0 / np.maximum(typical[rows], SLACK)
    stretched = replace(
        model,
        matrix=sparse.csr_matrix(sparse.hstack([model.matrix, unit, -unit])),
        lower=np.concatenate([model.lower, np.zeros(2 * rows.size)]),
        upper=np.concatenate([model.upper, np.full(2 * rows.size, np.inf)]),
        is_integer=np.concatenate([model.is_integer, np.zeros(2 * rows.size, dtype=np.bool_)]),
        cost=np.concatenate([np.zeros(n_columns), price, price]),
    )
    # the last column is no goal here, so its cost must not be taken for one
    answer = solve(with_last_free(stretched), seconds=left(until), gap=1e-4)
    if answer.x is None:
        return None
    slack = answer.x[n_columns : n_columns + rows.size] + answer.x[n_columns + rows.size : n_columns + 2 * rows.size]
    return np.bincount(model.line[rows], weights=slack, minlength=len(model.lines)).astype(np.float64)


def with_last_free(model: Model) -> Model:
    """One more column that costs nothing, where others expect the goal's."""
    return replace(
        model,
        matrix=sparse.csr_matrix(sparse.hstack([model.matrix, sparse.csr_matrix((model.matrix.shape[0], 1))])),
        lower=np.append(model.lower, 0.0),
        upper=np.append(model.upper, 0.0),
        is_integer=np.append(model.is_integer, False),
        cost=np.append(model.cost, 0.0),
    )


def deletion_filter(model: Model, lines: list[int], until: float) -> tuple[list[int], bool]:
    """Leave out every rule without which the rest still is a conflict; what stays is minimal."""
    kept, is_minimal = list(lines), True
    for line in lines:
        if time.perf_counter() > until:
            is_minimal = False
            break
        fewer = [one for one in kept if one != line]
        if is_infeasible(of_lines(model, fewer), until):
            kept = fewer
    return kept, is_minimal


def amount_alone(model: Model, lines: list[int], line: int, until: float) -> float:
    """What one rule would have to give if the others of the conflict stay."""
    gives = np.zeros(len(model.lines), dtype=np.bool_)
    gives[line] = True
    amounts = elastic(of_lines(model, lines), gives, until)
    return float("nan") if amounts is None else float(amounts[line])
