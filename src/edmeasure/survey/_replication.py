"""How the totals of every replicate follow from the totals of clusters, without the replicates' weights being written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import block_diag

from edmeasure import _linear
from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.errors import BadOption

SMALLEST_ORDER = 4


class Replication(Protocol):
    """Weights of C cells (clusters or half-samples) in R replicates; variance = sum_r c_r (t_r - t)^2."""

    @property
    def coefficients(self) -> FloatArray:
        """c_r, (R,)."""

    def totals(self, cells: FloatArray) -> FloatArray:
        """Totals of cells (k, C) to totals of replicates (k, R)."""

    def factors(self, chosen: IntArray) -> FloatArray:
        """What the weights of the chosen cells are multiplied by in every replicate, (n_chosen, R)."""

    def factors_in(self, r: int) -> FloatArray:
        """What the weights of all cells are multiplied by in replicate r, (C,)."""


@dataclass(frozen=True, eq=False)
class Halves:
    """Paired jackknife JK2: cells 2z and 2z + 1 are the halves of zone z; the first drops out, the second counts twice.

    ``is_two_sided`` also drops the second and doubles the first, each with half the weight (TIMSS since 2015).
    """

    n_zones: int
    is_two_sided: bool

    @property
    def coefficients(self) -> FloatArray:
        return np.full(2 * self.n_zones, 0.5) if self.is_two_sided else np.ones(self.n_zones)

    def totals(self, cells: FloatArray) -> FloatArray:
        change = cells[:, 1::2] - cells[:, 0::2]
        full = cells.sum(axis=1, keepdims=True)
        return np.concatenate([full + change, full - change], axis=1) if self.is_two_sided else full + change

    def factors(self, chosen: IntArray) -> FloatArray:
        given = np.ones((chosen.size, self.n_zones))
        given[np.arange(chosen.size), chosen // 2] = 2.0 * (chosen % 2)
        return np.concatenate([given, 2.0 - given], axis=1) if self.is_two_sided else given

    def factors_in(self, r: int) -> FloatArray:
        found = np.ones(2 * self.n_zones)
        zone, is_mirrored = r % self.n_zones, r >= self.n_zones
        found[2 * zone : 2 * zone + 2] = (2.0, 0.0) if is_mirrored else (0.0, 2.0)
        return found


@dataclass(frozen=True, eq=False)
class Dropped:
    """Jackknife JK1 (one stratum) and JKn: a cluster drops out, its stratum's others make up for it.

    ``strata`` (C,) is every cell's stratum, ``sizes`` (H,) their numbers of cells, ``kept`` (H,) the shares (1 - f_h) of
    the variance that count: 0 for strata that are no sample.
    """

    strata: IntArray
    sizes: FloatArray
    kept: FloatArray

    @property
    def used(self) -> IntArray:
        """Cells that drop out in some replicate."""
        return np.flatnonzero((self.kept > 0)[self.strata])

    @property
    def coefficients(self) -> FloatArray:
        chosen = self.strata[self.used]
        return np.asarray(self.kept[chosen] * (self.sizes[chosen] - 1) / self.sizes[chosen])

    def totals(self, cells: FloatArray) -> FloatArray:
        by_stratum = np.stack([np.bincount(self.strata, weights=row, minlength=self.sizes.size) for row in cells])
        chosen = self.strata[self.used]
        rest = self.sizes[chosen] / (self.sizes[chosen] - 1)
        left = by_stratum[:, chosen]
        return np.asarray(cells.sum(axis=1, keepdims=True) - left + rest * (left - cells[:, self.used]))

    def factors(self, chosen: IntArray) -> FloatArray:
        used = self.used
        own = self.strata[used]
        rest = self.sizes[own] / (self.sizes[own] - 1)
        same = self.strata[chosen][:, None] == own
        return np.where(chosen[:, None] == used, 0.0, np.where(same, rest, 1.0))

    def factors_in(self, r: int) -> FloatArray:
        cell = self.used[r]
        size = self.sizes[self.strata[cell]]
        found = np.where(self.strata == self.strata[cell], size / (size - 1), 1.0)
        found[cell] = 0.0
        return found


@dataclass(frozen=True, eq=False)
class Factored:
    """Any factors (R, C) of cells: balanced half-samples, Fay's, the bootstrap."""

    table: FloatArray
    scales: FloatArray

    @property
    def coefficients(self) -> FloatArray:
        return self.scales

    def totals(self, cells: FloatArray) -> FloatArray:
        return np.ascontiguousarray(_linear.product(self.table, np.ascontiguousarray(cells.T)).T)

    def factors(self, chosen: IntArray) -> FloatArray:
        return np.ascontiguousarray(self.table[:, chosen].T)

    def factors_in(self, r: int) -> FloatArray:
        return np.asarray(self.table[r])


def hadamard(least: int) -> FloatArray:
    """A matrix of -1 and 1 with orthogonal columns, the first all 1, of the smallest order >= ``least`` we can build.

    Built from Paley's (1933) two constructions for primes and Sylvester's doubling (1867): every multiple of four up to
    48, then few gaps (52 becomes 56, 92 becomes 96).
    """
    order = max(SMALLEST_ORDER, -(-least // 4) * 4)
    while (found := _hadamard(order)) is None:
        order += 4
    # rows with a leading -1 change sign: the first column is 1, so the others have sum 0
    return np.asarray(found * found[:, :1], dtype=np.float64)


def _hadamard(order: int) -> FloatArray | None:
    if order <= 2:
        return np.array([[1.0]]) if order == 1 else np.array([[1.0, 1.0], [1.0, -1.0]])
    if _is_prime(order - 1) and (order - 1) % 4 == 3:
        core = _paley_core(order - 1)
        skew = np.block([[np.zeros((1, 1)), np.ones((1, order - 1))], [-np.ones((order - 1, 1)), core]])
        return np.asarray(skew + np.eye(order), dtype=np.float64)
    half = order // 2
    if _is_prime(half - 1) and (half - 1) % 4 == 1:
        core = _paley_core(half - 1)
        whole = np.block([[np.zeros((1, 1)), np.ones((1, half - 1))], [np.ones((half - 1, 1)), core]])
        return np.asarray(np.kron(whole, [[1, 1], [1, -1]]) + block_diag(*[[[1, -1], [-1, -1]]] * half), dtype=np.float64)
    smaller = _hadamard(half) if order % 2 == 0 else None
    if smaller is None or (half > 2 and half % 4):
        return None
    return np.asarray(np.kron([[1.0, 1.0], [1.0, -1.0]], smaller), dtype=np.float64)


def _paley_core(q: int) -> FloatArray:
    """Q[i, j] = whether j - i is a square (1), none (-1) or zero modulo the prime q."""
    kind = -np.ones(q)
    kind[np.unique(np.arange(1, q) ** 2 % q)] = 1.0
    kind[0] = 0.0
    return np.asarray(kind[(np.arange(q)[None, :] - np.arange(q)[:, None]) % q])


def _is_prime(q: int) -> bool:
    return q > 1 and all(q % divisor for divisor in range(2, int(q**0.5) + 1))


def balanced(strata: IntArray, names: list[str], fay: float) -> Factored:
    """Half-samples of pairs of clusters, one pair per stratum, balanced by a Hadamard matrix.

    Balanced repeated replication (McCarthy 1969): the chosen half counts 2 - k, the other k (Fay: Judkins 1990; k = 0 is
    the plain method), and the variance is the mean square over (1 - k)^2.
    """
    sizes = np.bincount(strata)
    wrong = [names[h] for h in np.flatnonzero(sizes != 2)]
    if wrong:
        raise BadOption(
            f"{len(wrong)} strata do not hold two clusters: {', '.join(wrong[:10])}.",
            remedy="Pair the clusters (join or split strata), or use the jackknife JKn or the bootstrap.",
        )
    signs = hadamard(sizes.size + 1)[:, 1 : sizes.size + 1]
    order = np.argsort(strata, kind="stable")
    table = np.empty((signs.shape[0], strata.size))
    table[:, order[0::2]] = 1 + (1 - fay) * signs
    table[:, order[1::2]] = 1 - (1 - fay) * signs
    return Factored(table, np.full(signs.shape[0], 1 / (signs.shape[0] * (1 - fay) ** 2)))


def resampled(strata: IntArray, sampled: BoolArray, n_replicates: int, rng: np.random.Generator) -> Factored:
    """Bootstrap of n_h - 1 clusters per stratum, with replacement, factors m n_h / (n_h - 1) (Rao & Wu 1988).

    Cells of strata that are not ``sampled`` keep their weight.
    """
    table = np.ones((n_replicates, strata.size))
    order = np.argsort(strata, kind="stable")
    bounds = np.searchsorted(strata[order], np.arange(sampled.size + 1))
    for h in np.flatnonzero(sampled):
        members = order[bounds[h] : bounds[h + 1]]
        drawn = rng.multinomial(members.size - 1, np.full(members.size, 1 / members.size), size=n_replicates)
        table[:, members] = drawn * (members.size / (members.size - 1))
    return Factored(table, np.full(n_replicates, 1 / n_replicates))
