"""Means of districts and schools with few tested pupils: direct figures drawn towards what is known of such areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray
from edmeasure.errors import BadOption, BadShape
from edmeasure.survey._results import NORMAL_95, Estimate

SMALLEST = 1e-8
GRID = 61


@dataclass(frozen=True, eq=False)
class SmallAreaMeans(Exported):
    """Best linear unbiased predictions of area means; arrays run over areas, as they were given.

    Attributes
    ----------
    value, standard_error : float64 (D,)
        Shrunken mean and root of its mean squared error, benchmarked where a region's mean was given.
    direct, direct_error, synthetic : float64 (D,)
        What was measured (NaN where nobody was), its sampling error, and what the regression says.
    weight_of_direct : float64 (D,)
        A / (A + psi): 1 trusts the measurement alone, 0 the regression alone.
    adjustment : float64 (D,)
        What benchmarking added.
    coefficients, coefficient_errors : float64 (p + 1,)
        Constant first.
    model_deviation : float
        Root of A: how far true means lie from the regression.
    """

    labels: npt.NDArray[np.generic]
    value: FloatArray
    standard_error: FloatArray
    direct: FloatArray
    direct_error: FloatArray
    synthetic: FloatArray
    weight_of_direct: FloatArray
    adjustment: FloatArray
    coefficients: FloatArray
    coefficient_errors: FloatArray
    model_deviation: float

    @property
    def is_synthetic(self) -> BoolArray:
        """Areas in which nobody was measured."""
        return np.isnan(self.direct)

    @property
    def interval(self) -> tuple[FloatArray, FloatArray]:
        """Ends of 95 % intervals."""
        half = NORMAL_95 * self.standard_error
        return self.value - half, self.value + half

    def _columns(self) -> Mapping[str, object]:
        names = ("value", "standard_error", "direct", "direct_error", "synthetic", "weight_of_direct", "adjustment")
        return {"label": self.labels, **{name: getattr(self, name) for name in names}}

    def __str__(self) -> str:
        measured = ~self.is_synthetic
        gain = float(np.median(self.standard_error[measured] / self.direct_error[measured]))
        return (
            f"{self.value.size} areas ({int(self.is_synthetic.sum())} unmeasured): "
            f"{self.value.min():.4g} to {self.value.max():.4g}, median error {np.median(self.standard_error):.3g}, "
            f"{gain:.0%} of the direct one; "
            f"sd around the regression {self.model_deviation:.3g}"
        )


def small_area_means(
    direct: npt.ArrayLike,
    *,
    sampling_variances: npt.ArrayLike,
    covariates: npt.ArrayLike | None = None,
    labels: Sequence[object] | npt.ArrayLike | None = None,
    shares: npt.ArrayLike | None = None,
    regional: Estimate | float | None = None,
) -> SmallAreaMeans:
    """The area model y_d = x_d'b + v_d + e_d, e_d ~ N(0, psi_d) known, v_d ~ N(0, A) (Fay & Herriot 1979).

    Parameters
    ----------
    direct : (D,)
        Direct estimates, such as ``estimate_groups(...).value``; NaN for an area where nobody was measured.
    sampling_variances : (D,)
        Squares of the direct estimates' standard errors; not looked at where ``direct`` is NaN.
    covariates : (D, p), optional
        What is known of all areas, without error; no constant.
    shares : (D,), optional
        Of the region's population in every area; equal ones otherwise.
    regional
        Direct mean of the region to which the areas' means must add up. The gap is spread in proportion to share times mean
        squared error (Datta, Ghosh, Steorts & Maples 2011); its square is added to the squared error.

    Notes
    -----
    A by restricted maximum likelihood. Mean squared error g1 + g2 + 2 g3 (Prasad & Rao 1990; Datta & Lahiri 2000):
    g1 = A psi / (A + psi), g2 the part of the coefficients, g3 = psi^2 (A + psi)^-3 var(A) with
    var(A) = 2 / sum (A + psi)^-2.
    """
    y, psi, is_measured, named = _checked(direct, sampling_variances, labels)
    x = np.column_stack([np.ones(y.size), _validate.design_matrix(covariates, y.size)])
    if int(is_measured.sum()) < x.shape[1] + 2 or np.linalg.matrix_rank(x[is_measured]) < x.shape[1]:
        raise BadShape(
            f"{int(is_measured.sum())} measured areas for {x.shape[1]} coefficients, or covariates depend on each other.",
            remedy="Use at least two areas more than coefficients, and fewer covariates.",
        )
    model_variance = _model_variance(y[is_measured], x[is_measured], psi[is_measured])
    precision = 1.0 / (model_variance + psi[is_measured])
    inverse = np.linalg.inv(x[is_measured].T @ (precision[:, None] * x[is_measured]))
    beta = inverse @ (x[is_measured].T @ (precision * y[is_measured]))
    synthetic = x @ beta
    trust = np.where(is_measured, model_variance / (model_variance + psi), 0.0)
    value = synthetic + trust * (np.where(is_measured, y, synthetic) - synthetic)
    of_beta = (1 - trust) ** 2 * np.einsum("da,ab,db->d", x, inverse, x)
    of_variance = np.where(is_measured, psi**2 / (model_variance + psi) ** 3, 0.0) * 2 / np.sum(precision**2)
    left = np.where(is_measured, trust * psi, model_variance)
    squared = left + of_beta + 2 * of_variance
    adjustment = _adjustment(value, squared, shares, regional)
    return SmallAreaMeans(
        labels=named,
        value=value + adjustment,
        standard_error=np.sqrt(squared + adjustment**2),
        direct=np.where(is_measured, y, np.nan),
        direct_error=np.where(is_measured, np.sqrt(psi), np.nan),
        synthetic=synthetic,
        weight_of_direct=trust,
        adjustment=adjustment,
        coefficients=beta,
        coefficient_errors=np.sqrt(np.diag(inverse)),
        model_deviation=float(np.sqrt(model_variance)),
    )


def _checked(
    direct: npt.ArrayLike, sampling_variances: npt.ArrayLike, labels: Sequence[object] | npt.ArrayLike | None
) -> tuple[FloatArray, FloatArray, BoolArray, npt.NDArray[np.generic]]:
    y = np.array(direct, dtype=np.float64)
    psi = np.array(sampling_variances, dtype=np.float64)
    if y.ndim != 1 or psi.shape != y.shape:
        raise BadShape(f"direct has shape {y.shape}, sampling_variances {psi.shape}.", remedy="Pass one number of each per area.")
    named = np.arange(y.size) if labels is None else np.asarray(labels)
    if named.shape != y.shape:
        raise BadShape(f"{named.size} labels for {y.size} areas.", remedy="Give one label per area.")
    is_measured = ~np.isnan(y)
    if np.isinf(y).any():
        raise BadOption(f"Direct figures of {named[np.isinf(y)][:10].tolist()} are infinite.", remedy="Mend them.")
    wrong = is_measured & ~(np.isfinite(psi) & (psi > 0))
    if wrong.any():
        raise BadOption(
            f"Sampling variances of {named[wrong][:10].tolist()} are not positive.",
            remedy="Set the direct figure to NaN where too few persons were measured, or smooth the variances.",
        )
    return np.where(is_measured, y, 0.0), np.where(is_measured, psi, 1.0), is_measured, named


def _model_variance(y: FloatArray, x: FloatArray, psi: FloatArray) -> float:
    """A that minimises the restricted deviance; 0 where that is the minimum."""

    def deviance(variance: float) -> float:
        precision = 1.0 / (variance + psi)
        gram = x.T @ (precision[:, None] * x)
        rest = y - x @ np.linalg.solve(gram, x.T @ (precision * y))
        return float(np.sum(precision * rest**2) - np.log(precision).sum() + np.linalg.slogdet(gram)[1])

    size = float(np.median(psi))
    grid = np.concatenate([[0.0], size * np.logspace(-6, 6, GRID)])
    at = int(np.argmin([deviance(one) for one in grid]))
    if at == 0:
        return 0.0
    ends = (float(grid[at - 1]), float(grid[min(at + 1, GRID)]))
    found = minimize_scalar(deviance, bounds=ends, method="bounded", options={"xatol": SMALLEST * ends[1]})
    return float(found.x) if found.fun < deviance(0.0) else 0.0


def _adjustment(
    value: FloatArray, squared: FloatArray, shares: npt.ArrayLike | None, regional: Estimate | float | None
) -> FloatArray:
    if regional is None:
        if shares is not None:
            raise BadOption("shares are given without a regional mean.", remedy="Pass `regional` as well.")
        return np.zeros(value.size)
    given = np.ones(value.size) if shares is None else _validate.weight_vector(shares, value.size)
    part = given / given.sum()
    aim = regional.value if isinstance(regional, Estimate) else float(regional)
    if not np.isfinite(aim):
        raise BadOption("regional is not finite.", remedy="Pass the region's direct mean.")
    spread = part * squared
    return np.asarray(spread * (aim - float(part @ value)) / float(part @ spread))
