"""Area means from pupils' own records where the whole population's background is known: the unit-level model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._validate import FloatArray, IntArray
from edmeasure.errors import BadShape
from edmeasure.survey import variance_levels
from edmeasure.survey._clusters import coded
from edmeasure.survey.small_areas import SmallAreaMeans


def unit_level_means(
    values: npt.ArrayLike,
    *,
    areas: npt.ArrayLike,
    background: npt.ArrayLike,
    population_means: npt.ArrayLike,
) -> SmallAreaMeans:
    """The unit model y_di = x_di'b + v_d + e_di (Battese, Harter & Fuller 1988); areas run sorted by label.

    Parameters
    ----------
    values : (n,)
    areas : (n,)
    background : (n, p)
        Of the tested, without constant.
    population_means : (D, p)
        Of everybody in the area, in the order of the sorted labels.

    Notes
    -----
    The mean is Xbar'b + g (ybar - xbar'b) with g = v / (v + s / n_d), variances by restricted maximum likelihood, mean
    squared error g1 + g2 + 2 g3 of Prasad & Rao (1990). ``direct`` is the adjusted mean of the area's own pupils, ybar +
    (Xbar - xbar)'b.
    """
    y = _validate.value_matrix(values)
    if y.shape[0] != 1:
        raise BadShape(f"{y.shape[0]} value sets.", remedy="Pass one; combine plausible values' results by Rubin's rules.")
    labels, codes = coded(areas, y.shape[1], "areas")
    x = _validate.design_matrix(background, y.shape[1])
    means = _validate.design_matrix(population_means, labels.size)
    if means.shape[1] != x.shape[1]:
        raise BadShape(f"{means.shape[1]} population means for {x.shape[1]} columns.", remedy="Give the same columns.")
    fit = variance_levels.fit_levels(y[0], x, {"area": areas})
    within, between = fit.variance
    sizes = np.bincount(codes).astype(np.float64)
    full, own = _with_constant(means), _with_constant(_area_means(x, codes, sizes))
    trust = between / (between + within / sizes)
    synthetic = full @ fit.coefficients
    direct = synthetic + np.bincount(codes, weights=y[0]) / sizes - own @ fit.coefficients
    away = full - trust[:, None] * own
    of_beta = np.einsum("da,ab,db->d", away, fit.coefficient_covariance, away)
    slope = np.array([-between, within])
    moved = slope @ _component_covariance(sizes, within, between) @ slope
    of_variance = moved / sizes**2 / (between + within / sizes) ** 3
    return SmallAreaMeans(
        labels=labels,
        value=synthetic + trust * (direct - synthetic),
        standard_error=np.sqrt((1 - trust) * between + of_beta + 2 * of_variance),
        direct=direct,
        direct_error=np.sqrt(within / sizes),
        synthetic=synthetic,
        weight_of_direct=trust,
        adjustment=np.zeros(sizes.size),
        coefficients=fit.coefficients,
        coefficient_errors=np.sqrt(np.diag(fit.coefficient_covariance)),
        model_deviation=float(np.sqrt(between)),
    )


def _component_covariance(sizes: FloatArray, within: float, between: float) -> FloatArray:
    """Asymptotic covariance of (within, between) from the expected information (Datta & Lahiri 2000)."""
    total = within + sizes * between
    of_within = np.sum((sizes - 1) / within**2 + 1 / total**2)
    mixed, of_between = np.sum(sizes / total**2), np.sum(sizes**2 / total**2)
    return np.asarray(2 * np.linalg.inv([[of_within, mixed], [mixed, of_between]]))


def _with_constant(columns: FloatArray) -> FloatArray:
    return np.concatenate([np.ones((columns.shape[0], 1)), columns], axis=1)


def _area_means(x: FloatArray, codes: IntArray, sizes: FloatArray) -> FloatArray:
    sums = [np.bincount(codes, weights=column) for column in x.T]
    return np.stack(sums, axis=1) / sizes[:, None] if sums else np.empty((sizes.size, 0))
