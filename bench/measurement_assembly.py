"""Assemble forms of the tests' pools, each within 30 seconds, beside what peers reached; and time shadow tests.

`python -P bench/measurement_assembly.py [SECONDS]` prints Markdown. Peers' best figures are recorded: TestDesign and eatATA with
lpSolve, GLPK and SYMPHONY, HiGHS 1.15 and CP-SAT 9.15 on the whole program, 30 to 60 seconds on two cores.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

import edmeasure
from edmeasure import Blueprint, ItemPool, MaximinInformation, MostInformation, SolverOptions, TargetInformation
from edmeasure.assembly.goals import Goal
from edmeasure.tests import pools

SEED = 20_260_101
SECONDS = 30.0
EXAMINEES = 20
TARGET = TargetInformation((8.0, 10.0, 8.0))


@dataclass(frozen=True)
class Task:
    """What to assemble, and the best figure of any peer."""

    name: str
    pool: ItemPool
    blueprint: Blueprint
    goal: Goal
    n_forms: int
    recorded: float
    by: str


def tasks() -> Iterator[Task]:
    """The instances on which peers were run."""
    science, reading, diao = pools.science_pool(), pools.reading_pool(), pools.diao_pool()
    one, several, texts = pools.science_blueprint(), pools.science_blueprint(for_several=True), pools.reading_blueprint(reading)
    least, plain = MaximinInformation(), Blueprint(20)
    yield Task("science, most information", science, one, MostInformation(), 1, 44.913319, "lpSolve, GLPK, HiGHS 0.12 s")
    yield Task("reading in texts, most information", reading, texts, MostInformation(), 1, 32.428673, "SYMPHONY 0.05 s")
    yield Task("reading in texts, maximin", reading, texts, least, 1, 10.0971, "HiGHS 2.23 s")
    yield Task("science, target", science, one, TARGET, 1, 0.0174, "HiGHS 0.36 s")
    yield Task("science, maximin", science, several, least, 3, 11.643, "CP-SAT 30 s, gap 0.24 %")
    yield Task("science, target", science, several, TARGET, 3, 0.0138, "CP-SAT 7.8 s")
    yield Task("science, maximin", science, several, least, 10, 6.871, "CP-SAT 30 s")
    yield Task("science, target", science, several, TARGET, 10, 2.136, "HiGHS 30 s")
    yield Task("reading in texts, maximin", reading, texts, least, 3, 8.971, "CP-SAT 30 s, gap 13 %")
    yield Task("diao, 20 items, maximin", diao, plain, least, 2, 9.78518, "GLPK 2.95 s")
    yield Task("diao, 20 items, maximin", diao, plain, least, 5, 6.7325, "CP-SAT 1.9 s")


def assembled(task: Task, seconds: float) -> str:
    """One row of the table."""
    found = edmeasure.assemble_forms(
        task.pool,
        task.blueprint,
        task.goal,
        n_forms=task.n_forms,
        rng=np.random.default_rng(SEED),
        options=SolverOptions(seconds=seconds),
    )
    peers = f"{task.recorded:g} ({task.by})"
    gap = f"{found.gap:.4f}" if isinstance(task.goal, TargetInformation) else f"{100 * found.relative_gap:.3f} %"
    figures = f"{found.objective:.6f} | {found.bound:.6f} | {gap} | {found.solver} | {found.seconds:.1f}"
    return f"| {task.name} | {task.n_forms} | {peers} | {figures} |"


def explained() -> str:
    """Two science forms cannot be: which rules are named, in what time."""
    begun = time.perf_counter()
    conflict = edmeasure.explain_infeasibility(pools.science_pool(), pools.science_blueprint(), n_forms=2)
    spent = time.perf_counter() - begun
    assert conflict is not None
    return f"Two science forms are infeasible, explained in {spent:.2f} s: {'; '.join(map(str, conflict.rules))}."


def shadowed() -> str:
    """Milliseconds of a selection from 1,000 items under all rules."""
    bank, pool = pools.science_bank(), pools.science_pool()
    design = edmeasure.shadow_design(bank, pool, pools.science_blueprint(for_several=True))
    rng = np.random.default_rng(SEED)
    thetas = rng.normal(size=EXAMINEES)
    answers = bank.draw(thetas, rng=rng)
    begun, busy = time.perf_counter(), time.process_time()
    found = edmeasure.simulate_shadow_tests(design, answers)
    wall, busy = time.perf_counter() - begun, time.process_time() - busy
    each = 1000 / found.items.size
    return (
        f"Shadow tests, science: {wall * each:.1f} ms a selection ({busy * each:.1f} ms of processor time; "
        f"TestDesign with SYMPHONY 27 ms), error {np.sqrt(np.mean((found.theta - thetas) ** 2)):.3f}."
    )


def main(seconds: str = str(SECONDS)) -> None:
    print("| task | forms | best peer | found | bound | gap | by | seconds |\n|---|---|---|---|---|---|---|---|", flush=True)
    for task in tasks():
        print(assembled(task, float(seconds)), flush=True)
    print(f"\n{explained()}\n\n{shadowed()}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
