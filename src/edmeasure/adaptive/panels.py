"""Panels of multistage tests: modules of items in stages, the routes between them, and where to cut.

A panel is a set of modules with their routes (Luecht & Nungester 1998, Journal of Educational Measurement 35).
Content is balanced when modules are put together, not while the test runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray, IntArray
from edmeasure.adaptive.cat import ItemBank
from edmeasure.errors import BadOption, BadShape

ROUTED_BY = ("points", "theta")
FINE = 2001


@dataclass(frozen=True)
class Module:
    """Items given together, and where they lead.

    Attributes
    ----------
    name : str
    item_ids : tuple of str
        In the order in which they are given.
    leads_to : tuple of str
        Modules of the next stage, for the lowest results first; empty in the last stage.
    cuts : tuple of float
        One fewer, ascending: a result at a cut leads to the module above it.
    """

    name: str
    item_ids: tuple[str, ...]
    leads_to: tuple[str, ...] = ()
    cuts: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse cuts that do not part what they lead to."""
        if not self.item_ids or len(set(self.item_ids)) != len(self.item_ids):
            raise BadOption(f"Module {self.name} is empty or has an item twice.", remedy="Give it different items.")
        if len(self.cuts) != max(len(self.leads_to) - 1, 0):
            raise BadOption(
                f"Module {self.name} has {len(self.cuts)} cuts for {len(self.leads_to)} modules.", remedy="Give one fewer."
            )
        if not np.isfinite(self.cuts).all() or (np.diff(self.cuts) <= 0).any():
            raise BadOption(f"The cuts of module {self.name} do not ascend.", remedy="Give them from low to high.")


@dataclass(frozen=True)
class Panel:
    """Modules by stage.

    Attributes
    ----------
    stages : tuple of tuples of Module
        The first holds one module.
    routed_by : "points" or "theta"
        What cuts are on: the points of all modules so far, or the posterior mean after them.
    """

    stages: tuple[tuple[Module, ...], ...]
    routed_by: str = "points"

    def __post_init__(self) -> None:
        """Refuse a panel in which somebody would be lost, or meet an item twice."""
        _validate.choice(self.routed_by, "routed_by", ROUTED_BY)
        if not self.stages or len(self.stages[0]) != 1:
            raise BadOption("A panel begins with one module.", remedy="Put one module into the first stage.")
        names = [module.name for module in self.modules]
        if len(set(names)) != len(names):
            raise BadOption("Two modules have one name.", remedy="Give every module its own.")
        followers = (*self.stages[1:], ())
        for stage, following in zip(self.stages, followers, strict=True):
            known = {module.name for module in following}
            for module in stage:
                if not set(module.leads_to) <= known or bool(module.leads_to) != bool(following):
                    raise BadOption(
                        f"Module {module.name} leads to {list(module.leads_to)}.",
                        remedy=f"The next stage has {sorted(known)}.",
                    )
        for path in self.paths:
            items = [name for module in path for name in module.item_ids]
            if len(set(items)) != len(items):
                raise BadOption(
                    f"An item comes twice on the way {' - '.join(module.name for module in path)}.",
                    remedy="Modules of one path share no item.",
                )

    @property
    def modules(self) -> tuple[Module, ...]:
        """All modules, stage by stage."""
        return tuple(module for stage in self.stages for module in stage)

    @property
    def paths(self) -> tuple[tuple[Module, ...], ...]:
        """Every way through the panel."""
        by_name = {module.name: module for module in self.modules}
        found: list[tuple[Module, ...]] = [self.stages[0]]
        for _ in self.stages[1:]:
            found = [(*path, by_name[name]) for path in found for name in path[-1].leads_to]
        return tuple(found)


@dataclass(frozen=True, eq=False)
class PathCheck(Exported):
    """What a way through a panel gives.

    Attributes
    ----------
    modules : tuple of str
    n_items, max_points : int
    area_names : tuple of str, area_items : int64 (n_areas,)
    nodes, information : float64 (Q,)
    """

    modules: tuple[str, ...]
    n_items: int
    max_points: int
    area_names: tuple[str, ...]
    area_items: IntArray
    nodes: FloatArray
    information: FloatArray

    def __str__(self) -> str:
        areas = ", ".join(f"{name or 'all'} {count}" for name, count in zip(self.area_names, self.area_items, strict=True))
        at = int(self.information.argmax())
        return (
            f"{' - '.join(self.modules)}: {self.n_items} items ({areas}), information up to {self.information[at]:.2f} "
            f"at {self.nodes[at]:.2f}"
        )


def check_paths(bank: ItemBank, panel: Panel) -> tuple[PathCheck, ...]:
    """Length, content and information of every way through a panel: examinees who go different ways should get alike."""
    found = []
    for path in panel.paths:
        items = np.concatenate([positions_of(bank, module) for module in path])
        found.append(
            PathCheck(
                modules=tuple(module.name for module in path),
                n_items=items.size,
                max_points=int(bank.items.max_scores[items].sum()),
                area_names=bank.area_names,
                area_items=np.bincount(bank.areas[items], minlength=len(bank.area_names)),
                nodes=bank.nodes,
                information=bank.information[items].sum(axis=0),
            )
        )
    return tuple(found)


def route_by_information(
    bank: ItemBank, stages: Sequence[Sequence[tuple[str, Sequence[str]]]], *, routed_by: str = "points"
) -> Panel:
    """A panel whose cuts lie where the next module tells more than the one below it.

    Parameters
    ----------
    stages
        (name, item ids) of every module, within a stage from the easiest to the hardest. Every module leads to all
        modules of the next stage.
    routed_by
        For points the cut is the expected number right of the modules so far at that ability (the approximate maximum
        information method of Luecht, Brumfield & Breithaupt 2006, Applied Measurement in Education 19), rounded up.

    Raises
    ------
    BadOption
        If neighbouring modules of a stage do not cross once, from the easier to the harder.
    """
    _validate.choice(routed_by, "routed_by", ROUTED_BY)
    plain = [[Module(name, tuple(items)) for name, items in stage] for stage in stages]
    known = {module.name: positions_of(bank, module) for stage in plain for module in stage}
    built: list[tuple[Module, ...]] = []
    for at, stage in enumerate(plain):
        following = plain[at + 1] if at + 1 < len(plain) else []
        thetas = [_crossing(bank, known, low, high) for low, high in pairwise(following)]
        routed = []
        for module in stage:
            cuts = [_points_at(bank, plain[: at + 1], known, module, theta) for theta in thetas]
            leads_to = tuple(one.name for one in following)
            routed.append(Module(module.name, module.item_ids, leads_to, tuple(thetas if routed_by == "theta" else cuts)))
        built.append(tuple(routed))
    return Panel(tuple(built), routed_by)


def positions_of(bank: ItemBank, module: Module) -> IntArray:
    """Where a module's items stand in the bank."""
    place = {name: at for at, name in enumerate(bank.item_ids)}
    strangers = [name for name in module.item_ids if name not in place]
    if strangers:
        raise BadShape(f"Items {strangers[:10]} of module {module.name} are not in the bank.", remedy="Calibrate them first.")
    return np.array([place[name] for name in module.item_ids], dtype=np.int64)


def _crossing(bank: ItemBank, known: dict[str, IntArray], low: Module, high: Module) -> float:
    """The ability from which on ``high`` tells more than ``low``."""
    middles = [_middle(bank, known[module.name]) for module in (low, high)]
    fine = np.linspace(float(bank.nodes[middles[0]]), float(bank.nodes[middles[1]]), FINE)
    lead = bank.information[known[high.name]].sum(axis=0) - bank.information[known[low.name]].sum(axis=0)
    turns = np.flatnonzero(np.diff(np.sign(np.interp(fine, bank.nodes, lead))) > 0)
    if middles[0] >= middles[1] or turns.size == 0:
        raise BadOption(
            f"Module {high.name} tells nowhere more than {low.name} from some ability on.",
            remedy="Order modules of a stage from easy to hard, and make them differ.",
        )
    return float(fine[turns[0] + 1])


def _middle(bank: ItemBank, positions: IntArray) -> int:
    """The node at which a module tells most."""
    return int(bank.information[positions].sum(axis=0).argmax())


def _points_at(
    bank: ItemBank, stages: Sequence[Sequence[Module]], known: dict[str, IntArray], module: Module, theta: float
) -> float:
    """Expected points at an ability of the modules up to this one, earlier ones averaged over their stage."""
    scores = np.concatenate([np.arange(top + 1) for top in bank.items.max_scores.tolist()])
    expected = np.add.reduceat(bank.probabilities * scores[:, None], bank.category_start[:-1], axis=0)

    def points_of(one: Module) -> float:
        return float(np.interp(theta, bank.nodes, expected[known[one.name]].sum(axis=0)))

    earlier = sum(float(np.mean([points_of(one) for one in stage])) for stage in stages[:-1])
    return float(np.ceil(earlier + points_of(module)))
