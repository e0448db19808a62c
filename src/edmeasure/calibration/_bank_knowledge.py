"""What is known about items as one normal distribution: a part of it, and the whole put together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.calibration import _em, _families, _information, _items, _packing
from edmeasure.calibration._beliefs import Belief
from edmeasure.calibration.irt import IRTFit, item_columns


@dataclass(frozen=True, eq=False)
class Known:
    """Mean and covariance of the parameters of some items, one item after the other."""

    item_ids: tuple[str, ...]
    sizes: tuple[int, ...]
    mean: FloatArray
    covariance: FloatArray

    def at(self, names: Sequence[str]) -> IntArray:
        """Where the parameters of some items lie."""
        starts = np.cumsum([0, *self.sizes])
        rows = [self.item_ids.index(name) for name in names]
        return np.concatenate([np.empty(0, dtype=np.int64), *[np.arange(starts[r], starts[r + 1]) for r in rows]])

    def of(self, names: Sequence[str]) -> Known:
        """What it says about some of the items."""
        at = self.at(names)
        sizes = tuple(self.sizes[self.item_ids.index(name)] for name in names)
        return Known(tuple(names), sizes, self.mean[at], self.covariance[np.ix_(at, at)])

    @property
    def sure(self) -> BoolArray:
        """Parameters that were estimated with an error."""
        return np.asarray(np.isfinite(np.diag(self.covariance)))


def known_of(problem: _em.Problem, state: _em.State, item_ids: Sequence[str], covariance: FloatArray) -> Known:
    """What a calibration found about its items."""
    places = [places_of(problem, j) for j in range(len(item_ids))]
    flat = np.concatenate(places)
    found = _em.flat_parameters(problem, state)[flat]
    return Known(tuple(item_ids), tuple(own.size for own in places), found, covariance[np.ix_(flat, flat)])


def places_of(problem: _em.Problem, j: int) -> IntArray:
    """Slope, intercepts 1..K and extras of one item among all parameters."""
    for item in problem.models.others:
        if item.position == j:
            return _information.columns_of(problem, item)
    return np.arange(problem.item_parts[j].start, problem.item_parts[j].stop)


def nobody_on(models: Sequence[str], max_scores: Int8Array) -> _em.Problem:
    """A problem that has items but no persons."""
    layout = _packing.layout_of(max_scores, np.zeros(max_scores.size, dtype=np.bool_))
    nobody = _packing.PackedResponses(np.empty((0, layout.group_first.size - 1), dtype=np.uint8), np.empty(0), layout)
    of_items = _families.item_models(models, _em.item_parts(layout.category_start))
    nothing, usable = np.empty(0), np.ones(int(layout.category_start[-1]), dtype=np.bool_)
    return _em.Problem(nobody, nothing, nothing, usable, np.zeros(3), of_items, np.zeros((2, of_items.n_extras)))


def bank_of(fit: IRTFit) -> Known:
    """What a fit with a covariance says about its calibrated items."""
    rows = np.flatnonzero(fit.calibrated)
    items = _items.parameters_of(fit, rows, np.empty((0, rows.size), dtype=np.int8))
    problem = nobody_on([fit.models[row] for row in rows], items.max_scores)
    state = _em.State(items.slopes, items.intercepts, extras=items.extras)
    return known_of(problem, state, [fit.item_ids[row] for row in rows], fit.covariance)


def believing(problem: _em.Problem, item_ids: Sequence[str], known: Known) -> _em.Problem:
    """The problem with what is known as the prior of those items."""
    flat = np.concatenate([places_of(problem, item_ids.index(name)) for name in known.item_ids])
    size = int(problem.category_start[-1]) + problem.models.n_extras
    mean, precision, usable = np.zeros(size), np.zeros((size, size)), problem.usable.copy()
    sure = flat[known.sure]
    mean[flat] = known.mean
    precision[np.ix_(sure, sure)] = np.linalg.inv(known.covariance[np.ix_(known.sure, known.sure)])
    # a category that was used before is known, whoever uses it now
    usable[sure[sure < usable.size]] = True
    items = np.array([name in known.item_ids for name in item_ids])
    return replace(problem, usable=usable, belief=Belief(items, mean, precision))


def carried_on(bank: Known, before: Known, found: Known) -> Known:
    """All items after an update: those ``found``, and the rest of the bank moved along with those known ``before``."""
    rest = bank.of([name for name in bank.item_ids if name not in found.item_ids])
    at_bank, at_found = bank.at(before.item_ids), found.at(before.item_ids)
    both = before.sure & found.sure[at_found]
    own, now = at_bank[both], at_found[both]
    away, sure = bank.at(rest.item_ids)[rest.sure], rest.sure
    follows = np.linalg.solve(bank.covariance[np.ix_(own, own)], bank.covariance[np.ix_(own, away)]).T
    change = bank.covariance[np.ix_(own, own)] - found.covariance[np.ix_(now, now)]
    moved, spread = rest.mean.copy(), rest.covariance.copy()
    moved[sure] += follows @ (found.mean[now] - bank.mean[own])
    spread[np.ix_(sure, sure)] -= follows @ change @ follows.T
    crossed = np.full((moved.size, found.mean.size), np.nan)
    crossed[np.ix_(sure, found.sure)] = follows @ found.covariance[np.ix_(now, np.flatnonzero(found.sure))]
    return Known(
        found.item_ids + rest.item_ids,
        found.sizes + rest.sizes,
        np.concatenate([found.mean, moved]),
        np.block([[found.covariance, crossed.T], [crossed, spread]]),
    )


def with_knowledge(fit: IRTFit, bank: IRTFit, known: Known) -> IRTFit:
    """The fit of new answers with all items of the bank in front, and parameters and errors as they are known."""
    ids = [*bank.item_ids, *[name for name in fit.item_ids if name not in bank.item_ids]]
    of = {name: (one, row) for one in (bank, fit) for row, name in enumerate(one.item_ids)}
    tops = np.array([of[name][0].max_scores[of[name][1]] for name in ids], dtype=np.int8)
    models = tuple(of[name][0].models[of[name][1]] for name in ids)
    kept = np.array([name in known.item_ids for name in ids])
    names = [name for name, is_kept in zip(ids, kept, strict=True) if is_kept]
    problem, state, covariance = _flattened(known, names, [models[j] for j in np.flatnonzero(kept)], tops[kept])
    return replace(
        fit,
        item_ids=tuple(ids),
        max_scores=tops,
        models=models,
        excluded=tuple(name for name, is_kept in zip(ids, kept, strict=True) if not is_kept),
        unused_categories=_unused(bank, fit),
        covariance=covariance,
        **item_columns(kept, tops, problem, state, np.sqrt(np.diag(covariance))),
    )


def _unused(bank: IRTFit, fit: IRTFit) -> tuple[tuple[str, int], ...]:
    """Categories without an intercept after the update."""
    still = [pair for pair in bank.unused_categories if pair[0] not in fit.item_ids]
    return (*still, *fit.unused_categories)


def _flattened(
    known: Known, names: Sequence[str], models: Sequence[str], tops: Int8Array
) -> tuple[_em.Problem, _em.State, FloatArray]:
    """Parameters and covariances in the information's order."""
    problem = nobody_on(models, tops)
    flat = np.concatenate([places_of(problem, j) for j in range(len(names))])
    own = known.at(names)
    values, covariance = np.empty(flat.size), np.empty((flat.size, flat.size))
    values[flat], covariance[np.ix_(flat, flat)] = known.mean[own], known.covariance[np.ix_(own, own)]
    firsts, n_categories = problem.category_start[:-1], problem.usable.size
    intercepts = values[:n_categories].copy()
    intercepts[firsts] = 0.0
    return problem, _em.State(values[firsts], intercepts, extras=values[n_categories:]), covariance
