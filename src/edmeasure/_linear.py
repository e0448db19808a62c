"""Small linear algebra whose every bit is independent of the number of threads.

BLAS and LAPACK split sums by thread; here persons are cut into parts that are summed in order,
vectors go through ``einsum``, which on its own calls no BLAS, and eigenvectors come from Jacobi
rotations.
"""

from __future__ import annotations

import numpy as np

from edmeasure._loops import each, exact, parts_of, reordered
from edmeasure._validate import FloatArray, IntArray

SWEEPS = 60
STRIPES = 32


@reordered
def _add_gram(x: FloatArray, weights: FloatArray, total: FloatArray) -> None:
    """Add the lower half of X' diag(weights) X to ``total``."""
    for i in range(x.shape[0]):
        for a in range(x.shape[1]):
            factor = weights[i] * x[i, a]
            for b in range(a + 1):
                total[a, b] += factor * x[i, b]


@reordered
def _add_product(x: FloatArray, y: FloatArray, total: FloatArray) -> None:
    for i in range(x.shape[0]):
        for a in range(x.shape[1]):
            for c in range(y.shape[1]):
                total[i, c] += x[i, a] * y[a, c]


@reordered
def _add_indicator_rows(
    first: int, starts: IntArray, columns: IntArray, rank: IntArray, weights: FloatArray, grams: FloatArray
) -> None:
    """Rows ``first``, ``first + STRIPES``, ... of the sums of ``add_indicator_grams``."""
    for a in range(first, rank.shape[1], STRIPES):
        for i in range(rank.shape[0]):
            for at in range(starts[i], starts[i] + rank[i, a] + 1):
                target = grams[a, columns[at]]
                for q in range(weights.shape[1]):
                    target[q] += weights[i, q]


@exact
def _rotate(a: FloatArray, vectors: FloatArray, size: float) -> None:
    """Make symmetric ``a`` diagonal by cyclic Jacobi rotations, and turn ``vectors`` with it."""
    p = a.shape[0]
    for _sweep in range(SWEEPS):
        largest = 0.0
        for r in range(p - 1):
            for s in range(r + 1, p):
                if abs(a[r, s]) <= 1e-15 * size:
                    continue
                largest = max(largest, abs(a[r, s]))
                tau = (a[s, s] - a[r, r]) / (2.0 * a[r, s])
                t = 1.0 / (abs(tau) + np.sqrt(1.0 + tau * tau))
                if tau < 0.0:
                    t = -t
                c = 1.0 / np.sqrt(1.0 + t * t)
                d = t * c
                for k in range(p):
                    low, high = a[k, r], a[k, s]
                    a[k, r] = c * low - d * high
                    a[k, s] = d * low + c * high
                for k in range(p):
                    low, high = a[r, k], a[s, k]
                    a[r, k] = c * low - d * high
                    a[s, k] = d * low + c * high
                for k in range(p):
                    low, high = vectors[k, r], vectors[k, s]
                    vectors[k, r] = c * low - d * high
                    vectors[k, s] = d * low + c * high
        if largest <= 1e-14 * size:
            break


def weighted_gram(x: FloatArray, weights: FloatArray) -> FloatArray:
    """X' diag(weights) X of shape (p, p)."""
    parts = parts_of(x.shape[0])
    totals = np.zeros((len(parts), x.shape[1], x.shape[1]))

    def add(part: tuple[slice, FloatArray]) -> None:
        rows, total = part
        _add_gram(x[rows], weights[rows], total)

    each(add, list(zip(parts, totals, strict=True)))
    lower = totals.sum(axis=0)
    return np.asarray(lower + np.tril(lower, -1).T)


def weighted_moment(x: FloatArray, values: FloatArray) -> FloatArray:
    """X' values of shape (p,)."""
    return np.asarray(np.einsum("i,ia->a", values, x))


def combination(x: FloatArray, coefficients: FloatArray) -> FloatArray:
    """X coefficients of shape (n,)."""
    return np.asarray(np.einsum("ia,a->i", x, coefficients))


def product(x: FloatArray, y: FloatArray) -> FloatArray:
    """X Y for a tall X (n, p) and a small Y (p, k)."""
    total = np.zeros((x.shape[0], y.shape[1]))
    each(lambda rows: _add_product(x[rows], y, total[rows]), parts_of(x.shape[0]))
    return total


def add_indicator_grams(starts: IntArray, columns: IntArray, rank: IntArray, weights: FloatArray, grams: FloatArray) -> None:
    """Add sum_i x_ia x_ib weights[i, :] to ``grams[a, b, :]`` for b <= a and 0/1 columns.

    ``columns[starts[i]:starts[i+1]]`` are person i's columns that hold 1, rising; ``rank[i, a]``
    is the place of column a among them, or -1.
    """
    filled = np.ascontiguousarray(columns)
    # a later row is longer: stripes hold rows from everywhere, and so equal work
    each(lambda first: _add_indicator_rows(first, starts, filled, rank, weights, grams), range(STRIPES))


def eigen(symmetric: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues, largest first, and eigenvectors in columns."""
    a, vectors = symmetric.copy(), np.eye(symmetric.shape[0])
    _rotate(a, vectors, float(np.abs(a).max(initial=0.0)))
    order = np.argsort(-np.diag(a), kind="stable")
    return np.diag(a)[order], np.ascontiguousarray(vectors[:, order])
