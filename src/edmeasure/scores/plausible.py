"""Plausible values: random draws from persons' posteriors under a latent regression.

Population model (Mislevy 1984, 1991; TIMSS and PISA technical reports):
theta_i ~ N(x_i' beta + u_g(i), sigma^2). Group figures (school differences above all) must come
from values conditioned on what is compared; without conditioning they shrink to the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from edmeasure import _linear, _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray
from edmeasure.calibration import _em, _items, _packing
from edmeasure.calibration.irt import IRTFit
from edmeasure.errors import BadOption, BadShape
from edmeasure.responses import Responses, unit_weights
from edmeasure.scores import _regression

FEWEST_NODES = 121
MAX_PASSES = 60
START_VARIANCE = 0.8
START_GROUP_VARIANCE = 0.2
SMALLEST_RATE = 1e-12


@dataclass(frozen=True, eq=False)
class PlausibleValues(Exported):
    """Draws and the regression they come from, on the fit's ability scale.

    Attributes
    ----------
    values : float64 (n_values, n_persons)
    eap, eap_se : float64 (n_persons,)
        Posterior mean and deviation under the latent regression.
    prior_mean : float64 (n_persons,)
        Fitted x'beta + u, usable as ``prior_mean`` of ``score_eap``.
    coefficients : float64 (p,)
        Of the centred design columns; collinear columns share one effect.
    coefficient_se : float64 (p,)
    group_labels : (G,), group_effects : float64 (G,)
        Empty when no groups were given; without groups the intercept is ``group_effects[0]``.
    residual_variance, group_variance : float
        ``group_variance`` is NaN for fixed group effects.
    """

    values: FloatArray
    eap: FloatArray
    eap_se: FloatArray
    prior_mean: FloatArray
    coefficients: FloatArray
    coefficient_se: FloatArray
    group_labels: npt.NDArray[np.generic]
    group_effects: FloatArray
    residual_variance: float
    group_variance: float
    n_passes: int
    converged: bool

    def _columns(self) -> Mapping[str, object]:
        draws = {f"pv{number}": drawn for number, drawn in enumerate(self.values, start=1)}
        return {**draws, "eap": self.eap, "eap_se": self.eap_se, "prior_mean": self.prior_mean}

    @property
    def residual_sd(self) -> float:
        return float(np.sqrt(self.residual_variance))

    def __str__(self) -> str:
        return (
            f"{self.values.shape[0]} plausible values of {self.values.shape[1]:,} persons: "
            f"mean {self.values.mean():.3f}, sd {self.values.std():.3f}, "
            f"residual variance {self.residual_variance:.3f}, {self.n_passes} passes"
            + ("" if self.converged else ", NOT CONVERGED")
        )


def plausible_values(
    fit: IRTFit,
    responses: Responses,
    *,
    rng: np.random.Generator,
    design: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    group_effects: Literal["fixed", "random"] = "fixed",
    weights: npt.ArrayLike | None = None,
    n_values: int = 5,
    n_nodes: int | None = None,
    tolerance: float = 1e-5,
) -> PlausibleValues:
    """Fit the latent regression and draw plausible values with uncertain coefficients.

    Parameters
    ----------
    rng
        Same state, same draws, whatever the number of threads.
    design : float (n_persons, p), optional
        Covariates without intercept, no NaN; see ``conditioning_components``.
    groups : (n_persons,), optional
        School (or class) of every person, given an effect of its own without dummy columns.
    group_effects
        ``"fixed"``: as if by dummies. ``"random"``: normal with estimated variance, better where
        groups have only a few members.
    weights
        Default ``responses.weights``, rescaled to the number of persons.
    n_values
        Sets of draws.
    n_nodes
        Quadrature nodes on the fit's range; default 121 or those of the fit if more.
    tolerance
        Largest change of a prior mean between passes at which iteration stops.

    Returns
    -------
    PlausibleValues

    Notes
    -----
    Every set draws its own coefficients (and group effects) from their approximate normal
    posterior, precision sum of x x' w / (sigma^2 + s_i^2), before the abilities (Mislevy 1991;
    von Davier & Sinharay 2010); the residual variance is kept at its estimate.
    """
    nodes = _checked_nodes(fit, responses, n_values, n_nodes, group_effects)
    step = float(nodes[1] - nodes[0])
    labels, layout = _layout(responses, design, groups, group_effects == "random", weights, step)
    likelihoods = _items.aligned(fit, responses).likelihoods(nodes)
    effects, n_passes, converged = _fit_regression(likelihoods, layout, tolerance)
    mean = effects.prior_mean(layout)
    eap, variance = likelihoods.moments(mean, effects.prior_sd(layout))
    z, error = _regression.working_values(layout, eap, variance, mean, effects.residual_variance)
    precision = layout.weights / (effects.residual_variance + error)
    solution = _regression.solve(layout, z, precision, effects)
    values = np.empty((n_values, responses.n_persons))
    for drawn in values:
        drawn[:] = _draw(likelihoods, layout, effects, solution, rng)
    return PlausibleValues(
        values=values,
        eap=eap,
        eap_se=np.sqrt(variance),
        prior_mean=mean,
        coefficients=effects.coefficients,
        coefficient_se=np.sqrt((solution.covariance_root**2).sum(axis=1)),
        group_labels=labels,
        group_effects=effects.group_effects,
        residual_variance=effects.residual_variance,
        group_variance=effects.group_variance if layout.is_random else float("nan"),
        n_passes=n_passes,
        converged=converged,
    )


def _checked_nodes(fit: IRTFit, responses: Responses, n_values: int, n_nodes: int | None, group_effects: str) -> FloatArray:
    """Refuse impossible options; return the quadrature nodes."""
    if responses.n_persons == 0:
        raise BadShape("There are no persons.", remedy="Pass at least a few hundred.")
    if n_values < 1:
        raise BadOption(f"n_values is {n_values}.", remedy="Draw at least one set.")
    _validate.choice(group_effects, "group_effects", ("fixed", "random"))
    finer = max(FEWEST_NODES, fit.nodes.size) if n_nodes is None else n_nodes
    if finer < fit.nodes.size:
        raise BadOption(f"n_nodes is {finer}.", remedy="Use at least as many nodes as the fit.")
    return _em.quadrature(finer, float(fit.nodes[-1]))[0]


def _layout(
    responses: Responses,
    design: npt.ArrayLike | None,
    groups: npt.ArrayLike | None,
    is_random: bool,
    weights: npt.ArrayLike | None,
    node_step: float,
) -> tuple[npt.NDArray[np.generic], _regression.Layout]:
    n = responses.n_persons
    checked = unit_weights(responses, weights)
    columns = _validate.design_matrix(design, n)
    columns = columns - _linear.weighted_moment(columns, checked) / n
    if groups is None:
        labels: npt.NDArray[np.generic] = np.zeros(1, dtype=np.int64)
        codes = np.zeros(n, dtype=np.int64)
        is_random = False
    else:
        labels, codes = _validate.group_codes(groups, n)
        if is_random:
            columns = np.column_stack([np.ones(n), columns])
    return labels, _regression.Layout(columns, checked, codes, labels.size, is_random, node_step)


def _fit_regression(
    likelihoods: _packing.Likelihoods, layout: _regression.Layout, tolerance: float
) -> tuple[_regression.Effects, int, bool]:
    effects = _regression.Effects(
        np.zeros(layout.design.shape[1]),
        np.zeros(layout.n_groups),
        START_VARIANCE,
        START_GROUP_VARIANCE,
    )
    mean = effects.prior_mean(layout)
    for n_passes in range(1, MAX_PASSES + 1):
        eap, variance = likelihoods.moments(mean, effects.prior_sd(layout))
        z, error = _regression.working_values(layout, eap, variance, mean, effects.residual_variance)
        effects = _regression.refine(layout, z, error, effects)
        following = effects.prior_mean(layout)
        moved = float(np.abs(following - mean).max())
        mean = following
        if moved < tolerance:
            return effects, n_passes, True
    return effects, MAX_PASSES, False


def _draw(
    likelihoods: _packing.Likelihoods,
    layout: _regression.Layout,
    effects: _regression.Effects,
    solution: _regression.Solution,
    rng: np.random.Generator,
) -> FloatArray:
    """One set: coefficients, then group effects, then an ability for every person."""
    noise = rng.standard_normal(int(solution.covariance_root.shape[1]))
    coefficients = effects.coefficients + _linear.combination(solution.covariance_root, noise)
    group_noise = rng.standard_normal(layout.n_groups) / np.sqrt(solution.group_precision)
    drawn = replace(effects, coefficients=coefficients, group_effects=solution.group_effects(coefficients) + group_noise)
    return likelihoods.draws(drawn.prior_mean(layout), drawn.prior_sd(layout), rng.random(layout.weights.size))


def conditioning_components(answers: npt.ArrayLike, *, share: float = 0.9, weights: npt.ArrayLike | None = None) -> FloatArray:
    """Principal components of questionnaire answers, the usual conditioning variables.

    Parameters
    ----------
    answers : float (n_persons, n_questions)
        Category codes; NaN (no answer) is a category of its own.
    share
        Components are kept, largest first, until they hold this share of the variance.

    Returns
    -------
    float64 (n_persons, n_components)
        Components of the standardised dummy variables, each with variance one.

    Notes
    -----
    TIMSS and PISA technical reports, scaling chapters: dummy coding, correlation matrix, 90 %.
    """
    given = np.asarray(answers, dtype=np.float64)
    if given.ndim != 2:
        raise BadOption("answers is not a matrix.", remedy="Pass (n_persons, n_questions).")
    if not 0 < share <= 1:
        raise BadOption(f"share is {share}.", remedy="Use a share above 0 and up to 1.")
    n = given.shape[0]
    person_weights = _validate.weight_vector(weights, n)
    person_weights = person_weights / person_weights.sum()
    coded = [np.where(np.isnan(question), np.inf, question) for question in given.T]
    categories = [(at, code) for at, column in enumerate(coded) for code in np.unique(column)[1:]]
    if not categories:
        return np.empty((n, 0))
    dummies = np.empty((n, len(categories)))
    for column, (at, code) in enumerate(categories):
        chosen = coded[at] == code
        rate = float(np.sum(person_weights[chosen]))
        spread = np.sqrt(max(rate * (1 - rate), SMALLEST_RATE))
        dummies[:, column] = (chosen - rate) / spread
    values, vectors = _linear.eigen(_linear.weighted_gram(dummies, person_weights))
    kept = int(np.searchsorted(np.cumsum(values) / values.sum(), share - 1e-12)) + 1
    return np.asarray(_linear.product(dummies, vectors[:, :kept] / np.sqrt(values[:kept])))
