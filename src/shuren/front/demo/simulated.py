"""The demonstration's own tests: 40 items at the beginning and at the end of a school year, simulated, and marked as such.

Ten items stand in both papers, so that the second test can be linked to the scale of the first and the change between
them means something.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shuren.assessment.api import SimulatedTest, simulate_results
from shuren.front.demo.timss import CITY_ID, Row, pupil_id, rows_of

PROGRAMME = "school-test"
FIRST_CODE, CODE = "school-test-2025", "school-test-2026"
SEED = 20260610
# The simulated ability keeps this much of the pupil's standing in the real data, so that reports hang together.
LIKENESS = 0.85
# What a school year adds, in standard deviations: on average, from school to school, and how far pupils keep their place.
GROWTH, GROWTH_SPREAD, KEPT = 0.45, 0.15, 0.9
ANCHORS = 10


def write_first_results(data: Path, target: Path) -> Path:
    """The test at the beginning of the year: the same pupils, before what they learnt."""
    rows = rows_of(data)
    draw = np.random.default_rng(SEED - 1)
    _names, school = np.unique([row["IDSCHOOL"] for row in rows], return_inverse=True)
    learnt = GROWTH + GROWTH_SPREAD * draw.normal(size=school.max() + 1)[school]
    abilities = KEPT * _abilities(rows) + (1 - KEPT**2) ** 0.5 * draw.normal(size=len(rows)) - learnt
    test = SimulatedTest(
        code=FIRST_CODE,
        name="四年级数学学年初检测（模拟）",
        org=CITY_ID,
        held_date=date(2025, 9, 10),
        seed=SEED - 1,
        grade="四年级",
        session="2025-2026 学年第一学期",
        anchors=ANCHORS,
        anchor_seed=SEED,
        prefix="F",
    )
    simulate_results(target, test, pupils=[pupil_id(row) for row in rows], abilities=abilities)
    return target


def write_results(data: Path, target: Path) -> Path:
    """A results package for every pupil of the demonstration; abilities lean on the official mathematics values."""
    rows = rows_of(data)
    test = SimulatedTest(
        code=CODE,
        name="四年级数学期末检测（模拟）",
        org=CITY_ID,
        held_date=date(2026, 6, 24),
        seed=SEED,
        grade="四年级",
        session="2025-2026 学年第二学期",
        anchors=ANCHORS,
        anchor_seed=SEED,
    )
    simulate_results(target, test, pupils=[pupil_id(row) for row in rows], abilities=_abilities(rows))
    return target


def _abilities(rows: Sequence[Row]) -> npt.NDArray[np.float64]:
    official = np.array([float(row["ASMMAT01"]) for row in rows])
    standing = (official - official.mean()) / official.std()
    own = np.random.default_rng(SEED).normal(0.0, 1.0, len(rows))
    return np.asarray(LIKENESS * standing + (1 - LIKENESS**2) ** 0.5 * own)
