"""Ability estimates of persons from calibrated items, for any pattern of missing answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _em, _items, _person_kernels, _validate
from edmeasure._validate import FloatArray
from edmeasure.errors import BadOption
from edmeasure.irt import IRTFit
from edmeasure.responses import Responses


@dataclass(frozen=True, eq=False)
class AbilityEstimate:
    """``theta`` and its standard error, both float64 (n_persons,), on the fit's scale."""

    theta: FloatArray
    se: FloatArray
    method: str

    @property
    def reliability(self) -> float:
        """Share of variance that is not error: EAP var/(var + mean se^2), WLE 1 - mean se^2/var."""
        usable = np.isfinite(self.theta)
        if not usable.any():
            return float("nan")
        spread = float(np.var(self.theta[usable]))
        error = float(np.mean(self.se[usable] ** 2))
        return spread / (spread + error) if self.method == "EAP" else 1.0 - error / spread

    def __str__(self) -> str:
        if not np.isfinite(self.theta).any():
            return f"{self.method} of {self.theta.size:,} persons: no estimates"
        return (
            f"{self.method} of {self.theta.size:,} persons: mean {np.nanmean(self.theta):.3f}, "
            f"sd {np.nanstd(self.theta):.3f}, reliability {self.reliability:.3f}"
        )


def score_eap(
    fit: IRTFit,
    responses: Responses,
    *,
    prior_mean: npt.ArrayLike = 0.0,
    prior_sd: npt.ArrayLike = 1.0,
    n_nodes: int | None = None,
) -> AbilityEstimate:
    """Posterior mean and standard deviation of every person.

    Parameters
    ----------
    fit, responses
        Items are matched by id; negative codes count as missing.
    prior_mean, prior_sd : float or float64 (n_persons,)
        Normal prior of every person: N(0, 1) by default, or the means and residual deviation of
        a latent regression (``PlausibleValues.prior_mean``, ``.residual_sd``).
    n_nodes
        Quadrature nodes on the fit's range; default those of the fit.

    Returns
    -------
    AbilityEstimate
        A person without answers gets the prior's mean and deviation.

    Notes
    -----
    Bock & Mislevy (1982).
    """
    n = responses.n_persons
    mean = _validate.float_vector(prior_mean, n, "prior_mean")
    deviation = _validate.float_vector(prior_sd, n, "prior_sd")
    if n and deviation.min() <= 0:
        raise BadOption("A prior_sd is not above zero.", remedy="Give positive deviations.")
    items = _items.aligned(fit, responses)
    nodes = fit.nodes if n_nodes is None else _em.quadrature(n_nodes, float(fit.nodes[-1]))[0]
    theta, variance, _ = posterior_moments(items, nodes, mean, deviation)
    return AbilityEstimate(theta, np.sqrt(variance), "EAP")


def posterior_moments(
    items: _items.ScoringItems, nodes: FloatArray, mean: FloatArray, deviation: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Posterior mean, variance and log marginal likelihood of every person."""
    packed = items.packed()
    table, scale = packed.tables(items.log_probabilities(nodes))
    n = items.scores.shape[0]
    theta, variance, loglik = np.empty(n), np.empty(n), np.empty(n)
    _person_kernels.posterior_moments(
        packed.codes,
        packed.row_start,
        packed.skip_code,
        table,
        scale,
        nodes,
        mean,
        deviation,
        items.n_chunks,
        theta,
        variance,
        loglik,
    )
    return theta, variance, loglik


def score_wle(fit: IRTFit, responses: Responses, *, bound: float = 20.0) -> AbilityEstimate:
    """Weighted likelihood estimate of every person: nearly unbiased, finite for extreme scores.

    Parameters
    ----------
    bound
        Estimates are sought in ``[-bound, bound]``.

    Returns
    -------
    AbilityEstimate
        NaN for a person without answers; ``se`` is 1 / sqrt(curvature of the weighted
        log-likelihood), as R mirt reports it.

    Notes
    -----
    Warm (1989): root of l'(theta) + J / (2 I) with I = sum a^2 Var(x), J = sum a^3 mu3(x); for
    partial credit items mu3 is the third central moment of the item score (Penfield & Bergeron
    2005).
    """
    _validate.positive(bound, "bound")
    items = _items.aligned(fit, responses)
    n = responses.n_persons
    theta, se = np.empty(n), np.empty(n)
    _person_kernels.warm_scores(
        items.scores,
        items.slopes,
        items.intercepts,
        items.category_start,
        np.zeros(n),
        bound,
        theta,
        se,
    )
    return AbilityEstimate(theta, se, "WLE")
