"""Exploratory factor analysis: how many factors, what loads on them, how well they explain the correlations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import chdtrc, chndtr

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray
from edmeasure.errors import BadOption
from edmeasure.profiles._table import Data, Table, read_table, read_values
from edmeasure.profiles.correlations import Adequacy, Correlations, correlate, sampling_adequacy
from edmeasure.profiles.extraction import LEAST_UNIQUENESS, least_residual_loadings, likelihood_loadings
from edmeasure.profiles.factor_scores import FactorScores, score_factors
from edmeasure.profiles.rotation import Rotation, rotate

EXTRACTIONS = {"minres": least_residual_loadings, "ml": likelihood_loadings}
ON_EDGE = 1e-6
CONFIDENCE = 0.90
SHOWN = 0.30
BLANK = "."


@dataclass(frozen=True, eq=False)
class FactorAnalysis(Exported):
    """Common factors of J items.

    Attributes
    ----------
    loadings : float64 (J, m)
        Pattern after rotation, factors that explain most first.
    factor_correlations : float64 (m, m)
    uniqueness : float64 (J,)
        Variance of a standardised item that the factors do not explain; 1 - communality.
    explained : float64 (m,)
        Share of the items' variance that goes with each factor.
    chi_square, degrees, p_value
        Likelihood-ratio test of exact fit with Bartlett's (1951) correction. Two or more thousand persons
        refuse nearly every model: look at ``rmsea`` and ``residual``.
    rmsea, rmsea_interval : float, (float, float)
        Steiger & Lind's misfit per degree of freedom with its 90 % interval; up to 0.05 close, 0.08 fair.
    tli : float
        Tucker & Lewis (1973).
    residual : float
        Root mean square of the residual correlations.
    bic : float
        chi_square - degrees x log(n): less is better.
    at_edge : tuple of str
        Items explained wholly (Heywood cases): too many factors or too few items of theirs.
    """

    item_ids: tuple[str, ...]
    method: str
    loadings: FloatArray
    factor_correlations: FloatArray
    uniqueness: FloatArray
    explained: FloatArray
    chi_square: float
    degrees: int
    p_value: float
    rmsea: float
    rmsea_interval: tuple[float, float]
    tli: float
    residual: float
    bic: float
    at_edge: tuple[str, ...]
    rotation: Rotation
    adequacy: Adequacy
    correlations: Correlations

    @property
    def communality(self) -> FloatArray:
        """Variance of every standardised item that the factors explain."""
        return 1 - self.uniqueness

    @property
    def n_factors(self) -> int:
        return int(self.loadings.shape[1])

    def scores(self, data: Data, *, method: str = "regression") -> FactorScores:
        """Factor scores of persons, of the fit or new ones, in the scale of the fit.

        ``"regression"`` (Thurstone 1935) predicts best and shrinks to 0 where little is known, for any
        pattern of missing answers; ``"bartlett"`` (1937) is unbiased and NaN where a person has too few answers.
        """
        values = read_values(data, self.item_ids)
        return score_factors(self.correlations, self.loadings, self.factor_correlations, self.uniqueness, values, method)

    def _columns(self) -> Mapping[str, object]:
        factors = {f"factor_{at + 1}": column for at, column in enumerate(self.loadings.T)}
        return {"item": self.item_ids, **factors, "communality": self.communality, "uniqueness": self.uniqueness}

    def __str__(self) -> str:
        low, high = self.rmsea_interval
        by = f"{len(self.item_ids)} items ({self.method}, {self.rotation.method})"
        rmsea = f"RMSEA {self.rmsea:.4f} ({low:.4f} to {high:.4f})"
        shares = ", ".join(f"{share:.1%}" for share in self.explained)
        lines = [
            f"{self.n_factors} factors of {by} explain {self.explained.sum():.1%}: {shares}",
            f"chi2({self.degrees}) = {self.chi_square:.2f}, {rmsea}, TLI {self.tli:.4f}, residual {self.residual:.4f}",
            str(self.adequacy),
        ]
        if self.correlations.is_lifted:
            lines.append(str(self.correlations))
        if self.at_edge:
            lines.append("explained wholly: " + ", ".join(self.at_edge))
        width = max(len(name) for name in self.item_ids)
        for name, row, common in zip(self.item_ids, self.loadings, self.communality, strict=True):
            cells = " ".join(f"{value:6.2f}" if abs(value) >= SHOWN else f"{BLANK:>6}" for value in row)
            lines.append(f"{name:<{width}} {cells}   h2 {common:.2f}")
        return "\n".join(lines)


def explore_factors(
    data: Data | Correlations,
    n_factors: int,
    *,
    method: str = "minres",
    rotation: str = "oblimin",
    kind: str = "pearson",
    weights: npt.ArrayLike | None = None,
    item_ids: Sequence[str] | None = None,
    n_starts: int = 30,
    rng: np.random.Generator | None = None,
) -> FactorAnalysis:
    """Exploratory factor analysis of answers or of their correlations.

    Parameters
    ----------
    data
        Responses, (n, J) with NaN where there is no answer, or ``Correlations``.
    n_factors
        See `parallel_analysis`.
    method
        ``"minres"``, least residuals; ``"ml"``, maximum likelihood.
    rotation
        A method of `rotate`, or ``"none"``.
    kind
        ``"polychoric"`` for right/wrong answers and few grades; the chi-square is then too large.
    n_starts, rng
        Of the rotation.

    Notes
    -----
    The chi-square takes all persons as complete: with much missing it is too large.
    """
    _validate.choice(method, "method", tuple(EXTRACTIONS))
    given = data if isinstance(data, Correlations) else correlate(data, kind=kind, weights=weights, item_ids=item_ids)
    n_items = len(given.item_ids)
    degrees = ((n_items - n_factors) ** 2 - n_items - n_factors) // 2
    if n_factors < 1 or n_factors >= n_items or degrees < 0:
        raise BadOption(
            f"{n_factors} factors of {n_items} items leave {degrees} degrees of freedom.",
            remedy="Use fewer factors, at least one, or more items.",
        )
    unrotated = EXTRACTIONS[method](given.matrix, n_factors)
    turned = _unturned(unrotated) if rotation == "none" else rotate(unrotated, method=rotation, n_starts=n_starts, rng=rng)
    uniqueness = 1 - (unrotated**2).sum(axis=1)
    fit = _fit(given, unrotated, degrees)
    edge = np.flatnonzero(uniqueness <= LEAST_UNIQUENESS + ON_EDGE)
    return FactorAnalysis(
        item_ids=given.item_ids,
        method=method,
        loadings=turned.loadings,
        factor_correlations=turned.factor_correlations,
        uniqueness=uniqueness,
        explained=(turned.loadings * turned.structure).sum(axis=0) / n_items,
        degrees=degrees,
        at_edge=tuple(given.item_ids[at] for at in edge),
        rotation=turned,
        adequacy=sampling_adequacy(given),
        correlations=given,
        **fit.figures,
        rmsea_interval=fit.interval,
    )


@dataclass(frozen=True)
class _Fit:
    figures: dict[str, float]
    interval: tuple[float, float]


def _fit(correlations: Correlations, loadings: FloatArray, degrees: int) -> _Fit:
    """Fit of the loadings, with the chi-square of a normal likelihood whatever the method."""
    r = correlations.matrix
    n_items, n_factors = loadings.shape
    n = correlations.n_persons
    implied = loadings @ loadings.T
    off = ~np.eye(n_items, dtype=np.bool_)
    residual = float(np.sqrt(np.mean((r - implied)[off] ** 2)))
    np.fill_diagonal(implied, np.maximum((loadings**2).sum(axis=1), 1.0))
    ratio = np.linalg.solve(implied, r)
    misfit = max(float(np.trace(ratio) - np.linalg.slogdet(ratio)[1] - n_items), 0.0)
    multiplier = n - 1 - (2 * n_items + 5) / 6
    chi_square = misfit * max(multiplier - 2 * n_factors / 3, 0.0)
    null = -float(np.linalg.slogdet(r)[1]) * max(multiplier, 0.0) / (n_items * (n_items - 1) / 2)
    if degrees == 0:
        figures = {"chi_square": chi_square, "p_value": 1.0, "rmsea": 0.0, "tli": 1.0, "residual": residual, "bic": chi_square}
        return _Fit(figures, (0.0, 0.0))
    figures = {
        "chi_square": chi_square,
        "p_value": float(chdtrc(degrees, chi_square)),
        "rmsea": float(np.sqrt(max(chi_square - degrees, 0.0) / (degrees * (n - 1)))),
        "tli": (null - chi_square / degrees) / (null - 1) if null > 1 else 1.0,
        "residual": residual,
        "bic": chi_square - degrees * float(np.log(n)),
    }
    return _Fit(figures, rmsea_interval(chi_square, degrees, n))


def rmsea_interval(chi_square: float, degrees: int, n_persons: int) -> tuple[float, float]:
    """90 % interval of the RMSEA from the noncentral chi-square (Browne & Cudeck 1992)."""

    def end(chance: float) -> float:
        if chndtr(chi_square, degrees, 0.0) <= chance:
            return 0.0
        top = 10.0 + 2 * chi_square
        while chndtr(chi_square, degrees, top) > chance:
            top *= 2
        shift = brentq(lambda away: chndtr(chi_square, degrees, away) - chance, 0.0, top)
        return float(np.sqrt(shift / (degrees * (n_persons - 1))))

    return end((1 + CONFIDENCE) / 2), end((1 - CONFIDENCE) / 2)


def _unturned(loadings: FloatArray) -> Rotation:
    m = loadings.shape[1]
    return Rotation(loadings, np.eye(m), np.eye(m), "none", float("nan"), 1, 1, True)


@dataclass(frozen=True, eq=False)
class ParallelAnalysis(Exported):
    """Eigenvalues against those of persons whose answers have nothing to do with each other (Horn 1965).

    Attributes
    ----------
    n_components, n_factors : int
        Eigenvalues, from the first on, above chance: of the correlations, and of the correlations
        with the communalities of one factor in the diagonal.
    components, factors : float64 (J,)
    components_by_chance, factors_by_chance : float64 (J,)
        The asked quantile over the replications.
    """

    n_components: int
    n_factors: int
    components: FloatArray
    components_by_chance: FloatArray
    factors: FloatArray
    factors_by_chance: FloatArray

    def _columns(self) -> Mapping[str, object]:
        names = ("components", "components_by_chance", "factors", "factors_by_chance")
        return {"number": np.arange(1, self.factors.size + 1), **{name: getattr(self, name) for name in names}}

    def __str__(self) -> str:
        def told(found: FloatArray, chance: FloatArray) -> str:
            return ", ".join(f"{a:.2f} ({b:.2f})" for a, b in list(zip(found, chance, strict=True))[: self.n_factors + 2])

        return (
            f"{self.n_factors} factors, {self.n_components} components; eigenvalues (by chance): "
            f"{told(self.factors, self.factors_by_chance)}"
        )


def parallel_analysis(
    data: Data,
    *,
    rng: np.random.Generator,
    kind: str = "pearson",
    weights: npt.ArrayLike | None = None,
    n_replications: int = 50,
    quantile: float = 0.95,
) -> ParallelAnalysis:
    """How many factors answers hold beyond chance.

    In every replication each column is shuffled among the persons who have it: categories, weights'
    places and gaps stay, relations go. With a clear structure both numbers agree; else treat them as
    the range to look at with `explore_factors`.
    """
    if n_replications < 2:
        raise BadOption(f"n_replications is {n_replications}.", remedy="Use at least 2; 50 is usual.")
    _validate.probability_vector([quantile])
    table = read_table(data, weights, None)
    found = _eigenvalues(table, kind)
    chance = np.quantile([_eigenvalues(_shuffled(table, rng), kind) for _ in range(n_replications)], quantile, axis=0)
    above = [_leading(one, limit) for one, limit in zip(found, chance, strict=True)]
    return ParallelAnalysis(above[0], above[1], found[0], chance[0], found[1], chance[1])


def _eigenvalues(table: Table, kind: str) -> FloatArray:
    """Falling eigenvalues, (2, J): of the correlations, and with one factor's communalities in the diagonal."""
    matrix = correlate(table.values, kind=kind, weights=table.weights, item_ids=table.item_ids).matrix
    reduced = matrix.copy()
    np.fill_diagonal(reduced, least_residual_loadings(matrix, 1, is_coarse=True)[:, 0] ** 2)
    return np.stack([np.linalg.eigvalsh(matrix)[::-1], np.linalg.eigvalsh(reduced)[::-1]])


def _shuffled(table: Table, rng: np.random.Generator) -> Table:
    values = table.values.copy()
    for at, present in enumerate(table.present.T):
        rows = np.flatnonzero(present & (table.weights > 0))
        values[rows, at] = values[rng.permutation(rows), at]
    return Table(values, table.weights, table.item_ids)


def _leading(found: FloatArray, limit: FloatArray) -> int:
    below = np.flatnonzero(found <= limit)
    return int(below[0]) if below.size else int(found.size)
