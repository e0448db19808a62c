"""How a test was taken: whether time ran out, and whether two answer sheets agree too well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from edmeasure._export import Exported
from edmeasure._validate import FloatArray, IntArray
from edmeasure.classical.distractors import option_codes
from edmeasure.errors import BadOption, BadShape
from edmeasure.responses import NOT_ADMINISTERED, NOT_REACHED, OMITTED, Responses, person_weights

MOST_REACHED, FEWEST_REACHED = 0.80, 0.75
HIGHEST_RATIO = 0.25
BLOCK = 4096
MOST_COMPARED = 5000
RIDGE = 1e-3
NEWTON_STEPS = 50


@dataclass(frozen=True, eq=False)
class Speededness(Exported):
    """Signs that a test was too long for its time.

    Attributes
    ----------
    reached : float64 (J,)
        Weighted share of those given the item who reached it, in the order of the items.
    reached_last : float
        Share who reached the last item given to them.
    reached_three_quarters : float
        Share who reached three quarters of their items.
    variance_ratio : float
        Variance of the number not reached over the variance of the number right (Gulliksen 1950).
    quotient : float
        Not reached over wrong, omitted and not reached together (Stafford 1971).
    """

    reached: FloatArray
    reached_last: float
    reached_three_quarters: float
    variance_ratio: float
    quotient: float

    @property
    def is_speeded(self) -> bool:
        """Fails Swineford's (1974) rule: 80 % reach the end, all reach three quarters, ratio at most 0.25."""
        return self.reached_last < MOST_REACHED or self.reached_three_quarters < 1 or self.variance_ratio > HIGHEST_RATIO

    def __str__(self) -> str:
        return (
            f"{'speeded' if self.is_speeded else 'not speeded'}: {self.reached_last:.1%} reached the last item, "
            f"{self.reached_three_quarters:.1%} three quarters; variance ratio {self.variance_ratio:.3f}, "
            f"quotient {self.quotient:.3f}"
        )


def speededness(responses: Responses, *, weights: npt.ArrayLike | None = None) -> Speededness:
    """From the codes `NOT_REACHED`, which must have been told apart from `OMITTED`; booklets may differ."""
    w = person_weights(responses, weights)
    scores = responses.scores
    given = scores != NOT_ADMINISTERED
    missed = scores == NOT_REACHED
    n_given, n_missed = given.sum(axis=1), missed.sum(axis=1)
    if not (n_given > 0).any():
        raise BadShape("Nobody was given an item.", remedy="Pass answers.")
    w = w * (n_given > 0)
    right = np.maximum(scores, 0).sum(axis=1).astype(np.float64)
    spread = _variance(right, w)
    wrong = w @ (((scores == 0) | (scores == OMITTED)).sum(axis=1) + n_missed)
    with np.errstate(invalid="ignore", divide="ignore"):
        reached = 1 - (w @ missed) / (w @ given)
    return Speededness(
        reached=reached,
        reached_last=float(w @ (n_missed == 0) / w.sum()),
        reached_three_quarters=float(w @ (n_missed <= (1 - FEWEST_REACHED) * n_given) / w.sum()),
        variance_ratio=_variance(n_missed.astype(np.float64), w) / spread if spread > 0 else float("nan"),
        quotient=float(w @ n_missed / wrong) if wrong > 0 else 0.0,
    )


@dataclass(frozen=True, eq=False)
class CopyingIndices(Exported):
    """Agreement of pairs of answer sheets against chance.

    Attributes
    ----------
    copiers, sources : int64 (n_pairs,)
        Positions of the persons.
    matches : int64 (n_pairs,)
        Items on which both chose the same option, right or wrong.
    expected : float64 (n_pairs,)
        Matches expected of a copier of that ability who did not look.
    omega : float64 (n_pairs,)
        Wollack's (1997) standardised excess.
    p_value : float64 (n_pairs,)
        Exact chance of as many matches: the generalized binomial test of van der Linden &
        Sotaridona (2006).
    """

    copiers: IntArray
    sources: IntArray
    matches: IntArray
    expected: FloatArray
    omega: FloatArray
    p_value: FloatArray

    def suspects(self, *, false_share: float = 0.01) -> IntArray:
        """Pairs to look at, the least likely first: at most this share of them by chance (Benjamini & Hochberg 1995).

        Agreement is a reason to look at seats and minutes, never a proof.
        """
        order = np.argsort(self.p_value, kind="stable")
        n = order.size
        passes = self.p_value[order] <= false_share * np.arange(1, n + 1) / max(n, 1)
        return order[: int(np.flatnonzero(passes).max()) + 1] if passes.any() else order[:0]

    def __str__(self) -> str:
        return f"{self.copiers.size:,} pairs: omega up to {self.omega.max():.2f}, {self.suspects().size} to look at"


def copying_indices(
    choices: npt.ArrayLike,
    *,
    key: npt.ArrayLike,
    copiers: npt.ArrayLike | None = None,
    sources: npt.ArrayLike | None = None,
) -> CopyingIndices:
    """Compare every copier with the source at the same place; default all ordered pairs.

    The chance that a person of a given ability chooses an option is a nominal logistic curve in
    the standardised number right and its square, fitted to all persons. Wollack (1997) uses
    Bock's nominal model with theta; with number right the index needs no calibration of options.
    Items that the source left empty are not counted.

    Parameters
    ----------
    choices, key
        As in `distractor_analysis`.
    copiers, sources : int (n_pairs,), optional
        Positions of persons, for example neighbours in a room.
    """
    codes, keyed, options = option_codes(choices, key)
    copier, source = _pairs(copiers, sources, codes.shape[0])
    right = (codes == keyed).sum(axis=1).astype(np.float64)
    if codes.shape[0] < 50 or right.std() == 0:
        raise BadShape(
            f"{codes.shape[0]} persons whose number right has standard deviation {right.std():.2g}.",
            remedy="Fit the options' curves to at least 50 persons who differ, for example the whole school.",
        )
    chances = _option_chances(codes, right, len(options))
    matches = np.zeros(copier.size, dtype=np.int64)
    expected, deviation, p_value = np.zeros((3, copier.size))
    for first in range(0, copier.size, BLOCK):
        block = slice(first, first + BLOCK)
        seen = codes[source[block]]
        chance = np.take_along_axis(chances[copier[block]], np.maximum(seen, 0)[:, :, None], axis=2)[:, :, 0]
        chance = np.where(seen >= 0, chance, 0.0)
        matches[block] = ((codes[copier[block]] == seen) & (seen >= 0)).sum(axis=1)
        expected[block] = chance.sum(axis=1)
        deviation[block] = np.sqrt((chance * (1 - chance)).sum(axis=1))
        p_value[block] = _at_least(matches[block], chance)
    with np.errstate(invalid="ignore", divide="ignore"):
        omega = np.where(deviation > 0, (matches - expected) / deviation, 0.0)
    return CopyingIndices(copier, source, matches, expected, omega, p_value)


def normal_p_value(omega: npt.ArrayLike) -> FloatArray:
    """Upper tail of the normal distribution, the reference Wollack gives for omega."""
    return np.asarray(ndtr(-np.asarray(omega, dtype=np.float64)))


def _variance(values: FloatArray, weights: FloatArray) -> float:
    p = weights / weights.sum()
    return float(p @ (values - p @ values) ** 2)


def _pairs(copiers: npt.ArrayLike | None, sources: npt.ArrayLike | None, n: int) -> tuple[IntArray, IntArray]:
    if copiers is None and sources is None:
        if n > MOST_COMPARED:
            raise BadOption(
                f"{n} persons make {n * (n - 1):,} pairs.", remedy="Name copiers and sources, for example neighbours."
            )
        first, second = np.indices((n, n))
        other = first != second
        return first[other].astype(np.int64), second[other].astype(np.int64)
    if copiers is None or sources is None:
        raise BadOption("Only one of copiers and sources is given.", remedy="Give both or neither.")
    copier, source = np.asarray(copiers, dtype=np.int64), np.asarray(sources, dtype=np.int64)
    if copier.ndim != 1 or copier.shape != source.shape or copier.size == 0:
        raise BadShape(f"copiers {copier.shape}, sources {source.shape}.", remedy="Give one source per copier.")
    if min(copier.min(), source.min()) < 0 or max(copier.max(), source.max()) >= n or (copier == source).any():
        raise BadOption("A pair is no two persons.", remedy=f"Use two different positions below {n}.")
    return copier, source


def _option_chances(codes: IntArray, right: FloatArray, n_options: int) -> FloatArray:
    """P(option | number right), (n_persons, J, M), evaluated once per number right."""
    levels, at = np.unique(right, return_inverse=True)
    z = (levels - right.mean()) / right.std()
    design = np.stack([np.ones(z.size), z, z**2], axis=1)
    table = np.zeros((levels.size, codes.shape[1], n_options))
    for item in range(codes.shape[1]):
        answered = codes[:, item] >= 0
        counts = np.bincount(at[answered] * n_options + codes[answered, item], minlength=levels.size * n_options)
        table[:, item] = _nominal_curves(design, counts.reshape(levels.size, n_options).astype(np.float64))
    return table[at]


def _nominal_curves(design: FloatArray, counts: FloatArray) -> FloatArray:
    """Multinomial logistic regression by Newton steps; a small ridge keeps rare options finite."""
    used = np.flatnonzero(counts.sum(axis=0) > 0)
    curves = np.zeros(counts.shape)
    if used.size < 2:
        curves[:, used] = 1.0
        return curves
    seen = counts[:, used]
    at_level = seen.sum(axis=1)
    size, free = design.shape[1], used.size - 1
    beta = np.zeros((size, free))
    for _ in range(NEWTON_STEPS):
        chances = _softmax(design @ beta)
        gradient = design.T @ (seen - at_level[:, None] * chances)[:, 1:] - RIDGE * beta
        inside = chances[:, 1:]
        spread = at_level[:, None, None] * (inside[:, :, None] * np.eye(free) - inside[:, :, None] * inside[:, None, :])
        information = np.einsum("la,lb,lmn->ambn", design, design, spread).reshape(size * free, -1)
        step = np.linalg.solve(information + RIDGE * np.eye(size * free), gradient.ravel()).reshape(size, free)
        beta += step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        if np.abs(step).max() < 1e-8:
            break
    curves[:, used] = _softmax(design @ beta)
    return curves


def _softmax(eta: FloatArray) -> FloatArray:
    """Chances of a first option with eta 0 and of the others."""
    whole = np.concatenate([np.zeros((eta.shape[0], 1)), eta], axis=1)
    weight = np.exp(whole - whole.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _at_least(matches: IntArray, chance: FloatArray) -> FloatArray:
    """P(at least so many successes) of independent trials with these chances (Lord & Wingersky's recursion)."""
    exactly = np.zeros((chance.shape[0], chance.shape[1] + 1))
    exactly[:, 0] = 1.0
    for item in range(chance.shape[1]):
        p = chance[:, item, None]
        exactly[:, 1:] = exactly[:, 1:] * (1 - p) + exactly[:, :-1] * p
        exactly[:, :1] *= 1 - p
    tail = np.cumsum(exactly[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(np.clip(tail[np.arange(matches.size), matches], 0.0, 1.0))
