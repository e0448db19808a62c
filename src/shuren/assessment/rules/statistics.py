"""How every item went, counted once when responses come in."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shuren.assessment.data import Missing

BLOCK = 16_384


@dataclass(frozen=True, slots=True)
class ItemCount:
    """Unweighted counts and weighted shares of one item; see `data.ItemResult`."""

    given: int
    answered: int
    omitted: int
    not_reached: int
    mean_share: float | None
    discrimination: float | None


def item_counts(
    scores: npt.NDArray[np.int8], max_scores: npt.NDArray[np.int8], weights: npt.NDArray[np.float64]
) -> list[ItemCount]:
    """Count each column of `scores` (pupils × items), in blocks so that no second matrix of floats arises."""
    columns = scores.shape[1]
    counts = np.zeros((4, columns), np.int64)
    sums = np.zeros((6, columns))
    highest = max_scores.astype(np.float64)
    for start in range(0, len(scores), BLOCK):
        block = scores[start : start + BLOCK]
        given = block != Missing.NOT_ADMINISTERED
        counts += np.stack(
            [given.sum(0), (block >= 0).sum(0), (block == Missing.OMITTED).sum(0), (block == Missing.NOT_REACHED).sum(0)]
        )
        sums += _moments(np.maximum(block, 0), given, highest, weights[start : start + BLOCK])
    return [_item_count([int(count) for count in counts[:, place]], sums[:, place]) for place in range(columns)]


def _item_count(counts: list[int], sums: npt.NDArray[np.float64]) -> ItemCount:
    given, answered, omitted, not_reached = counts
    mean_share, discrimination = _shares(sums)
    return ItemCount(given, answered, omitted, not_reached, mean_share, discrimination)


def _moments(
    points: npt.NDArray[np.int8],
    given: npt.NDArray[np.bool_],
    highest: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Weighted sums of 1, s, s², r, r², s·r over those given each item, and given others too (s share, r rest share)."""
    possible = given * highest
    rest_possible = possible.sum(1, keepdims=True) - possible
    rest = points.sum(1, keepdims=True, dtype=np.float64) - points
    has_rest = given & (rest_possible > 0)
    rest = np.divide(rest, rest_possible, out=np.zeros_like(rest), where=has_rest)
    share = points / highest
    alone = given & ~has_rest
    weight = given * weights[:, None]
    rest[alone] = 0.0
    return np.stack(
        [
            weight.sum(0),
            (weight * share).sum(0),
            (weight * share**2).sum(0),
            (weight * rest).sum(0),
            (weight * rest**2).sum(0),
            (weight * share * rest).sum(0),
        ]
    )


def _shares(sums: npt.NDArray[np.float64]) -> tuple[float | None, float | None]:
    total, s, ss, r, rr, sr = (float(value) for value in sums)
    if total <= 0:
        return None, None
    spread = (ss / total - (s / total) ** 2) * (rr / total - (r / total) ** 2)
    link = (sr / total - s / total * r / total) / spread**0.5 if spread > 1e-18 else None
    return s / total, link
