"""A finished calibration's parameters and errors, sorted by item and by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edmeasure._validate import FloatArray
from edmeasure.calibration import _em, _information
from edmeasure.calibration._family_kernels import ASYMPTOTIC, NOMINAL


@dataclass(frozen=True, eq=False)
class Estimates:
    """One number per item, per category on the flat axis, or per group; errors are NaN where not estimated."""

    slope_se: FloatArray
    intercept_se: FloatArray
    lower: FloatArray
    upper: FloatArray
    lower_se: FloatArray
    upper_se: FloatArray
    category_scores: FloatArray
    category_slope_se: FloatArray
    group_means: FloatArray
    group_sds: FloatArray
    group_mean_se: FloatArray
    group_sd_se: FloatArray
    group_weights: FloatArray


def estimates(problem: _em.Problem, state: _em.State, errors: FloatArray | None) -> Estimates:
    """``errors`` are those of all parameters in the information's order."""
    if errors is None:
        errors = np.full(_information.n_parameters(problem), np.nan)
    n_items, n_categories = state.slopes.size, state.intercepts.size
    firsts = problem.category_start[:-1]
    slope_se, intercept_se = errors[firsts], errors[:n_categories].copy()
    intercept_se[firsts] = 0.0
    item_of, category = _em.categories(problem.category_start)
    lower, upper = np.zeros(n_items), np.ones(n_items)
    lower_se, upper_se = np.full((2, n_items), np.nan)
    category_scores = category.astype(np.float64)
    category_slope_se = category * slope_se[item_of]
    for item in problem.models.others:
        j, own, of_extras = item.position, state.extras[item.extras], errors[n_categories:][item.extras]
        slopes = item.category_slopes(item.parameters(state.slopes, state.intercepts, state.extras))
        with np.errstate(divide="ignore", invalid="ignore"):
            category_scores[item.categories] = slopes / state.slopes[j]
        category_slope_se[item.categories] = slope_se[j] * category_scores[item.categories]
        if item.family == ASYMPTOTIC:
            shares = 1.0 / (1.0 + np.exp(-own))
            lower[j], lower_se[j] = shares[0], shares[0] * (1.0 - shares[0]) * of_extras[0]
            if own.size > 1:
                upper[j], upper_se[j] = shares[1], shares[1] * (1.0 - shares[1]) * of_extras[1]
        elif item.family == NOMINAL:
            category_slope_se[item.categories] = [0.0, *of_extras, item.top * slope_se[j]]
    means, deviations, mean_se, sd_se, weights = _groups(problem, state, errors)
    return Estimates(
        slope_se=slope_se,
        intercept_se=intercept_se,
        lower=lower,
        upper=upper,
        lower_se=lower_se,
        upper_se=upper_se,
        category_scores=category_scores,
        category_slope_se=category_slope_se,
        group_means=means,
        group_sds=deviations,
        group_mean_se=mean_se,
        group_sd_se=sd_se,
        group_weights=weights,
    )


def _groups(
    problem: _em.Problem, state: _em.State, errors: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    populations = problem.populations
    if populations is None:
        return np.zeros(1), np.ones(1), np.full(1, np.nan), np.full(1, np.nan), problem.node_weights[None, :]
    weights = populations.weights(state.latent, problem.nodes)
    mean_se, sd_se = np.full((2, populations.n_groups), np.nan)
    if populations.is_histogram:
        means = weights @ problem.nodes
        deviations = np.sqrt(np.sum(weights * (problem.nodes - means[:, None]) ** 2, axis=1))
        return means, deviations, mean_se, sd_se, weights
    means, deviations = populations.moments(state.latent)
    first = errors.size - populations.n_scored
    mean_se[populations.free] = errors[first::2]
    sd_se[populations.free] = errors[first + 1 :: 2] * deviations[populations.free]
    return means, deviations, mean_se, sd_se, weights
