"""What must be withheld so that no group under the minimum can be seen, not even by subtraction.

The published totals of a report family form a tree: a parent's total is the sum of its children. Whatever is withheld
under a published parent is known as a sum, so that sum must cover at least `minimum` pupils and at least two groups.
Under a withheld parent the withheld children must cover `minimum` pupils, or the parent's total could be put together
again from below.
"""

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]


def withheld_cells(
    counts: npt.NDArray[np.float64],
    parents: npt.NDArray[np.int64],
    parent_withheld: BoolArray,
    *,
    minimum: int,
    forced: BoolArray | None = None,
) -> BoolArray:
    """Cells (units × columns) to withhold at one level, given those withheld at the level above.

    `counts` are pupils per cell; empty cells are never withheld, they tell nothing. `forced` cells are withheld
    whatever their size. `parents` must be sorted.
    """
    units, columns = counts.shape
    withheld = np.zeros((units, columns), dtype=np.bool_)
    if units == 0:
        return withheld
    must = np.zeros_like(withheld) if forced is None else forced
    starts = np.flatnonzero(np.diff(parents, prepend=-1))
    ends = np.append(starts[1:], units)
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        parent = int(parents[start])
        withheld[start:end] = _among_siblings(counts[start:end], must[start:end], parent_withheld[parent], minimum)
    return withheld


def _among_siblings(counts: npt.NDArray[np.float64], forced: BoolArray, parent_withheld: BoolArray, minimum: int) -> BoolArray:
    is_present = counts > 0
    is_small = is_present & (counts < minimum)
    is_first = is_present & (is_small | forced)
    if not is_first.any() and not (parent_withheld & is_present.any(axis=0)).any():
        return np.zeros_like(is_first)
    # Withhold in this order: what must be, then the next smallest; empty cells last.
    order = np.argsort(np.where(is_first, counts - 1e12, np.where(is_present, counts, 1e12)), axis=0, kind="stable")
    sorted_counts = np.take_along_axis(np.where(is_present, counts, 0.0), order, axis=0)
    covered = np.cumsum(sorted_counts, axis=0)
    begun = is_first.sum(axis=0)
    enough = (covered < minimum).sum(axis=0) + 1
    covering = np.maximum(begun, enough)
    needed = np.where(parent_withheld, covering, np.where(begun > 0, np.maximum(covering, 2), 0))
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(counts.shape[0])[:, None] * np.ones_like(order), axis=0)
    return is_present & (rank < needed)
