"""Time calibration and scoring on simulated tests against physical limits of the same machine.

Run: python bench/measure.py [--persons 10000,100000,1000000] [--write docs/…]. Every size prints
seconds and, as the yardstick of the E-step, one float64 matrix product of the same size (what an
E-step written with BLAS must at least do) and one pass over the score bytes.
"""

from __future__ import annotations

import argparse
import platform
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np

import edmeasure
from edmeasure import _em, _packing

N_ITEMS = 40
SEED = 20_260_101
BATCH = 100_000
FULL_BLOCK = 100_000


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    persons: int
    task: str
    seconds: float
    note: str


def simulated(n: int) -> tuple[edmeasure.Responses, np.ndarray]:
    """Answers of ``n`` persons to 40 2PL items, made in blocks, and the true slopes."""
    rng = np.random.default_rng(SEED)
    slopes = rng.lognormal(0.1, 0.3, N_ITEMS)
    intercepts = -slopes * rng.normal(0.0, 1.0, N_ITEMS)

    def batches():
        for first in range(0, n, BATCH):
            theta = rng.standard_normal(min(BATCH, n - first))
            chance = 1.0 / (1.0 + np.exp(-(theta[:, None] * slopes + intercepts)))
            yield (rng.random(chance.shape) < chance).astype(np.int8)

    return edmeasure.Responses.from_batches(batches()), slopes


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Seconds of one run and its result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def e_step_seconds(responses: edmeasure.Responses, fit: edmeasure.IRTFit) -> float:
    """Best of three E-steps on packed answers."""
    packed = _packing.pack(responses.scores, responses.max_scores)
    flat = fit.intercepts.ravel()
    log_probs = _em.log_probabilities(fit.slopes, flat, packed.category_start, fit.nodes)
    return min(timed(lambda: packed.expect(log_probs, fit.node_weights))[0] for _ in range(3))


def product_seconds(n: int) -> float:
    """Two products (n x 40)(40 x 61) and (40 x n)(n x 61): likelihoods and counts by BLAS."""
    rng = np.random.default_rng(0)
    block = rng.random((min(n, FULL_BLOCK), N_ITEMS))
    table = rng.random((N_ITEMS, 61))
    best = min(timed(lambda: block.T @ (block @ table))[0] for _ in range(3))
    return best * n / block.shape[0]


def rows_of(n: int) -> list[Row]:
    """All timings of one size."""
    made, (responses, slopes) = timed(lambda: simulated(n))
    rows = [Row(n, "simulate and gather", made, "")]
    seconds, fit = timed(lambda: edmeasure.calibrate(responses, standard_errors=False))
    error = float(np.abs(fit.slopes - slopes).max())
    rows.append(Row(n, "2PL fit", seconds, f"{fit.n_iterations} EM steps, slopes within {error:.3f} of truth"))
    seconds, _ = timed(lambda: edmeasure.calibrate(responses, start=fit))
    rows.append(Row(n, "2PL again from the fit, with standard errors", seconds, ""))
    e_step, product = e_step_seconds(responses, fit), product_seconds(n)
    rows.append(Row(n, "one E-step", e_step, f"{product / e_step:.1f}x the speed of BLAS products alone"))
    passed = min(timed(lambda: responses.scores.sum(dtype=np.int64))[0] for _ in range(3))
    rows.append(Row(n, "one pass over the bytes", passed, f"E-step = {e_step / passed:.0f} passes"))
    seconds, _ = timed(lambda: edmeasure.score_eap(fit, responses))
    rows.append(Row(n, "EAP with errors", seconds, f"{seconds / n * 1e6:.2f} us a person"))
    seconds, _ = timed(lambda: edmeasure.score_wle(fit, responses))
    rows.append(Row(n, "WLE with errors", seconds, f"{seconds / n * 1e6:.2f} us a person"))
    groups = np.arange(n) // 30
    rng = np.random.default_rng(1)
    seconds, drawn = timed(lambda: edmeasure.plausible_values(fit, responses, groups=groups, rng=rng, group_effects="random"))
    rows.append(Row(n, "5 plausible values, groups of 30", seconds, f"{drawn.n_passes} passes"))
    seconds, _ = timed(lambda: edmeasure.item_statistics(responses))
    rows.append(Row(n, "item statistics", seconds, ""))
    seconds, _ = timed(lambda: edmeasure.estimate_groups(drawn.values, groups=groups))
    rows.append(Row(n, "means of all groups with errors", seconds, f"{groups[-1] + 1:,} groups"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", default="10000,100000,1000000")
    chosen = parser.parse_args()
    compiled, _ = timed(lambda: rows_of(2000))
    print(f"{platform.machine()}, {numba.get_num_threads()} threads; compile or load kernels {compiled:.1f} s\n")
    print("| persons x 40 | task | seconds | note |\n|---|---|---|---|")
    for n in (int(part) for part in chosen.persons.split(",")):
        for row in rows_of(n):
            print(f"| {row.persons:,} | {row.task} | {row.seconds:.3f} | {row.note} |", flush=True)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"| {n:,} | peak memory of the process so far | | {peak:.2f} GiB |", flush=True)


if __name__ == "__main__":
    main()
