"""Time every step of one simulated test at size, and one E-step against what this machine can do, in a process of its own.

`python -P bench/measurement_steps.py PERSONS [basic]` prints Markdown. ``basic`` is calibration, EAP, WLE and five plausible
values; else errors, groups of 30, item statistics and the E-step follow. Answers are right/wrong, complete, to 40 items.
"""

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numba
import numpy as np

import edmeasure
from edmeasure.calibration import _em, _packing

N_ITEMS = 40
SEED = 20_260_101
BATCH = 100_000
GROUP = 30
WARM = 5_000
SCORED = 1_000_000
MEBIBYTES = 1 << 20


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Seconds of one run and its result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def memory(name: str) -> float:
    """A line of /proc/self/status in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def simulated(n: int) -> edmeasure.Responses:
    """Answers of ``n`` persons to 40 2PL items, made in blocks."""
    rng = np.random.default_rng(SEED)
    slopes = rng.lognormal(0.1, 0.3, N_ITEMS).astype(np.float32)
    intercepts = -slopes * rng.normal(0.0, 1.0, N_ITEMS).astype(np.float32)
    scores = np.empty((n, N_ITEMS), dtype=np.int8)
    for first in range(0, n, BATCH):
        theta = rng.standard_normal(min(BATCH, n - first), dtype=np.float32)
        chance = 1.0 / (1.0 + np.exp(-(theta[:, None] * slopes + intercepts)))
        scores[first : first + BATCH] = rng.random(chance.shape, dtype=np.float32) < chance
    return edmeasure.Responses.from_array(scores)


def row(task: str, seconds: float, note: str = "") -> None:
    print(f"| {task} | {seconds:.2f} | {memory('VmHWM'):,.0f} | {note} |", flush=True)


def basic(responses: edmeasure.Responses) -> edmeasure.IRTFit:
    """Calibrate all persons and score them a million at a time, as files of scores are written; only the fit is kept."""
    n = responses.n_persons
    total, fit = timed(lambda: edmeasure.calibrate(responses, standard_errors=False))
    row("calibration", total, f"{fit.n_iterations} EM steps")
    rng = np.random.default_rng(1)
    scores = {
        "EAP with errors": edmeasure.score_eap,
        "WLE with errors": edmeasure.score_wle,
        "five plausible values": lambda fit, part: edmeasure.plausible_values(fit, part, rng=rng),
    }
    spent = dict.fromkeys(scores, 0.0)
    for first in range(0, n, SCORED):
        part = responses.persons(np.arange(first, min(first + SCORED, n)))
        for name, score in scores.items():
            spent[name] += timed(lambda score=score, part=part: score(fit, part) and None)[0]
    for name, seconds in spent.items():
        row(name, seconds, f"{seconds / n * 1e6:.2f} us a person")
    row("**calibrated and scored**", total + sum(spent.values()))
    return fit


def more(responses: edmeasure.Responses, fit: edmeasure.IRTFit) -> None:
    """What reports of a province need besides."""
    groups = np.arange(responses.n_persons) // GROUP
    row("fit again from the fit, with errors", timed(lambda: edmeasure.calibrate(responses, start=fit))[0])
    rng = np.random.default_rng(1)
    spent, drawn = timed(lambda: edmeasure.plausible_values(fit, responses, groups=groups, rng=rng, group_effects="random"))
    row(f"five plausible values, {groups[-1] + 1:,} groups", spent, f"{drawn.n_passes} passes")
    row("means of these groups with errors", timed(lambda: edmeasure.estimate_groups(drawn.values, groups=groups))[0])
    row("item statistics", timed(lambda: edmeasure.item_statistics(responses))[0])


def best(work: Callable[[], object], tries: int = 5) -> float:
    return min(timed(work)[0] for _ in range(tries))


def on_threads(work: Callable[[int], object]) -> None:
    with ThreadPoolExecutor(numba.get_num_threads()) as pool:
        list(pool.map(work, range(numba.get_num_threads())))


def added_per_second(n_numbers: int) -> float:
    """Bytes that plain NumPy adds (two reads, one write) move a second, arrays of that many numbers on every thread."""
    arrays = [(np.ones(n_numbers), np.ones(n_numbers)) for _ in range(numba.get_num_threads())]
    rounds = max(1, 30_000_000 // n_numbers)

    def add(at: int) -> None:
        source, target = arrays[at]
        for _ in range(rounds):
            np.add(source, target, out=target)

    return 24.0 * n_numbers * rounds * len(arrays) / best(lambda: on_threads(add))


def multiplied_per_second() -> float:
    """Float operations of a matrix product a second."""
    matrix = np.random.default_rng(0).random((1500, 1500))
    return 2.0 * 1500**3 / best(lambda: matrix @ matrix)


def product_seconds(n: int, n_nodes: int) -> float:
    """Two matrix products that an E-step written with BLAS must at least do."""
    rng = np.random.default_rng(0)
    block, table = rng.random((BATCH, N_ITEMS)), rng.random((N_ITEMS, n_nodes))
    return best(lambda: block.T @ (block @ table), 3) * n / BATCH


def limits(responses: edmeasure.Responses, fit: edmeasure.IRTFit) -> Iterator[str]:
    """The roofline of one E-step: what it moves and computes, and this machine's limits for that."""
    packed = _packing.pack(responses.scores, responses.max_scores)
    log_probs = _em.log_probabilities(fit.slopes, fit.intercepts.ravel(), packed.category_start, fit.nodes)
    spent = best(lambda: packed.expect(log_probs, fit.node_weights), 3)
    n, groups = packed.codes.shape
    nodes = fit.nodes.size
    table = packed.n_rows * nodes
    memory_bytes = float(packed.codes.nbytes + packed.weights.nbytes)
    # a likelihood row read, a row of counts read and written, for every group of items
    cache_bytes = n * groups * nodes * 24.0
    # likelihood: one product a group; sum; division; counts: one addition a group
    operations = n * nodes * (2.0 * groups + 2.0)
    faster = product_seconds(n, nodes) / spent
    yield f"One E-step of {n:,} persons, {groups} bytes each, {nodes} nodes: {spent:.3f} s, {faster:.1f} times the speed of"
    yield f"the same sums as matrix products. Tables of likelihoods and counts: {2 * 8 * table / MEBIBYTES:.1f} MiB a thread.\n"
    yield "| limit | an E-step needs | this machine, per second | share reached |\n|---|---|---|---|"
    for name, needed, limit, unit, scale in (
        ("memory: codes and weights, read once", memory_bytes, added_per_second(20_000_000), "GB", 1e9),
        ("cache: rows of tables and counts", cache_bytes, added_per_second(table), "GB", 1e9),
        ("float operations, against a matrix product", operations, multiplied_per_second(), "Gflop", 1e9),
    ):
        yield f"| {name} | {needed / scale:.2f} {unit} | {limit / scale:.1f} {unit} | {100 * needed / spent / limit:.1f} % |"


def main(persons: str, extent: str = "all") -> None:
    small = simulated(WARM)
    known = edmeasure.calibrate(small)
    edmeasure.score_eap(known, small), edmeasure.score_wle(known, small)
    edmeasure.plausible_values(known, small, rng=np.random.default_rng(1))
    responses = simulated(int(persons))
    print(f"Process with {int(persons):,} x {N_ITEMS} answers before the first step: {memory('VmRSS'):,.0f} MiB\n")
    print("| step | seconds | peak so far, MiB | |\n|---|---|---|---|")
    fit = basic(responses)
    spent, _ = timed(lambda: edmeasure.plausible_values(fit, responses, rng=np.random.default_rng(1)) and None)
    row("five plausible values, all persons in one call", spent)
    if extent == "all":
        more(responses, fit)
        print()
        for line in limits(responses, fit):
            print(line, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
