"""Rotation of factor loadings: orthogonal and oblique, by gradient projection from many starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray
from edmeasure.errors import BadOption, BadShape
from edmeasure.profiles import _criteria
from edmeasure.profiles._criteria import Criterion

ORTHOGONAL = ("varimax", "quartimax", "equamax", "parsimax", "bifactor")
METHODS = (*ORTHOGONAL, "oblimin", "promax", "geomin", "target")
FLAT = 1e-8
MOST_TURNS = 2000
SHORTEST_STEP = 1e-14
SAME_VALUE = 1e-6
PROMAX_POWER = 4


@dataclass(frozen=True, eq=False)
class Rotation(Exported):
    """Rotated factors, those that explain most first, each pointing where its large loadings do.

    Attributes
    ----------
    loadings : float64 (J, m)
        The pattern: given loadings x inverse of ``turn``, transposed.
    turn : float64 (m, m)
        Columns of length one; ``turn.T @ turn`` are the factor correlations.
    factor_correlations : float64 (m, m)
    method : str
    criterion : float
        What was made small, of the loadings (divided by the roots of the communalities where Kaiser's
        weights were used); NaN for promax, which has none.
    n_starts, n_agreeing : int
        Starts tried, and those that ended at this criterion.
    converged : bool
    """

    loadings: FloatArray
    turn: FloatArray
    factor_correlations: FloatArray
    method: str
    criterion: float
    n_starts: int
    n_agreeing: int
    converged: bool

    @property
    def structure(self) -> FloatArray:
        """Correlations of items and factors, (J, m)."""
        return self.loadings @ self.factor_correlations

    def _columns(self) -> Mapping[str, object]:
        return {f"factor_{at + 1}": column for at, column in enumerate(self.loadings.T)}

    def __str__(self) -> str:
        m = self.loadings.shape[1]
        apart = np.abs(self.factor_correlations[~np.eye(m, dtype=bool)])
        related = f"correlations up to {apart.max():.2f}" if m > 1 else "one factor"
        return (
            f"{self.method} of {self.loadings.shape[0]} items on {m} factors: {related}, "
            f"{self.n_agreeing} of {self.n_starts} starts agree" + ("" if self.converged else ", NOT CONVERGED")
        )


def rotate(
    loadings: npt.ArrayLike,
    *,
    method: str = "oblimin",
    kaiser: bool | None = None,
    gamma: float = 0.0,
    epsilon: float = 0.01,
    is_oblique: bool = True,
    target: npt.ArrayLike | None = None,
    n_starts: int = 30,
    rng: np.random.Generator | None = None,
) -> Rotation:
    """Turn factors so that every item loads on few of them.

    Parameters
    ----------
    loadings : (J, m)
    method
        Orthogonal: ``"varimax"`` (Kaiser 1958), ``"quartimax"``, ``"equamax"``, ``"parsimax"``,
        ``"bifactor"`` (one general factor, the others simple). Oblique: ``"oblimin"`` (quartimin
        where gamma is 0), ``"promax"`` (Hendrickson & White 1964), and ``"geomin"``, ``"target"``,
        orthogonal with ``is_oblique=False``.
    kaiser
        Give every item the same weight whatever its communality; default for varimax and promax only.
    gamma, epsilon
        Of oblimin (0 or less; the lower, the less factors correlate) and geomin.
    target : (J, m), optional
        Wanted loadings, NaN where any will do.
    n_starts, rng
        Where ``rng`` is given, random starts beside two fixed ones; the best end counts.

    Notes
    -----
    Gradient projection of Jennrich (2001, 2002), formulas as in Bernaards & Jennrich (2005). Geomin
    and target, and any method with many factors, have several ends: give ``rng``.
    """
    given = _checked(loadings)
    _validate.choice(method, "method", METHODS)
    if n_starts < 1:
        raise BadOption(f"n_starts is {n_starts}.", remedy="Use at least 1.")
    weights = _row_weights(given, method in ("varimax", "promax") if kaiser is None else kaiser)
    n_factors = given.shape[1]
    starts = _starts(n_factors, n_starts, rng)
    criterion = _criterion(method, given.shape, gamma, epsilon, target)
    is_oblique = method == "oblimin" or (method in ("geomin", "target") and is_oblique)
    ends = [_descend(given / weights, criterion, start, is_oblique=is_oblique) for start in starts]
    best = min(ends, key=lambda end: end.value)
    agreeing = sum(end.value - best.value <= SAME_VALUE * max(1.0, abs(best.value)) for end in ends)
    turn = _promax_turn(given / weights, best.turn) if method == "promax" else best.turn
    value = np.nan if method == "promax" else best.value
    found = Rotation(
        loadings=given @ np.linalg.inv(turn).T,
        turn=turn,
        factor_correlations=turn.T @ turn,
        method=method,
        criterion=float(value),
        n_starts=len(ends),
        n_agreeing=agreeing,
        converged=best.converged,
    )
    if isinstance(criterion, _criteria.Target):
        return _ordered(found, kept=n_factors, is_signed=(criterion.wanted != 0).any(axis=0))
    return _ordered(found, kept=1 if method == "bifactor" else 0, is_signed=np.zeros(n_factors, dtype=np.bool_))


@dataclass(frozen=True, eq=False)
class _End:
    turn: FloatArray
    value: float
    converged: bool


def _descend(loadings: FloatArray, criterion: Criterion, start: FloatArray, *, is_oblique: bool) -> _End:
    """Gradient projection from one start, steps halved until the criterion falls enough."""
    if loadings.shape[1] == 1:
        return _End(start, criterion(loadings)[0], True)
    turn, step, converged = start, 1.0, False

    def at(turn: FloatArray) -> tuple[float, FloatArray]:
        back = np.linalg.inv(turn).T if is_oblique else turn
        pattern = loadings @ back
        value, gradient = criterion(pattern)
        if is_oblique:
            return value, -(pattern.T @ gradient @ back.T).T
        return value, loadings.T @ gradient

    value, gradient = at(turn)
    for _ in range(MOST_TURNS):
        tangent = _projected(turn, gradient, is_oblique=is_oblique)
        steepness = float(np.sum(tangent**2))
        if steepness < FLAT**2:
            converged = True
            break
        step *= 2
        while True:
            moved = _on_manifold(turn - step * tangent, is_oblique=is_oblique)
            value_there, gradient_there = at(moved)
            if value - value_there > 0.5 * steepness * step or step < SHORTEST_STEP:
                break
            step /= 2
        if step < SHORTEST_STEP:
            converged = steepness < FLAT
            break
        turn, value, gradient = moved, value_there, gradient_there
    return _End(turn, value, converged)


def _projected(turn: FloatArray, gradient: FloatArray, *, is_oblique: bool) -> FloatArray:
    """The part of the gradient along turns that are allowed."""
    if is_oblique:
        return np.asarray(gradient - turn * (turn * gradient).sum(axis=0))
    inner = turn.T @ gradient
    return np.asarray(gradient - turn @ (inner + inner.T) / 2)


def _on_manifold(turn: FloatArray, *, is_oblique: bool) -> FloatArray:
    if is_oblique:
        return np.asarray(turn / np.linalg.norm(turn, axis=0))
    left, _, right = np.linalg.svd(turn)
    return np.asarray(left @ right)


def _criterion(method: str, shape: tuple[int, ...], gamma: float, epsilon: float, target: npt.ArrayLike | None) -> Criterion:
    n_items, m = shape
    kappas = {
        "quartimax": 0.0,
        "varimax": 1 / n_items,
        "promax": 1 / n_items,
        "equamax": m / (2 * n_items),
        "parsimax": (m - 1) / max(n_items + m - 2, 1),
    }
    if method in kappas:
        return _criteria.CrawfordFerguson(kappas[method])
    if method == "bifactor":
        return _criteria.Bifactor()
    if method == "geomin":
        return _criteria.Geomin(_validate.positive(epsilon, "epsilon"))
    if method == "oblimin":
        if not gamma <= 0:
            raise BadOption(f"gamma is {gamma}.", remedy="Use 0 or less: above 0 factors may collapse into one.")
        return _criteria.Oblimin(gamma)
    wanted = np.asarray(np.nan if target is None else target, dtype=np.float64)
    if wanted.shape != shape:
        raise BadShape(f"The target has shape {wanted.shape}.", remedy=f"Give wanted loadings of shape {shape}.")
    if np.isinf(wanted).any() or np.isnan(wanted).all():
        raise BadOption("The target is infinite or wholly NaN.", remedy="Give wanted loadings, NaN where any will do.")
    return _criteria.Target(np.nan_to_num(wanted), np.isfinite(wanted))


def _checked(loadings: npt.ArrayLike) -> FloatArray:
    given = np.array(loadings, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] == 0 or given.shape[0] < given.shape[1]:
        raise BadShape(f"Loadings have shape {given.shape}.", remedy="Pass (n_items, n_factors), items at least factors.")
    if not np.isfinite(given).all():
        rows = np.flatnonzero(~np.isfinite(given).all(axis=1))[:10].tolist()
        raise BadOption(f"Loadings of rows {rows} are NaN or infinite.", remedy="Leave those items out.")
    return given


def _row_weights(loadings: FloatArray, kaiser: bool) -> FloatArray:
    """Roots of the communalities, (J, 1), or ones."""
    if not kaiser:
        return np.ones((loadings.shape[0], 1))
    lengths = np.linalg.norm(loadings, axis=1, keepdims=True)
    return np.asarray(np.where(lengths > 0, lengths, 1.0))


def _starts(n_factors: int, n_starts: int, rng: np.random.Generator | None) -> list[FloatArray]:
    """The axes as they are, askew, and at random; as they are they may lie on a ridge from which no slope leads down."""
    if n_factors == 1:
        return [np.eye(1)]
    askew = np.linalg.qr(np.sin(1.0 + np.arange(n_factors**2.0)).reshape(n_factors, n_factors) + np.eye(n_factors))[0]
    if rng is None:
        return [np.eye(n_factors), askew]
    return [np.eye(n_factors), askew, *[_random_turn(n_factors, rng) for _ in range(n_starts - 2)]][:n_starts]


def _random_turn(n_factors: int, rng: np.random.Generator) -> FloatArray:
    """A random orthogonal matrix, all equally likely (Stewart 1980)."""
    q, r = np.linalg.qr(rng.standard_normal((n_factors, n_factors)))
    return np.asarray(q * np.sign(np.diag(r)))


def _promax_turn(loadings: FloatArray, turn: FloatArray) -> FloatArray:
    """The oblique turn whose pattern is closest, by least squares, to powers of the varimax loadings."""
    simple = loadings @ turn
    wanted = simple * np.abs(simple) ** (PROMAX_POWER - 1)
    back = turn @ np.linalg.lstsq(simple, wanted, rcond=None)[0]
    if np.linalg.matrix_rank(back) < back.shape[0]:
        raise BadOption("Promax finds no place for a factor without loadings.", remedy="Use fewer factors, or oblimin.")
    oblique = np.linalg.inv(back).T
    return np.asarray(oblique / np.linalg.norm(oblique, axis=0))


def _ordered(rotation: Rotation, *, kept: int, is_signed: BoolArray) -> Rotation:
    """Factors from the most to the least explained variance, ``kept`` first ones in their places, signs where free.

    Of factors that explain the same to eight decimals, the one carried by earlier items comes first: rounding must not choose.
    """
    explained = np.round(np.einsum("jm,jm->m", rotation.loadings, rotation.structure), 8)
    carried = np.arange(rotation.loadings.shape[0]) @ np.round(rotation.loadings**2, 8)
    order = np.concatenate([np.arange(kept), kept + np.lexsort((carried[kept:], -explained[kept:]))])
    is_turned = ((rotation.loadings[:, order] ** 3).sum(axis=0) < 0) & ~is_signed
    sign = np.where(is_turned, -1.0, 1.0)
    turn = rotation.turn[:, order] * sign
    return replace(rotation, loadings=rotation.loadings[:, order] * sign, turn=turn, factor_correlations=turn.T @ turn)
