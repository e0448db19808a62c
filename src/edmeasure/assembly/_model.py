"""A layout as a mixed integer program: columns for items, stimuli and the goal; rows that know the words they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.assembly._layout import Layout, Overlap, Scope, Use
from edmeasure.assembly.blueprint import both_ends, group_words, number_words
from edmeasure.assembly.goals import MaximinInformation, MostInformation, TargetInformation, target_of, weights_of
from edmeasure.errors import BadOption

STRUCTURE, GOAL = -1, -2
FREE = np.inf


@dataclass(frozen=True, eq=False)
class Model:
    """Minimise ``cost @ x`` under ``low <= matrix @ x <= high`` and ``lower <= x <= upper``.

    ``line`` says for every row which of ``lines`` it belongs to, STRUCTURE and GOAL rows to none. The first
    ``n_units * n_items`` columns are the items of the units, one unit after the other.
    """

    matrix: sparse.csr_matrix
    low: FloatArray
    high: FloatArray
    line: IntArray
    lines: tuple[str, ...]
    lower: FloatArray
    upper: FloatArray
    is_integer: BoolArray
    cost: FloatArray
    n_units: int
    n_items: int
    is_maximised: bool

    @property
    def n_choices(self) -> int:
        return self.n_units * self.n_items

    def chosen(self, x: npt.ArrayLike) -> BoolArray:
        """Which items are in which unit, (n_units, J)."""
        return np.asarray(np.asarray(x)[: self.n_choices] > 0.5).reshape(self.n_units, self.n_items)

    def excess(self, x: FloatArray) -> float:
        """By how much the rows are broken at most."""
        values = self.matrix @ x
        worst = np.maximum(np.maximum(self.low - values, values - self.high), 0.0)
        return float(worst.max(initial=0.0))

    def with_rows(self, keep: BoolArray) -> Model:
        """The same with some of the rows only."""
        return replace(self, matrix=self.matrix[keep], low=self.low[keep], high=self.high[keep], line=self.line[keep])

    def without_goal(self) -> Model:
        """Feasibility alone."""
        return replace(self.with_rows(self.line != GOAL), cost=np.zeros_like(self.cost))


@dataclass
class _Rows:
    """Rows as they are collected."""

    columns: list[IntArray] = field(default_factory=list)
    values: list[FloatArray] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    line: list[int] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def add(self, columns: IntArray, values: npt.ArrayLike, low: float, high: float, line: int | str) -> None:
        self.columns.append(columns)
        self.values.append(np.broadcast_to(np.asarray(values, dtype=np.float64), columns.shape))
        self.low.append(low)
        self.high.append(high)
        self.line.append(line if isinstance(line, int) else self.lines.setdefault(line, len(self.lines)))

    def matrix(self, n_columns: int) -> sparse.csr_matrix:
        sizes = [one.size for one in self.columns]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        flat = np.concatenate([np.empty(0, dtype=np.int64), *self.columns])
        found = sparse.csr_matrix((np.concatenate([np.empty(0), *self.values]), flat, starts), shape=(len(sizes), n_columns))
        found.eliminate_zeros()
        return found


@dataclass(frozen=True, eq=False)
class _Columns:
    """Where every kind of column begins."""

    layout: Layout

    @property
    def n_stimuli(self) -> int:
        return len(self.layout.pool.stimulus_ids) if self.layout.has_sets else 0

    @property
    def stimuli(self) -> int:
        return len(self.layout.names) * self.layout.pool.n_items

    @property
    def shared(self) -> int:
        return self.stimuli + len(self.layout.names) * self.n_stimuli

    @property
    def goal(self) -> int:
        return self.shared + len(self.layout.overlaps) * self.layout.pool.n_items

    def of_items(self, unit: int, items: IntArray) -> IntArray:
        return unit * self.layout.pool.n_items + items

    def of_stimuli(self, unit: int, stimuli: IntArray) -> IntArray:
        return self.stimuli + unit * self.n_stimuli + stimuli

    def over(self, scope: Scope, places: IntArray, *, of_stimuli: bool = False) -> tuple[IntArray, FloatArray]:
        """Columns of a scope's items or stimuli with the factors of their units."""
        at = self.of_stimuli if of_stimuli else self.of_items
        columns = np.concatenate([at(unit, places) for unit, _ in scope.parts])
        factors = np.concatenate([np.full(places.size, float(factor)) for _, factor in scope.parts])
        return columns, factors


def build(layout: Layout, *, good_enough: float = 0.0) -> Model:
    """The program of a layout; deviations from a target below ``good_enough`` count as none."""
    columns, rows = _Columns(layout), _Rows()
    one_blueprint = all(scope.blueprint == layout.scopes[0].blueprint for scope in layout.scopes)
    for scope in layout.scopes:
        add_blueprint(columns, rows, scope, "" if one_blueprint else f"{scope.name}: ")
    if columns.n_stimuli:
        add_sets(columns, rows)
    for use in layout.uses:
        add_use(columns, rows, use)
    for at, overlap in enumerate(layout.overlaps):
        add_overlap(columns, rows, overlap, columns.shared + at * layout.pool.n_items)
    cost = add_goal(columns, rows)
    n_columns = columns.goal + 1
    upper = np.ones(n_columns)
    for unit, times in enumerate(layout.times):
        upper[columns.of_items(unit, np.arange(layout.pool.n_items))] = times
        upper[columns.of_stimuli(unit, np.arange(columns.n_stimuli))] = times
    lower = np.zeros(n_columns)
    lower[-1], upper[-1] = good_enough if isinstance(layout.goal, TargetInformation) else 0.0, FREE
    is_integer = np.ones(n_columns, dtype=np.bool_)
    is_integer[-1] = False
    return Model(
        rows.matrix(n_columns),
        np.array(rows.low),
        np.array(rows.high),
        np.array(rows.line, dtype=np.int64),
        tuple(rows.lines),
        lower,
        upper,
        is_integer,
        cost,
        len(layout.names),
        layout.pool.n_items,
        not isinstance(layout.goal, TargetInformation),
    )


def add_blueprint(columns: _Columns, rows: _Rows, scope: Scope, prefix: str) -> None:
    """Rows of everything a blueprint says of a scope."""
    blueprint, pool, times = scope.blueprint, columns.layout.pool, scope.times

    def bound(
        places: IntArray, low: float, high: float, words: str, values: npt.ArrayLike = 1.0, of_stimuli: bool = False
    ) -> None:
        at, factors = columns.over(scope, places, of_stimuli=of_stimuli)
        given = np.tile(np.broadcast_to(np.asarray(values, dtype=np.float64), places.shape), len(scope.parts))
        rows.add(at, factors * given, low * times, high * times, prefix + words)

    everything = np.arange(pool.n_items)
    bound(everything, *both_ends(blueprint.n_items), number_words(blueprint.n_items, "items"))
    for one in blueprint.content:
        is_set = one.of == "stimuli"
        found = np.flatnonzero(pool.stimuli_where(one.where) if is_set else pool.items_where(one.where))
        bound(found, one.at_least, FREE if one.at_most is None else one.at_most, str(one), of_stimuli=is_set)
    for total in blueprint.sums:
        found = np.flatnonzero(pool.items_where(total.where))
        low, high = -FREE if total.at_least is None else total.at_least, FREE if total.at_most is None else total.at_most
        bound(found, low, high, str(total), pool.numbers(total.attribute)[found])
    for group in blueprint.enemies:
        bound(pool.places(group), -FREE, 1, f"at most one of the enemies {group_words(group)}")
    for group in blueprint.together:
        for other in group[1:]:
            bound(pool.places((group[0], other)), 0, 0, f"all or none of {group_words(group)}", (1.0, -1.0))
    for name in blueprint.fixed:
        bound(pool.places((name,)), 1, 1, f"item {name} in every form")
    if blueprint.forbidden:
        bound(pool.places(blueprint.forbidden), 0, 0, f"without {group_words(blueprint.forbidden)}")
    if blueprint.n_stimuli is not None:
        stimuli = np.arange(columns.n_stimuli)
        bound(stimuli, *both_ends(blueprint.n_stimuli), number_words(blueprint.n_stimuli, "stimuli"), of_stimuli=True)
    for group in blueprint.enemy_stimuli:
        found = stimulus_places(columns, group)
        bound(found, -FREE, 1, f"at most one of the enemy stimuli {group_words(group)}", of_stimuli=True)
    if blueprint.items_per_stimulus is not None:
        add_set_sizes(columns, rows, scope, prefix)


def stimulus_places(columns: _Columns, names: Iterable[str]) -> IntArray:
    """Positions of stimuli by id."""
    known = {name: at for at, name in enumerate(columns.layout.pool.stimulus_ids)}
    strangers = [name for name in names if name not in known]
    if strangers:
        raise BadOption(f"Stimuli {strangers[:10]} are not in the pool.", remedy="Use the pool's stimulus ids.")
    return np.array([known[name] for name in names], dtype=np.int64)


def members_of(columns: _Columns) -> list[IntArray]:
    """Items of every stimulus."""
    return [np.flatnonzero(columns.layout.pool.stimuli == at) for at in range(columns.n_stimuli)]


def add_set_sizes(columns: _Columns, rows: _Rows, scope: Scope, prefix: str) -> None:
    """So many items of every stimulus that is there, none of the others."""
    number = scope.blueprint.items_per_stimulus
    assert number is not None
    low, high = both_ends(number)
    words = f"{prefix}{number_words(number, 'items of every stimulus')}"
    for unit, _ in scope.parts:
        for at, members in enumerate(members_of(columns)):
            of_set = np.append(columns.of_items(unit, members), columns.of_stimuli(unit, np.array([at])))
            rows.add(of_set, np.append(np.ones(members.size), -low), 0, FREE, words)
            rows.add(of_set, np.append(np.ones(members.size), -high), -FREE, 0, words)


def add_sets(columns: _Columns, rows: _Rows) -> None:
    """No item without its stimulus, no stimulus without items."""
    for unit in range(len(columns.layout.names)):
        for at, members in enumerate(members_of(columns)):
            stimulus = columns.of_stimuli(unit, np.array([at]))
            items = columns.of_items(unit, members)
            rows.add(np.append(items, stimulus), np.append(np.ones(members.size), -1.0), 0, FREE, STRUCTURE)
            for item in items:
                rows.add(np.append(item, stimulus), (1.0, -1.0), -FREE, 0, STRUCTURE)


def add_use(columns: _Columns, rows: _Rows, use: Use) -> None:
    """One row for every item or stimulus; items fixed in several forms may be in those."""
    layout = columns.layout
    at = columns.of_stimuli if use.of_stimuli else columns.of_items
    n = columns.n_stimuli if use.of_stimuli else layout.pool.n_items
    if n == 0:
        return
    most = np.full(n, use.most) - (0 if use.taken is None else use.taken)
    if not use.of_stimuli:
        needed = np.zeros(n, dtype=np.int64)
        for scope in layout.scopes:
            if set(scope.units) & set(use.units):
                needed[layout.pool.places(scope.blueprint.fixed)] += scope.times
        most = np.maximum(most, needed)
    highest = sum(factor * layout.times[unit] for unit, factor in zip(use.units, use.factors, strict=True))
    for place in np.flatnonzero(most < highest):
        found = np.concatenate([at(unit, np.array([place])) for unit in use.units])
        rows.add(found, np.array(use.factors, dtype=np.float64), -FREE, float(most[place]), use.words)


def add_overlap(columns: _Columns, rows: _Rows, overlap: Overlap, first: int) -> None:
    """A column per item says whether both units have it."""
    n = columns.layout.pool.n_items
    for item in range(n):
        found = np.array(
            [columns.of_items(unit, np.array([item]))[0] for unit in (overlap.first, overlap.second)] + [first + item]
        )
        rows.add(found, (1.0, 1.0, -1.0), -FREE, 1, STRUCTURE)
    rows.add(np.arange(first, first + n), 1.0, -FREE, overlap.most, overlap.words)


def add_goal(columns: _Columns, rows: _Rows) -> FloatArray:
    """Costs, and for goals over points the rows that tie the last column to the forms' information."""
    pool = columns.layout.pool
    cost = np.zeros(columns.goal + 1)
    everything = np.arange(pool.n_items)
    for scope in columns.layout.scopes:
        goal = scope.goal
        if goal is None:
            continue
        weights = weights_of(goal, pool.points.size)
        at, factors = columns.over(scope, everything)
        if isinstance(goal, MostInformation):
            np.add.at(cost, at, -factors * np.tile(pool.information @ weights, len(scope.parts)))
            continue
        cost[-1] = -1.0 if isinstance(goal, MaximinInformation) else 1.0
        for point in np.flatnonzero(weights > 0):
            told = factors * np.tile(pool.information[:, point], len(scope.parts))
            found = np.append(at, columns.goal)
            if isinstance(goal, MaximinInformation):
                rows.add(found, np.append(told, -weights[point] * scope.times), 0, FREE, GOAL)
                continue
            target = target_of(goal, pool.points.size)[point] * scope.times
            rows.add(found, np.append(told, scope.times / weights[point]), target, FREE, GOAL)
            rows.add(found, np.append(told, -scope.times / weights[point]), -FREE, target, GOAL)
    return cost
