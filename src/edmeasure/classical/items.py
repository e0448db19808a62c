"""Classical item statistics and reliability, for matrix samples too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edmeasure._validate import BoolArray, FloatArray, IntArray
from edmeasure.errors import BadShape
from edmeasure.responses import NOT_ADMINISTERED, NOT_REACHED, OMITTED, Responses, person_weights

BLOCK = 65_536


@dataclass(frozen=True, eq=False)
class ItemStatistics:
    """Arrays run over items, NaN where an item has no answers.

    Attributes
    ----------
    n : int64 (J,)
        Persons who were given the item and reached it (answered or omitted).
    difficulty : float64 (J,)
        Weighted mean score over maximum score; omitted counts as 0.
    discrimination : float64 (J,)
        Weighted correlation of the item with the mean score ratio on the person's other items.
    omit_rate : float64 (J,)
        Omitted among those who reached the item.
    not_reached_rate : float64 (J,)
        Not reached among those who were given the item.
    """

    item_ids: tuple[str, ...]
    n: IntArray
    difficulty: FloatArray
    discrimination: FloatArray
    omit_rate: FloatArray
    not_reached_rate: FloatArray

    def __str__(self) -> str:
        return (
            f"{len(self.item_ids)} items: mean score ratio {np.nanmean(self.difficulty):.3f}, "
            f"mean discrimination {np.nanmean(self.discrimination):.3f}"
        )


def item_statistics(responses: Responses, *, weights: npt.ArrayLike | None = None) -> ItemStatistics:
    """Difficulty, corrected item-rest discrimination, omissions; one pass in blocks of persons.

    The rest score is the sum of the person's other items over their maximum, so persons with
    different booklets can be compared; on one common booklet it is the usual item-rest
    correlation.
    """
    w = person_weights(responses, weights)
    highest = responses.max_scores.astype(np.float64)
    n_items = responses.n_items
    counts = np.zeros(n_items, dtype=np.int64)
    omitted, skipped, given = (np.zeros(n_items) for _ in range(3))
    # weight, item, rest, item^2, rest^2, item*rest, and weight of persons with an item in all
    sums = np.zeros((6, n_items))
    reached_weight = np.zeros(n_items)
    score_sum = np.zeros(n_items)
    for first in range(0, responses.n_persons, BLOCK):
        rows = slice(first, first + BLOCK)
        scores = responses.scores[rows]
        weight = w[rows, None]
        is_omitted = scores == OMITTED
        reached = (scores >= 0) | is_omitted
        points = np.maximum(scores, 0).astype(np.float64)
        counts += reached.sum(axis=0)
        omitted += (weight * is_omitted).sum(axis=0)
        skipped += (weight * (scores == NOT_REACHED)).sum(axis=0)
        given += (weight * (scores != NOT_ADMINISTERED)).sum(axis=0)
        reached_weight += (weight * reached).sum(axis=0)
        score_sum += (weight * points).sum(axis=0)
        _add_rest_moments(sums, points, reached, highest, weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_item, mean_rest = sums[1] / sums[0], sums[2] / sums[0]
        covariance = sums[5] / sums[0] - mean_item * mean_rest
        spread = (sums[3] / sums[0] - mean_item**2) * (sums[4] / sums[0] - mean_rest**2)
        discrimination = covariance / np.sqrt(np.where(spread > 1e-14, spread, np.nan))
        return ItemStatistics(
            item_ids=responses.item_ids,
            n=counts,
            difficulty=score_sum / (reached_weight * highest),
            discrimination=discrimination,
            omit_rate=omitted / reached_weight,
            not_reached_rate=skipped / given,
        )


def _add_rest_moments(
    sums: FloatArray,
    points: FloatArray,
    reached: npt.NDArray[np.bool_],
    highest: FloatArray,
    weight: FloatArray,
) -> None:
    """Add this block's weighted moments of item score and rest-score ratio."""
    possible = reached * highest
    rest_possible = possible.sum(axis=1, keepdims=True) - possible
    usable = reached & (rest_possible > 0)
    rest = (points.sum(axis=1, keepdims=True) - points) / np.where(usable, rest_possible, 1.0)
    counted = weight * usable
    for at, term in enumerate((1.0, points, rest, points**2, rest**2, points * rest)):
        sums[at] += (counted * term).sum(axis=0)


def cronbach_alpha(responses: Responses, *, weights: npt.ArrayLike | None = None) -> float:
    """Cronbach's (1951) alpha from the matrix of pairwise weighted covariances.

    With missing by design every covariance uses the persons who have both items and the mean
    covariance uses the pairs that occur together; complete data give the textbook value.

    Raises
    ------
    BadShape
        With fewer than two items.
    """
    n_items = responses.n_items
    if n_items < 2:
        raise BadShape("Alpha needs at least two items.", remedy="Pass the whole test.")
    covariance, seen = item_covariances(responses, weights=weights)
    off_diagonal = seen & ~np.eye(n_items, dtype=np.bool_)
    variances = np.diag(covariance)[np.diag(seen)]
    if variances.size < 2 or not off_diagonal.any():
        return float("nan")
    mean_covariance = covariance[off_diagonal].mean()
    k = variances.size
    total = variances.sum() + k * (k - 1) * mean_covariance
    return float(k * k * mean_covariance / total) if total > 0 else float("nan")


def item_covariances(responses: Responses, *, weights: npt.ArrayLike | None = None) -> tuple[FloatArray, BoolArray]:
    """Pairwise weighted covariances (J, J), and which pairs anybody answered; omitted counts as 0."""
    n_items = responses.n_items
    w = person_weights(responses, weights)
    both, first, cross = (np.zeros((n_items, n_items)) for _ in range(3))
    for start in range(0, responses.n_persons, BLOCK):
        rows = slice(start, start + BLOCK)
        scores = responses.scores[rows]
        present = ((scores >= 0) | (scores == OMITTED)).astype(np.float64)
        points = np.maximum(scores, 0) * present
        weighted = present * w[rows, None]
        both += weighted.T @ present
        first += (points * w[rows, None]).T @ present
        cross += (points * w[rows, None]).T @ points
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = first / both
        covariance = cross / both - mean * mean.T
    return covariance, both > 0
