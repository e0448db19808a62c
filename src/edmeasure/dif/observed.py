"""Items that work differently for two groups of equal ability (differential item functioning).

With thousands of pupils every item differs significantly. Both methods therefore class items by
the size of the effect and use the test only as a second condition: A negligible, B moderate,
C large.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.dif._cumulative_logit import CumulativeFit, cumulative_logit
from edmeasure.dif._matching import Comparison, comparison, purified, quantile_strata
from edmeasure.errors import BadOption
from edmeasure.responses import Responses

DELTA = -2.35
MODERATE_DELTA, LARGE_DELTA = 1.0, 1.5
MODERATE_DIFFERENCE, LARGE_DIFFERENCE = 0.17, 0.25
MODERATE_R2, LARGE_R2 = 0.035, 0.070
ONE_SIDED_95 = 1.6448536269514722
LEVEL = 0.05


@dataclass(frozen=True, eq=False)
class MantelHaenszel(Exported):
    """Arrays run over items; a positive ``delta`` or difference favours the focal group.

    Attributes
    ----------
    chi_square, p_value : float64 (J,)
        Mantel & Haenszel (1959) with continuity correction; Mantel's (1963) test of mean scores for
        items with more points, or the generalised test of all categories.
    df : int64 (J,)
    odds_ratio : float64 (J,)
        Common odds ratio, reference over focal; NaN for items with more than one point.
    delta, delta_se : float64 (J,)
        -2.35 ln(odds ratio), ETS's scale of difficulty; error by Robins, Breslow & Greenland (1986).
    difference : float64 (J,)
        Standardised difference (Dorans & Kulick 1986): mean score focal minus reference at equal
        ability, weighted by the focal group, as a share of the maximum score.
    effect : float64 (J,)
        The same in points over the standard deviation of the item.
    classes : tuple of "A", "B", "C"
    matching_items : tuple of str
        Items the groups were matched on (the studied item always counts too).
    """

    item_ids: tuple[str, ...]
    chi_square: FloatArray
    p_value: FloatArray
    df: IntArray
    odds_ratio: FloatArray
    delta: FloatArray
    delta_se: FloatArray
    difference: FloatArray
    effect: FloatArray
    classes: tuple[str, ...]
    matching_items: tuple[str, ...]

    @property
    def matter(self) -> tuple[str, ...]:
        """Items of class C, the largest effect first."""
        return _largest(self.item_ids, self.classes, np.abs(self.effect))

    @property
    def untested(self) -> tuple[str, ...]:
        """Items that say nothing: without variance, or never answered by both groups at one ability."""
        return _named(self.item_ids, np.isnan(self.difference))

    def _columns(self) -> Mapping[str, object]:
        return {"item": self.item_ids, "class": self.classes, **super()._columns()}

    def __str__(self) -> str:
        rows = []
        for item, kind in enumerate(self.classes):
            if kind == "A":
                continue
            is_binary = np.isfinite(self.delta[item])
            size = (
                f"delta {self.delta[item]:+.2f} ({self.delta_se[item]:.2f})" if is_binary else f"SMD {self.effect[item]:+.2f} sd"
            )
            rows.append(f"{self.item_ids[item]}: {kind}, difference {self.difference[item]:+.3f}, {size}")
        return "\n".join([_summary(self.classes, self.p_value, self.untested), *rows])


@dataclass(frozen=True, eq=False)
class LogisticDIF(Exported):
    """Arrays run over items.

    Attributes
    ----------
    chi_uniform, chi_nonuniform, chi_total : float64 (J,)
        Likelihood ratios of group (1 df), group by ability (1 df) and both (2 df).
    p_uniform, p_nonuniform, p_total : float64 (J,)
    group_effect : float64 (J,)
        Log-odds by which the focal group is ahead at equal ability (uniform model).
    interaction : float64 (J,)
        How much steeper the item is for the focal group, per standard deviation of ability.
    r2_uniform, r2_total : float64 (J,)
        Gain of Nagelkerke's R^2 by group, and by group and interaction.
    classes : tuple of "A", "B", "C"
        Jodoin & Gierl (2001): gain below 0.035, up to 0.070, above.
    matching_items : tuple of str
    """

    item_ids: tuple[str, ...]
    chi_uniform: FloatArray
    chi_nonuniform: FloatArray
    chi_total: FloatArray
    p_uniform: FloatArray
    p_nonuniform: FloatArray
    p_total: FloatArray
    group_effect: FloatArray
    interaction: FloatArray
    r2_uniform: FloatArray
    r2_total: FloatArray
    classes: tuple[str, ...]
    matching_items: tuple[str, ...]

    @property
    def matter(self) -> tuple[str, ...]:
        """Items of class C, the largest effect first."""
        return _largest(self.item_ids, self.classes, self.r2_total)

    @property
    def untested(self) -> tuple[str, ...]:
        """Items without variance."""
        return _named(self.item_ids, np.isnan(self.r2_total))

    @property
    def delta(self) -> FloatArray:
        """The group effect on ETS's scale, to compare with `MantelHaenszel`: R^2 calls less than about 0.9 logits negligible."""
        return np.asarray(-DELTA * self.group_effect)

    def _columns(self) -> Mapping[str, object]:
        return {"item": self.item_ids, "class": self.classes, **super()._columns()}

    def __str__(self) -> str:
        rows = [
            f"{name}: {kind}, R2 {gain:+.3f}, group {effect:+.2f}, interaction {turn:+.2f}"
            for name, kind, gain, effect, turn in zip(
                self.item_ids, self.classes, self.r2_total, self.group_effect, self.interaction, strict=True
            )
            if kind != "A"
        ]
        return "\n".join([_summary(self.classes, self.p_total, self.untested), *rows])


def mantel_haenszel(
    responses: Responses,
    *,
    focal: npt.ArrayLike,
    matching: npt.ArrayLike | None = None,
    n_strata: int = 20,
    purify: bool = True,
    nominal: bool = False,
) -> MantelHaenszel:
    """Compare two groups item by item within strata of equal ability.

    Parameters
    ----------
    focal : bool (n_persons,)
        The group that is asked about; the others are the reference.
    matching : float (n_persons,), optional
        Ability to match on, cut into ``n_strata`` quantiles; default the number of points.
    purify
        Leave items of class B and C out of the matching score and match again until the set
        stays (Holland & Thayer 1988).
    nominal
        Test all categories of items with more points (Somes 1986) instead of their mean.

    Notes
    -----
    Classes of right/wrong items (Dorans & Holland 1993): C if |delta| >= 1.5 and significantly
    above 1, A if |delta| < 1 or not different from 0, B otherwise. Items with more points: the
    standardised mean difference in standard deviations, 0.17 and 0.25, and Mantel's test (the practice of
    NAEP). Weights of persons are not used.
    """
    if n_strata < 2:
        raise BadOption(f"n_strata is {n_strata}.", remedy="Use at least 2; 10 to 30 is usual.")
    pairs = comparison(responses, focal, matching)
    if pairs.given is not None:
        pairs = replace(pairs, given=quantile_strata(pairs.given, n_strata))
    clean = purified(pairs, lambda item, ability: _mantel_item(pairs, item, ability, nominal)[-1] > 0, purify=purify)
    table = np.array([_mantel_item(pairs, item, ability, nominal) for item, ability in enumerate(pairs.abilities(clean))])
    chi, df, odds, delta_se, difference, effect, kind = table.T
    with np.errstate(divide="ignore", invalid="ignore"):
        delta = DELTA * np.log(odds)
    return MantelHaenszel(
        item_ids=responses.item_ids,
        chi_square=chi,
        p_value=np.asarray(chdtrc(df, chi)),
        df=df.astype(np.int64),
        odds_ratio=odds,
        delta=delta,
        delta_se=delta_se,
        difference=difference,
        effect=effect,
        classes=_letters(kind),
        matching_items=tuple(name for name, stays in zip(responses.item_ids, clean, strict=True) if stays),
    )


def logistic_dif(
    responses: Responses,
    *,
    focal: npt.ArrayLike,
    matching: npt.ArrayLike | None = None,
    purify: bool = True,
) -> LogisticDIF:
    """Logistic regression of every item on ability, group and their product (Swaminathan & Rogers 1990).

    Items with more points use cumulative logits (Zumbo 1999). Finds slopes that differ between
    groups, which Mantel-Haenszel misses. Options as in `mantel_haenszel`.
    """
    pairs = comparison(responses, focal, matching)
    clean = purified(pairs, lambda item, ability: _logistic_item(pairs, item, ability)[-1] > 0, purify=purify)
    table = np.array([_logistic_item(pairs, item, ability) for item, ability in enumerate(pairs.abilities(clean))])
    uniform, nonuniform, group, interaction, r2_uniform, r2_total, kind = table.T
    return LogisticDIF(
        item_ids=responses.item_ids,
        chi_uniform=uniform,
        chi_nonuniform=nonuniform,
        chi_total=uniform + nonuniform,
        p_uniform=np.asarray(chdtrc(1, uniform)),
        p_nonuniform=np.asarray(chdtrc(1, nonuniform)),
        p_total=np.asarray(chdtrc(2, uniform + nonuniform)),
        group_effect=group,
        interaction=interaction,
        r2_uniform=r2_uniform,
        r2_total=r2_total,
        classes=_letters(kind),
        matching_items=tuple(name for name, stays in zip(responses.item_ids, clean, strict=True) if stays),
    )


def _mantel_item(pairs: Comparison, item: int, ability: FloatArray | IntArray, nominal: bool) -> tuple[float, ...]:
    """chi, df, odds ratio, error of delta, difference, effect, class 0..2 of one item."""
    _, cells = pairs.cells(item, ability)
    cells = cells[(cells.sum(axis=2) > 0).all(axis=1)]
    scores = np.arange(cells.shape[2])
    whole = cells.sum(axis=(0, 1))
    spread = float(np.sqrt(np.cov(scores, fweights=whole.astype(np.int64)))) if whole.sum() > 1 else 0.0
    if not spread > 0:
        return (0.0, 1.0, *[float("nan")] * 4, 0.0)
    means = cells @ scores / cells.sum(axis=2)
    share = cells[:, 1].sum(axis=1) / cells[:, 1].sum()
    points = float(share @ (means[:, 1] - means[:, 0]))
    is_binary = scores.size == 2
    chi, df = _generalized(cells) if nominal and not is_binary else (_mantel(cells, is_binary), 1)
    odds, error = _odds(cells) if is_binary else (float("nan"), float("nan"))
    if is_binary:
        delta = abs(DELTA * np.log(odds)) if odds > 0 else np.inf
        is_moderate = delta >= MODERATE_DELTA and chdtrc(1, chi) < LEVEL
        is_large = delta >= LARGE_DELTA and delta - ONE_SIDED_95 * error > MODERATE_DELTA
    else:
        is_moderate = abs(points / spread) > MODERATE_DIFFERENCE and chdtrc(df, chi) < LEVEL
        is_large = abs(points / spread) > LARGE_DIFFERENCE and is_moderate
    kind = 2.0 if is_large else float(is_moderate)
    return chi, float(df), odds, error, points / (scores.size - 1), points / spread, kind


def _mantel(cells: FloatArray, continuity: bool) -> float:
    """Sum of focal scores against its hypergeometric mean and variance; strata of one person say nothing."""
    scores = np.arange(cells.shape[2])
    groups, both = cells.sum(axis=2), cells.sum(axis=1)
    n = both.sum(axis=1)
    first, second = both @ scores, both @ scores**2
    expected = groups[:, 1] * first / n
    variance = groups[:, 0] * groups[:, 1] * (n * second - first**2) / (n**2 * np.maximum(n - 1, 1))
    gap = abs(float((cells[:, 1] @ scores - expected).sum()))
    total = float(variance.sum())
    return max(gap - 0.5 * continuity, 0.0) ** 2 / total if total > 0 else 0.0


def _generalized(cells: FloatArray) -> tuple[float, int]:
    """Focal counts of all categories but the first, against their multivariate hypergeometric moments."""
    groups, both = cells.sum(axis=2), cells.sum(axis=1)[:, 1:]
    n = groups.sum(axis=1)
    gap = (cells[:, 1, 1:] - groups[:, 1, None] * both / n[:, None]).sum(axis=0)
    factor = groups[:, 0] * groups[:, 1] / (n**2 * np.maximum(n - 1, 1))
    variance = np.diag((factor * n) @ both) - np.einsum("s,sa,sb->ab", factor, both, both)
    return float(gap @ np.linalg.pinv(variance, hermitian=True) @ gap), int(np.linalg.matrix_rank(variance, hermitian=True))


def _odds(cells: FloatArray) -> tuple[float, float]:
    """Common odds ratio (reference over focal) and the error of delta."""
    n = cells.sum(axis=(1, 2))
    (b, a), (d, c) = cells[:, 0].T, cells[:, 1].T
    agree, differ = a * d / n, b * c / n
    r, s = agree.sum(), differ.sum()
    if not (r > 0 and s > 0):
        return (float("inf") if r > 0 else 0.0), float("nan")
    p, q = (a + d) / n, (b + c) / n
    variance = (p @ agree) / (2 * r * r) + (p @ differ + q @ agree) / (2 * r * s) + (q @ differ) / (2 * s * s)
    return float(r / s), float(abs(DELTA) * np.sqrt(variance))


def _logistic_item(pairs: Comparison, item: int, ability: FloatArray | IntArray) -> tuple[float, ...]:
    """Two likelihood ratios, group effect, interaction, two gains of R^2 and the class of one item."""
    levels, cells = pairs.cells(item, ability)
    counts = cells.reshape(-1, cells.shape[2])
    persons = cells.sum(axis=(1, 2))
    spread = np.sqrt(np.cov(levels, fweights=persons.astype(np.int64))) if levels.size > 1 else 0.0
    if not spread > 0 or np.count_nonzero(counts.sum(axis=0)) < 2:
        return (0.0, 0.0, *[float("nan")] * 4, 0.0)
    z = np.repeat((levels - levels @ persons / persons.sum()) / spread, 2)
    group = np.tile([0.0, 1.0], levels.size)
    columns = np.stack([z, group, z * group], axis=1)
    fits: list[CumulativeFit] = [cumulative_logit(columns[:, :k], counts) for k in range(4)]
    r2 = [_nagelkerke(fits[0], fit) for fit in fits]
    uniform, nonuniform = (max(2 * (fits[k + 1].loglik - fits[k].loglik), 0.0) for k in (1, 2))
    gain = r2[3] - r2[1]
    is_significant = chdtrc(2, uniform + nonuniform) < LEVEL
    kind = float(is_significant) * (2.0 if gain > LARGE_R2 else float(gain > MODERATE_R2))
    return uniform, nonuniform, float(fits[2].effects[1]), float(fits[3].effects[2]), r2[2] - r2[1], gain, kind


def _nagelkerke(empty: CumulativeFit, fit: CumulativeFit) -> float:
    """(1 - exp(2 (l0 - l) / n)) / (1 - exp(2 l0 / n)) (Nagelkerke 1991)."""
    return float(-np.expm1(2 * (empty.loglik - fit.loglik) / fit.n) / -np.expm1(2 * empty.loglik / fit.n))


def _letters(kind: FloatArray) -> tuple[str, ...]:
    return tuple("ABC"[int(one)] for one in kind)


def _largest(item_ids: tuple[str, ...], classes: tuple[str, ...], size: FloatArray) -> tuple[str, ...]:
    return tuple(item_ids[item] for item in np.argsort(-size, kind="stable") if classes[item] == "C")


def _named(item_ids: tuple[str, ...], chosen: BoolArray) -> tuple[str, ...]:
    return tuple(item_ids[item] for item in np.flatnonzero(chosen).tolist())


def _summary(classes: tuple[str, ...], p_value: FloatArray, untested: tuple[str, ...]) -> str:
    counts = ", ".join(f"{classes.count(letter)} {letter}" for letter in "ABC")
    line = f"{len(classes)} items: {counts}; {int((p_value < LEVEL).sum())} significant at 5 %"
    return line + (f"\nnot testable: {', '.join(untested)}" if untested else "")
