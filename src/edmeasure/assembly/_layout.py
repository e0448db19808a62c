"""Which sets of items are chosen at once, and how they hang together: forms, anchors, modules and routes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from edmeasure._validate import IntArray
from edmeasure.assembly.blueprint import Blueprint
from edmeasure.assembly.goals import Goal
from edmeasure.assembly.pool import ItemPool


@dataclass(frozen=True)
class Scope:
    """What a blueprint speaks of: the items of one or several units together.

    ``factors`` say how often a unit's items count, ``times`` how many forms are summed up in the scope.
    """

    name: str
    units: tuple[int, ...]
    blueprint: Blueprint
    goal: Goal | None
    factors: tuple[int, ...] = ()
    times: int = 1

    @property
    def parts(self) -> tuple[tuple[int, int], ...]:
        """Units with their factors."""
        return tuple(zip(self.units, self.factors or (1,) * len(self.units), strict=True))


@dataclass(frozen=True, eq=False)
class Use:
    """In how many of some units (each counted by its factor) one item or stimulus may be.

    ``is_shared`` tells a rule over all forms from one within a panel; ``taken`` is how often each is used already.
    """

    units: tuple[int, ...]
    factors: tuple[int, ...]
    most: int
    words: str
    of_stimuli: bool = False
    is_shared: bool = True
    taken: IntArray | None = None


@dataclass(frozen=True)
class Overlap:
    """How many items two units may share."""

    first: int
    second: int
    most: int
    words: str


@dataclass(frozen=True, eq=False)
class Layout:
    """Units, of which each is a set of items, and the rules over them.

    ``times`` is how many sets a unit sums up, ``alike`` the groups of units (forms, panels) that can be exchanged.
    """

    pool: ItemPool
    names: tuple[str, ...]
    times: tuple[int, ...]
    scopes: tuple[Scope, ...]
    uses: tuple[Use, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    alike: tuple[tuple[int, ...], ...] = ()

    @property
    def goal(self) -> Goal | None:
        """That of the first scope that has one; all are of one kind."""
        return next((scope.goal for scope in self.scopes if scope.goal is not None), None)

    @property
    def has_sets(self) -> bool:
        return bool(self.pool.stimulus_ids) and any(scope.blueprint.has_sets for scope in self.scopes)


def summed(layout: Layout, built: tuple[int, ...], n_single: int, taken: dict[bool, IntArray]) -> tuple[Layout, tuple[int, ...]]:
    """Of the groups that are not ``built`` yet the first ``n_single`` for themselves, the others summed up; and the units kept.

    Any forms give a solution of it, so its best is a bound while nothing is built; van der Linden & Adema (1998) take
    the sum for a "shadow" that keeps later forms possible. ``taken`` counts uses of stimuli (True) and items (False).
    """
    left = [group for at, group in enumerate(layout.alike) if at not in built]
    single, rest = left[:n_single], left[n_single:]
    shadow = rest[0] if rest else ()
    groups = {unit for group in layout.alike for unit in group}
    apart = [unit for unit in range(len(layout.names)) if unit not in groups]
    kept = (*(unit for group in single for unit in group), *shadow, *apart)
    place = {unit: at for at, unit in enumerate(kept)}
    scopes = [
        replace(
            scope,
            units=tuple(place[unit] for unit in scope.units),
            factors=tuple(len(rest) if unit in apart and set(scope.units) & set(shadow) else 1 for unit in scope.units),
            times=len(rest) if set(scope.units) & set(shadow) else 1,
        )
        for scope in layout.scopes
        if set(scope.units) <= set(kept)
    ]
    uses = [_kept_use(use, place, shadow, len(rest), taken[use.of_stimuli]) for use in layout.uses]
    return (
        replace(
            layout,
            names=tuple(layout.names[unit] for unit in kept),
            times=tuple(len(rest) if unit in shadow else 1 for unit in kept),
            scopes=tuple(scopes),
            uses=tuple(use for use in uses if use.units),
            overlaps=(),
            alike=(),
        ),
        kept,
    )


def _kept_use(use: Use, place: dict[int, int], shadow: tuple[int, ...], n_rest: int, taken: IntArray) -> Use:
    is_within = set(use.units) <= set(shadow)
    pairs = [(place[unit], factor) for unit, factor in zip(use.units, use.factors, strict=True) if unit in place]
    return replace(
        use,
        units=tuple(unit for unit, _ in pairs),
        factors=tuple(factor for _, factor in pairs),
        most=use.most * (n_rest if is_within else 1),
        taken=taken if use.is_shared else np.zeros_like(taken),
    )
