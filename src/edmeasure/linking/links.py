"""Linking: two calibrations that share items brought onto one scale.

Abilities of the fit that is linked become theta* = A theta + B on the scale of the other. Both fits
describe the common items; A and B are chosen so that the descriptions agree, either in moments of
the parameters or in the response probabilities themselves (Kolen & Brennan 2014, ch. 6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import FloatArray, IntArray
from edmeasure.calibration import _em, _items, _packing
from edmeasure.calibration.irt import IRTFit
from edmeasure.errors import BadOption, BadShape

METHODS = ("stocking-lord", "haebara", "mean-sigma", "mean-mean")
N_NODES = 41
BOUND = 4.0
FEWEST_ITEMS = 2

Solver = Callable[[IntArray], tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Link(Exported):
    """theta* = slope theta + intercept, with the errors that the choice of common items brings.

    Attributes
    ----------
    slope, intercept : float
        ``A`` and ``B``.
    covariance : float64 (2, 2)
        Of (A, B); NaN when errors were not asked for.
    method : str
    item_ids : tuple of str
        The common items the link rests on.
    """

    slope: float
    intercept: float
    covariance: FloatArray
    method: str
    item_ids: tuple[str, ...]

    @property
    def slope_se(self) -> float:
        return float(np.sqrt(self.covariance[0, 0]))

    @property
    def intercept_se(self) -> float:
        return float(np.sqrt(self.covariance[1, 1]))

    def thetas(self, theta: npt.ArrayLike) -> FloatArray:
        """Abilities (any shape) on the other scale."""
        return np.asarray(self.slope * np.asarray(theta, dtype=np.float64) + self.intercept)

    def errors(self, theta: npt.ArrayLike) -> FloatArray:
        """Linking error at these abilities: sqrt(t' C t) with t = (theta, 1)."""
        at = np.asarray(theta, dtype=np.float64)
        (slope, cross), (_, intercept) = self.covariance
        return np.asarray(np.sqrt(np.maximum(slope * at**2 + 2 * cross * at + intercept, 0.0)))

    def apply(self, fit: IRTFit) -> IRTFit:
        """The same items on the other scale: a / A and d_k - s_k B / A, s_k the slope at category k (k a in
        partial credit); the likelihood is untouched.

        Groups move along. Nodes stay symmetric about 0 and reach as far as before; their weights
        follow the population; covariances of parameters are dropped. Scores on the new scale take ``prior_mean=link.intercept,
        prior_sd=link.slope``.
        """
        shift = self.intercept / self.slope
        reach = self.slope * float(fit.nodes[-1]) + abs(self.intercept)
        nodes = np.linspace(-reach, reach, fit.nodes.size)
        before = (nodes - self.intercept) / self.slope
        weights = np.array([np.interp(before, fit.nodes, one, left=0.0, right=0.0) for one in fit.group_weights])
        weights /= weights.sum(axis=1, keepdims=True)
        return replace(
            fit,
            slopes=fit.slopes / self.slope,
            intercepts=fit.intercepts - fit.category_slopes * shift,
            slope_se=fit.slope_se / self.slope,
            category_slope_se=fit.category_slope_se / self.slope,
            intercept_se=np.hypot(fit.intercept_se, fit.category_slope_se * shift),
            nodes=nodes,
            node_weights=weights[0],
            group_means=self.thetas(fit.group_means),
            group_sds=self.slope * fit.group_sds,
            group_mean_se=self.slope * fit.group_mean_se,
            group_sd_se=self.slope * fit.group_sd_se,
            group_weights=weights,
            covariance=np.empty((0, 0)),
        )

    def then(self, following: Link) -> Link:
        """This link followed by the next one of a chain; independent errors are carried along."""
        carried = np.array([[following.slope, 0.0], [0.0, following.slope]])
        added = np.array([[self.slope, 0.0], [self.intercept, 1.0]])
        covariance = carried @ self.covariance @ carried.T + added @ following.covariance @ added.T
        return Link(
            slope=self.slope * following.slope,
            intercept=following.slope * self.intercept + following.intercept,
            covariance=covariance,
            method=self.method if self.method == following.method else f"{self.method}, {following.method}",
            item_ids=tuple(dict.fromkeys(self.item_ids + following.item_ids)),
        )

    def _columns(self) -> Mapping[str, object]:
        return {
            "slope": [self.slope],
            "slope_se": [self.slope_se],
            "intercept": [self.intercept],
            "intercept_se": [self.intercept_se],
        }

    def __str__(self) -> str:
        return (
            f"theta* = {self.slope:.4f} ({self.slope_se:.4f}) theta {self.intercept:+.4f} ({self.intercept_se:.4f}), "
            f"{self.method} on {len(self.item_ids)} common items"
        )


@dataclass(frozen=True, eq=False)
class CommonItems:
    """The items two fits share: parameters of the fit that is linked (``own``) and of the other."""

    item_ids: tuple[str, ...]
    own: IRTFit
    other: IRTFit
    own_at: IntArray
    other_at: IntArray

    @cached_property
    def thresholds(self) -> tuple[FloatArray, FloatArray]:
        """Step thresholds of own and other (n_common, K), NaN where either fit has none."""
        own, other = _used_thresholds(self.own)[self.own_at], _used_thresholds(self.other)[self.other_at]
        steps = min(own.shape[1], other.shape[1])
        own, other = own[:, :steps], other[:, :steps]
        both = np.isfinite(own) & np.isfinite(other)
        return np.where(both, own, np.nan), np.where(both, other, np.nan)

    @property
    def difficulties(self) -> tuple[FloatArray, FloatArray]:
        """Mean threshold of every item, own and other."""
        own, other = (np.ma.masked_invalid(table).mean(axis=1).filled(np.nan) for table in self.thresholds)
        return own, other


def link(
    fit: IRTFit,
    *,
    onto: IRTFit,
    method: str = "stocking-lord",
    items: Sequence[str] | None = None,
    units: npt.ArrayLike | None = None,
    n_bootstrap: int = 0,
    rng: np.random.Generator | None = None,
) -> Link:
    """Constants that bring ``fit`` onto the scale of another fit through their common items.

    Parameters
    ----------
    method
        ``"stocking-lord"`` (1983) makes the expected test scores agree, ``"haebara"`` (1980) every
        category probability; both add up the two directions, so that linking back gives the
        inverse. ``"mean-sigma"`` (Marco 1977) and ``"mean-mean"`` (Loyd & Hoover 1980) match
        moments of thresholds and slopes.
    items
        Common items to use; default all that both fits have.
    units : (n_common,), optional
        Labels of testlets: items that share one are left out or drawn together.
    n_bootstrap, rng
        Errors by drawing this many samples of units; by default the jackknife over units, which
        needs no ``rng`` (Monseur & Berezner 2007).

    Raises
    ------
    BadShape, BadOption
    """
    _validate.choice(method, "method", METHODS)
    common = common_items(fit, onto, items)
    labels = np.arange(len(common.item_ids)) if units is None else np.asarray(units)
    _, codes = _validate.group_codes(labels, len(common.item_ids))
    solve = _solver(common, method)
    slope, intercept = solve(np.arange(codes.size))
    if n_bootstrap:
        if rng is None:
            raise BadOption("A bootstrap needs random numbers.", remedy="Pass rng=np.random.default_rng(seed).")
        covariance = _bootstrap(solve, codes, n_bootstrap, rng)
    else:
        covariance = _jackknife(solve, codes)
    return Link(slope, intercept, covariance, method, common.item_ids)


def chain_links(links: Sequence[Link]) -> Link:
    """One link from the first scale of a chain to the last: first link first."""
    if not links:
        raise BadShape("The chain is empty.", remedy="Pass at least one link.")
    whole = links[0]
    for following in links[1:]:
        whole = whole.then(following)
    return whole


def vertical_links(fits: Sequence[IRTFit], *, base: int = 0, method: str = "stocking-lord") -> tuple[Link, ...]:
    """A vertical scale: for every grade's fit the link onto the scale of the ``base`` grade.

    Fits stand in the order of the grades, neighbours share items, and links go from grade to
    grade, so errors grow with the distance from the base. The base links to itself exactly.
    """
    if not 0 <= base < len(fits):
        raise BadOption(f"base is {base} for {len(fits)} fits.", remedy="Use the position of one of them.")
    links = {base: Link(1.0, 0.0, np.zeros((2, 2)), method, ())}
    steps = [(grade, grade - 1) for grade in range(base + 1, len(fits))]
    steps += [(grade, grade + 1) for grade in range(base - 1, -1, -1)]
    for grade, nearer in steps:
        links[grade] = link(fits[grade], onto=fits[nearer], method=method).then(links[nearer])
    return tuple(links[grade] for grade in range(len(fits)))


def common_items(fit: IRTFit, onto: IRTFit, items: Sequence[str] | None = None) -> CommonItems:
    """Items with parameters in both fits and the same maximum score, in the order of ``fit``."""
    known = {name: at for at, name in enumerate(onto.item_ids) if onto.calibrated[at]}
    shared = [name for at, name in enumerate(fit.item_ids) if name in known and fit.calibrated[at]]
    if items is not None:
        missing = sorted(set(items) - set(shared))
        if missing:
            raise BadShape(f"Items {missing[:10]} are not in both fits.", remedy="Leave them out of `items`.")
        shared = [name for name in shared if name in set(items)]
    if len(shared) < FEWEST_ITEMS:
        raise BadShape(
            f"The fits share {len(shared)} items.",
            remedy=f"Link through at least {FEWEST_ITEMS} items with the same ids.",
        )
    own_at = np.array([fit.item_ids.index(name) for name in shared], dtype=np.int64)
    other_at = np.array([known[name] for name in shared], dtype=np.int64)
    unequal = fit.max_scores[own_at] != onto.max_scores[other_at]
    if unequal.any():
        names = [name for name, other in zip(shared, unequal, strict=True) if other]
        raise BadShape(f"Items {names[:10]} have two maximum scores.", remedy="Rename them or mend the scoring.")
    return CommonItems(tuple(shared), fit, onto, own_at, other_at)


def _used_thresholds(fit: IRTFit) -> FloatArray:
    """Thresholds without those beside a category that nobody chose, whose intercept says nothing."""
    thresholds = fit.thresholds.copy()
    rows = {name: row for row, name in enumerate(fit.item_ids)}
    for name, category in fit.unused_categories:
        thresholds[rows[name], max(category - 1, 0) : category + 1] = np.nan
    return thresholds


def category_probabilities(fit: IRTFit, at: IntArray, nodes: FloatArray) -> FloatArray:
    """P(category | theta) of these items, categories one after the other, shape (C, n_nodes)."""
    nobody = np.empty((0, at.size), dtype=np.int8)
    return np.exp(_items.parameters_of(fit, at, nobody).log_probabilities(nodes))


def _solver(common: CommonItems, method: str) -> Solver:
    """Constants from any selection of the common items."""
    if method in ("mean-mean", "mean-sigma"):
        return lambda chosen: _moments(common, chosen, method)
    return lambda chosen: _curves(common, chosen, method)


def _moments(common: CommonItems, chosen: IntArray, method: str) -> tuple[float, float]:
    own, other = (table[chosen][np.isfinite(table[chosen])] for table in common.thresholds)
    if method == "mean-sigma":
        slope = float(other.std() / own.std()) if own.size > 1 and own.std() > 0 else float("nan")
    else:
        slope = float(common.own.slopes[common.own_at[chosen]].mean() / common.other.slopes[common.other_at[chosen]].mean())
    if not np.isfinite(slope) or slope <= 0:
        raise BadOption(
            f"The {method} slope of the link is {slope:.3g}.",
            remedy="Use more common items of different difficulty, or a characteristic-curve method.",
        )
    return slope, float(other.mean() - slope * own.mean())


def _curves(common: CommonItems, chosen: IntArray, method: str) -> tuple[float, float]:
    """Least squares over A and B of probabilities (Haebara) or of expected scores (Stocking & Lord)."""
    nodes = np.linspace(-BOUND, BOUND, N_NODES)
    root_weight = np.exp(-0.25 * nodes**2)
    own_at, other_at = common.own_at[chosen], common.other_at[chosen]
    of_category = _em.categories(_packing.category_starts(common.own.max_scores[own_at]))[1]

    def described(fit: IRTFit, at: IntArray, theta: FloatArray) -> FloatArray:
        table = category_probabilities(fit, at, theta)
        return table if method == "haebara" else of_category @ table

    fixed_own = described(common.own, own_at, nodes)
    fixed_other = described(common.other, other_at, nodes)

    def gaps(constants: FloatArray) -> FloatArray:
        slope, intercept = np.exp(constants[0]), constants[1]
        forth = described(common.own, own_at, (nodes - intercept) / slope) - fixed_other
        back = described(common.other, other_at, slope * nodes + intercept) - fixed_own
        return np.concatenate([(forth * root_weight).ravel(), (back * root_weight).ravel()])

    start = np.array([0.0, 0.0])
    found = least_squares(gaps, start, jac="3-point", method="lm", xtol=1e-13, ftol=1e-13, gtol=1e-13)
    return float(np.exp(found.x[0])), float(found.x[1])


def _jackknife(solve: Solver, codes: IntArray) -> FloatArray:
    """(n - 1) / n times the sum of squares around the mean of the delete-one constants."""
    n = int(codes.max()) + 1
    if n <= FEWEST_ITEMS:
        return np.full((2, 2), np.nan)
    left_out = np.array([solve(np.flatnonzero(codes != unit)) for unit in range(n)])
    away = left_out - left_out.mean(axis=0)
    return np.asarray((n - 1) / n * away.T @ away)


def _bootstrap(solve: Solver, codes: IntArray, n_samples: int, rng: np.random.Generator) -> FloatArray:
    n = int(codes.max()) + 1
    members = [np.flatnonzero(codes == unit) for unit in range(n)]
    drawn = [solve(np.concatenate([members[unit] for unit in rng.integers(0, n, n)])) for _ in range(n_samples)]
    return np.cov(np.array(drawn).T)
