"""Ability estimates of persons from calibrated items, for any pattern of missing answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray, IntArray
from edmeasure.calibration import _em, _items
from edmeasure.calibration._populations import normal_weights
from edmeasure.calibration.irt import IRTFit
from edmeasure.errors import BadOption
from edmeasure.responses import Responses
from edmeasure.scores import _person_scores, _sufficient

POSTERIOR_METHODS = ("EAP", "MAP", "sum-score EAP")


@dataclass(frozen=True, eq=False)
class AbilityEstimate(Exported):
    """``theta`` and its standard error, both float64 (n_persons,), on the fit's scale."""

    theta: FloatArray
    se: FloatArray
    method: str

    @property
    def reliability(self) -> float:
        """Share of variance that is not error: EAP and MAP var/(var + mean se^2), else 1 - mean se^2/var."""
        usable = np.isfinite(self.theta)
        if not usable.any():
            return float("nan")
        spread = float(np.var(self.theta[usable]))
        if spread == 0:
            return float("nan")
        error = float(np.mean(self.se[usable] ** 2))
        return spread / (spread + error) if self.method in POSTERIOR_METHODS else 1.0 - error / spread

    @property
    def _finite(self) -> FloatArray:
        return np.asarray(self.theta[np.isfinite(self.theta)])

    def __str__(self) -> str:
        if not np.isfinite(self.theta).any():
            return f"{self.method} of {self.theta.size:,} persons: no estimates"
        return (
            f"{self.method} of {self.theta.size:,} persons: mean {np.mean(self._finite):.3f}, "
            f"sd {np.std(self._finite):.3f}, reliability {self.reliability:.3f}"
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
    mean, deviation = _priors(prior_mean, prior_sd, n)
    items = _items.aligned(fit, responses)
    nodes, _ = _em.quadrature(fit.nodes.size if n_nodes is None else n_nodes, float(fit.nodes[-1]))
    theta, variance = items.likelihoods(nodes).moments(mean, deviation)
    return AbilityEstimate(theta, np.sqrt(variance, out=variance), "EAP")


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
    Warm (1989): root of l'(theta) + J / (2 I) with I = sum P'^2 / P and J = sum P' P'' / P over
    items and categories; in partial credit models I = sum a^2 Var(x) and J = sum a^3 mu3(x)
    (Penfield & Bergeron 2005).
    """
    items = _items.aligned(fit, responses)
    theta, se = _person_scores.warm(items, _validate.positive(bound, "bound"))
    return AbilityEstimate(theta, se, "WLE")


def score_ml(fit: IRTFit, responses: Responses, *, bound: float = 20.0) -> AbilityEstimate:
    """Maximum likelihood estimate of every person.

    Returns
    -------
    AbilityEstimate
        Infinite, with an infinite error, where the likelihood rises to the end of
        ``[-bound, bound]``: perfect and zero scores, and guessing that nothing contradicts. NaN
        for a person without answers. ``se`` is from the observed information.

    Notes
    -----
    Of several maxima (Samejima 1973) the highest.
    """
    items = _items.aligned(fit, responses)
    theta, se = _person_scores.likelihood(items, _validate.positive(bound, "bound"))
    return AbilityEstimate(theta, se, "ML")


def score_map(
    fit: IRTFit,
    responses: Responses,
    *,
    prior_mean: npt.ArrayLike = 0.0,
    prior_sd: npt.ArrayLike = 1.0,
    bound: float = 20.0,
) -> AbilityEstimate:
    """Mode of every person's posterior under a normal prior; ``se`` is from its curvature."""
    n = responses.n_persons
    mean, deviation = _priors(prior_mean, prior_sd, n)
    items = _items.aligned(fit, responses)
    theta, se = _person_scores.posterior(items, mean, deviation, _validate.positive(bound, "bound"))
    return AbilityEstimate(theta, se, "MAP")


def _priors(prior_mean: npt.ArrayLike, prior_sd: npt.ArrayLike, n: int) -> tuple[FloatArray, FloatArray]:
    mean = _validate.float_vector(prior_mean, n, "prior_mean")
    deviation = _validate.float_vector(prior_sd, n, "prior_sd")
    if n and deviation.min() <= 0:
        raise BadOption("A prior_sd is not above zero.", remedy="Give positive deviations.")
    return mean, deviation


@dataclass(frozen=True, eq=False)
class SumScoreTable(Exported):
    """Posterior mean and deviation of everybody with the same number of points.

    Attributes
    ----------
    points : int64 (M + 1,)
    theta, se, share : float64 (M + 1,)
        ``share`` is the model's share of persons with that many points.
    """

    points: IntArray
    theta: FloatArray
    se: FloatArray
    share: FloatArray

    @property
    def reliability(self) -> float:
        """Variance of the posterior means over the variance of abilities."""
        mean = float(self.share @ self.theta)
        between = float(self.share @ (self.theta - mean) ** 2)
        return between / (between + float(self.share @ self.se**2))

    def __str__(self) -> str:
        rows = [f"{p:6d}  {t:8.3f}  {s:6.3f}  {100 * q:6.2f} %" for p, t, s, q in self._rows()]
        return "\n".join(["points     theta      se     share", *rows])

    def _rows(self) -> list[tuple[int, float, float, float]]:
        columns = (self.points, self.theta, self.se, self.share)
        return list(zip(*(column.tolist() for column in columns), strict=True))


def sum_score_table(
    fit: IRTFit,
    *,
    items: Sequence[str] | None = None,
    prior_mean: float = 0.0,
    prior_sd: float = 1.0,
    n_nodes: int | None = None,
) -> SumScoreTable:
    """What every number of points on some items (default all calibrated) says about ability.

    Notes
    -----
    Lord & Wingersky (1984) recursion; Thissen, Pommerich, Billeaud & Williams (1995).
    """
    names = [name for name, known in zip(fit.item_ids, fit.calibrated, strict=True) if known] if items is None else list(items)
    nobody = Responses.from_array(np.empty((0, len(names)), dtype=np.int8), item_ids=names)
    mean, deviation = _priors(prior_mean, prior_sd, 1)
    nodes, _ = _em.quadrature(fit.nodes.size if n_nodes is None else n_nodes, float(fit.nodes[-1]))
    return _sum_scores(_items.aligned(fit, nobody), nodes, float(mean[0]), float(deviation[0]))


def _sum_scores(items: _items.ScoringItems, nodes: FloatArray, mean: float, sd: float) -> SumScoreTable:
    chances = np.exp(items.log_probabilities(nodes))
    reached = np.ones((1, nodes.size))
    for part in _em.item_parts(items.category_start):
        grown = np.zeros((reached.shape[0] + part.stop - part.start - 1, nodes.size))
        for points, chance in enumerate(chances[part]):
            grown[points : points + reached.shape[0]] += reached * chance
        reached = grown
    joint = reached * normal_weights(nodes, mean, sd)
    share = joint.sum(axis=1)
    with np.errstate(invalid="ignore"):
        theta = joint @ nodes / share
        variance = np.sum(joint * (nodes - theta[:, None]) ** 2, axis=1) / share
    return SumScoreTable(np.arange(share.size), theta, np.sqrt(variance), share)


def score_sum_eap(
    fit: IRTFit, responses: Responses, *, prior_mean: float = 0.0, prior_sd: float = 1.0, n_nodes: int | None = None
) -> AbilityEstimate:
    """Posterior mean and deviation given the number of points alone, a table per set of answered items.

    Two pupils with the same items and the same points get the same score, which is easy to explain
    and costs some precision; see ``sum_score_table``.
    """
    items = _items.aligned(fit, responses)
    mean, deviation = _priors(prior_mean, prior_sd, 1)
    nodes, _ = _em.quadrature(fit.nodes.size if n_nodes is None else n_nodes, float(fit.nodes[-1]))
    theta, se = np.empty(responses.n_persons), np.empty(responses.n_persons)
    for persons, answered in _sufficient.booklets(items.scores) if responses.n_persons else ():
        table = _sum_scores(items.at(answered), nodes, float(mean[0]), float(deviation[0]))
        points = items.scores[persons][:, answered].sum(axis=1, dtype=np.int64)
        theta[persons], se[persons] = table.theta[points], table.se[points]
    return AbilityEstimate(theta, se, "sum-score EAP")
