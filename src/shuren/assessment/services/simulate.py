"""A simulated test: every pupil answers every item, drawn from a stated model with a fixed seed, and marked as simulated."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shuren.assessment.services.package import write_package

CONTENT = ("数与代数", "图形与几何", "统计与概率", "综合与实践")
COGNITIVE = ("知道", "应用", "推理")
OMITTED, NOT_REACHED = 9, 8
PARTIAL_EVERY = 7
SHARE_BETWEEN_GROUPS = 0.19


@dataclass(frozen=True, slots=True)
class SimulatedTest:
    """What is to be simulated: the test's words, its length and its seed.

    The first `anchors` items are drawn from `anchor_seed` alone: tests that name the same two have them in common and can
    be linked by them. Their own items are other items and need codes of their own: give each test its `prefix`.
    """

    code: str
    name: str
    org: str
    held_date: date
    seed: int
    items: int = 40
    subject: str = "数学"
    grade: str = ""
    session: str = ""
    anchors: int = 0
    anchor_seed: int = 0
    prefix: str = "M"


@dataclass(frozen=True, slots=True)
class TrueValues:
    """What the responses were drawn from: ability per pupil, discrimination and difficulty per item."""

    abilities: npt.NDArray[np.float64]
    discriminations: npt.NDArray[np.float64]
    difficulties: npt.NDArray[np.float64]
    max_scores: npt.NDArray[np.int64]


def simulate_results(
    path: Path,
    test: SimulatedTest,
    *,
    pupils: Sequence[str],
    abilities: npt.NDArray[np.float64] | None = None,
    groups: Sequence[int] | None = None,
) -> TrueValues:
    """Write a results file for `pupils` (their sourced ids) and return what it was drawn from.

    Items follow the two-parameter logistic model, every seventh the generalized partial credit model with two points;
    about one response in fifty is omitted and weak pupils do not reach the last items. `abilities` are standard normal
    unless given; `groups` (say, schools) then share 19 % of their variance.
    """
    rng = np.random.default_rng(test.seed)
    true = _true_values(rng, test, len(pupils), abilities, groups)
    scores = _scores(rng, true)
    codes = [f"{'A' if place < test.anchors else test.prefix}{place + 1:02d}" for place in range(test.items)]
    items = [
        {
            "code": codes[place],
            "label": f"第 {place + 1} 题",
            "max_score": int(true.max_scores[place]),
            "subject": test.subject,
            "content_domain": CONTENT[place % len(CONTENT)],
            "cognitive_domain": COGNITIVE[place // len(CONTENT) % len(COGNITIVE)],
        }
        for place in range(test.items)
    ]
    info = {
        "code": test.code,
        "name": test.name,
        "grade": test.grade,
        "held_date": test.held_date.isoformat(),
        "session": test.session,
        "org": test.org,
        "is_simulated": "是",
        "source_note": "模拟作答：由系统按已知模型随机生成，不是真实作答；机构与人名均为虚构",
        "population_note": "名册中的每一名学生都“参加”了这次模拟测验。",
        "pupil_id": "sourcedId",
        "omitted": str(OMITTED),
        "not_reached": str(NOT_REACHED),
        "not_administered": "空",
        "cuts": "400,475,550,625",
        "levels": "水平一,水平二,水平三,水平四,水平五",
    }
    columns = {code: pa.array(np.ascontiguousarray(scores[:, place])) for place, code in enumerate(codes)}
    write_package(path, info=info, items=items, responses=pa.table({"学生": pa.array(pupils, pa.string()), **columns}))
    return true


def _true_values(
    rng: np.random.Generator,
    test: SimulatedTest,
    pupils: int,
    abilities: npt.NDArray[np.float64] | None,
    groups: Sequence[int] | None,
) -> TrueValues:
    discriminations, difficulties = _items(rng, test.items)
    if test.anchors:
        common = _items(np.random.default_rng(test.anchor_seed), test.anchors)
        discriminations[: test.anchors], difficulties[: test.anchors] = common
    max_scores = np.where(np.arange(test.items) % PARTIAL_EVERY == PARTIAL_EVERY - 1, 2, 1)
    drawn = rng.normal(0.0, 1.0, pupils)
    if groups is not None:
        _names, which = np.unique(np.asarray(groups), return_inverse=True)
        between = rng.normal(0.0, 1.0, which.max() + 1 if len(which) else 0)
        drawn = SHARE_BETWEEN_GROUPS**0.5 * between[which] + (1 - SHARE_BETWEEN_GROUPS) ** 0.5 * drawn
    return TrueValues(drawn if abilities is None else abilities, discriminations, difficulties, max_scores)


def _items(rng: np.random.Generator, items: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Discriminations, and difficulties spread over what a grade can do."""
    discriminations = np.exp(rng.normal(0.1, 0.25, items))
    return discriminations, rng.permutation(np.linspace(-1.8, 1.6, items)) + rng.normal(0, 0.1, items)


def _scores(rng: np.random.Generator, true: TrueValues) -> npt.NDArray[np.int8]:
    pupils, items = len(true.abilities), len(true.difficulties)
    scores = np.empty((pupils, items), np.int8)
    reached = items - np.maximum(0, rng.poisson(1.2, pupils) - 1 - np.floor(true.abilities + 1).astype(np.int64))
    for place in range(items):
        step = true.discriminations[place] * (true.abilities - true.difficulties[place])
        draw = rng.random(pupils)
        if true.max_scores[place] == 1:
            scores[:, place] = draw < 1 / (1 + np.exp(-step))
        else:
            low, high = np.exp(step + 0.6), np.exp(2 * step)
            total = 1 + low + high
            scores[:, place] = (draw >= 1 / total).astype(np.int8) + (draw >= (1 + low) / total)
        scores[rng.random(pupils) < 0.02, place] = OMITTED
        scores[reached <= place, place] = NOT_REACHED
    return scores
