"""Reliability of a sum score beyond alpha: omega, Guttman's bounds, split halves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure._export import Exported
from edmeasure._validate import FloatArray, IntArray
from edmeasure.classical.items import item_covariances
from edmeasure.errors import BadOption, BadShape
from edmeasure.profiles.extraction import general_loadings, least_residual_loadings
from edmeasure.profiles.rotation import rotate
from edmeasure.responses import Responses

GAIN = 1e-12


@dataclass(frozen=True, eq=False)
class Omega(Exported):
    """Reliability from common factors.

    Attributes
    ----------
    total : float
        Share of the sum score's variance that is common to items (omega total).
    hierarchical : float
        Share that comes from the one general factor (omega hierarchical).
    general : float64 (J,)
        Loadings of the standardised items on the general factor.
    group : float64 (J, n_factors)
        Loadings on what the factors hold beyond it.
    uniqueness : float64 (J,)
    """

    total: float
    hierarchical: float
    general: FloatArray
    group: FloatArray
    uniqueness: FloatArray

    def __str__(self) -> str:
        return f"omega total {self.total:.3f}, hierarchical {self.hierarchical:.3f} ({self.group.shape[1]} group factors)"


@dataclass(frozen=True, eq=False)
class SplitHalves(Exported):
    """Reliability of the whole test from two halves.

    Attributes
    ----------
    guttman : float64 (6,)
        Lower bounds lambda 1 to lambda 6 of Guttman (1945); the third is alpha, the fourth the
        best split found.
    odd_even : float
        Correlation of odd with even items, stepped up by Spearman & Brown.
    worst, best : float
        Least and greatest split-half coefficient 4 cov / var found by exchanging items.
    best_half : int64
        Positions of one half of the best split.
    """

    guttman: FloatArray
    odd_even: float
    worst: float
    best: float
    best_half: IntArray

    def _columns(self) -> Mapping[str, object]:
        return {"bound": [f"lambda {k}" for k in range(1, 7)], "value": self.guttman}

    def __str__(self) -> str:
        bounds = ", ".join(f"l{k} {value:.3f}" for k, value in enumerate(self.guttman, start=1))
        return f"{bounds}; odd-even {self.odd_even:.3f}, splits {self.worst:.3f} to {self.best:.3f}"


def omega(
    responses: Responses,
    *,
    n_factors: int = 3,
    standardized: bool = False,
    weights: npt.ArrayLike | None = None,
) -> Omega:
    """Omega total and hierarchical (McDonald 1999; Zinbarg, Revelle, Yovel & Li 2005).

    Factors are fitted by least residuals, rotated by oblimin and turned into one general and
    ``n_factors`` group factors by Schmid & Leiman (1957). With two factors the general one takes
    the root of their correlation; with one factor the two omegas differ by its misfit only.

    Parameters
    ----------
    standardized
        Omega of the sum of standardised items; default the sum of the scores as they are.
        Score items so that all point the same way.
    """
    covariance = _complete_covariances(responses, weights)
    spread = np.sqrt(np.diag(covariance))
    n_items = spread.size
    if not 1 <= n_factors <= n_items // 2:
        raise BadOption(f"{n_factors} factors for {n_items} items.", remedy="Use 1 to half as many as items; 3 is usual.")
    correlations = covariance / np.outer(spread, spread)
    loadings = least_residual_loadings(correlations, n_factors)
    rotated = rotate(loadings, method="oblimin")
    loadings, phi = rotated.loadings, rotated.factor_correlations
    on_general = np.clip(general_loadings(phi), -1.0, 1.0)
    uniqueness = 1 - np.einsum("jm,mn,jn->j", loadings, phi, loadings)
    general = loadings @ on_general
    unit = np.ones(n_items) if standardized else spread
    variance = float(unit @ correlations @ unit)
    return Omega(
        total=1 - float(unit**2 @ uniqueness) / variance,
        hierarchical=float(unit @ general) ** 2 / variance,
        general=general,
        group=loadings * np.sqrt(1 - on_general**2),
        uniqueness=uniqueness,
    )


def split_halves(responses: Responses, *, weights: npt.ArrayLike | None = None) -> SplitHalves:
    """Guttman's six bounds and the range of split-half coefficients.

    The best and worst splits are found by exchanging items between halves from several starts
    until no exchange helps: with many items a slightly better one may exist.
    """
    covariance = _complete_covariances(responses, weights)
    n_items = covariance.shape[0]
    total = float(covariance.sum())
    squares = (covariance**2).sum(axis=0) - np.diag(covariance) ** 2
    first = 1 - float(np.trace(covariance)) / total
    residual = [_unexplained(covariance, item) for item in range(n_items)]
    best_half, best = _best_split(covariance, 1.0)
    odd = np.arange(0, n_items, 2)
    return SplitHalves(
        guttman=np.array(
            [
                first,
                first + float(np.sqrt(n_items / (n_items - 1) * squares.sum())) / total,
                first * n_items / (n_items - 1),
                best,
                first + 2 * float(np.sqrt(squares.max())) / total,
                1 - float(np.sum(residual)) / total,
            ]
        ),
        odd_even=_stepped_up(covariance, odd),
        worst=_best_split(covariance, -1.0)[1],
        best=best,
        best_half=best_half,
    )


def _complete_covariances(responses: Responses, weights: npt.ArrayLike | None) -> FloatArray:
    if responses.n_items < 3:
        raise BadShape(f"There are {responses.n_items} items.", remedy="Pass at least three.")
    covariance, seen = item_covariances(responses, weights=weights)
    if not seen.all():
        raise BadShape(
            "Some items never occur together.",
            remedy="Take the items of one booklet (`Responses.items`), or use `cronbach_alpha`.",
        )
    constant = np.flatnonzero(~(np.diag(covariance) > 0))
    if constant.size:
        names = [responses.item_ids[item] for item in constant[:10]]
        raise BadShape(f"Items {names} do not vary.", remedy="Leave them out with `Responses.items`.")
    return covariance


def _unexplained(covariance: FloatArray, item: int) -> float:
    """Variance of an item that the others do not explain, 0 for one of a pair of twins."""
    others = np.delete(np.arange(covariance.shape[0]), item)
    shared = covariance[others, item]
    slopes = np.linalg.lstsq(covariance[np.ix_(others, others)], shared, rcond=None)[0]
    return max(float(covariance[item, item] - shared @ slopes), 0.0)


def _stepped_up(covariance: FloatArray, half: IntArray) -> float:
    other = np.setdiff1d(np.arange(covariance.shape[0]), half)
    between = covariance[np.ix_(half, other)].sum()
    r = between / np.sqrt(covariance[np.ix_(half, half)].sum() * covariance[np.ix_(other, other)].sum())
    return float(2 * r / (1 + r))


def _best_split(covariance: FloatArray, sign: float) -> tuple[IntArray, float]:
    """The half whose covariance with the other is greatest (sign 1) or least (-1)."""
    n_items = covariance.shape[0]
    order = np.argsort(-covariance.sum(axis=0), kind="stable")
    starts = [np.arange(n_items) % 2 == 0, np.arange(n_items) < n_items // 2, np.isin(np.arange(n_items), order[::2])]
    found: list[tuple[float, IntArray]] = []
    for start in starts:
        sides = _exchanged(sign * covariance, np.where(start, 1.0, -1.0))
        half = np.flatnonzero(sides > 0)
        between = covariance[np.ix_(half, np.flatnonzero(sides < 0))].sum()
        found.append((4 * float(between) / float(covariance.sum()), half))
    value, half = max(found, key=lambda one: sign * one[0])
    return half, value


def _exchanged(covariance: FloatArray, sides: FloatArray) -> FloatArray:
    """Swap the two items that raise the covariance between halves most, while any swap does."""
    off = covariance - np.diag(np.diag(covariance))
    while True:
        pull = sides * (off @ sides)
        left, right = np.flatnonzero(sides > 0), np.flatnonzero(sides < 0)
        # moving i and j changes s'Cs by -4 (pull_i + pull_j + 2 c_ij)
        gain = pull[left][:, None] + pull[right][None, :] + 2 * off[np.ix_(left, right)]
        at = int(np.argmax(gain))
        if not gain.flat[at] > GAIN:
            return sides
        row, column = divmod(at, right.size)
        sides = sides.copy()
        sides[[left[row], right[column]]] *= -1
