"""Confirmatory factor analysis: does each question measure the factor it was written for, and no other?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import chdtrc

from edmeasure._export import Exported
from edmeasure._validate import FloatArray, IntArray
from edmeasure.errors import BadOption, BadShape, MissingPackage
from edmeasure.profiles._table import Data, read_table
from edmeasure.profiles.correlations import Correlations, correlate
from edmeasure.profiles.exploration import rmsea_interval

FLAT = 1e-7
MODERATE_SLOPE = 1e-3
FEWEST_PER_FACTOR = 2

Model = Mapping[str, Sequence[str]]


@dataclass(frozen=True, eq=False)
class ConfirmedFactors(Exported):
    """A factor model fitted to J items, rows in the order of the model.

    Attributes
    ----------
    item_ids : tuple of str; factors : tuple of str
    loadings, loading_se : float64 (J, m)
        On the scale of the first item of each factor, whose loading is 1 and has no error (NaN);
        0 where the model has no loading.
    standardized : float64 (J, m)
        The same with items and factors of deviation 1.
    uniqueness : float64 (J,)
        Share of an item's variance that its factors do not explain.
    factor_correlations : float64 (m, m)
    factor_variances, error_variances : float64 (m,), (J,)
    chi_square, degrees, p_value
        Likelihood ratio against free covariances, n x the minimum of the fit function.
    cfi, tli, rmsea, rmsea_interval, srmr
        Bentler's (1990) comparative fit, from 0.95 good; Tucker & Lewis; misfit per degree of freedom with
        its 90 % interval, to 0.06 good; root mean square residual correlation, to 0.08 good (Hu & Bentler 1999).
    n_dropped : int
        Persons left out because a value was missing.
    improper : tuple of str
        Items and factors with a variance of 0 or less: the model does not fit its data.
    """

    item_ids: tuple[str, ...]
    factors: tuple[str, ...]
    loadings: FloatArray
    loading_se: FloatArray
    standardized: FloatArray
    uniqueness: FloatArray
    factor_correlations: FloatArray
    factor_variances: FloatArray
    error_variances: FloatArray
    chi_square: float
    degrees: int
    p_value: float
    cfi: float
    tli: float
    rmsea: float
    rmsea_interval: tuple[float, float]
    srmr: float
    n_persons: int
    n_dropped: int
    improper: tuple[str, ...]
    converged: bool

    def _columns(self) -> Mapping[str, object]:
        factors = dict(zip(self.factors, self.standardized.T, strict=True))
        return {"item": self.item_ids, **factors, "uniqueness": self.uniqueness}

    def __str__(self) -> str:
        low, high = self.rmsea_interval
        rmsea = f"RMSEA {self.rmsea:.4f} ({low:.4f} to {high:.4f}), SRMR {self.srmr:.4f}"
        lines = [
            f"{len(self.factors)} factors of {len(self.item_ids)} items, {self.n_persons:,} persons"
            + (f" ({self.n_dropped:,} left out for gaps)" if self.n_dropped else "")
            + ("" if self.converged else ", NOT CONVERGED"),
            f"chi2({self.degrees}) = {self.chi_square:.3f}, CFI {self.cfi:.4f}, TLI {self.tli:.4f}, {rmsea}",
        ]
        if self.improper:
            lines.append("variance of 0 or less: " + ", ".join(self.improper))
        width = max(len(name) for name in self.item_ids)
        for name, row in zip(self.item_ids, self.standardized, strict=True):
            told = ", ".join(f"{self.factors[at]} {row[at]:.3f}" for at in np.flatnonzero(row))
            lines.append(f"{name:<{width}} {told}")
        return "\n".join(lines)


def confirm_factors(
    data: Data | Correlations,
    model: Model,
    *,
    item_ids: Sequence[str] | None = None,
    weights: npt.ArrayLike | None = None,
    is_orthogonal: bool = False,
) -> ConfirmedFactors:
    """Fit a model of factors and their items by normal maximum likelihood (needs the extra ``sem``).

    Parameters
    ----------
    data
        Responses, (n, J), or ``Correlations``; persons with a gap are left out. Loadings from
        polychoric correlations are right, their chi-square and errors too favourable.
    model
        Items of every factor: ``{"visual": ["x1", "x2", "x3"], ...}``; an item may load on several.
    is_orthogonal
        Factors do not correlate.

    Notes
    -----
    semopy (Igolkina & Meshcheryakov 2020) builds and fits the model and gives the errors; its solution
    is taken on to a gradient below 1e-7. Chi-square, CFI and RMSEA are as in other programs.
    """
    used = _used_items(model)
    covariance, n_persons, n_dropped = _covariances(data, used, weights, item_ids)
    known = {name: f"v{at}" for at, name in enumerate(used)}
    formula = [f"f{at} =~ " + " + ".join(known[name] for name in names) for at, names in enumerate(model.values())]
    if is_orthogonal:
        formula += [f"f{a} ~~ 0 * f{b}" for b in range(len(model)) for a in range(b)]
    table = _module("pandas").DataFrame(covariance, index=list(known.values()), columns=list(known.values()))
    fitted = _module("semopy").Model("\n".join(formula))
    with np.errstate(all="ignore"):
        fitted.fit(cov=table, n_samples=n_persons)
        misfit, slope = _polish(fitted)
        told = fitted.inspect()
    return _result(told, covariance, used, tuple(model), n_persons, n_dropped, misfit, bool(slope < MODERATE_SLOPE))


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as missing:
        raise MissingPackage("semopy is not installed.", remedy="Run `pip install 'edmeasure[sem]'`.") from missing


def _used_items(model: Model) -> tuple[str, ...]:
    """Every item once, in the order of the model."""
    if not model:
        raise BadOption("The model has no factor.", remedy="Pass {factor: [items]}.")
    for factor, names in model.items():
        if isinstance(names, str) or len(names) < FEWEST_PER_FACTOR or len(set(names)) < len(names):
            raise BadOption(f"Factor {factor} has the items {names!r}.", remedy="Name at least two different items.")
    return tuple(dict.fromkeys(name for names in model.values() for name in names))


def _covariances(
    data: Data | Correlations, used: tuple[str, ...], weights: npt.ArrayLike | None, item_ids: Sequence[str] | None
) -> tuple[FloatArray, int, int]:
    """Covariances of the used items, the persons behind them, and those left out."""
    if isinstance(data, Correlations):
        names, dropped, given = data.item_ids, 0, data
    else:
        table = read_table(data, weights, item_ids)
        names = table.item_ids
        at = _positions(names, used)
        whole = table.present[:, at].all(axis=1) & (table.weights > 0)
        dropped = int((table.weights > 0).sum() - whole.sum())
        given = correlate(table.values[whole][:, at], weights=table.weights[whole], item_ids=used)
        names = used
    at = _positions(names, used)
    spreads = given.spreads[at] if given.kind == "pearson" else np.ones(at.size)
    if given.n_persons <= len(used):
        raise BadShape(f"{given.n_persons} persons for {len(used)} items.", remedy="Pass more persons, or fewer items.")
    return given.matrix[np.ix_(at, at)] * np.outer(spreads, spreads), given.n_persons, dropped


def _positions(names: Sequence[str], used: Sequence[str]) -> IntArray:
    strangers = [name for name in used if name not in names]
    if strangers:
        raise BadOption(f"There are no items {', '.join(strangers[:10])}.", remedy=f"Items begin with {', '.join(names[:10])}.")
    return np.array([list(names).index(name) for name in used], dtype=np.int64)


def _polish(fitted: Any) -> tuple[float, float]:
    """Take semopy's solution on to a flat gradient; its fit function there, and the steepest slope."""
    value, gradient = fitted.get_objective("MLW")
    found = minimize(value, fitted.param_vals, jac=gradient, method="BFGS", options={"gtol": FLAT, "maxiter": 2000})
    if found.fun <= value(fitted.param_vals):
        fitted.param_vals = found.x
    fitted.update_matrices(fitted.param_vals)
    return float(value(fitted.param_vals)), float(np.abs(gradient(fitted.param_vals)).max())


def _result(
    told: Any,
    covariance: FloatArray,
    used: tuple[str, ...],
    factors: tuple[str, ...],
    n_persons: int,
    n_dropped: int,
    misfit: float,
    converged: bool,
) -> ConfirmedFactors:
    n_items, m = len(used), len(factors)
    loadings, errors = np.zeros((n_items, m)), np.zeros((n_items, m))
    phi, unique = np.zeros((m, m)), np.zeros(n_items)
    n_free = 0
    for left, kind, right, estimate, error in told.iloc[:, :5].itertuples(index=False):
        is_free = isinstance(error, float) and np.isfinite(error)
        n_free += int(not isinstance(error, str))
        if kind == "~":
            at = int(left[1:]), int(right[1:])
            loadings[at], errors[at] = float(estimate), float(error) if is_free else np.nan
        elif left[0] == "f":
            a, b = int(left[1:]), int(right[1:])
            phi[a, b] = phi[b, a] = float(estimate)
        elif left == right:
            unique[int(left[1:])] = float(estimate)
    implied = loadings @ phi @ loadings.T + np.diag(unique)
    spreads, deviations = np.sqrt(np.diag(implied)), np.sqrt(np.maximum(np.diag(phi), 1e-300))
    degrees = n_items * (n_items + 1) // 2 - n_free
    if degrees < 0:
        raise BadOption(f"The model leaves {degrees} degrees of freedom.", remedy="Use more items, or fewer loadings.")
    improper = [used[at] for at in np.flatnonzero(unique <= 0)] + [factors[at] for at in np.flatnonzero(np.diag(phi) <= 0)]
    return ConfirmedFactors(
        item_ids=used,
        factors=factors,
        loadings=loadings,
        loading_se=errors,
        standardized=loadings * deviations / spreads[:, None],
        uniqueness=unique / spreads**2,
        factor_correlations=phi / np.outer(deviations, deviations),
        factor_variances=np.diag(phi).copy(),
        error_variances=unique,
        degrees=degrees,
        **_fit(covariance, implied, misfit, degrees, n_persons),
        rmsea_interval=rmsea_interval(n_persons * misfit, degrees, n_persons + 1) if degrees else (0.0, 0.0),
        n_persons=n_persons,
        n_dropped=n_dropped,
        improper=tuple(improper),
        converged=converged,
    )


def _fit(covariance: FloatArray, implied: FloatArray, misfit: float, degrees: int, n_persons: int) -> dict[str, float]:
    n_items = covariance.shape[0]
    chi_square = max(n_persons * misfit, 0.0)
    spreads = np.sqrt(np.diag(covariance))
    r = covariance / np.outer(spreads, spreads)
    null, null_degrees = -n_persons * float(np.linalg.slogdet(r)[1]), n_items * (n_items - 1) // 2
    excess, null_excess = max(chi_square - degrees, 0.0), max(null - null_degrees, 1e-300)
    residual = (r - implied / np.outer(spreads, spreads))[np.tril_indices(n_items)]
    ratio = null / null_degrees
    return {
        "chi_square": chi_square,
        "p_value": float(chdtrc(degrees, chi_square)) if degrees else 1.0,
        "cfi": 1 - excess / max(null_excess, excess, 1e-300),
        "tli": (ratio - chi_square / degrees) / (ratio - 1) if degrees and ratio > 1 else 1.0,
        "rmsea": float(np.sqrt(excess / (degrees * n_persons))) if degrees else 0.0,
        "srmr": float(np.sqrt(np.mean(residual**2))),
    }
