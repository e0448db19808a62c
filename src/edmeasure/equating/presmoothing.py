"""Score distributions as tables of counts, and log-linear models that smooth them.

Holland & Thayer (2000): the probability of a score is exp of a polynomial in it, fitted by maximum
likelihood, so that as many moments as the polynomial has degrees are those observed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.errors import BadOption, BadScore, BadShape

MAX_STEPS = 200
CONVERGED = 1e-12
STEEPEST_FALL = 2**-20


@dataclass(frozen=True, eq=False)
class SmoothedCounts(Exported):
    """A fitted log-linear model.

    Attributes
    ----------
    probabilities : float64, shape of the counts
    n : float
        Persons (or the sum of weights).
    root : float64 (n_cells, n_parameters)
        ``C`` with covariance of the probabilities C C'.
    deviance, aic, bic : float
        Likelihood-ratio distance to the counts; smaller aic or bic is better.
    df : int
        Cells less parameters.
    """

    probabilities: FloatArray
    n: float
    root: FloatArray
    deviance: float
    aic: float
    bic: float
    df: int

    def _columns(self) -> Mapping[str, object]:
        return {"cell": np.arange(self.probabilities.size), "probabilities": self.probabilities.ravel()}

    def __str__(self) -> str:
        return f"log-linear smoothing: deviance {self.deviance:.2f} on {self.df} df, AIC {self.aic:.2f}, BIC {self.bic:.2f}"


def score_counts(
    total: npt.ArrayLike,
    *,
    anchor: npt.ArrayLike | None = None,
    max_score: int | None = None,
    max_anchor: int | None = None,
    weights: npt.ArrayLike | None = None,
) -> FloatArray:
    """Weighted persons at every total score 0..K, (K + 1,), or at total and anchor, (K + 1, L + 1)."""
    scores = _whole_scores(total, "total")
    w = _validate.weight_vector(weights, scores.size)
    highest = int(scores.max()) if max_score is None else max_score
    if scores.max() > highest:
        raise BadScore(f"A total of {scores.max()} is above {highest}.", remedy="Raise max_score or mend the totals.")
    if anchor is None:
        return np.bincount(scores, weights=w, minlength=highest + 1).astype(np.float64)
    beside = _whole_scores(anchor, "anchor")
    if beside.size != scores.size:
        raise BadShape(f"{beside.size} anchor scores for {scores.size} totals.", remedy="Give both for every person.")
    highest_anchor = int(beside.max()) if max_anchor is None else max_anchor
    if beside.max() > highest_anchor:
        raise BadScore(f"An anchor score is above {highest_anchor}.", remedy="Raise max_anchor or mend the scores.")
    cells = np.bincount(scores * (highest_anchor + 1) + beside, weights=w, minlength=(highest + 1) * (highest_anchor + 1))
    return cells.reshape(highest + 1, highest_anchor + 1).astype(np.float64)


def smooth_counts(
    counts: npt.ArrayLike,
    *,
    degree: int = 6,
    anchor_degree: int | None = None,
    cross: int = 1,
    internal_anchor: bool = False,
) -> SmoothedCounts:
    """Smooth one distribution, or that of total and anchor together.

    Parameters
    ----------
    degree
        Moments of the total that are kept.
    anchor_degree, cross
        Moments of the anchor (default ``degree``) and cross moments x^i v^j, i, j <= ``cross``.
    internal_anchor
        The anchor's items count in the total, so totals below the anchor score and above it by more
        than the other items cannot occur; those cells keep probability 0.
    """
    table = count_table(counts)
    cells = table.reshape(table.shape[0], -1)
    possible = _possible(cells, internal_anchor)
    design = _design(cells.shape, possible, degree, anchor_degree or degree, cross)
    observed = cells[possible]
    fitted = _poisson_fit(design, observed)
    n = float(observed.sum())
    probabilities = np.zeros(cells.shape)
    probabilities[possible] = fitted / n
    with np.errstate(divide="ignore", invalid="ignore"):
        deviance = 2 * float(np.sum(np.where(observed > 0, observed * np.log(observed / fitted), 0.0)))
    parameters = design.shape[1]
    root = np.zeros((cells.size, parameters - 1))
    root[possible.ravel()] = _root(design, fitted, n)
    return SmoothedCounts(
        probabilities=probabilities.reshape(table.shape),
        n=n,
        root=root,
        deviance=deviance,
        aic=deviance + 2 * parameters,
        bic=deviance + float(np.log(n)) * parameters,
        df=int(observed.size - parameters),
    )


def smoothing_degree(counts: npt.ArrayLike, *, highest: int = 8, criterion: str = "bic") -> int:
    """The degree from 2 to ``highest`` whose model has the smallest ``"aic"`` or ``"bic"``."""
    _validate.choice(criterion, "criterion", ("aic", "bic"))
    tried = range(2, highest + 1)
    return min(tried, key=lambda degree: float(getattr(smooth_counts(counts, degree=degree), criterion)))


def count_table(counts: npt.ArrayLike) -> FloatArray:
    """Checked counts, (K + 1,) or (K + 1, L + 1)."""
    table = np.array(counts, dtype=np.float64)
    if table.ndim not in (1, 2) or table.shape[0] < 3:
        raise BadShape(
            f"Counts have shape {table.shape}.",
            remedy="Pass (K + 1,) or (K + 1, L + 1), for example from `score_counts`.",
        )
    if not np.isfinite(table).all() or (table < 0).any() or np.count_nonzero(table) < 2:
        raise BadScore("Counts are negative, not finite, or all at one score.", remedy="Count the scores again.")
    return table


def _whole_scores(values: npt.ArrayLike, name: str) -> IntArray:
    given = np.asarray(values)
    if given.ndim != 1 or given.size == 0:
        raise BadShape(f"{name} has shape {given.shape}.", remedy="Give one score per person.")
    if not np.isfinite(given.astype(np.float64)).all() or (given != np.round(given)).any() or given.min() < 0:
        raise BadScore(f"{name} holds scores that are no whole numbers from 0.", remedy="Round or rescale them first.")
    return given.astype(np.int64)


def _possible(cells: FloatArray, internal_anchor: bool) -> BoolArray:
    total, anchor = np.indices(cells.shape)
    if not internal_anchor or cells.shape[1] == 1:
        return np.ones(cells.shape, dtype=np.bool_)
    others = cells.shape[0] - cells.shape[1]
    possible = (total >= anchor) & (total - anchor <= others)
    if cells[~possible].any():
        raise BadScore("Some totals cannot contain their anchor score.", remedy="Pass internal_anchor=False if it is external.")
    return np.asarray(possible)


def _design(shape: tuple[int, int], possible: BoolArray, degree: int, anchor_degree: int, cross: int) -> FloatArray:
    """Orthonormal columns that span the polynomials of total, anchor and their products; the first is constant."""
    if not 1 <= degree < shape[0] or (shape[1] > 1 and not 1 <= anchor_degree < shape[1]) or cross < 0:
        raise BadOption(
            f"Degrees {degree} and {anchor_degree} for {shape[0]} x {shape[1]} scores.",
            remedy="Use degrees from 1 to below the number of scores; 4 to 6 is common.",
        )
    total, anchor = (axis[possible] for axis in np.indices(shape))
    x = 2 * total / (shape[0] - 1) - 1
    columns = list(np.polynomial.legendre.legvander(x, degree).T)
    if shape[1] > 1:
        v = 2 * anchor / (shape[1] - 1) - 1
        columns += list(np.polynomial.legendre.legvander(v, anchor_degree).T[1:])
        columns += [x**i * v**j for i in range(1, cross + 1) for j in range(1, cross + 1)]
    return np.asarray(np.linalg.qr(np.array(columns).T)[0])


def _poisson_fit(design: FloatArray, observed: FloatArray) -> FloatArray:
    """Fitted counts by Newton steps, halved while the likelihood would fall."""
    beta = design.T @ np.log(observed + 0.5)

    def value(at: FloatArray) -> float:
        eta = design @ at
        return float(observed @ eta - np.exp(np.minimum(eta, 700.0)).sum())

    current = value(beta)
    for _ in range(MAX_STEPS):
        fitted = np.exp(design @ beta)
        gradient = design.T @ (observed - fitted)
        information = design.T @ (fitted[:, None] * design)
        step = np.linalg.lstsq(information, gradient, rcond=None)[0]
        share = 1.0
        while value(beta + share * step) < current and share > STEEPEST_FALL:
            share /= 2
        beta = beta + share * step
        current = value(beta)
        if np.abs(gradient).max() < CONVERGED * observed.sum():
            break
    return np.exp(design @ beta)


def _root(design: FloatArray, fitted: FloatArray, n: float) -> FloatArray:
    """C of Holland & Thayer: D^1/2 Q / sqrt(n), Q an orthonormal basis of the centred, scaled design."""
    p = fitted / n
    free = design[:, 1:]
    centred = np.sqrt(p)[:, None] * (free - p @ free)
    basis, _ = np.linalg.qr(centred)
    return np.asarray(np.sqrt(p)[:, None] * basis / np.sqrt(n))
