"""What the wrong options of multiple-choice items do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.errors import BadOption, BadScore, BadShape

LEAST_SHARE = 0.05


@dataclass(frozen=True, eq=False)
class DistractorAnalysis(Exported):
    """Arrays run over items and options, NaN where an item has no such option.

    Attributes
    ----------
    item_ids, options : tuple of str
    key : int64 (J,)
        Position of the right option.
    share : float64 (J, M)
        Weighted share of persons who chose the option; those who chose none count too.
    correlation : float64 (J, M)
        Correlation of choosing the option with the number right on the other items.
    rest_mean : float64 (J, M)
        Mean number right on the other items of those who chose it.
    group_shares : float64 (J, M, G)
        The share within groups of rising number right, as equal in size as ties allow.
    """

    item_ids: tuple[str, ...]
    options: tuple[str, ...]
    key: IntArray
    share: FloatArray
    correlation: FloatArray
    rest_mean: FloatArray
    group_shares: FloatArray

    @property
    def is_key(self) -> BoolArray:
        return np.asarray(np.arange(len(self.options)) == self.key[:, None])

    @property
    def unused(self) -> tuple[tuple[str, str], ...]:
        """Distractors that fewer than 5 % chose (Haladyna & Downing 1993)."""
        return self._named(~self.is_key & (self.share < LEAST_SHARE))

    @property
    def attractive_to_the_able(self) -> tuple[tuple[str, str], ...]:
        """Distractors whose choosers do better than the others elsewhere: ambiguous, or the key is wrong."""
        return self._named(~self.is_key & (self.correlation > 0) & (self.share >= LEAST_SHARE))

    @property
    def suspected_keys(self) -> tuple[str, ...]:
        """Items with a distractor that correlates higher than the keyed option."""
        keyed = self.correlation[np.arange(self.key.size), self.key]
        others = np.where(self.is_key | ~(self.share >= LEAST_SHARE), -np.inf, self.correlation)
        return tuple(self.item_ids[item] for item in np.flatnonzero(others.max(axis=1) > keyed))

    def _named(self, chosen: BoolArray) -> tuple[tuple[str, str], ...]:
        return tuple((self.item_ids[item], self.options[option]) for item, option in np.argwhere(chosen))

    def _columns(self) -> Mapping[str, object]:
        return {
            "item": np.repeat(self.item_ids, len(self.options)),
            "option": np.tile(self.options, len(self.item_ids)),
            "is_key": self.is_key.ravel(),
            **{name: getattr(self, name).ravel() for name in ("share", "correlation", "rest_mean")},
        }

    def __str__(self) -> str:
        lines = [f"{len(self.item_ids)} items, {len(self.options)} options; {len(self.unused)} distractors below 5 %"]
        if self.attractive_to_the_able:
            named = ", ".join(f"{item}:{option}" for item, option in self.attractive_to_the_able)
            lines.append(f"attractive to the able: {named}")
        if self.suspected_keys:
            lines.append("look at the key of: " + ", ".join(self.suspected_keys))
        return "\n".join(lines)


def distractor_analysis(
    choices: npt.ArrayLike,
    *,
    key: npt.ArrayLike,
    item_ids: Sequence[str] | None = None,
    weights: npt.ArrayLike | None = None,
    n_groups: int = 5,
) -> DistractorAnalysis:
    """How often every option is chosen and by whom.

    Parameters
    ----------
    choices : (n_persons, n_items)
        Option of every answer: text, or whole numbers. Empty text, NaN and negative numbers are no
        answer, which counts as wrong.
    key : (n_items,)
        The right options.
    """
    codes, keyed, options = option_codes(choices, key)
    n, n_items = codes.shape
    if n_groups < 2 or n < n_groups:
        raise BadOption(f"{n_groups} groups of {n} persons.", remedy="Use 2 to 10 groups, fewer than persons.")
    w = _validate.weight_vector(weights, n)
    number_right = (codes == keyed).sum(axis=1)
    n_columns = len(options) + 1
    share, correlation, rest_mean = np.full((3, n_items, len(options)), np.nan)
    group_shares = np.full((n_items, len(options), n_groups), np.nan)
    for item in range(n_items):
        rest = number_right - (codes[:, item] == keyed[item])
        # persons by number right elsewhere and option; column 0 is no answer
        cells = np.bincount(rest * n_columns + codes[:, item] + 1, weights=w, minlength=n_items * n_columns)
        cells = cells.reshape(-1, n_columns) / w.sum()
        offered = np.flatnonzero((cells[:, 1:].sum(axis=0) > 0) | (np.arange(len(options)) == keyed[item]))
        chosen = cells[:, 1:][:, offered]
        share[item, offered] = chosen.sum(axis=0)
        correlation[item, offered], rest_mean[item, offered] = _by_rest(chosen, cells.sum(axis=1))
        group_shares[item, offered] = _by_group(chosen, cells.sum(axis=1), n_groups)
    return DistractorAnalysis(
        _validate.item_names(item_ids, n_items), options, keyed, share, correlation, rest_mean, group_shares
    )


def option_codes(choices: npt.ArrayLike, key: npt.ArrayLike) -> tuple[IntArray, IntArray, tuple[str, ...]]:
    """Options as 0..M-1 in sorted order, -1 for no answer; the key in the same codes."""
    given, right = np.asarray(choices), np.asarray(key)
    if given.ndim != 2 or right.shape != given.shape[1:]:
        raise BadShape(
            f"Choices have shape {given.shape}, the key {right.shape}.",
            remedy="Pass (n_persons, n_items) and one right option per item.",
        )
    is_number = np.issubdtype(given.dtype, np.number)
    values = given.astype(np.float64) if is_number else np.char.strip(given.astype(np.str_))
    asked = right.astype(np.float64) if is_number else np.char.strip(right.astype(np.str_))
    answered = np.nan_to_num(given.astype(np.float64), nan=-1.0) >= 0 if is_number else values != ""
    known = np.unique(np.concatenate([values[answered], asked]))
    names = tuple(f"{value:g}" if is_number else str(value) for value in known)
    if known.size > np.iinfo(np.int8).max or "" in names:
        raise BadScore(f"There are {known.size} different options.", remedy="Pass options, not answers in words.")
    codes = np.where(answered, np.searchsorted(known, np.where(answered, values, known[0])), -1)
    return codes.astype(np.int64), np.searchsorted(known, asked).astype(np.int64), names


def _by_rest(chosen: FloatArray, persons: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Correlation of choosing with the rest score, and the choosers' mean; shares by rest score come in."""
    rest = np.arange(persons.size)
    centred = rest - persons @ rest
    share = chosen.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(share * (1 - share) * (persons @ centred**2))
        return centred @ chosen / spread, rest @ chosen / share


def _by_group(chosen: FloatArray, persons: FloatArray, n_groups: int) -> FloatArray:
    """Shares (options, groups); a rest score belongs to the group of its middle rank, so ties stay together."""
    middle = np.cumsum(persons) - persons / 2
    group = np.minimum((middle * n_groups).astype(np.int64), n_groups - 1)
    inside = group == np.arange(n_groups)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((inside @ chosen / (inside @ persons)[:, None]).T)
