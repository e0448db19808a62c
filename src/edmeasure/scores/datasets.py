"""Scores of persons whose answers are larger than memory, from one Parquet file or folder to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from edmeasure import _arrow, _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray, IntArray
from edmeasure.calibration import _em, _items, _sheets
from edmeasure.calibration._sheets import CHUNK_ROWS, DatasetSheets
from edmeasure.calibration.irt import IRTFit
from edmeasure.errors import BadOption, BadShape
from edmeasure.responses import Responses
from edmeasure.scores.plausible import FEWEST_NODES
from edmeasure.scores.scoring import AbilityEstimate, score_eap, score_map, score_ml, score_sum_eap, score_wle

Columns = dict[str, FloatArray]
Scorer = Callable[[Responses, FloatArray, FloatArray], AbilityEstimate]

PLAUSIBLE = "pv"


@dataclass(frozen=True, eq=False)
class ScoredDataset(Exported):
    """What was written, and how it is distributed.

    Attributes
    ----------
    path : str
    n_persons : int
    columns : tuple of str, length C
        Columns of scores; each estimate has its errors in the column named ``..._se``.
    n_scored : int64 (C,)
        Persons with a finite score: nobody without answers has a WLE, no perfect score an ML estimate.
    mean, sd : float64 (C,)
        Over persons with a finite score.
    """

    path: str
    n_persons: int
    columns: tuple[str, ...]
    n_scored: IntArray
    mean: FloatArray
    sd: FloatArray

    def _columns(self) -> Mapping[str, object]:
        return {"column": self.columns, "n_scored": self.n_scored, "mean": self.mean, "sd": self.sd}

    def __str__(self) -> str:
        rows = zip(self.columns, self.n_scored.tolist(), self.mean.tolist(), self.sd.tolist(), strict=True)
        lines = [f"{name}: {n:,} persons" + (f", mean {mean:.3f}, sd {sd:.3f}" if n else "") for name, n, mean, sd in rows]
        return "\n".join([f"{self.n_persons:,} persons scored", *lines])


@dataclass(eq=False)
class _Moments:
    """Count, mean and squared deviations of columns while they come in."""

    found: dict[str, tuple[int, float, float]]

    def add(self, columns: Columns) -> None:
        for name, column in columns.items():
            if name.endswith("_se"):
                continue
            values = column[np.isfinite(column)]
            n, mean, squares = self.found.get(name, (0, 0.0, 0.0))
            if values.size:
                # Chan, Golub & LeVeque (1983): two blocks' moments put together without cancellation
                away, both = float(values.mean()) - mean, n + values.size
                squares += float(values.var() * values.size) + away**2 * n * values.size / both
                n, mean = both, mean + away * values.size / both
            self.found[name] = (n, mean, squares)

    def result(self, path: Path, n_persons: int) -> ScoredDataset:
        n, mean, squares = (np.array(column) for column in zip(*self.found.values(), strict=True))
        known = np.maximum(n, 1)
        return ScoredDataset(
            str(path),
            n_persons,
            tuple(self.found),
            n.astype(np.int64),
            np.where(n > 0, mean, np.nan),
            np.where(n > 0, np.sqrt(squares / known), np.nan),
        )


def score_dataset(
    fit: IRTFit,
    source: object,
    target: str | Path,
    *,
    items: Sequence[str] | None = None,
    scores: Sequence[str] = ("eap", "wle"),
    keep: Sequence[str] = (),
    groups: str | None = None,
    prior_mean: float | str = 0.0,
    prior_sd: float | str = 1.0,
    n_values: int = 5,
    rng: np.random.Generator | None = None,
    bound: float = 20.0,
    chunk_rows: int = CHUNK_ROWS,
) -> ScoredDataset:
    """Score everybody of a dataset in chunks and write the scores to a Parquet file.

    Parameters
    ----------
    source
        Path of a Parquet file or folder, or any Arrow dataset or table.
    target
        File to be written, in the order of the rows of ``source``; it appears when it is complete.
    items
        Columns of scores; default every column that is named as an item of the fit.
    scores
        Any of ``"eap"``, ``"map"``, ``"wle"``, ``"ml"``, ``"sum"`` (sum-score EAP), each with its
        errors, and ``"pv"``: plausible values ``pv1`` to ``pv<n_values>``.
    keep
        Columns that are copied along: numbers of pupils, schools.
    groups
        Column of the groups of a calibration with groups: everybody's prior is that of their group.
    prior_mean, prior_sd
        Else the normal prior of EAP, MAP and plausible values: numbers, or the columns that hold
        them, such as x'b of a latent regression that `plausible_values` fitted to a sample.
    rng
        For plausible values: the same state gives the same values whatever ``chunk_rows`` is.
    bound
        Of WLE, ML and MAP.

    Notes
    -----
    Plausible values are drawn from the posterior under the given prior; they carry no uncertainty
    of the prior itself, which at these sizes is nothing beside the rest.
    """
    kinds = _checked_kinds(scores, rng, n_values)
    priors = [name for name in (prior_mean, prior_sd) if isinstance(name, str)]
    given = dict.fromkeys([*keep, *priors, *([] if groups is None else [groups])])
    sheets = _item_sheets(fit, source, items, list(given), chunk_rows)
    scorers = {kind: _scorers(fit, bound)[kind] for kind in kinds if kind != PLAUSIBLE}
    moments, n_persons = _Moments({}), 0
    with _Output(Path(target)) as output:
        for block, others in sheets.blocks(list(given)):
            mean, sd = _priors(fit, block.shape[0], others, groups, prior_mean, prior_sd)
            responses = Responses.from_array(block, item_ids=sheets.item_ids)
            columns: Columns = {}
            for kind, scorer in scorers.items():
                estimate = scorer(responses, mean, sd)
                columns |= {kind: estimate.theta, f"{kind}_se": estimate.se}
            if rng is not None and PLAUSIBLE in kinds:
                columns |= _drawn(fit, responses, mean, sd, rng.random((block.shape[0], n_values)))
            output.write(others.select(list(dict.fromkeys(keep))), columns)
            moments.add(columns)
            n_persons += block.shape[0]
    return moments.result(Path(target), n_persons)


def _checked_kinds(scores: Sequence[str], rng: object | None, n_values: int) -> tuple[str, ...]:
    kinds = (scores,) if isinstance(scores, str) else tuple(scores)
    for kind in kinds:
        _validate.choice(kind, "scores", ("eap", "map", "wle", "ml", "sum", PLAUSIBLE))
    if not kinds:
        raise BadOption("No scores are asked for.", remedy="Name at least one, such as 'eap'.")
    if PLAUSIBLE in kinds and (rng is None or n_values < 1):
        raise BadOption(f"{n_values} plausible values need rng.", remedy="Pass rng and draw at least one set.")
    return kinds


def _item_sheets(fit: IRTFit, source: object, items: Sequence[str] | None, others: list[str], chunk_rows: int) -> DatasetSheets:
    data = _arrow.dataset(source)
    names = [name for name in data.schema.names if name in fit.item_ids] if items is None else list(items)
    if not names:
        raise BadShape("No column is named as an item of the fit.", remedy=f"Items begin with {', '.join(fit.item_ids[:5])}.")
    sheets = _sheets.dataset_sheets(data, names, None, None, chunk_rows, others)
    if data.count_rows() == 0:
        raise BadShape("There are no persons.", remedy="Pass at least one row.")
    return sheets


def _scorers(fit: IRTFit, bound: float) -> dict[str, Scorer]:
    return {
        "eap": lambda responses, mean, sd: score_eap(fit, responses, prior_mean=mean, prior_sd=sd),
        "map": lambda responses, mean, sd: score_map(fit, responses, prior_mean=mean, prior_sd=sd, bound=bound),
        "wle": lambda responses, _mean, _sd: score_wle(fit, responses, bound=bound),
        "ml": lambda responses, _mean, _sd: score_ml(fit, responses, bound=bound),
        "sum": partial(_by_points, fit),
    }


def _by_points(fit: IRTFit, responses: Responses, mean: FloatArray, sd: FloatArray) -> AbilityEstimate:
    """One table of sum scores for all persons that share a prior."""
    theta, se = np.empty_like(mean), np.empty_like(mean)
    for own in np.unique(np.stack([mean, sd], axis=1), axis=0):
        rows = np.flatnonzero((mean == own[0]) & (sd == own[1]))
        found = score_sum_eap(fit, responses.persons(rows), prior_mean=own[0], prior_sd=own[1])
        theta[rows], se[rows] = found.theta, found.se
    return AbilityEstimate(theta, se, "sum-score EAP")


def _priors(
    fit: IRTFit, n: int, others: Any, groups: str | None, prior_mean: float | str, prior_sd: float | str
) -> tuple[FloatArray, FloatArray]:
    """Mean and deviation of every person's prior."""
    if groups is not None:
        labels, codes = _arrow.labels(groups, others.column(groups))
        means, deviations = fit.priors_of([str(label) for label in labels])
        return means[codes], deviations[codes]
    mean, deviation = (
        _arrow.floats(given, others.column(given)) if isinstance(given, str) else np.full(n, float(given))
        for given in (prior_mean, prior_sd)
    )
    return mean, deviation


def _drawn(fit: IRTFit, responses: Responses, mean: FloatArray, sd: FloatArray, uniforms: FloatArray) -> Columns:
    nodes, _ = _em.quadrature(max(FEWEST_NODES, fit.nodes.size), float(fit.nodes[-1]))
    drawn = _items.aligned(fit, responses).likelihoods(nodes).draw_sets(mean, sd, uniforms)
    return {f"{PLAUSIBLE}{at + 1}": np.ascontiguousarray(values) for at, values in enumerate(drawn.T)}


class _Output:
    """A Parquet file that gets its name when it is complete."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.partial = target.with_name(target.name + ".part")
        self.writer: Any = None

    def __enter__(self) -> _Output:
        return self

    def write(self, kept: Any, columns: Mapping[str, FloatArray]) -> None:
        arrow = _arrow.module("pyarrow")
        table = arrow.table({**{name: kept.column(name) for name in kept.column_names}, **columns})
        if self.writer is None:
            parquet = _arrow.module("pyarrow.parquet")
            # scores of long tests hardly repeat: a dictionary would only cost time
            self.writer = parquet.ParquetWriter(str(self.partial), table.schema, use_dictionary=False)
        self.writer.write_table(table)

    def __exit__(self, kind: object, *_rest: object) -> None:
        if self.writer is not None:
            self.writer.close()
        if kind is None:
            self.partial.replace(self.target)
        else:
            self.partial.unlink(missing_ok=True)
