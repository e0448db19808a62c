"""Entries of the audit trail as leaves of a batch: their bytes, and ids as ranges with the gaps between."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

IdRange = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Reading:
    """Ids that were there, as ranges without holes, and the holes between them."""

    ranges: tuple[IdRange, ...]
    gaps: tuple[IdRange, ...]


def trail_bytes(fields: Mapping[str, object]) -> bytes:
    """The canonical JSON of an audit entry: sorted names, no blanks, UTF-8, times in UTC with microseconds."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def reading_of(ids: Sequence[int], *, after: int) -> Reading:
    """What reading `ids` (rising, all above `after`) found: holes count from `after` on."""
    ranges: list[IdRange] = []
    gaps: list[IdRange] = []
    last = after
    for number in ids:
        if ranges and number == last + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            if number > last + 1:
                gaps.append((last + 1, number - 1))
            ranges.append((number, number))
        last = number
    return Reading(tuple(ranges), tuple(gaps))


def rest_of_gap(gap: IdRange, filled: Sequence[int]) -> tuple[IdRange, ...]:
    """What is left of a gap when the ids `filled` (rising, inside it) have appeared."""
    left, begin = [], gap[0]
    for number in filled:
        if number > begin:
            left.append((begin, number - 1))
        begin = number + 1
    if begin <= gap[1]:
        left.append((begin, gap[1]))
    return tuple(left)
