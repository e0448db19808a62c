"""Small linear algebra whose every bit is independent of the number of threads.

BLAS and LAPACK split sums by thread; here persons are cut into a fixed number of chunks that are
summed in order, and eigenvectors come from Jacobi rotations.
"""

# mypy: disable-error-code="untyped-decorator"
from __future__ import annotations

import numpy as np
from numba import njit, prange

from edmeasure._validate import FloatArray, IntArray

CHUNKS = 32
SWEEPS = 60


@njit(parallel=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def weighted_gram(x: FloatArray, weights: FloatArray) -> FloatArray:
    """X' diag(weights) X of shape (p, p)."""
    n, p = x.shape
    parts = np.zeros((CHUNKS, p, p))
    for chunk in prange(CHUNKS):
        for i in range(chunk * n // CHUNKS, (chunk + 1) * n // CHUNKS):
            for a in range(p):
                factor = weights[i] * x[i, a]
                for b in range(a + 1):
                    parts[chunk, a, b] += factor * x[i, b]
    total = np.zeros((p, p))
    for chunk in range(CHUNKS):
        total += parts[chunk]
    for a in range(p):
        for b in range(a):
            total[b, a] = total[a, b]
    return total


@njit(parallel=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def add_indicator_grams(starts: IntArray, columns: IntArray, rank: IntArray, weights: FloatArray, grams: FloatArray) -> None:
    """Add sum_i x_ia x_ib weights[i, :] to ``grams[a, b, :]`` for b <= a and 0/1 columns.

    ``columns[starts[i]:starts[i+1]]`` are person i's columns that hold 1, rising; ``rank[i, a]``
    is the place of column a among them, or -1. Rows of ``grams`` are shared out in pairs of
    equal work.
    """
    n, width = rank.shape
    for pair in prange((width + 1) // 2):
        for half in range(2):
            a = np.int64(pair) if half == 0 else width - 1 - np.int64(pair)
            if half == 1 and a == np.int64(pair):
                continue
            for i in range(n):
                if rank[i, a] < 0:
                    continue
                for at in range(starts[i], starts[i] + rank[i, a] + 1):
                    target = grams[a, columns[at]]
                    for q in range(weights.shape[1]):
                        target[q] += weights[i, q]


@njit(parallel=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def weighted_moment(x: FloatArray, values: FloatArray) -> FloatArray:
    """X' values of shape (p,)."""
    n, p = x.shape
    parts = np.zeros((CHUNKS, p))
    for chunk in prange(CHUNKS):
        for i in range(chunk * n // CHUNKS, (chunk + 1) * n // CHUNKS):
            for a in range(p):
                parts[chunk, a] += values[i] * x[i, a]
    total = np.zeros(p)
    for chunk in range(CHUNKS):
        total += parts[chunk]
    return total


@njit(parallel=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def product(x: FloatArray, y: FloatArray) -> FloatArray:
    """X Y for a tall X (n, p) and a small Y (p, k)."""
    n, p = x.shape
    k = y.shape[1]
    result = np.zeros((n, k))
    for i in prange(n):
        for a in range(p):
            for c in range(k):
                result[i, c] += x[i, a] * y[a, c]
    return result


@njit(cache=True)
def eigen(symmetric: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues, largest first, and eigenvectors in columns, by cyclic Jacobi rotations."""
    p = symmetric.shape[0]
    a = symmetric.copy()
    vectors = np.eye(p)
    size = np.abs(a).max() if p else 0.0
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
    values = np.diag(a).copy()
    order = np.argsort(-values)
    return values[order], vectors[:, order]
