"""Pools of items with their blueprints, for the tests and the bench."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np

import edmeasure
from edmeasure import Between, Blueprint, ContentBound, ItemPool, item_pool

DATA = Path(__file__).parent / "data"
POINTS = (-1.0, 0.0, 1.0)
INFORMATION = ("I_-1", "I_0", "I_1")
WEAK = 0.15


def rows_of(name: str) -> list[dict[str, str]]:
    with gzip.open(DATA / name, "rt") as lines:
        return list(csv.DictReader(lines))


def number_or_text(text: str) -> float | str | None:
    """The value of a cell; empty cells and NA are unknown."""
    if text in ("", "NA"):
        return None
    try:
        return float(text)
    except ValueError:
        return text


def columns(rows: list[dict[str, str]], names: tuple[str, ...]) -> dict[str, list[object]]:
    return {name: [number_or_text(row[name]) for row in rows] for name in names}


def information(rows: list[dict[str, str]], names: tuple[str, ...] = INFORMATION) -> np.ndarray:
    return np.array([[float(row[name]) for name in names] for row in rows])


def science_pool() -> ItemPool:
    """1,000 science items."""
    rows = rows_of("pool_science.csv.gz")
    attributes = columns(rows, ("LEVEL", "STANDARD", "OBJECTIVE", "DOK", "TYPE", "PTBIS"))
    return item_pool([row["ID"] for row in rows], points=POINTS, information=information(rows), attributes=attributes)


def science_blueprint(*, for_several: bool = False) -> Blueprint:
    """36 rules; those that several forms cannot keep (C7 and the two items in every form) are left out for these."""
    found = []
    for line in json.loads((DATA / "pool_science_bounds.json").read_text()):
        where = {name: condition(given) for name, given in line["where"].items()}
        if not (for_several and line["name"] == "C7"):
            found.append(ContentBound(where, line["least"], line["most"], line["name"]))
    weak = tuple(row["ID"] for row in rows_of("pool_science.csv.gz") if float(row["PTBIS"]) < WEAK)
    return Blueprint(
        30,
        content=tuple(found),
        enemies=(("SC00001", "SC00002"),),
        together=(("SC00005", "SC00006"),),
        fixed=() if for_several else ("SC00003", "SC00004"),
        forbidden=weak,
    )


def condition(given: object) -> object:
    if isinstance(given, dict):
        return Between(given["from"])
    return tuple(given) if isinstance(given, list) else given


def reading_pool() -> ItemPool:
    """303 items of 35 texts."""
    rows = rows_of("pool_reading.csv.gz")
    content = {row["STID"]: number_or_text(row["CONTENT"]) for row in rows}
    return item_pool(
        [row["ID"] for row in rows],
        points=POINTS,
        information=information(rows),
        attributes=columns(rows, ("TYPE", "DOK", "CONTENT", "SUBCONTENT")),
        stimuli=[row["STID"] for row in rows],
        stimulus_attributes={"CONTENT": content},
    )


def reading_blueprint(pool: ItemPool) -> Blueprint:
    """30 items of six texts."""
    content = [ContentBound({"CONTENT": side}, 15, 15) for side in (1, 2)]
    content += edmeasure.each_value(pool, "SUBCONTENT", at_least=1, at_most=3)
    content += [ContentBound({"SUBCONTENT": (kind, kind + 7)}, 3, 5) for kind in range(1, 8)]
    content += [ContentBound({"TYPE": "CR", "CONTENT": side}, 1, 1) for side in (1, 2)]
    content += [ContentBound({"TYPE": "MC"}, 28, 28), ContentBound({"DOK": Between(2)}, 15, 30)]
    return Blueprint(30, content=tuple(content), n_stimuli=6, items_per_stimulus=(4, 6))


def diao_pool() -> ItemPool:
    """165 items, information at 0."""
    rows = rows_of("pool_diao.csv.gz")
    return item_pool([row["item"] for row in rows], points=(0.0,), information=information(rows, ("I_0",)))


def science_bank() -> edmeasure.ItemBank:
    """The science items as a calibrated bank: three-parameter and partial credit items."""
    rows = rows_of("pool_science.csv.gz")
    parameters = [[float(row[f"PAR{k}"]) for k in range(1, 5) if row[f"PAR{k}"]] for row in rows]
    is_graded = np.array([row["MODEL"] != "3PL" for row in rows])
    maxima = np.array([len(one) - 1 if graded else 1 for one, graded in zip(parameters, is_graded, strict=True)], dtype=np.int8)
    slopes = np.array([one[0] for one in parameters])
    intercepts = np.zeros((len(rows), int(maxima.max()) + 1))
    for at, one in enumerate(parameters):
        steps = one[1 : maxima[at] + 1]
        intercepts[at, 1 : maxima[at] + 1] = np.cumsum([-one[0] * step for step in steps])
    unknown = np.full_like(intercepts, np.nan)
    fit = edmeasure.IRTFit(
        item_ids=tuple(row["ID"] for row in rows),
        max_scores=maxima,
        models=tuple("GPCM" if graded else "3PL" for graded in is_graded),
        slopes=slopes,
        intercepts=intercepts,
        slope_se=unknown[:, 0],
        intercept_se=unknown,
        lower=np.array([0.0 if graded else one[2] for one, graded in zip(parameters, is_graded, strict=True)]),
        loglik=0.0,
        n_iterations=0,
        converged=True,
        certificate=None,
        history=(),
        excluded=(),
        unused_categories=(),
        nodes=np.linspace(-4, 4, 81),
        node_weights=np.full(81, 1 / 81),
    )
    return edmeasure.item_bank(fit)
