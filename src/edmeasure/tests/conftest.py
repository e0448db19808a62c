from __future__ import annotations

import csv
import gzip
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import edmeasure

DATA = Path(__file__).parent / "data"
TIMSS = Path(__file__).parents[3] / "demo" / "data" / "timss2011-g4-aut"


def table(name: str) -> np.ndarray:
    """Numbers of a CSV file with a heading; text becomes NaN."""
    return np.genfromtxt(DATA / name, delimiter=",", skip_header=1)


def three_parameter_fit(name: str) -> edmeasure.IRTFit:
    """A calibration with the slopes, difficulties and asymptotes of a table, as if it had been estimated."""
    a, b, c = table(name)[:, :3].T
    n = a.size
    return edmeasure.IRTFit(
        item_ids=tuple(f"Q{j}" for j in range(n)),
        max_scores=np.ones(n, dtype=np.int8),
        models=("3PL",) * n,
        slopes=a,
        intercepts=np.stack([np.zeros(n), -a * b], axis=1),
        slope_se=np.full(n, np.nan),
        intercept_se=np.full((n, 2), np.nan),
        lower=c,
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


def bank_of_table(name: str, *, areas: tuple[str, ...]) -> edmeasure.ItemBank:
    """That calibration's bank; areas take turns."""
    fit = three_parameter_fit(name)
    return edmeasure.item_bank(fit, areas=[areas[j % len(areas)] for j in range(len(fit.item_ids))])


def mirt(name: str) -> np.ndarray:
    """R mirt's numbers without the column of item names."""
    return table(f"mirtR_{name}.csv")[:, 1:]


@dataclass(frozen=True)
class Timss:
    """TIMSS 2011 grade 4 Austria, column by column."""

    columns: dict[str, np.ndarray]
    items: tuple[str, ...]
    questions: tuple[str, ...]

    def matrix(self, names) -> np.ndarray:
        return np.stack([self.columns[name] for name in names], axis=1)

    def official(self, subject: str) -> np.ndarray:
        """The five official plausible values, (5, n)."""
        return np.stack([self.columns[f"{subject}0{k}"] for k in range(1, 6)])

    @property
    def replicate(self) -> dict[str, np.ndarray]:
        return {
            "weights": self.columns["TOTWGT"],
            "zones": self.columns["JKCZONE"],
            "reps": self.columns["JKCREP"],
        }


@pytest.fixture(scope="session")
def timss() -> Timss:
    with gzip.open(TIMSS / "data.csv.gz", "rt") as text:
        rows = csv.reader(text)
        names = next(rows)
        numbers = np.array([[float(cell) if cell else np.nan for cell in row] for row in rows])
    columns = {name: numbers[:, at] for at, name in enumerate(names)}
    return Timss(
        columns,
        tuple(name for name in names if name.startswith("M0")),
        tuple(name for name in names if name.startswith("ASB")),
    )


@pytest.fixture(scope="session")
def lsat7() -> edmeasure.Responses:
    return edmeasure.Responses.from_array(table("LSAT7.csv.gz"))


@pytest.fixture(scope="session")
def sim10k() -> edmeasure.Responses:
    return edmeasure.Responses.from_array(table("sim2pl_10000x40.csv.gz"))


@pytest.fixture(scope="session")
def simgpcm() -> edmeasure.Responses:
    return edmeasure.Responses.from_array(table("simgpcm_10000x30.csv.gz"))


@pytest.fixture(scope="session")
def lsat7_fit(lsat7) -> edmeasure.IRTFit:
    return edmeasure.calibrate(lsat7)


@pytest.fixture(scope="session")
def sim10k_fit(sim10k) -> edmeasure.IRTFit:
    return edmeasure.calibrate(sim10k)


@pytest.fixture(scope="session")
def simgpcm_fit(simgpcm) -> edmeasure.IRTFit:
    return edmeasure.calibrate(simgpcm)


def simulated(rng, *, n, slopes, intercepts, missing=0.0, theta=None):
    """Answers drawn from a partial credit model; ``intercepts`` is a list of d_1..d_K per item."""
    ability = rng.standard_normal(n) if theta is None else theta
    scores = np.empty((n, len(slopes)), dtype=np.int8)
    for j, (a, d) in enumerate(zip(slopes, intercepts, strict=True)):
        steps = np.concatenate([[0.0], np.atleast_1d(d)])
        eta = a * ability[:, None] * np.arange(steps.size) + steps
        chance = np.exp(eta - eta.max(axis=1, keepdims=True))
        cumulated = np.cumsum(chance / chance.sum(axis=1, keepdims=True), axis=1)
        scores[:, j] = np.minimum((rng.random(n)[:, None] > cumulated).sum(axis=1), steps.size - 1)
    scores[rng.random(scores.shape) < missing] = -1
    return scores


def attribute_answers(rng, *, q, n, guessing, slip, missing=0.0, patterns=None):
    """DINA answers of persons whose patterns (all, or those given) are equally frequent, and their attributes."""
    known = np.array(list(itertools.product((0, 1), repeat=q.shape[1]))) if patterns is None else patterns
    attributes = known[rng.integers(known.shape[0], size=n)]
    masters = attributes @ q.T == q.sum(axis=1)
    scores = (rng.random(masters.shape) < np.where(masters, 1 - slip, guessing)).astype(np.int8)
    scores[rng.random(scores.shape) < missing] = -1
    return scores, attributes
