"""The second test of the demonstration: 40 items answered by every pupil, simulated, and marked as such."""

from datetime import date
from pathlib import Path

import numpy as np

from shuren.assessment.api import SimulatedTest, simulate_results
from shuren.front.demo.timss import CITY_ID, pupil_id, rows_of

CODE = "school-test-2026"
SEED = 20260610
# The simulated ability keeps this much of the pupil's standing in the real data, so that reports hang together.
LIKENESS = 0.85


def write_results(data: Path, target: Path) -> Path:
    """A results package for every pupil of the demonstration; abilities lean on the official mathematics values."""
    rows = rows_of(data)
    official = np.array([float(row["ASMMAT01"]) for row in rows])
    standing = (official - official.mean()) / official.std()
    own = np.random.default_rng(SEED).normal(0.0, 1.0, len(rows))
    abilities = LIKENESS * standing + (1 - LIKENESS**2) ** 0.5 * own
    test = SimulatedTest(
        code=CODE,
        name="四年级数学期末检测（模拟）",
        org=CITY_ID,
        held_date=date(2026, 6, 24),
        seed=SEED,
        grade="四年级",
        session="2025-2026 学年第二学期",
    )
    simulate_results(target, test, pupils=[pupil_id(row) for row in rows], abilities=abilities)
    return target
