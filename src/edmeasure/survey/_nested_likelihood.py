"""Likelihood of nested random intercepts (class in school in district ...), in passes over units instead of matrices.

With U the inverse covariance inside a unit's parts, a unit of variance v adds v 1 1': by Sherman & Morrison (1950) the
unit needs only A = 1'U1, b = 1'U[X y] and S = [X y]'U[X y]; its own are A / (1 + v A), b / (1 + v A), S - v b b' / (1 + v A),
and log det grows by log(1 + v A). Sums over units of a level are what the level above begins with. All steps are
analytic, so a complex step (Squire & Trapp 1998) gives derivatives to the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure._validate import FloatArray, IntArray

Numbers = npt.NDArray[np.inexact]
STEP = 1e-30


@dataclass(frozen=True, eq=False)
class Nest:
    """Sufficient statistics: units of L levels, lowest first; variances are relative to the persons'.

    Attributes
    ----------
    totals : float64 (U_1,)
        Sum of weights of the persons of every lowest unit.
    sums : float64 (U_1, p + 1)
        Weighted sums of [X y].
    products : float64 (p + 1, p + 1)
        Weighted [X y]'[X y] of all persons, each unit's counted with its unit weight.
    parents : tuple of int64 (U_l,)
        Unit of the level above, for all levels but the highest.
    unit_weights : tuple of float64 (U_l,)
        How often a unit counts in its parent; ``reach`` is how often it counts in all.
    n : float
        Persons, as they count.
    """

    totals: FloatArray
    sums: FloatArray
    products: FloatArray
    parents: tuple[IntArray, ...]
    unit_weights: tuple[FloatArray, ...]
    reach: tuple[FloatArray, ...]
    n: float

    @property
    def n_columns(self) -> int:
        return int(self.sums.shape[1] - 1)


def profile(nest: Nest, ratios: Numbers) -> tuple[Numbers, Numbers]:
    """Log det of V and [X y]'V^-1[X y] for variances ``ratios`` (L,) of the levels relative to the persons'."""
    a: Numbers = nest.totals.astype(ratios.dtype)
    b: Numbers = nest.sums.astype(ratios.dtype)
    inside: Numbers = nest.products.astype(ratios.dtype)
    log_det = np.zeros((), dtype=ratios.dtype)
    for level, ratio in enumerate(ratios):
        grown = 1 + ratio * a
        log_det = log_det + np.sum(nest.reach[level] * np.log(grown))
        taken = nest.reach[level] * ratio / grown
        inside = inside - b.T @ (taken[:, None] * b)
        a, b = a / grown, b / grown[:, None]
        if level < len(nest.parents):
            weights, parents = nest.unit_weights[level], nest.parents[level]
            count = int(nest.reach[level + 1].size)
            a = _sums(weights * a, parents, count)
            b = np.stack([_sums(weights * column, parents, count) for column in b.T], axis=1)
    return log_det, inside


def deviance(nest: Nest, ratios: Numbers, *, is_restricted: bool) -> Numbers:
    """-2 log likelihood with the persons' variance and the coefficients at their best."""
    log_det, inside = profile(nest, ratios)
    rest, gram = _residual(inside)
    freedom = nest.n - (nest.n_columns if is_restricted else 0)
    found = freedom * (1 + np.log(2 * np.pi * rest / freedom)) + log_det
    return np.asarray(found + _log_determinant(gram) if is_restricted else found)


def full_deviance(nest: Nest, variances: Numbers, *, is_restricted: bool) -> Numbers:
    """The same at given variances (1 + L,), the persons' first."""
    log_det, inside = profile(nest, variances[1:] / variances[0])
    rest, gram = _residual(inside)
    freedom = nest.n - (nest.n_columns if is_restricted else 0)
    found = freedom * np.log(2 * np.pi * variances[0]) + log_det + rest / variances[0]
    return np.asarray(found + _log_determinant(gram) if is_restricted else found)


def solution(nest: Nest, ratios: FloatArray, *, is_restricted: bool) -> tuple[FloatArray, FloatArray, float]:
    """Coefficients (p,), their covariance (p, p), and the persons' variance."""
    _, inside = profile(nest, ratios)
    gram, right = inside[:-1, :-1], inside[:-1, -1]
    beta = np.linalg.solve(gram, right)
    freedom = nest.n - (nest.n_columns if is_restricted else 0)
    variance = float(np.real(inside[-1, -1] - right @ beta)) / freedom
    return np.asarray(beta, dtype=np.float64), np.asarray(np.linalg.inv(gram) * variance, dtype=np.float64), variance


def null_information(nest: Nest, ratios: FloatArray) -> FloatArray:
    """sum A^2 / 2 over every level's units (L,): what is known of a variance that is 0, in units of the persons'."""
    a, found = nest.totals, np.empty(ratios.size)
    for level, ratio in enumerate(ratios):
        found[level] = 0.5 * np.sum(nest.reach[level] * a**2)
        a = a / (1 + ratio * a)
        if level < len(nest.parents):
            weighted = nest.unit_weights[level] * a
            a = np.real(_sums(weighted, nest.parents[level], int(nest.reach[level + 1].size))).astype(np.float64)
    return found


def slope(nest: Nest, at: FloatArray, *, is_restricted: bool, is_profiled: bool) -> FloatArray:
    """Gradient of the deviance, by complex steps."""
    function = deviance if is_profiled else full_deviance
    found = np.empty(at.size)
    for one in range(at.size):
        moved = at.astype(np.complex128)
        moved[one] += 1j * STEP
        found[one] = np.imag(function(nest, moved, is_restricted=is_restricted)) / STEP
    return found


def _residual(inside: Numbers) -> tuple[Numbers, Numbers]:
    gram, right = inside[:-1, :-1], inside[:-1, -1]
    return np.asarray(inside[-1, -1] - right @ np.linalg.solve(gram, right)), gram


def _log_determinant(gram: Numbers) -> Numbers:
    sign, log_size = np.linalg.slogdet(gram)
    return np.asarray(log_size + (np.log(sign) if np.iscomplexobj(gram) else 0.0))


def _sums(values: Numbers, parents: IntArray, count: int) -> Numbers:
    real = np.bincount(parents, weights=np.real(values), minlength=count)
    if not np.iscomplexobj(values):
        return np.asarray(real)
    return np.asarray(real + 1j * np.bincount(parents, weights=np.imag(values), minlength=count))
