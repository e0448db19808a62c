"""Exchanging single items between forms and with the pool, by simulated annealing (Kirkpatrick, Gelatt & Vecchi 1983).

Every move keeps every row; what it lowers is the sum of squares by which the goal's rows miss a level that is known to
be the best possible. A program solver finds what items go together, exchanges then even forms out to the last digits.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from edmeasure._loops import exact, exact_step
from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.assembly._model import GOAL, Model
from edmeasure.assembly._solving import Found, finished, values_of_rows

ROOM = 1e-9
TO_UNIT = 1.0 / 9007199254740992.0


def anneal(model: Model, start: FloatArray, *, level: float, warmth: float, n_moves: int, rng: np.random.Generator) -> Found:
    """Exchange items from a solution on; ``warmth`` is the miss of a level that moves may add at first."""
    columns = sparse.csc_matrix(model.matrix[:, : model.n_choices])
    x = start.copy()
    chosen = model.chosen(x)
    most = int(chosen.sum(axis=1).max(initial=1))
    lists = np.full((model.n_units, most), -1, dtype=np.int64)
    for unit in range(model.n_units):
        found = np.flatnonzero(chosen[unit])
        lists[unit, : found.size] = found
    is_goal = model.line == GOAL
    slope, end = np.zeros(is_goal.size), np.zeros(is_goal.size)
    slope[is_goal] = model.matrix[np.flatnonzero(is_goal)][:, -1].toarray().ravel()
    end[is_goal] = np.where(np.isfinite(model.low), model.low, model.high)[is_goal]
    activity = model.matrix @ x - slope * x[-1]
    best = lists.copy()
    is_in = chosen.astype(np.int8)
    exchange(
        columns.indptr.astype(np.int64),
        columns.indices.astype(np.int64),
        columns.data,
        model.low - ROOM,
        model.high + ROOM,
        is_goal,
        end,
        slope,
        1.0 if model.cost[-1] > 0 else -1.0,
        level,
        activity,
        is_in,
        lists,
        best,
        warmth,
        int(rng.integers(2**62)),
        n_moves,
    )
    x[: model.n_choices] = 0.0
    for unit in range(model.n_units):
        x[unit * model.n_items + best[unit][best[unit] >= 0]] = 1.0
    return finished(model, x)


def prepare() -> None:
    """Compile the loop, which is not what a time limit is for."""
    none, place, real = np.zeros(2, dtype=np.int64), np.zeros(1, dtype=np.int64), np.zeros(1)
    lists, is_in = np.full((1, 1), -1, dtype=np.int64), np.zeros((1, 1), dtype=np.int8)
    is_goal = np.zeros(1, dtype=np.bool_)
    exchange(none, place, real, real, real, is_goal, real, real, 1.0, 0.0, real, is_in, lists, lists.copy(), 0.0, 1, 1)


def spread(model: Model, x: FloatArray, bound: float) -> float:
    """How far the goal's rows miss the level, in root mean square."""
    sign = 1.0 if model.cost[-1] > 0 else -1.0
    missed = np.maximum(sign * (values_of_rows(model, x) - abs(bound)), 0.0)
    return float(np.sqrt(np.mean(missed**2)))


@exact_step
def _next(state: np.uint64) -> np.uint64:
    """SplitMix64."""
    z = state
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@exact_step
def _unit(z: np.uint64) -> float:
    return float(z >> np.uint64(11)) * TO_UNIT


@exact_step
def _gather(
    moved: IntArray,
    n_moved: int,
    indptr: IntArray,
    indices: IntArray,
    values: FloatArray,
    delta: FloatArray,
    touched: IntArray,
    is_touched: BoolArray,
) -> int:
    """What a move adds to the rows: columns at even places come in, the others go."""
    n_touched = 0
    for part in range(n_moved):
        column, way = moved[part], 1.0 - 2.0 * (part % 2)
        for k in range(indptr[column], indptr[column + 1]):
            row = indices[k]
            if not is_touched[row]:
                is_touched[row] = True
                touched[n_touched] = row
                n_touched += 1
            delta[row] += way * values[k]
    return n_touched


@exact_step
def _change(
    touched: IntArray,
    n_touched: int,
    activity: FloatArray,
    delta: FloatArray,
    low: FloatArray,
    high: FloatArray,
    is_goal: BoolArray,
    end: FloatArray,
    slope: FloatArray,
    sign: float,
    level: float,
) -> float:
    """By how much the sum of squares changes; infinity where a row would break."""
    change = 0.0
    for k in range(n_touched):
        row = touched[k]
        after = activity[row] + delta[row]
        if is_goal[row]:
            before = max(sign * ((end[row] - activity[row]) / slope[row] - level), 0.0)
            now = max(sign * ((end[row] - after) / slope[row] - level), 0.0)
            change += now * now - before * before
        elif after < low[row] or after > high[row]:
            return np.inf
    return change


@exact
def exchange(
    indptr: IntArray,
    indices: IntArray,
    values: FloatArray,
    low: FloatArray,
    high: FloatArray,
    is_goal: BoolArray,
    end: FloatArray,
    slope: FloatArray,
    sign: float,
    level: float,
    activity: FloatArray,
    is_in: Int8Array,
    lists: IntArray,
    best: IntArray,
    warmth: float,
    seed: int,
    n_moves: int,
) -> None:
    """Propose ``n_moves`` exchanges; ``best`` gets the items of the units at the lowest sum of squares."""
    n_units, n_items = is_in.shape
    longest = lists.shape[1]
    delta, touched = np.zeros(activity.shape[0]), np.zeros(activity.shape[0], dtype=np.int64)
    is_touched = np.zeros(activity.shape[0], dtype=np.bool_)
    moved = np.zeros(4, dtype=np.int64)
    counter, step = np.uint64(seed), np.uint64(0x9E3779B97F4A7C15)
    energy, lowest = 0.0, 0.0
    for move in range(n_moves):
        heat = warmth * warmth * (1.0 - move / n_moves) ** 3
        counter += step
        draw = _next(counter)
        f, at = np.int64(draw % np.uint64(n_units)), np.int64((draw >> np.uint64(20)) % np.uint64(longest))
        counter += step
        draw = _next(counter)
        g, other = np.int64((draw >> np.uint64(1)) % np.uint64(n_units)), np.int64((draw >> np.uint64(20)) % np.uint64(longest))
        is_between = n_units > 1 and (draw & np.uint64(1)) == np.uint64(0)
        i = lists[f, at]
        j = lists[g, other] if is_between else np.int64((draw >> np.uint64(1)) % np.uint64(n_items))
        if i < 0 or j < 0 or is_in[f, j] or (is_between and (g == f or is_in[g, i])):
            continue
        moved[0], moved[1], moved[2], moved[3] = f * n_items + j, f * n_items + i, g * n_items + i, g * n_items + j
        n_touched = _gather(moved, 4 if is_between else 2, indptr, indices, values, delta, touched, is_touched)
        change = _change(touched, n_touched, activity, delta, low, high, is_goal, end, slope, sign, level)
        counter += step
        may = change <= 0.0 or change < -heat * np.log(max(_unit(_next(counter)), 1e-300))
        for k in range(n_touched):
            if may:
                activity[touched[k]] += delta[touched[k]]
            delta[touched[k]] = 0.0
            is_touched[touched[k]] = False
        if not may:
            continue
        energy += change
        lists[f, at], is_in[f, i], is_in[f, j] = j, 0, 1
        if is_between:
            lists[g, other], is_in[g, j], is_in[g, i] = i, 0, 1
        if energy < lowest - 1e-12:
            lowest = energy
            for unit in range(n_units):
                for place in range(longest):
                    best[unit, place] = lists[unit, place]
