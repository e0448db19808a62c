"""Correlations of questions from incomplete and weighted answers: Pearson's, or polychoric ones of graded answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, ndtri

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._loops import each
from edmeasure._validate import FloatArray, IntArray
from edmeasure.errors import BadOption, BadShape
from edmeasure.profiles import _polychoric_kernels
from edmeasure.profiles._table import Data, Table, read_table, refuse_columns

MOST_CATEGORIES = 20
LEAST_EIGENVALUE = 1e-4
SAME = 1e-8
FEWEST_TOGETHER = 3


@dataclass(frozen=True, eq=False)
class Correlations(Exported):
    """Correlations of J columns, pair by pair from the persons who have both.

    Attributes
    ----------
    item_ids : tuple of str
    matrix : float64 (J, J)
        Positive definite: where pairs contradicted each other, the closest matrix by lifted eigenvalues.
    kind : str
        ``"pearson"`` or ``"polychoric"`` (tetrachoric for two categories).
    n_persons : int
        Persons with at least one value.
    n_together : int64 (J, J)
        Persons of every pair; empty where only the matrix was given.
    means, spreads : float64 (J,)
    smallest_eigenvalue : float
        Of the matrix before any lifting.
    at_bound : tuple of pairs of str
        Polychoric correlations that ended at -/+ 0.9995.
    thresholds : tuple of float64
        Of the normal variable behind each graded item; empty for Pearson's.
    observed : float64 (J, J)
        Pearson correlations of the answers as they are.
    """

    item_ids: tuple[str, ...]
    matrix: FloatArray
    kind: str
    n_persons: int
    n_together: IntArray
    means: FloatArray
    spreads: FloatArray
    smallest_eigenvalue: float
    at_bound: tuple[tuple[str, str], ...] = ()
    thresholds: tuple[FloatArray, ...] = ()
    observed: FloatArray = field(default_factory=lambda: np.empty((0, 0)))

    @classmethod
    def from_matrix(cls, matrix: npt.ArrayLike, *, n_persons: int, item_ids: Sequence[str] | None = None) -> Correlations:
        """Published correlations (J, J) of ``n_persons``; covariances are turned into correlations."""
        given = np.array(matrix, dtype=np.float64)
        if given.ndim != 2 or given.shape[0] != given.shape[1] or given.shape[0] == 0:
            raise BadShape(f"The matrix has shape {given.shape}.", remedy="Pass a square one.")
        names = _validate.item_names(item_ids, given.shape[0])
        refuse_columns(names, ~np.isfinite(given).all(axis=0), "hold NaN or infinity", "Leave them out.")
        refuse_columns(names, ~(np.diag(given) > 0), "have no positive variance", "Leave them out.")
        if not np.allclose(given, given.T, atol=SAME):
            raise BadShape("The matrix is not symmetric.", remedy="Pass the whole matrix, not a triangle.")
        if n_persons < FEWEST_TOGETHER:
            raise BadOption(f"n_persons is {n_persons}.", remedy="Give the number of persons behind the matrix.")
        spreads = np.sqrt(np.diag(given))
        lifted, smallest = _lifted(given / np.outer(spreads, spreads))
        empty = np.empty((0, 0), dtype=np.int64)
        return cls(names, lifted, "pearson", n_persons, empty, np.zeros(spreads.size), spreads, smallest, observed=lifted)

    @property
    def is_lifted(self) -> bool:
        """Whether the matrix had to be made positive definite."""
        return self.smallest_eigenvalue < LEAST_EIGENVALUE

    def _columns(self) -> Mapping[str, object]:
        return {"item": self.item_ids, **dict(zip(self.item_ids, self.matrix.T, strict=True))}

    def __str__(self) -> str:
        off = self.matrix[~np.eye(len(self.item_ids), dtype=bool)]
        note = f", made positive definite (least eigenvalue was {self.smallest_eigenvalue:.3g})" if self.is_lifted else ""
        bound = f", {len(self.at_bound)} pairs at the bound" if self.at_bound else ""
        reach = f"{off.min():.2f} to {off.max():.2f}" if off.size else "of one column"
        return f"{self.kind} correlations {reach} of {len(self.item_ids)} items, {self.n_persons:,} persons{note}{bound}"


@dataclass(frozen=True, eq=False)
class Adequacy(Exported):
    """Whether correlations hold common factors at all.

    Attributes
    ----------
    kmo : float
        Kaiser, Meyer & Olkin's measure (Kaiser & Rice 1974): squared correlations against squared
        partial ones; below 0.5 do not factor, from 0.8 good.
    item_kmo : float64 (J,)
    chi_square, degrees, p_value
        Bartlett's (1950) test that nothing correlates.
    """

    item_ids: tuple[str, ...]
    kmo: float
    item_kmo: FloatArray
    chi_square: float
    degrees: int
    p_value: float

    def _columns(self) -> Mapping[str, object]:
        return {"item": self.item_ids, "kmo": self.item_kmo}

    def __str__(self) -> str:
        weakest = int(np.argmin(self.item_kmo))
        return (
            f"KMO {self.kmo:.4f} (least {self.item_kmo[weakest]:.3f}, {self.item_ids[weakest]}), "
            f"Bartlett chi2({self.degrees}) = {self.chi_square:.1f}, p = {self.p_value:.3g}"
        )


def correlate(
    data: Data,
    *,
    kind: str = "pearson",
    weights: npt.ArrayLike | None = None,
    item_ids: Sequence[str] | None = None,
) -> Correlations:
    """Correlations of all pairs of columns, each from the persons who have both.

    Parameters
    ----------
    data : Responses, or (n, J) with NaN where there is no value
        Negative codes of responses count as no value: apply ``Responses.scored`` first.
    kind
        ``"polychoric"`` takes answers as grades of normal variables (Olsson 1979): thresholds from
        the shares of the categories, then the correlation of every pair by maximum likelihood.
    """
    _validate.choice(kind, "kind", ("pearson", "polychoric"))
    table = read_table(data, weights, item_ids)
    together = _together(table)
    observed = _pearson(table)
    means, spreads = table.moments()
    n_persons = int((table.present.any(axis=1) & (table.weights > 0)).sum())
    if kind == "pearson":
        matrix, smallest = _lifted(observed)
        return Correlations(table.item_ids, matrix, kind, n_persons, together, means, spreads, smallest, observed=matrix)
    raw, thresholds = _polychoric(table)
    matrix, smallest = _lifted(raw)
    bound = np.argwhere(np.triu(np.abs(raw) >= _polychoric_kernels.HIGHEST, k=1))
    at_bound = tuple((table.item_ids[a], table.item_ids[b]) for a, b in bound)
    observed = _lifted(observed)[0]
    return Correlations(
        table.item_ids, matrix, kind, n_persons, together, means, spreads, smallest, at_bound, thresholds, observed
    )


def sampling_adequacy(correlations: Correlations) -> Adequacy:
    """Kaiser-Meyer-Olkin measure and Bartlett's test of sphericity."""
    r = correlations.matrix
    n_items = r.shape[0]
    if n_items < 2:
        raise BadShape("There is one column.", remedy="Pass at least two.")
    inverse = np.linalg.inv(r)
    root = np.sqrt(np.diag(inverse))
    off = 1 - np.eye(n_items)
    direct, partial = off * r**2, off * (inverse / np.outer(root, root)) ** 2
    degrees = n_items * (n_items - 1) // 2
    chi_square = -np.linalg.slogdet(r)[1] * (correlations.n_persons - 1 - (2 * n_items + 5) / 6)
    return Adequacy(
        item_ids=correlations.item_ids,
        kmo=float(direct.sum() / (direct.sum() + partial.sum())),
        item_kmo=direct.sum(axis=0) / np.maximum(direct.sum(axis=0) + partial.sum(axis=0), 1e-300),
        chi_square=float(chi_square),
        degrees=degrees,
        p_value=float(chdtrc(degrees, max(chi_square, 0.0))),
    )


def _together(table: Table) -> IntArray:
    """Persons of every pair; too few are refused by name."""
    counted = (table.present & (table.weights > 0)[:, None]).astype(np.float64)
    together = np.rint(counted.T @ counted).astype(np.int64)
    pairs = np.argwhere(np.triu(together < FEWEST_TOGETHER, k=1))
    if pairs.size:
        named = [f"{table.item_ids[a]} and {table.item_ids[b]}" for a, b in pairs[:5]]
        raise BadShape(
            f"Fewer than {FEWEST_TOGETHER} persons have both {'; '.join(named)}.",
            remedy="Take columns that occur together, such as one booklet.",
        )
    return together


def _pearson(table: Table) -> FloatArray:
    """Correlation of every pair over the persons who have both, means and deviations too."""
    present = table.present.astype(np.float64)
    mean, spread = table.moments()
    z = np.where(table.present, (table.values - mean) / spread, 0.0)
    w = table.weights[:, None]
    both, first = (w * present).T @ present, (w * z).T @ present
    cross, square = (w * z).T @ z, (w * z**2).T @ present
    own = square / both - (first / both) ** 2
    flat = np.argwhere(np.triu(~(np.minimum(own, own.T) > SAME), k=1))
    if flat.size:
        a, b = flat[0]
        raise BadShape(
            f"{table.item_ids[a]} or {table.item_ids[b]} does not vary among those who have both.",
            remedy="Leave one of them out.",
        )
    matrix = (cross / both - first * first.T / both**2) / np.sqrt(own * own.T)
    np.fill_diagonal(matrix, 1.0)
    return np.asarray(np.clip(matrix, -1.0, 1.0))


def _polychoric(table: Table) -> tuple[FloatArray, tuple[FloatArray, ...]]:
    codes = np.full(table.values.T.shape, _validate.MISSING, dtype=np.int8)
    thresholds: list[FloatArray] = []
    for at, column in enumerate(table.values.T):
        present = ~np.isnan(column) & (table.weights > 0)
        steps, code = np.unique(column[present], return_inverse=True)
        if steps.size > MOST_CATEGORIES:
            raise BadOption(
                f"Column {table.item_ids[at]} has {steps.size} different values.",
                remedy=f"Polychoric correlations are of at most {MOST_CATEGORIES} categories: use kind='pearson'.",
            )
        codes[at, present] = code
        shares = np.bincount(code, weights=table.weights[present])
        thresholds.append(np.asarray(ndtri(np.cumsum(shares)[:-1] / shares.sum())))
    sizes = np.array([one.size + 1 for one in thresholds])
    padded = np.zeros((sizes.size, int(sizes.max()) - 1))
    for at, one in enumerate(thresholds):
        padded[at, : one.size] = one
    matrix = np.eye(sizes.size)

    def correlate_one(first: int) -> None:
        _polychoric_kernels.correlate_with_later(codes, table.weights, sizes, padded, first, matrix[first])

    each(correlate_one, range(sizes.size))
    return np.triu(matrix, k=1) + np.triu(matrix).T, tuple(thresholds)


def _lifted(matrix: FloatArray) -> tuple[FloatArray, float]:
    """The matrix with eigenvalues of at least 1e-4 and a diagonal of ones, and its least eigenvalue as it was."""
    values, vectors = np.linalg.eigh(matrix)
    smallest = float(values[0])
    if smallest >= LEAST_EIGENVALUE:
        return matrix, smallest
    raised = (vectors * np.maximum(values, LEAST_EIGENVALUE)) @ vectors.T
    root = np.sqrt(np.diag(raised))
    lifted = raised / np.outer(root, root)
    return (lifted + lifted.T) / 2, smallest
