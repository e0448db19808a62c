"""Quantile regression by a primal-dual interior point method.

Minimising sum rho_tau(y - X beta) is, in its dual, to maximise y'd over 0 <= d <= 1 with
X'd = (1 - tau) X'1 (Koenker & Bassett 1978); predictor and corrector steps follow Mehrotra (1992), as
Portnoy & Koenker (1997) advise.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edmeasure._validate import FloatArray

MOST_STEPS = 200
NEARLY_ALL = 0.99995
CLOSED = 1e-9
MANY = 10_000
BAND = 2.0
REPAIRS = 5
SPANNED = 1e-10
RIDGE = 1e-13


def quantile_coefficients(design: FloatArray, outcome: FloatArray, taus: FloatArray) -> FloatArray:
    """Coefficients of every quantile, (n_taus, p); ``design`` (n, p) holds the constant itself."""
    centre, spread = float(outcome.mean()), float(outcome.std()) or 1.0
    left, lengths, right = np.linalg.svd(design, full_matrices=False)
    spanned = lengths > SPANNED * lengths[0]
    basis, back = left[:, spanned], right[spanned].T / lengths[spanned]
    y = (outcome - centre) / spread
    # standardising the outcome moves the constant, which lies in the span of the design
    constant = np.linalg.lstsq(design, np.ones(y.size), rcond=None)[0]
    found = np.empty((taus.size, basis.shape[1]))
    near = basis[:: max(y.size // MANY, 1)], y[:: max(y.size // MANY, 1)]
    for at, tau in enumerate(taus.tolist()):
        if y.size <= MANY:
            found[at] = _one_quantile(basis, y, tau)
        else:
            found[at] = _among_many(basis, y, tau, found[at - 1] if at else _one_quantile(*near, tau))
    return np.asarray(found @ back.T * spread + centre * constant)


def _among_many(X: FloatArray, y: FloatArray, tau: float, guess: FloatArray) -> FloatArray:
    """The same optimum from the persons near the quantile (Portnoy & Koenker 1997, section 5).

    Those far above or far below by ``guess``, a solution close by, enter as one sum each. When
    nobody of them turns out to lie on the other side the solution is that of all persons;
    otherwise those who do join the others and it is solved again.
    """
    n, p = X.shape
    band = BAND * np.sqrt(n * p) / n
    while True:
        away = y - X @ guess
        edges = np.quantile(away, np.clip([tau - band, tau + band], 0.0, 1.0))
        below = (away < edges[0]) & (tau > band)
        above = (away > edges[1]) & (tau + band < 1)
        for _ in range(REPAIRS):
            kept = ~(below | above)
            far = [side for side in (below, above) if side.any()]
            rows = np.concatenate([X[kept], *[X[side].sum(axis=0)[None, :] for side in far]])
            values = np.concatenate([y[kept], *[[y[side].sum()] for side in far]])
            beta = _one_quantile(rows, values, tau)
            away = y - X @ beta
            wrong = (below & (away > 0)) | (above & (away < 0))
            if not wrong.any():
                return beta
            if wrong.sum() > kept.sum():
                break
            below &= ~wrong
            above &= ~wrong
        guess, band = beta, 2 * band


def _one_quantile(X: FloatArray, y: FloatArray, tau: float) -> FloatArray:
    d = np.full(y.size, 1 - tau)
    beta = X.T @ y
    residual = y - X @ beta
    floor = max(float(np.abs(residual).mean()), 1e-3)
    w, z = np.maximum(residual, 0) + floor, np.maximum(-residual, 0) + floor
    wanted = (1 - tau) * X.sum(axis=0)
    for _ in range(MOST_STEPS):
        s = 1 - d
        gap = float(d @ z + s @ w)
        if gap < CLOSED * y.size:
            break
        weight = 1 / (z / d + w / s)
        inside = X.T @ (weight[:, None] * X)
        missing = wanted - X.T @ d
        zero = np.zeros(y.size)
        trial = _direction(X, y - X @ beta, (d, s, z, w), weight, inside, missing, (zero, zero))
        along_d, _, along_z, along_w = trial
        primal, dual = _reach((d, along_d), (s, -along_d)), _reach((z, along_z), (w, along_w))
        left = (d + primal * along_d) @ (z + dual * along_z) + (s - primal * along_d) @ (w + dual * along_w)
        mu = gap / (2 * y.size) * (float(left) / gap) ** 3
        aims = mu - along_d * along_z, mu + along_d * along_w
        along_d, along_beta, along_z, along_w = _direction(X, y - X @ beta, (d, s, z, w), weight, inside, missing, aims)
        primal, dual = _reach((d, along_d), (s, -along_d)), _reach((z, along_z), (w, along_w))
        d = d + primal * along_d
        beta, z, w = beta + dual * along_beta, z + dual * along_z, w + dual * along_w
    return beta


def _direction(
    X: FloatArray,
    residual: FloatArray,
    point: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    weight: FloatArray,
    inside: FloatArray,
    missing: FloatArray,
    aims: tuple[FloatArray, FloatArray],
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Newton direction of d, beta, z and w towards d z = aims[0], (1 - d) w = aims[1]."""
    d, s, z, w = point
    right = residual + aims[0] / d - aims[1] / s
    # persons near the quantile may not span the design; the ridge is far below the solution's own rounding
    ridge = RIDGE * np.trace(inside) * np.eye(inside.shape[0])
    along_beta = np.asarray(np.linalg.solve(inside + ridge, X.T @ (weight * right) - missing), dtype=np.float64)
    along_d = weight * (right - X @ along_beta)
    return along_d, along_beta, (aims[0] - z * along_d) / d - z, (aims[1] + w * along_d) / s - w


def _reach(*pairs: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]) -> float:
    """The longest step, at most 1, that keeps every value positive."""
    longest = 1.0
    for value, along in pairs:
        falls = along < 0
        if falls.any():
            longest = min(longest, NEARLY_ALL * float((-value[falls] / along[falls]).min()))
    return longest
