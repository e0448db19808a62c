"""Multistage tests: examinees routed from module to module, one at a time or simulated in thousands.

Yan, von Davier & Lewis (2014), Computerized Multistage Testing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray, Int8Array, IntArray
from edmeasure.adaptive._cat_kernels import TINY, uniform
from edmeasure.adaptive.cat import LARGEST_SEED, ItemBank, TestState
from edmeasure.adaptive.panels import Panel, positions_of
from edmeasure.errors import BadOption, BadScore, BadShape

NONE = -1


@dataclass(frozen=True)
class ModuleStep:
    """The module an examinee is in, with the items still to be answered; no module once the test has ended."""

    panel: int
    module: str | None
    item_ids: tuple[str, ...]
    points: int
    theta: float
    se: float

    def __str__(self) -> str:
        ahead = "ended" if self.module is None else f"module {self.module}, {len(self.item_ids)} items left"
        return f"theta {self.theta:.3f} ({self.se:.3f}), {self.points} points, {ahead}"


@dataclass(frozen=True, eq=False)
class SimulatedPanels(Exported):
    """Multistage tests of many examinees.

    Attributes
    ----------
    theta, se : float64 (n,)
        Posterior means and deviations after the last stage.
    points, panel : int64 (n,)
    path : int64 (n, n_stages)
        Module of every stage, counted through all panels' modules in order.
    n_items : int64 (n,)
    exposure : float64 (J,)
        Share of tests that gave every item of the bank.
    module_names : tuple of str
        Panel number and name.
    module_shares : float64 (n_modules,)
    """

    theta: FloatArray
    se: FloatArray
    points: IntArray
    panel: IntArray
    path: IntArray
    n_items: IntArray
    exposure: FloatArray
    module_names: tuple[str, ...]
    module_shares: FloatArray

    def _columns(self) -> Mapping[str, object]:
        return {name: getattr(self, name) for name in ("theta", "se", "points", "panel", "n_items")}

    def __str__(self) -> str:
        shares = ", ".join(f"{name} {share:.3f}" for name, share in zip(self.module_names, self.module_shares, strict=True))
        return (
            f"{self.theta.size:,} tests of {self.n_items.mean():.1f} items in {self.path.shape[1]} stages: mean error "
            f"{self.se.mean():.3f}, highest exposure {self.exposure.max():.3f}\nmodules: {shares}"
        )


def next_module(bank: ItemBank, panels: Sequence[Panel], state: TestState) -> ModuleStep:
    """Where a test stands after the answers of ``state``, which need not end with a module.

    The panel follows from the state's seed, the route from the answers: a stored test goes on exactly where it was.

    Raises
    ------
    BadShape, BadScore
        Also if these panels cannot have led to those items.
    """
    chosen = int(_panels_of(np.array([state.seed]), len(panels))[0])
    panel, given = panels[chosen], dict(zip(state.item_ids, state.scores, strict=True))
    posterior, points, seen = np.log(bank.prior)[None].copy(), np.zeros(1, dtype=np.int64), 0
    module = panel.stages[0][0]
    for stage in range(len(panel.stages)):
        positions = positions_of(bank, module)
        there = [name for name in module.item_ids if name in given]
        if tuple(there) != state.item_ids[seen : seen + len(there)] or module.item_ids[: len(there)] != tuple(there):
            raise BadShape("Panels lead to other items than were given.", remedy="Use those with which the test began.")
        scores = np.array([[given[name] for name in there]], dtype=np.int64)
        _refuse_scores(bank, positions[: len(there)], scores)
        _answer(bank, positions[: len(there)], scores, posterior, points)
        seen += len(there)
        theta, se = _estimates(posterior, bank.nodes)
        rest = module.item_ids[len(there) :]
        if rest or stage == len(panel.stages) - 1:
            break
        value = points[0] if panel.routed_by == "points" else theta[0]
        next_name = module.leads_to[int(np.searchsorted(module.cuts, value, side="right"))]
        module = next(one for one in panel.stages[stage + 1] if one.name == next_name)
    if seen != len(state.item_ids):
        raise BadShape("Panels lead to other items than were given.", remedy="Use those with which the test began.")
    name = module.name if rest else None
    return ModuleStep(chosen, name, rest, int(points[0]), float(theta[0]), float(se[0]))


def simulate_panels(
    bank: ItemBank, panels: Sequence[Panel], answers: npt.ArrayLike, *, rng: np.random.Generator
) -> SimulatedPanels:
    """Give every row of ``answers`` (n, J) one of the panels, drawn with equal chances, and route it.

    Several panels with different items hold exposure down: a first module is seen by one in as many examinees as there
    are panels.
    """
    given = _validate.score_matrix(answers)
    if given.shape[1] != len(bank.item_ids) or given.shape[0] == 0:
        raise BadShape(f"answers has shape {given.shape}.", remedy=f"Give at least one row of {len(bank.item_ids)} answers.")
    if (given < 0).any() or (given > bank.items.max_scores).any():
        raise BadScore("Some answers are missing or above the item's maximum.", remedy="Give an answer to every item.")
    if not panels or len({len(panel.stages) for panel in panels}) != 1:
        raise BadOption("Panels have different numbers of stages, or there is none.", remedy="Simulate like panels together.")
    n = given.shape[0]
    panel_of = _panels_of(np.asarray(rng.integers(LARGEST_SEED, size=n)), len(panels))
    posterior = np.tile(np.log(bank.prior), (n, 1))
    points, n_items = np.zeros((2, n), dtype=np.int64)
    path = np.full((n, len(panels[0].stages)), NONE, dtype=np.int64)
    exposure = np.zeros(len(bank.item_ids))
    names: list[str] = []
    for number, panel in enumerate(panels):
        rows = np.flatnonzero(panel_of == number)
        _route(bank, panel, given, rows, posterior, points, path, len(names))
        for at, module in enumerate(panel.modules, start=len(names)):
            positions = positions_of(bank, module)
            who = (path[rows] == at).any(axis=1)
            exposure[positions] += who.sum()
            n_items[rows[who]] += positions.size
        names += [f"{number}:{module.name}" for module in panel.modules]
    theta, se = _estimates(posterior, bank.nodes)
    shares = np.bincount(path.ravel(), minlength=len(names)) / n
    return SimulatedPanels(theta, se, points, panel_of, path, n_items, exposure / n, tuple(names), shares)


def _route(
    bank: ItemBank,
    panel: Panel,
    given: Int8Array,
    rows: IntArray,
    posterior: FloatArray,
    points: IntArray,
    path: IntArray,
    first: int,
) -> None:
    """Take the examinees of one panel through its stages; ``first`` is the number of its first module."""
    place = {module.name: first + at for at, module in enumerate(panel.modules)}
    path[rows, 0] = first
    for stage, modules in enumerate(panel.stages):
        for module in modules:
            who = rows[path[rows, stage] == place[module.name]]
            positions = positions_of(bank, module)
            own, scored = posterior[who], points[who]
            _answer(bank, positions, given[np.ix_(who, positions)].astype(np.int64), own, scored)
            posterior[who], points[who] = own, scored
            if module.leads_to:
                value = scored if panel.routed_by == "points" else _estimates(own, bank.nodes)[0]
                targets = np.array([place[name] for name in module.leads_to])
                path[who, stage + 1] = targets[np.searchsorted(module.cuts, value, side="right")]


def _answer(bank: ItemBank, positions: IntArray, scores: IntArray, posterior: FloatArray, points: IntArray) -> None:
    """Add what the scores (n, items) say, item after item, so that one examinee gets the bits of many."""
    logs = np.log(np.maximum(bank.probabilities, TINY))
    for at, position in enumerate(positions.tolist()):
        posterior += logs[bank.category_start[position] + scores[:, at]]
    points += scores.sum(axis=1)


def _estimates(posterior: FloatArray, nodes: FloatArray) -> tuple[FloatArray, FloatArray]:
    weights = np.exp(posterior - posterior.max(axis=1, keepdims=True))
    total = weights.sum(axis=1)
    theta = (weights * nodes).sum(axis=1) / total
    return theta, np.sqrt((weights * (nodes - theta[:, None]) ** 2).sum(axis=1) / total)


def _panels_of(seeds: IntArray, n_panels: int) -> IntArray:
    if n_panels < 1:
        raise BadOption("There is no panel.", remedy="Give at least one.")
    luck = np.array([uniform(int(seed), 0) for seed in seeds])
    return np.asarray(luck * n_panels, dtype=np.int64)


def _refuse_scores(bank: ItemBank, positions: IntArray, scores: IntArray) -> None:
    wrong = np.flatnonzero((scores[0] < 0) | (scores[0] > bank.items.max_scores[positions]))
    if wrong.size:
        item = bank.item_ids[int(positions[wrong[0]])]
        raise BadScore(f"Item {item} has the score {scores[0, wrong[0]]}.", remedy="Use 0 to the item's maximum.")
