"""What a changed file would change, counted before anything is applied."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
BLOCK = 65_536


@dataclass(frozen=True, slots=True)
class Difference:
    """Pupils by what would happen to them; `is_described_anew` tells that the test or its items changed."""

    added: int
    removed: int
    changed: int
    unchanged: int
    is_described_anew: bool

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.changed or self.is_described_anew)


def difference(
    old_ids: npt.NDArray[np.int64],
    old: Mapping[str, Array],
    new_ids: npt.NDArray[np.int64],
    new: Mapping[str, Array],
    *,
    is_described_anew: bool,
) -> Difference:
    """Compare two states whose person ids ascend; arrays of one name must mean the same thing in both.

    A name that stands on one side only, or a matrix of another width, makes every common pupil changed.
    """
    places = np.searchsorted(old_ids, new_ids)
    places[places == len(old_ids)] = 0
    common = old_ids[places] == new_ids if len(old_ids) else np.zeros(len(new_ids), bool)
    new_rows, old_rows = np.flatnonzero(common), places[common]
    is_comparable = old.keys() == new.keys() and all(old[name].shape[1:] == new[name].shape[1:] for name in old)
    changed = len(new_rows)
    if is_comparable:
        changed = sum(
            int(_differs(old, old_rows[start : start + BLOCK], new, new_rows[start : start + BLOCK]).sum())
            for start in range(0, len(new_rows), BLOCK)
        )
    return Difference(
        added=len(new_ids) - len(new_rows),
        removed=len(old_ids) - len(new_rows),
        changed=changed,
        unchanged=len(new_rows) - changed,
        is_described_anew=is_described_anew,
    )


def _differs(
    old: Mapping[str, Array], old_rows: npt.NDArray[np.intp], new: Mapping[str, Array], new_rows: npt.NDArray[np.intp]
) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(new_rows), bool)
    for name, before in old.items():
        was, now = before[old_rows], new[name][new_rows]
        cells = was != now
        if was.dtype.kind == "f":
            cells &= ~(np.isnan(was) & np.isnan(now))
        found |= cells.any(axis=1) if cells.ndim == 2 else cells
    return found
