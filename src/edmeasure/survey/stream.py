"""Means of millions of persons read in batches, with given replicate weights, in memory that does not grow with persons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._validate import FloatArray, IntArray
from edmeasure.errors import BadShape, BadWeight
from edmeasure.survey import _design_errors
from edmeasure.survey._results import GroupEstimates
from edmeasure.survey._sample import Practice
from edmeasure.survey.sampling import CHUNK_ROWS, SampleDesign


@dataclass(frozen=True, eq=False)
class SurveyBatch:
    """Some persons: values (b,) or (m, b), weights (b,), replicate weights (b, R), and their groups (b,) if any."""

    values: npt.ArrayLike
    weights: npt.ArrayLike
    replicate_weights: npt.ArrayLike
    groups: npt.ArrayLike | None = None


@dataclass(eq=False)
class _Tally:
    """Persons of one group, and sums of weights (1 + R,) and of weighted values (m, 1 + R), full weights first."""

    n: int
    weights: FloatArray
    moments: FloatArray


def stream_means(
    batches: Iterable[SurveyBatch],
    *,
    method: Literal["jk1", "jkn", "jk2", "brr", "fay", "bootstrap"],
    fay: float = 0.5,
    scales: npt.ArrayLike | None = None,
    practice: Practice = "all",
) -> GroupEstimates:
    """Weighted means of all groups (one group, 0, where batches have none) of persons that come in batches.

    Gives what `estimate_groups` gives with `SampleDesign.replicates`; shares of persons are means of 0/1. ``method``,
    ``fay`` and ``scales`` are those of `SampleDesign.replicates`. Only sums by group and replicate are held. Values should
    not be far from 0 against their spread (by a factor of 1e6): the sums keep 16 digits.
    """
    tallies: dict[object, _Tally] = {}
    shape: tuple[int, int] | None = None
    for number, batch in enumerate(batches):
        values, weights = _read(batch, number)
        found = (values.shape[0], weights.shape[1] - 1)
        if shape is not None and found != shape:
            raise BadShape(
                f"Batch {number} has {found[0]} value sets and {found[1]} replicates, those before it {shape[0]} and {shape[1]}.",
                remedy="Give every batch the same columns.",
            )
        shape = found
        labels, codes = _validate.group_codes(
            np.zeros(values.shape[1], dtype=np.int64) if batch.groups is None else batch.groups, values.shape[1]
        )
        _add(tallies, labels, codes, values, weights)
    if shape is None:
        raise BadShape("There are no batches.", remedy="Pass at least one batch of persons.")
    design = SampleDesign.replicates(np.ones(1), np.ones((1, shape[1])), method=method, fay=fay, scales=scales)
    if not sum(tally.weights[0] for tally in tallies.values()) > 0:
        raise BadWeight("All weights are zero.", remedy="Give at least one positive weight.")
    return _result(tallies, design, practice)


def _read(batch: SurveyBatch, number: int) -> tuple[FloatArray, FloatArray]:
    """Values (m, b), and weights (b, 1 + R) with the full ones first."""
    values = _validate.value_matrix(batch.values)
    n = values.shape[1]
    weights = _validate.float_vector(batch.weights, n, "weights")
    replicates = np.asarray(batch.replicate_weights, dtype=np.float64)
    if replicates.ndim != 2 or replicates.shape[0] != n or replicates.shape[1] < 2:
        raise BadShape(
            f"Replicate weights of batch {number} have shape {replicates.shape} for {n} persons.",
            remedy="Pass (n_persons, n_replicates) with at least two replicates.",
        )
    if (weights < 0).any() or not np.isfinite(replicates).all():
        raise BadWeight(f"Some weights of batch {number} are negative or not finite.", remedy="Drop those persons.")
    return values, np.concatenate([weights[:, None], replicates], axis=1)


def _add(
    tallies: dict[object, _Tally],
    labels: npt.NDArray[np.generic],
    codes: IntArray,
    values: FloatArray,
    weights: FloatArray,
) -> None:
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(labels.size + 1))
    for at, label in enumerate(labels.tolist()):
        rows = order[bounds[at] : bounds[at + 1]]
        tally = tallies.get(label)
        if tally is None:
            width = weights.shape[1]
            tally = tallies[label] = _Tally(0, np.zeros(width), np.zeros((values.shape[0], width)))
        tally.n += rows.size
        for first in range(0, rows.size, CHUNK_ROWS):
            some = rows[first : first + CHUNK_ROWS]
            tally.weights += weights[some].sum(axis=0)
            tally.moments += np.einsum("mi,ir->mr", values[:, some], weights[some])


def _result(tallies: dict[object, _Tally], design: SampleDesign, practice: Practice) -> GroupEstimates:
    labels = np.array(sorted(tallies, key=lambda label: (str(type(label)), label)))
    every = [tallies[label] for label in labels.tolist()]
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.stack([tally.moments / tally.weights for tally in every], axis=1)
    away = np.nan_to_num(means[:, :, 1:] - means[:, :, :1])
    value, sampling, imputation = _design_errors.combined(means[:, :, 0], (away**2 * design.coefficients).sum(axis=2), practice)
    return GroupEstimates(
        labels=labels,
        value=value,
        standard_error=np.sqrt(sampling + imputation),
        sampling_variance=sampling,
        imputation_variance=imputation,
        n=np.array([tally.n for tally in every], dtype=np.int64),
        weight_sum=np.array([tally.weights[0] for tally in every]),
        is_jackknifed=np.ones(labels.size, dtype=np.bool_),
        degrees=_design_errors.degrees_combined(design.degrees, means.shape[0], sampling, imputation),
    )
