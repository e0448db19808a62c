"""Forms that are alike: a bound from their sum, one form after the other beside a shadow of the rest, then pairs again and again.

The sum: forms that can be exchanged have the same linear bound as one form with all numbers multiplied, without the
symmetry that keeps a solver from proving anything (the "big shadow test", van der Linden & Adema 1998).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.assembly import _swaps
from edmeasure.assembly._layout import Layout, summed
from edmeasure.assembly._model import GOAL, Model, build
from edmeasure.assembly._solving import Found, finished, part_of, solve, values_of_rows

STEP_SECONDS = 1.5
STEP_GAP = 1e-3
LAST_TRY = 0.4
PART_SECONDS = 1.5
PART_GAP = 1e-4
CUT_ROOM = 1e-7
FEWEST_MOVES, MOST_MOVES = 500_000, 16_000_000
MOST_PATIENCE = 8
WARMTHS = (1.0, 0.3, 0.1)
FREED, MOST_FREED = 2, 4
BETTER = 1e-9


def bound_of_sum(layout: Layout, *, seconds: float, gap: float, good_enough: float) -> tuple[Found, BoolArray]:
    """The best of all forms summed up, whose cost is no worse than that of any forms; and the items in it."""
    model = build(summed(layout, (), 0, unused(layout))[0], good_enough=good_enough)
    found = solve(model, seconds=seconds, gap=gap)
    if found.x is None:
        return found, np.ones(model.n_items, dtype=np.bool_)
    within = model.chosen(found.x).any(axis=0)
    in_use = np.unique(layout.pool.stimuli[within])
    return found, np.asarray(within | (layout.has_sets & np.isin(layout.pool.stimuli, in_use[in_use >= 0])))


def unused(layout: Layout) -> dict[bool, IntArray]:
    """No item and no stimulus is taken yet."""
    return {True: np.zeros(len(layout.pool.stimulus_ids), dtype=np.int64), False: np.zeros(layout.pool.n_items, dtype=np.int64)}


def one_by_one(layout: Layout, model: Model, within: BoolArray, *, until: float, good_enough: float) -> Found:
    """Form after form, each beside the sum of those still to come; where forms may share few items, they share none.

    Items are those ``within`` the best sum as far as that goes, else any.
    """
    if layout.overlaps:
        layout = replace(layout, uses=tuple(replace(use, most=1) if use.is_shared else use for use in layout.uses))
    x = np.zeros(model.cost.size)
    taken = unused(layout)
    first_stimulus, n_stimuli = model.n_choices, taken[True].size if layout.has_sets else 0
    grouped = {unit for group in layout.alike for unit in group}
    apart = [unit for unit in range(len(layout.names)) if unit not in grouped]
    for at, group in enumerate(layout.alike):
        part, kept = summed(layout, tuple(range(at)), 1, taken)
        small = build(part, good_enough=good_enough)
        for unit in apart if at else []:
            there = slice(kept.index(unit) * model.n_items, (kept.index(unit) + 1) * model.n_items)
            small.lower[there] = small.upper[there] = x[unit * model.n_items : (unit + 1) * model.n_items]
        found = step(small, within, until, share=0.5 / (len(layout.alike) - at))
        if found.x is None:
            return Found()
        for unit in (*group, *(apart if at == 0 else [])):
            place = kept.index(unit)
            items = found.x[place * model.n_items : (place + 1) * model.n_items]
            x[unit * model.n_items : (unit + 1) * model.n_items] = items
            begin = small.n_choices + place * n_stimuli
            stimuli = found.x[begin : begin + n_stimuli]
            x[first_stimulus + unit * n_stimuli : first_stimulus + (unit + 1) * n_stimuli] = stimuli
            if unit in group:
                taken[False] += np.round(items).astype(np.int64)
                taken[True][:n_stimuli] += np.round(stimuli).astype(np.int64)
    return finished(model, x)


def step(model: Model, within: BoolArray, until: float, *, share: float) -> Found:
    """The next form from few items in a share of the time; where these do not do, from all, and with more time."""
    few = replace(model, upper=model.upper.copy())
    few.upper[: model.n_choices] *= np.maximum(np.tile(within, model.n_units), model.lower[: model.n_choices] > 0)
    for one, portion in ((few, share), (model, share), (model, LAST_TRY)):
        left = until - time.perf_counter()
        found = solve(one, seconds=min(max(STEP_SECONDS, portion * left), left), gap=STEP_GAP)
        if found.x is not None or (found.is_infeasible and one is model):
            break
    return found


class Search:
    """Exchanges and reassembled parts in turn, as long as there is time; worse answers are never kept."""

    def __init__(self, layout: Layout, model: Model, *, bound: float, gap: float, rng: np.random.Generator) -> None:
        self.layout, self.model, self.bound, self.gap, self.rng = layout, model, bound, gap, rng
        self.groups = layout.alike if len(layout.alike) > 1 else tuple((unit,) for unit in range(len(layout.names)))
        grouped = {unit for group in self.groups for unit in group}
        self.apart = [unit for unit in range(len(layout.names)) if unit not in grouped]
        # single items can be exchanged within a text only, which is soon done
        self.moves, self.most_moves = FEWEST_MOVES, FEWEST_MOVES if layout.has_sets else MOST_MOVES
        self.pace = float(FEWEST_MOVES)
        self.patience = 1 if layout.has_sets else 3
        self.share = 0.5 if layout.has_sets else 1.0
        # exchanges know no sums as goals
        self.exchanges = bool(model.cost[-1]) and np.isfinite(bound)

    def run(self, start: Found, *, until: float, news: Callable[[], Found]) -> Found:
        """Improve until the time is over or nothing better can be; ``news`` brings what other solvers know."""
        best, since = start, 0
        while time.perf_counter() < until:
            best = best.joined(news())
            assert best.x is not None
            if best.is_proven(self.gap) or best.is_infeasible:
                break
            is_exchange = self.exchanges and since < self.patience
            since = since + 1 if is_exchange else 0
            found = self.exchange(best.x, until) if is_exchange else self.reassemble(best.x, until)
            is_new = found.x is not None and is_better(self.model, found.x, best.x)
            if is_new:
                best = Found(found.x, found.cost, best.bound, solver="HiGHS and exchanges" if self.exchanges else "HiGHS")
            if is_exchange and not is_new:
                self.moves = min(self.most_moves, self.moves * 2)
            elif not is_exchange:
                # the way that helps more is gone more often
                self.patience = max(1, self.patience // 2) if is_new else min(MOST_PATIENCE, self.patience + 1)
        return best

    def exchange(self, x: FloatArray, until: float) -> Found:
        """Anneal from warm or lukewarm, no longer than there is time."""
        begun = time.perf_counter()
        n_moves = int(np.clip(0.8 * (until - begun) * self.pace, 1, self.moves))
        warmth = _swaps.spread(self.model, x, self.bound) * float(self.rng.choice(WARMTHS))
        found = _swaps.anneal(self.model, x, level=abs(self.bound), warmth=warmth, n_moves=n_moves, rng=self.rng)
        self.pace = n_moves / (time.perf_counter() - begun)
        return found

    def reassemble(self, x: FloatArray, until: float) -> Found:
        """Free the worst group and another, or of the sets or items in them a share that the solver can cope with in the time."""
        units = pick(self.model, x, self.groups, self.rng)
        if self.apart and self.rng.random() < 0.5:
            units = [unit for group in self.groups for unit in group][:MOST_FREED] + self.apart
        free = columns_of(self.layout, self.model, units)
        kept = np.flatnonzero(free & (x > 0.5) & self.kept_columns())
        free[kept[self.rng.random(kept.size) > self.share]] = False
        small, is_free = part_of(self.model, x, free)
        self.cut(small, x[is_free])
        begun = time.perf_counter()
        found = solve(small, seconds=min(PART_SECONDS, until - begun), gap=max(self.gap, PART_GAP))
        is_slow = time.perf_counter() - begun > 0.8 * PART_SECONDS
        self.share = max(0.1, self.share * 0.85) if is_slow else min(1.0, self.share * 1.1)
        if found.x is None:
            return found
        after = x.copy()
        after[is_free] = found.x
        return finished(self.model, after)

    def cut(self, small: Model, x: FloatArray) -> None:
        """Nothing worse than now is of use: the solver need not look at it."""
        values = values_of_rows(small, x)
        if small.cost[-1] > 0:
            small.upper[-1] = max(values.max() + CUT_ROOM, small.lower[-1])
        elif small.cost[-1] < 0:
            small.lower[-1] = max(values.min() - CUT_ROOM, 0.0)

    def kept_columns(self) -> BoolArray:
        """Columns that may stay as they are within a group: its stimuli, or items where there are none."""
        may = np.zeros(self.model.cost.size, dtype=np.bool_)
        n_stimuli = len(self.layout.names) * len(self.layout.pool.stimulus_ids) if self.layout.has_sets else 0
        may[self.model.n_choices : self.model.n_choices + n_stimuli] = True
        if not n_stimuli:
            may[: self.model.n_choices] = True
        return may


def pick(model: Model, x: FloatArray, groups: tuple[tuple[int, ...], ...], rng: np.random.Generator) -> list[int]:
    """Units of the group that is worst off and of others taken at random."""
    order = rng.permutation(len(groups))
    if model.cost[-1]:
        worst = worst_unit(model, x)
        first = next((at for at, group in enumerate(groups) if worst in group), int(order[0]))
        order = np.concatenate([[first], order[order != first]])
    return [unit for at in order[:FREED] for unit in groups[at]]


def worst_unit(model: Model, x: FloatArray) -> int:
    """A unit of the scope whose information decides the goal."""
    values = values_of_rows(model, x)
    row = np.flatnonzero(model.line == GOAL)[values.argmax() if model.cost[-1] > 0 else values.argmin()]
    columns = model.matrix[row].indices
    return int(columns[columns < model.n_choices].min()) // model.n_items


def columns_of(layout: Layout, model: Model, units: list[int]) -> BoolArray:
    """Items and stimuli of some units, and whether items are shared."""
    free = np.zeros(model.cost.size, dtype=np.bool_)
    n_stimuli = len(layout.pool.stimulus_ids) if layout.has_sets else 0
    for unit in units:
        free[unit * model.n_items : (unit + 1) * model.n_items] = True
        begin = model.n_choices + unit * n_stimuli
        free[begin : begin + n_stimuli] = True
    free[model.n_choices + len(layout.names) * n_stimuli :] = True
    return free


def is_better(model: Model, x: FloatArray, than: FloatArray) -> bool:
    """Higher in sum, or better where it is worst, then where it is second worst."""
    if not model.cost[-1]:
        return bool(model.cost @ x < model.cost @ than - BETTER)
    sign = 1.0 if model.cost[-1] > 0 else -1.0
    ours, theirs = (np.sort(sign * values_of_rows(model, one))[::-1] for one in (x, than))
    different = np.flatnonzero(np.abs(ours - theirs) > BETTER)
    return bool(different.size and ours[different[0]] < theirs[different[0]])
