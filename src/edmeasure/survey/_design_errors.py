"""Values and sampling covariances of figures that are functions of weighted totals, under any sample design."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edmeasure import _validate
from edmeasure._validate import FloatArray
from edmeasure.survey.sampling import SampleDesign


@dataclass(frozen=True, eq=False)
class Figure:
    """q numbers g(T) of the k totals T = sum_i w_i p_i, worked out in chunks of persons.

    Attributes
    ----------
    n_parts, n_numbers : int
        k and q.
    parts
        Rows to p (k, b).
    value
        Totals (k, R) to numbers (q, R).
    influence
        Rows and totals (k, 1) to u (q, b): sum_i w_i u_i is 0 and moves as g does (Woodruff 1971).
    """

    n_parts: int
    n_numbers: int
    parts: Callable[[slice], FloatArray]
    value: Callable[[FloatArray], FloatArray]
    influence: Callable[[slice, FloatArray], FloatArray]


def covariance(design: SampleDesign, figure: Figure) -> tuple[FloatArray, FloatArray]:
    """The numbers (q,) and their sampling covariance (q, q)."""
    if design.method == "simple" or design.method == "taylor":
        totals = totals_of(design, figure.parts, figure.n_parts)[0]
        return figure.value(totals)[:, 0], _linearised(design, figure, totals)
    full, replicates = totals_of(design, figure.parts, figure.n_parts)
    with np.errstate(divide="ignore", invalid="ignore"):
        value, found = figure.value(full), figure.value(replicates)
    return value[:, 0], spread(found - value, design.coefficients)


def spread(deviations: FloatArray, coefficients: FloatArray) -> FloatArray:
    """sum_r c_r d_r d_r' of deviations (q, R); a replicate in which a figure does not exist is left out."""
    away = deviations * np.sqrt(coefficients)
    away[:, ~np.isfinite(away).all(axis=0)] = 0.0
    return np.asarray(np.einsum("ar,br->ab", away, away))


def influence_covariance(design: SampleDesign, influence: Callable[[slice], FloatArray], n_numbers: int) -> FloatArray:
    """Covariance (q, q) of sum_i w_i u_i for the simple design and Taylor's."""
    if design.clusters is not None:
        totals = np.zeros((n_numbers, design.clusters.strata.size))
        for rows in design.chunks(n_numbers):
            design.cell_totals(influence(rows), rows, totals)
        return design.clusters.variance(totals)
    n = int(np.count_nonzero(design.weights))
    squares = np.zeros((n_numbers, n_numbers))
    for rows in design.chunks(n_numbers):
        moved = influence(rows) * design.weights[rows]
        squares += np.einsum("ai,bi->ab", moved, moved)
    return squares * (n / (n - 1)) if n > 1 else np.full_like(squares, np.nan)


def _linearised(design: SampleDesign, figure: Figure, totals: FloatArray) -> FloatArray:
    return influence_covariance(design, lambda rows: figure.influence(rows, totals), figure.n_numbers)


def totals_of(design: SampleDesign, parts: Callable[[slice], FloatArray], n_parts: int) -> tuple[FloatArray, FloatArray]:
    """Totals of parts (k, 1) with the full weights and (k, R) with every replicate's; (k, 0) where there are none."""
    full = np.zeros((n_parts, 1))
    if design.n_replicates and not design.is_given:
        assert design.clusters is not None
        cells = np.zeros((n_parts, design.clusters.strata.size))
        for rows in design.chunks(n_parts):
            design.cell_totals(parts(rows), rows, cells)
        return cells.sum(axis=1, keepdims=True), design.replicate_totals_of_cells(cells)
    replicates = np.zeros((n_parts, design.n_replicates))
    for rows in design.chunks(max(n_parts, design.n_replicates)):
        found = parts(rows)
        full[:, 0] += np.einsum("ai,i->a", found, design.weights[rows])
        if design.is_given:
            design.add_given(found, rows, replicates)
    return full, replicates


def combined(values: FloatArray, sampling: FloatArray, practice: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Rubin's (1987) rules: value, sampling and imputation variance from m sets (m, ...)."""
    _validate.choice(practice, "practice", ("all", "first"))
    m = values.shape[0]
    drawn = sampling[0] if practice == "first" else sampling.mean(axis=0)
    measured = (1 + 1 / m) * values.var(axis=0, ddof=1) if m > 1 else np.zeros_like(values[0])
    return values.mean(axis=0), drawn, measured


def degrees_combined(complete: FloatArray | float, m: int, sampling: FloatArray, imputation: FloatArray) -> FloatArray:
    """Degrees of freedom of an estimate from m value sets (Barnard & Rubin 1999); m - 1 where nothing was sampled."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nan_to_num(imputation / (sampling + imputation))
        observed = np.where(sampling > 0, (complete + 1) / (complete + 3) * complete * (1 - share), np.inf)
        found = 1 / (share**2 / max(m - 1, 1) + 1 / observed)
    return np.asarray(np.where(imputation > 0, np.maximum(found, 1.0), complete), dtype=np.float64)
