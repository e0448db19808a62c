"""What a calibration of several abilities gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray, Int8Array
from edmeasure.calibration import _em
from edmeasure.calibration.certificate import FAR_DIFFICULTY, STEEP_SLOPE, Certificate
from edmeasure.errors import BadOption
from edmeasure.multidimensional import _exploratory
from edmeasure.multidimensional._item_kernels import GRADED
from edmeasure.multidimensional._layout import Layout, Parameters
from edmeasure.multidimensional._setup import Sheets

NORMAL_OGIVE = 1.702


@dataclass(frozen=True)
class SampledCertificate(Exported):
    """Evidence that sampled iterations have settled.

    ``gradient_norm`` is the largest absolute gradient element in units of its own standard error
    of sampling, ``last_change`` the largest change of a parameter in the last iteration,
    ``parameter_error`` the root mean square Monte Carlo error of the parameters in units of their
    standard errors (P parameters are expected to cost P / 2 times its square in log-likelihood),
    ``acceptance`` the share of proposed abilities that were taken, ``loglik_error`` the Monte
    Carlo error of the log-likelihood from ``n_points`` points per person.
    """

    gradient_norm: float
    last_change: float
    parameter_error: float
    acceptance: float
    loglik_error: float
    n_points: int
    is_maximum: bool | None
    negative_slopes: tuple[str, ...]
    extreme_items: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Parameters move by less than a fifth of their errors from seed to seed, and nothing contradicts a maximum."""
        return self.parameter_error < 0.2 and self.is_maximum is not False

    def __str__(self) -> str:
        lines = [
            f"largest gradient {self.gradient_norm:.1f} of its sampling errors, last change {self.last_change:.1e}",
            f"Monte Carlo error of the parameters {self.parameter_error:.2f} of their standard errors",
            f"accepted {self.acceptance:.0%} of proposals; log-likelihood from {self.n_points} points ({self.loglik_error:.2g})",
        ]
        if self.is_maximum is not None:
            lines.append("observed information is " + ("" if self.is_maximum else "NOT ") + "positive definite")
        for words, items in (("negative slopes", self.negative_slopes), ("extreme parameters", self.extreme_items)):
            if items:
                lines.append(f"{words}: " + ", ".join(items))
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class DimensionsFit(Exported):
    """Calibrated items; arrays run over all items, NaN where an item was excluded.

    Attributes
    ----------
    item_ids, dimensions : tuple of str, lengths J and D
    max_scores : int8 (J,)
    models : tuple of str, length J
    slopes : float64 (J, D)
        0 where an item does not depend on an ability.
    intercepts : float64 (J, K_max + 1)
        ``d_k`` with ``d_0 = 0``, NaN beyond the item's maximum.
    loads : bool (J, D)
        Which slopes were estimated.
    correlations : float64 (D, D)
        Of the abilities.
    slope_se, intercept_se, correlation_se
        From the observed information (Oakes 1999; of sampled fits Louis 1982); NaN when not asked
        for, or not estimated.
    loglik : float
        Marginal log-likelihood, without the slopes' prior.
    loglik_error : float
        Monte Carlo error of ``loglik``; 0 where it was computed by quadrature.
    n_parameters, n_persons, n_iterations : int
    converged : bool
    certificate : Certificate or SampledCertificate
    history : tuple of float
        Log-likelihoods (with the prior) of the accepted steps; empty for sampled fits.
    excluded : tuple of str
        Items without variance, left out.
    unused_categories : tuple of (item id, category)
        Categories nobody chose; their intercept is fixed at -50.
    n_nodes, bound
        Quadrature: nodes per ability, equally spaced in ``[-bound, bound]``; 0 nodes where sampled.
    is_exploratory : bool
        Whether the abilities may be turned (`rotated`).
    """

    item_ids: tuple[str, ...]
    dimensions: tuple[str, ...]
    max_scores: Int8Array
    models: tuple[str, ...]
    slopes: FloatArray
    intercepts: FloatArray
    loads: BoolArray
    correlations: FloatArray
    slope_se: FloatArray
    intercept_se: FloatArray
    correlation_se: FloatArray
    loglik: float
    loglik_error: float
    n_parameters: int
    n_persons: int
    n_iterations: int
    converged: bool
    certificate: Certificate | SampledCertificate
    history: tuple[float, ...]
    excluded: tuple[str, ...]
    unused_categories: tuple[tuple[str, int], ...]
    n_nodes: int
    bound: float
    is_exploratory: bool

    @property
    def loadings(self) -> FloatArray:
        """Slopes as loadings of normal latent answers: a / sqrt(1.702^2 + a'Ra) (Takane & de Leeuw 1987)."""
        return _exploratory.loadings_of(self.slopes, self.correlations, NORMAL_OGIVE)

    @property
    def communalities(self) -> FloatArray:
        """Shares of the latent answers' variances that the abilities explain."""
        return np.asarray(np.einsum("jd,de,je->j", self.loadings, self.correlations, self.loadings))

    @property
    def aic(self) -> float:
        return 2 * self.n_parameters - 2 * self.loglik

    @property
    def bic(self) -> float:
        return float(np.log(self.n_persons)) * self.n_parameters - 2 * self.loglik

    @property
    def calibrated(self) -> BoolArray:
        """Mask of the items that have parameters."""
        return np.asarray(np.isfinite(self.slopes).all(axis=1))

    def rotated(self, method: str = "oblimin") -> DimensionsFit:
        """The same fit with its abilities turned: equal likelihoods, simpler loadings.

        Errors belong to the unrotated parameters and are NaN here. Abilities point so that their
        loadings sum to a positive number.

        Raises
        ------
        BadOption
            When a loading pattern fixed the abilities, or the method is unknown.
        """
        if not self.is_exploratory or len(self.dimensions) == 1:
            raise BadOption(
                "These abilities are fixed by their loadings.", remedy="Calibrate with n_dimensions instead of loadings."
            )
        kept = self.calibrated
        slopes = np.full(self.slopes.shape, np.nan)
        slopes[kept], correlations = _exploratory.rotated(self.slopes[kept], self.loadings[kept], method)
        unknown = np.full(self.slopes.shape, np.nan)
        return replace(
            self,
            slopes=slopes,
            correlations=correlations,
            loads=np.repeat(kept[:, None], len(self.dimensions), axis=1),
            slope_se=unknown,
            correlation_se=np.full(correlations.shape, np.nan),
        )

    def _columns(self) -> Mapping[str, object]:
        by_dimension: dict[str, object] = {}
        for d, name in enumerate(self.dimensions):
            by_dimension[f"slope {name}"] = self.slopes[:, d]
            by_dimension[f"slope_se {name}"] = self.slope_se[:, d]
            by_dimension[f"loading {name}"] = self.loadings[:, d]
        return {
            "item": self.item_ids,
            "max_score": self.max_scores,
            "model": self.models,
            **by_dimension,
            "intercepts": self.intercepts.tolist(),
            "intercept_se": self.intercept_se.tolist(),
        }

    def __str__(self) -> str:
        n_dims = len(self.dimensions)
        error = f" ({self.loglik_error:.2f})" if self.loglik_error else ""
        lines = [
            f"{n_dims} abilities, {'exploratory' if self.is_exploratory else 'confirmatory'}: "
            f"{int(self.calibrated.sum())} of {len(self.item_ids)} items, log-likelihood {self.loglik:.4f}{error}, "
            f"{self.n_parameters} parameters, {self.n_iterations} iterations" + ("" if self.converged else ", NOT CONVERGED"),
            str(self.certificate),
        ]
        for d in range(n_dims):
            lines += [
                f"correlation {self.dimensions[e]}, {self.dimensions[d]}: {self.correlations[e, d]:.3f}"
                for e in range(d)
                if self.correlations[e, d] != 0
            ]
        if self.excluded:
            lines.append("without variance, excluded: " + ", ".join(self.excluded))
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Where a calibration ended: parameters, their covariance if asked for, and the evidence."""

    parameters: Parameters
    covariance: FloatArray | None
    loglik: float
    loglik_error: float
    n_iterations: int
    converged: bool
    certificate: Certificate | SampledCertificate
    history: tuple[float, ...]


def fit_of(
    sheets: Sheets,
    layout: Layout,
    names: tuple[str, ...],
    found: Calibrated,
    *,
    n_nodes: int,
    bound: float,
    is_exploratory: bool = False,
) -> DimensionsFit:
    """The result over all items, those without variance included."""
    responses, kept = sheets.responses, sheets.kept
    ids, (item, category) = sheets.kept_ids, _em.categories(layout.starts)
    slope_se, intercept_se, correlation_se = _errors(layout, found)
    # every ability points where its slopes sum to a positive number: the likelihood is the same
    signs = np.where(found.parameters.slopes.sum(axis=0) < 0, -1.0, 1.0)
    tables = {}
    for name, flat in (("intercepts", found.parameters.intercepts), ("intercept_se", intercept_se)):
        tables[name] = np.full((kept.size, int(responses.max_scores.max()) + 1), np.nan)
        tables[name][np.flatnonzero(kept)[item], category] = flat

    def of_items(values: FloatArray) -> FloatArray:
        spread = np.full((kept.size, values.shape[1]), np.nan)
        spread[kept] = values
        return spread

    loads = np.zeros((kept.size, len(names)), dtype=np.bool_)
    loads[kept] = layout.loads
    return DimensionsFit(
        item_ids=responses.item_ids,
        dimensions=names,
        max_scores=responses.max_scores,
        models=sheets.models,
        slopes=of_items(found.parameters.slopes * signs),
        loads=loads,
        correlations=found.parameters.correlations * np.outer(signs, signs),
        slope_se=of_items(slope_se),
        correlation_se=correlation_se,
        loglik=found.loglik,
        loglik_error=found.loglik_error,
        n_parameters=layout.n_parameters,
        n_persons=responses.n_persons,
        n_iterations=found.n_iterations,
        converged=found.converged,
        certificate=found.certificate,
        history=found.history,
        excluded=tuple(responses.item_ids[j] for j in np.flatnonzero(~kept)),
        unused_categories=tuple((ids[item[c]], int(category[c])) for c in np.flatnonzero(~layout.usable)),
        n_nodes=n_nodes,
        bound=bound,
        is_exploratory=is_exploratory,
        **tables,
    )


def _errors(layout: Layout, found: Calibrated) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Errors of slopes, flat intercepts and correlations; NaN where not estimated."""
    slopes, intercepts = np.full(layout.loads.shape, np.nan), np.full(layout.usable.size, np.nan)
    correlations = np.full(found.parameters.correlations.shape, np.nan)
    if found.covariance is None:
        return slopes, intercepts, correlations
    errors = np.sqrt(np.diag(found.covariance))
    n_slopes, n_intercepts = int(layout.free_slopes.sum()), int(layout.free_intercepts.sum())
    slopes[layout.free_slopes] = errors[:n_slopes]
    intercepts[layout.starts[:-1]] = 0.0
    intercepts[layout.free_intercepts] = errors[n_slopes : n_slopes + n_intercepts]
    first, second = layout.pairs[:, 0], layout.pairs[:, 1]
    correlations[first, second] = errors[n_slopes + n_intercepts :][: len(layout.pairs)]
    correlations[second, first] = correlations[first, second]
    if layout.testlets is not None:
        # slope = spread x general slope, by the delta method
        members = np.flatnonzero(layout.testlets >= 0)
        at = errors.size - layout.n_spreads + layout.testlets[members]
        spread, general = found.parameters.spreads[layout.testlets[members]], found.parameters.slopes[members, 0]
        covariance = found.covariance
        variance = (
            spread**2 * covariance[members, members]
            + general**2 * covariance[at, at]
            + 2 * spread * general * covariance[members, at]
        )
        slopes[members, 1 + layout.testlets[members]] = np.sqrt(variance)
    return slopes, intercepts, correlations


def negative_slopes(sheets: Sheets, layout: Layout, parameters: Parameters) -> tuple[str, ...]:
    """Items whose slopes sum to less than nothing."""
    below = (parameters.slopes * layout.loads).sum(axis=1) < 0
    return tuple(sheets.kept_ids[j] for j in np.flatnonzero(below).tolist())


def extreme_items(sheets: Sheets, layout: Layout, parameters: Parameters) -> tuple[str, ...]:
    """Items that are very steep, or very far from the mean along their own direction."""
    lengths = np.sqrt(np.einsum("jd,de,je->j", parameters.slopes, parameters.correlations, parameters.slopes))
    last = parameters.intercepts[layout.starts[1:] - 1]
    steps = np.where(layout.families == GRADED, 1, np.diff(layout.starts) - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        extreme = (lengths > STEEP_SLOPE) | (np.abs(last / (steps * lengths)) > FAR_DIFFICULTY)
    return tuple(sheets.kept_ids[j] for j in np.flatnonzero(extreme).tolist())
