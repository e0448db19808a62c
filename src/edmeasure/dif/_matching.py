"""Groups compared at equal ability: strata, and the loop that cleans the score they rest on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure import _validate
from edmeasure._validate import BoolArray, FloatArray, Int8Array, IntArray
from edmeasure.errors import BadOption, BadShape
from edmeasure.responses import NOT_ADMINISTERED, OMITTED, Responses

MOST_ROUNDS = 20

Studied = Callable[[int, FloatArray | IntArray], bool]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Scores of all persons with the two groups.

    ``points`` are -1 where an item was not given or not reached; omitted counts as 0. ``given`` is the
    matching variable where the caller has one.
    """

    points: Int8Array
    max_scores: IntArray
    item_ids: tuple[str, ...]
    focal: BoolArray
    given: FloatArray | None

    def abilities(self, clean: BoolArray) -> Iterator[FloatArray | IntArray]:
        """The matching variable item by item: the one given, or the points on clean items and on this one."""
        if self.given is not None:
            yield from itertools.repeat(self.given, len(self.item_ids))
            return
        totals = np.zeros(self.points.shape[0], dtype=np.int64)
        for item in np.flatnonzero(clean).tolist():
            totals += self.points[:, item]
        for item, stays in enumerate(clean.tolist()):
            yield totals if stays else totals + self.points[:, item]

    def cells(self, item: int, ability: FloatArray | IntArray) -> tuple[FloatArray, FloatArray]:
        """Abilities, and persons by ability, group (reference, focal) and score."""
        scores, focal = self.points[:, item], self.focal
        if (scores < 0).any():
            answered = scores >= 0
            scores, focal, ability = scores[answered], focal[answered], ability[answered]
        if np.issubdtype(ability.dtype, np.integer):
            levels, at = np.arange(int(ability.max(initial=0)) + 1), ability.astype(np.int64)
        else:
            levels, at = np.unique(ability, return_inverse=True)
        n_scores = int(self.max_scores[item]) + 1
        counts = np.bincount((at * 2 + focal) * n_scores + scores, minlength=levels.size * 2 * n_scores)
        return levels.astype(np.float64), counts.reshape(levels.size, 2, n_scores).astype(np.float64)


def comparison(responses: Responses, focal: npt.ArrayLike, matching: npt.ArrayLike | None) -> Comparison:
    """Checked groups and matching variable."""
    n = responses.n_persons
    mask = two_groups(focal, n)
    scores = responses.scores
    points = np.where(scores == OMITTED, np.int8(0), np.maximum(scores, np.int8(NOT_ADMINISTERED)))
    if matching is None and (points < 0).any():
        raise BadShape(
            "Some persons were not given every item, so their totals cannot be compared.",
            remedy="Pass `matching`, for example theta of `score_eap`, or the items of one booklet.",
        )
    given = None if matching is None else _validate.float_vector(matching, n, "matching")
    return Comparison(points, responses.max_scores.astype(np.int64), responses.item_ids, mask, given)


def two_groups(focal: npt.ArrayLike, n: int) -> BoolArray:
    """The mask of the focal group; neither group may be empty."""
    mask = np.asarray(focal)
    if mask.shape != (n,):
        raise BadShape(f"focal has shape {mask.shape} for {n} persons.", remedy="Give one truth value per person.")
    if mask.dtype != np.bool_ and not np.isin(mask, (0, 1)).all():
        raise BadOption("focal holds values other than 0 and 1.", remedy="Pass `group == 'focal'`.")
    mask = mask.astype(np.bool_)
    if mask.all() or not mask.any():
        raise BadOption("One of the groups is empty.", remedy="Mark the focal group, and it only.")
    return mask


def purified(pairs: Comparison, studied: Studied, *, purify: bool) -> BoolArray:
    """Items that stay in the matching score: flagged ones leave until the set repeats itself."""
    n_items = len(pairs.item_ids)
    clean = np.ones(n_items, dtype=np.bool_)
    if not purify or pairs.given is not None:
        return clean
    before: list[bytes] = []
    for _ in range(MOST_ROUNDS):
        before.append(clean.tobytes())
        flagged = np.array([studied(item, ability) for item, ability in enumerate(pairs.abilities(clean))])
        if flagged.sum() > n_items - 2:
            raise BadOption(
                f"{int(flagged.sum())} of {n_items} items differ between the groups, so no score is left to match on.",
                remedy="Pass `matching` from another test, or purify=False.",
            )
        clean = ~flagged
        if clean.tobytes() in before:
            break
    return clean


def quantile_strata(ability: FloatArray, n_strata: int) -> FloatArray:
    """Every ability replaced by the mean of its quantile stratum."""
    cuts = np.unique(np.quantile(ability, np.arange(1, n_strata) / n_strata))
    at = np.searchsorted(cuts, ability, side="right")
    held = np.bincount(at, minlength=cuts.size + 1)
    return np.asarray((np.bincount(at, weights=ability, minlength=cuts.size + 1) / np.maximum(held, 1))[at])
