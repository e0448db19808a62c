"""The whole way from a layout to the best answer a time allows: a quick try, then sums, exchanges and two solvers at once."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np

from edmeasure import _validate
from edmeasure.assembly._layout import Layout
from edmeasure.assembly._model import Model, build
from edmeasure.assembly._race import Look, has_cp_sat, racing, wait
from edmeasure.assembly._search import Search, bound_of_sum, one_by_one
from edmeasure.assembly._solving import Found, solve
from edmeasure.errors import BadOption, MissingPackage

HEAD_START = 0.2
SHARE_OF_BOUND = 0.25
LARGEST_SEED = 2**31 - 1
SOLVERS = ("highs", "cp-sat")


@dataclass(frozen=True)
class SolverOptions:
    """How long and how exactly to search.

    Attributes
    ----------
    seconds : float
        Time in all.
    gap : float
        An answer counts as proven once nothing can be better by more than this share.
    deviation : float
        Deviations from a target below this are as good as none.
    solvers : of "highs" and "cp-sat"
        None takes both where OR-Tools is installed (the extra ``assembly``), else HiGHS alone.
    workers : int
        Threads of CP-SAT; none takes all processors but one.
    """

    seconds: float = 30.0
    gap: float = 1e-6
    deviation: float = 0.005
    solvers: tuple[str, ...] | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no solver can do."""
        _validate.positive(self.seconds, "seconds")
        for value, name in ((self.gap, "gap"), (self.deviation, "deviation")):
            if not (np.isfinite(value) and value >= 0):
                raise BadOption(f"{name} is {value}.", remedy="Use 0 or more.")
        for name in self.solvers or ():
            _validate.choice(name, "solver", SOLVERS)
        if self.solvers is not None and not self.solvers:
            raise BadOption("No solver is named.", remedy="Use 'highs', 'cp-sat' or both.")
        if "cp-sat" in (self.solvers or ()) and not has_cp_sat():
            raise MissingPackage("OR-Tools is not installed.", remedy="Run `pip install 'edmeasure[assembly]'`.")

    @property
    def chosen(self) -> tuple[str, ...]:
        """Solvers that take part."""
        return self.solvers or (SOLVERS if has_cp_sat() else SOLVERS[:1])

    @property
    def threads(self) -> int:
        return self.workers or max(1, (os.cpu_count() or 2) - 1)


def assemble(layout: Layout, options: SolverOptions, rng: np.random.Generator) -> tuple[Model, Found]:
    """The model and the best that was found, with the best bound."""
    is_one = len(layout.names) == 1
    until = time.perf_counter() + options.seconds
    model = build(layout, good_enough=options.deviation)
    found = summed_up(layout, model, options, until) if len(layout.alike) > 1 else Found()
    if found.x is None and not found.is_infeasible:
        found = found.joined(tried(model, options, is_one))
    if found.is_infeasible or found.is_proven(options.gap) or time.perf_counter() > until:
        return model, found
    # forms that are alike are too much for HiGHS at once: it is at work on parts of them as soon as there is an answer
    names = tuple(name for name in options.chosen if name != "highs" or found.x is None or len(layout.alike) < 2)
    with started(names, model, options, until, rng, found) as look:
        if is_one:
            return model, found.joined(wait(look, until=until, gap=options.gap))
        if found.x is None:
            found = found.joined(wait(look, until=until, gap=np.inf))
        if found.x is None or found.is_infeasible:
            return model, found
        search = Search(layout, model, bound=found.bound, gap=options.gap, rng=rng)
        return model, search.run(found, until=until, news=lambda: look()[0])


def tried(model: Model, options: SolverOptions, is_one: bool) -> Found:
    """What HiGHS makes of the whole in a short time, or in all of it where it is alone."""
    if "highs" not in options.chosen:
        return Found()
    is_alone = is_one and options.chosen == ("highs",)
    return solve(model, seconds=options.seconds if is_alone else HEAD_START * options.seconds, gap=options.gap)


def summed_up(layout: Layout, model: Model, options: SolverOptions, until: float) -> Found:
    """Several forms or panels by one blueprint: the bound of their sum, and first forms."""
    seconds = options.seconds * SHARE_OF_BOUND
    total, within = bound_of_sum(layout, seconds=seconds, gap=options.gap, good_enough=options.deviation)
    if total.is_infeasible:
        return Found(is_infeasible=True)
    found = one_by_one(layout, model, within, until=until, good_enough=options.deviation)
    return replace(found, bound=total.bound)


def started(
    names: tuple[str, ...], model: Model, options: SolverOptions, until: float, rng: np.random.Generator, hint: Found
) -> AbstractContextManager[Look]:
    """The solvers at work on the whole model for the time that is left."""
    seed, left = int(rng.integers(LARGEST_SEED)), max(until - time.perf_counter(), 0.1)
    return racing(names, model, seconds=left, gap=options.gap, workers=options.threads, seed=seed, hint=hint)
