"""Multistage panels: modules of several stages, of which every examinee takes a route."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from edmeasure.assembly._assembling import SolverOptions
from edmeasure.assembly._layout import Layout, Scope, Use
from edmeasure.assembly.blueprint import Blueprint
from edmeasure.assembly.forms import Assembly, assembled, check_goals
from edmeasure.assembly.goals import Goal
from edmeasure.assembly.pool import ItemPool
from edmeasure.errors import BadOption


@dataclass(frozen=True)
class ModulePlan:
    """A set of items given together at one stage.

    Attributes
    ----------
    name : str
    stage : int
        0 for the module with which everybody begins.
    blueprint : Blueprint
    goal : goal or None
        For instance `MaximinInformation` with weights where the module's examinees are.
    """

    name: str
    stage: int
    blueprint: Blueprint
    goal: Goal | None = None


def routes_of(modules: Sequence[ModulePlan]) -> tuple[tuple[str, ...], ...]:
    """Every way through the stages."""
    stages = sorted({module.stage for module in modules})
    return tuple(product(*(tuple(module.name for module in modules if module.stage == stage) for stage in stages)))


def assemble_panels(
    pool: ItemPool,
    modules: Sequence[ModulePlan],
    *,
    rng: np.random.Generator,
    n_panels: int = 1,
    routes: Sequence[Sequence[str]] | None = None,
    route_blueprint: Blueprint | None = None,
    route_goal: Goal | None = None,
    item_use: int = 1,
    options: SolverOptions | None = None,
) -> Assembly:
    """Modules of one or several panels at once (Luecht & Nungesser 1998; van der Linden 2005, bottom-up and top-down).

    Parameters
    ----------
    modules
        Every panel has all of them; goals of one kind.
    routes
        Names of modules one after the other; all ways through the stages where none are given.
    route_blueprint, route_goal
        What every route must keep and should reach: the rules of the whole test.
    item_use
        In how many panels an item may be; within a panel it is in one module.
    """
    ways = tuple(tuple(route) for route in (routes if routes is not None else routes_of(modules)))
    layout = panels_layout(pool, modules, ways, n_panels, (route_blueprint, route_goal), item_use)
    shown = tuple(tuple(f"panel {panel + 1} {name}" for name in route) for panel in range(n_panels) for route in ways)
    return assembled(layout, options or SolverOptions(), rng, n_shown=len(layout.names), routes=shown)


def panels_layout(
    pool: ItemPool,
    modules: Sequence[ModulePlan],
    routes: tuple[tuple[str, ...], ...],
    n_panels: int,
    of_routes: tuple[Blueprint | None, Goal | None],
    item_use: int,
) -> Layout:
    """A unit for every module of every panel."""
    place = {module.name: at for at, module in enumerate(modules)}
    if n_panels < 1 or item_use < 1 or len(place) != len(modules) or not modules:
        raise BadOption("n_panels, item_use or modules do not fit.", remedy="Use 1 or more, and give every module its own name.")
    if any(name not in place for route in routes for name in route):
        raise BadOption("A route names a module that there is not.", remedy=f"Use {sorted(place)}.")
    blueprint, goal = of_routes
    check_goals([*(module.goal for module in modules), goal])
    if goal is None and all(module.goal is None for module in modules):
        raise BadOption("Neither modules nor routes have a goal.", remedy="Give one to modules or as route_goal.")
    # a goal alone needs no rules: any number of items
    rules = blueprint or Blueprint((0, pool.n_items))
    scopes, uses, groups = [], [], []
    for panel in range(n_panels):
        units = tuple(range(panel * len(modules), (panel + 1) * len(modules)))
        groups.append(units)
        scopes += [Scope(module.name, (units[at],), module.blueprint, module.goal) for at, module in enumerate(modules)]
        if blueprint is not None or goal is not None:
            scopes += [
                Scope(f"route {' - '.join(route)}", tuple(units[place[name]] for name in route), rules, goal) for route in routes
            ]
        for of_stimuli, what in ((False, "item"), (True, "stimulus")):
            words = f"every {what} in one module of a panel"
            uses.append(Use(units, (1,) * len(units), 1, words, of_stimuli, is_shared=False))
    if n_panels > 1:
        everywhere = tuple(range(n_panels * len(modules)))
        for of_stimuli, what in ((False, "item"), (True, "stimulus")):
            words = f"every {what} in at most {item_use} panel{'s' if item_use > 1 else ''}"
            uses.append(Use(everywhere, (1,) * len(everywhere), item_use, words, of_stimuli))
    return Layout(
        pool,
        tuple(f"panel {panel + 1} {module.name}" for panel in range(n_panels) for module in modules),
        (1,) * (n_panels * len(modules)),
        tuple(scopes),
        tuple(uses),
        (),
        tuple(groups) if n_panels > 1 else (),
    )
