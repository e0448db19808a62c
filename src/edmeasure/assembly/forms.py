"""Forms assembled from a pool: one, or several that are parallel, with the proof of how good they are."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from edmeasure._export import Exported
from edmeasure._validate import FloatArray
from edmeasure.assembly import _swaps
from edmeasure.assembly._assembling import SolverOptions, assemble
from edmeasure.assembly._layout import Layout, Overlap, Scope, Use
from edmeasure.assembly._model import Model
from edmeasure.assembly._solving import Found
from edmeasure.assembly.blueprint import Blueprint
from edmeasure.assembly.conflicts import Conflict, InfeasibleBlueprint, NoFormFound, explain
from edmeasure.assembly.goals import Goal, MaximinInformation, MostInformation, TargetInformation, reached
from edmeasure.assembly.pool import ItemPool
from edmeasure.errors import BadOption, BadShape

EXPLAINING_SECONDS = 60.0
SHOWN = 12


@dataclass(frozen=True, eq=False)
class Assembly(Exported):
    """Forms (or modules of panels) and how good they are.

    Attributes
    ----------
    names : tuple of str (F,)
    forms : tuple of tuple of item ids
        In the order of the pool; anchors are in every form.
    points : float64 (P,), information : float64 (F, P)
    objective : float
        Information in all, the least weighted information, or the largest weighted deviation from the target.
    bound : float
        No forms can be better than that.
    gap : float
        The distance of objective and bound, in units of the objective.
    is_proven : bool
        Whether the gap is within what was asked for.
    solver : str
        Whose answer it is.
    seconds : float
    routes : tuple of tuple of names
        Of multistage panels.
    anchors : tuple of item ids
        Those common to all forms by the blueprint of anchors.
    """

    names: tuple[str, ...]
    forms: tuple[tuple[str, ...], ...]
    points: FloatArray
    information: FloatArray
    goal: str
    objective: float
    bound: float
    gap: float
    is_proven: bool
    solver: str
    seconds: float
    routes: tuple[tuple[str, ...], ...] = ()
    anchors: tuple[str, ...] = ()

    @property
    def relative_gap(self) -> float:
        """The gap as a share of the objective."""
        return self.gap / abs(self.objective) if self.objective else float(self.gap > 0)

    def route_information(self) -> FloatArray:
        """Information of every route, (n_routes, P)."""
        place = {name: at for at, name in enumerate(self.names)}
        rows = [self.information[[place[name] for name in route]].sum(axis=0) for route in self.routes]
        return np.array(rows).reshape(len(rows), self.points.size)

    def _columns(self) -> Mapping[str, object]:
        return {
            "form": [name for name, form in zip(self.names, self.forms, strict=True) for _ in form],
            "item": [item for form in self.forms for item in form],
        }

    def __str__(self) -> str:
        proof = "proven" if self.is_proven else f"gap {self.gap:.4g} ({100 * self.relative_gap:.2g} %)"
        sizes = " or ".join(str(n) for n in sorted({len(form) for form in self.forms}))
        found = f"{self.goal} {self.objective:.6g}, bound {self.bound:.6g}, {proof}"
        lines = [f"{len(self.forms)} of {sizes} items: {found}; {self.solver}, {self.seconds:.1f} s"]
        for name, row in list(zip(self.names, self.information, strict=True))[:SHOWN]:
            told = ", ".join(f"{value:.2f} at {point:g}" for value, point in zip(row, self.points, strict=True))
            lines.append(f"  {name}: {told}")
        return "\n".join(lines + ([f"  and {len(self.forms) - SHOWN} more"] if len(self.forms) > SHOWN else []))


def assemble_form(
    pool: ItemPool, blueprint: Blueprint, goal: Goal, *, rng: np.random.Generator, options: SolverOptions | None = None
) -> Assembly:
    """The best form that follows a blueprint.

    Raises
    ------
    InfeasibleBlueprint
        With the rules that exclude each other.
    NoFormFound
        When time was over first.
    """
    return assemble_forms(pool, blueprint, goal, n_forms=1, rng=rng, options=options)


def assemble_forms(
    pool: ItemPool,
    blueprint: Blueprint | Sequence[Blueprint],
    goal: Goal | Sequence[Goal],
    *,
    n_forms: int,
    rng: np.random.Generator,
    item_use: int = 1,
    stimulus_use: int | None = None,
    overlap: int | None = None,
    anchors: Blueprint | None = None,
    options: SolverOptions | None = None,
) -> Assembly:
    """Parallel forms, all at once, so that the first is no better than the last (van der Linden 2005).

    Parameters
    ----------
    blueprint, goal
        Of all forms, or one for each; goals of one kind.
    item_use, stimulus_use
        In how many forms an item, a stimulus may be; fixed items and anchors aside.
    overlap
        How many items two forms may share, anchors aside.
    anchors
        Blueprint of the items common to all forms, which count in every form.
    """
    layout = forms_layout(
        pool, blueprint, goal, n_forms=n_forms, item_use=item_use, stimulus_use=stimulus_use, overlap=overlap, anchors=anchors
    )
    return assembled(layout, options or SolverOptions(), rng, n_shown=n_forms)


def explain_infeasibility(
    pool: ItemPool,
    blueprint: Blueprint | Sequence[Blueprint],
    *,
    n_forms: int = 1,
    item_use: int = 1,
    stimulus_use: int | None = None,
    overlap: int | None = None,
    anchors: Blueprint | None = None,
    seconds: float = EXPLAINING_SECONDS,
) -> Conflict | None:
    """Rules of the blueprint that exclude each other, or None where forms exist (or nobody knows within the time)."""
    layout = forms_layout(
        pool, blueprint, None, n_forms=n_forms, item_use=item_use, stimulus_use=stimulus_use, overlap=overlap, anchors=anchors
    )
    return explain(layout, seconds=seconds)


def forms_layout(
    pool: ItemPool,
    blueprint: Blueprint | Sequence[Blueprint],
    goal: Goal | Sequence[Goal] | None,
    *,
    n_forms: int,
    item_use: int,
    stimulus_use: int | None,
    overlap: int | None,
    anchors: Blueprint | None,
) -> Layout:
    """A unit for every form, and one more for anchors."""
    if n_forms < 1 or item_use < 1 or (stimulus_use is not None and stimulus_use < 1) or (overlap is not None and overlap < 0):
        raise BadOption("n_forms, item_use, stimulus_use or overlap do not fit.", remedy="Use 1 or more, for overlap 0 or more.")
    blueprints = [blueprint] * n_forms if isinstance(blueprint, Blueprint) else list(blueprint)
    goals = list(goal) if isinstance(goal, Sequence) else [goal] * n_forms
    if len(blueprints) != n_forms or len(goals) != n_forms:
        raise BadShape(f"{len(blueprints)} blueprints and {len(goals)} goals.", remedy=f"Give one, or {n_forms}.")
    check_goals(goals)
    names = tuple(f"form {at + 1}" for at in range(n_forms))
    shared = () if anchors is None else (n_forms,)
    is_alike = n_forms > 1 and all(one == blueprints[0] for one in blueprints) and all(one == goals[0] for one in goals)
    scopes = [
        # rules of forms that are alike are one rule
        Scope("form" if is_alike else name, (at, *shared), one, aim)
        for at, (name, one, aim) in enumerate(zip(names, blueprints, goals, strict=True))
    ]
    if anchors is not None:
        scopes.append(Scope("anchors", shared, anchors, None))
    units = (*range(n_forms), *shared)
    uses = []
    if len(units) > 1:
        for most, of_stimuli in ((item_use, False), (stimulus_use or item_use, True)):
            words = f"every {'stimulus' if of_stimuli else 'item'} in at most {most} form{'s' if most > 1 else ''}"
            factors = tuple(1 if unit < n_forms else most for unit in units)
            uses.append(Use(units, factors, most, words, of_stimuli))
    pairs = combinations(range(n_forms), 2) if overlap is not None and item_use > 1 else ()
    return Layout(
        pool,
        (*names, *(["anchors"] if shared else [])),
        (1,) * len(units),
        tuple(scopes),
        tuple(uses),
        tuple(Overlap(one, other, overlap or 0, f"at most {overlap} items in two forms") for one, other in pairs),
        tuple((at,) for at in range(n_forms)) if is_alike else (),
    )


def check_goals(goals: Sequence[Goal | None]) -> None:
    """Goals of different kinds have no common measure."""
    if len({type(goal) for goal in goals if goal is not None}) > 1:
        raise BadOption("The goals are of different kinds.", remedy="Use one kind, with weights or targets of its own for each.")


def assembled(
    layout: Layout, options: SolverOptions, rng: np.random.Generator, *, n_shown: int, routes: tuple[tuple[str, ...], ...] = ()
) -> Assembly:
    """Search, and say what came of it."""
    if len(layout.names) > 1:
        # compiling is not what a time limit is for
        _swaps.prepare()
    begun = time.perf_counter()
    model, found = assemble(layout, options, rng)
    if found.is_infeasible:
        conflict = explain(layout, seconds=EXPLAINING_SECONDS)
        assert conflict is not None
        raise InfeasibleBlueprint(conflict)
    if found.x is None:
        raise NoFormFound(f"No form was found in {options.seconds:g} s.", remedy="Give more seconds, or ease the blueprint.")
    return result_of(layout, model, found, options, time.perf_counter() - begun, n_shown, routes)


def result_of(
    layout: Layout,
    model: Model,
    found: Found,
    options: SolverOptions,
    seconds: float,
    n_shown: int,
    routes: tuple[tuple[str, ...], ...],
) -> Assembly:
    """Items, information and goal, counted anew from the items chosen."""
    assert found.x is not None
    pool, chosen = layout.pool, model.chosen(found.x)
    common = chosen[n_shown:].any(axis=0) if not routes else np.zeros(pool.n_items, dtype=np.bool_)
    forms = chosen[:n_shown] | common
    values = [
        reached(scope.goal, (chosen[list(scope.units)].any(axis=0) @ pool.information)[None])
        for scope in layout.scopes
        if scope.goal is not None
    ]
    goal = layout.goal
    words: dict[type, str] = {
        MostInformation: "information in all",
        MaximinInformation: "least information",
        TargetInformation: "largest deviation",
    }
    objective = sum(values) if isinstance(goal, MostInformation) else min(values) if model.is_maximised else max(values)
    # a bound at the deviation that is as good as none says nothing of smaller ones
    bound = -found.bound if model.is_maximised else found.bound if found.bound > options.deviation * (1 + 1e-9) else 0.0
    bound = max(bound, objective) if model.is_maximised else min(bound, objective)
    return Assembly(
        layout.names[:n_shown],
        tuple(tuple(pool.item_ids[at] for at in np.flatnonzero(form)) for form in forms),
        pool.points,
        forms @ pool.information,
        words[type(goal)],
        float(objective),
        float(bound),
        float(abs(bound - objective)),
        found.is_proven(options.gap),
        found.solver,
        seconds,
        routes,
        tuple(pool.item_ids[at] for at in np.flatnonzero(common)),
    )
