"""Strata and clusters of a sample, with the strata named that add no variance or hold a single cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._validate import FloatArray, IntArray
from edmeasure.errors import BadOption


@dataclass(frozen=True, eq=False)
class Clusters:
    """Which of C cells every person is in, and the H strata of the cells.

    Attributes
    ----------
    cells : int64 (n,)
    strata : int64 (C,)
    sizes : float64 (H,)
        Cells of each stratum.
    kept : float64 (H,)
        Share 1 - f_h of the variance between cells that counts; 0 for strata taken whole.
    is_centred : bool
        Strata of one cell are measured from the mean of all cells.
    """

    cells: IntArray
    strata: IntArray
    sizes: FloatArray
    kept: FloatArray
    certainty_names: tuple[str, ...] = ()
    lonely_names: tuple[str, ...] = ()
    is_centred: bool = False

    @property
    def degrees(self) -> float:
        """Cells minus strata, of those that count; at least 1."""
        counted = self.sizes[self.kept > 0]
        return float(max(counted.sum() - counted.size, 1.0))

    def variance(self, totals: FloatArray) -> FloatArray:
        """Covariance (q, q) of sums whose totals by cell are (q, C): between cells within strata."""
        own = np.stack([np.bincount(self.strata, weights=row, minlength=self.sizes.size) for row in totals])
        is_single = self.sizes < 2
        centres = own / self.sizes
        centres[:, is_single] = totals.mean(axis=1, keepdims=True)
        grown = np.where(is_single, float(self.is_centred), self.sizes / np.maximum(self.sizes - 1, 1))
        away = (totals - centres[:, self.strata]) * np.sqrt(self.kept * grown)[self.strata]
        return np.asarray(np.einsum("ac,bc->ab", away, away))


def coded(given: npt.ArrayLike, n: int, name: str) -> tuple[npt.NDArray[np.generic], IntArray]:
    """Sorted labels and codes; persons without a label are not made a group of their own."""
    labels = np.asarray(given)
    if np.issubdtype(labels.dtype, np.floating) and np.isnan(labels).any():
        raise BadOption(f"{name} holds NaN.", remedy="Leave out persons without a label, or give them one.")
    return _validate.group_codes(labels, n)


def read_clusters(
    n: int,
    strata: npt.ArrayLike | None,
    clusters: npt.ArrayLike | None,
    population_clusters: npt.ArrayLike | None,
    certainty: Sequence[object],
    lonely: str,
) -> Clusters:
    """Check and code what a design was given."""
    _validate.choice(lonely, "lonely", ("refuse", "certainty", "centre"))
    labels, of_person = coded(np.zeros(n, dtype=np.int64) if strata is None else strata, n, "strata")
    _, inner = coded(np.arange(n) if clusters is None else clusters, n, "clusters")
    pairs, cells = np.unique(of_person * (int(inner.max(initial=0)) + 1) + inner, return_inverse=True)
    of_cells = (pairs // (int(inner.max(initial=0)) + 1)).astype(np.int64)
    sizes = np.bincount(of_cells, minlength=labels.size).astype(np.float64)
    kept = _kept(population_clusters, of_person, sizes, labels)
    unknown = [label for label in certainty if label not in labels]
    if unknown:
        raise BadOption(f"There are no strata {unknown[:10]}.", remedy=f"Strata begin with {labels[:10].tolist()}.")
    kept[np.isin(labels, np.asarray(certainty, dtype=labels.dtype))] = 0.0
    alone = (sizes < 2) & (kept > 0)
    names = tuple(str(label) for label in labels[alone])
    if names and lonely == "refuse":
        raise BadOption(
            f"{len(names)} strata hold one cluster: {', '.join(names[:10])}.",
            remedy="Join them with their neighbours, name them in `certainty`, or choose `lonely`.",
        )
    if lonely == "certainty":
        kept[alone] = 0.0
    if not (kept > 0).any():
        raise BadOption("No stratum adds variance between clusters.", remedy="Give smaller clusters, such as classes.")
    whole = tuple(str(label) for label in labels[(kept == 0) & ~alone])
    return Clusters(cells.astype(np.int64), of_cells, sizes, kept, whole, names, lonely == "centre")


def _kept(
    population: npt.ArrayLike | None, of_person: IntArray, sizes: FloatArray, labels: npt.NDArray[np.generic]
) -> FloatArray:
    """1 - n_h / N_h of every stratum."""
    if population is None:
        return np.ones(sizes.size)
    given = _validate.float_vector(population, of_person.size, "population_clusters")
    first = np.zeros(sizes.size)
    first[of_person] = given
    wrong = (first < sizes) | (np.bincount(of_person, weights=given != first[of_person], minlength=sizes.size) > 0)
    if wrong.any():
        raise BadOption(
            f"population_clusters differs within, or is less than the sample of, strata {labels[wrong][:10].tolist()}.",
            remedy="Give every person the number of clusters in the population of their stratum.",
        )
    return np.asarray(1.0 - sizes / first)
