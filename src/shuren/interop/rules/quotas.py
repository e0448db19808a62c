"""Arithmetic of quotas and of the classes in which call times are counted."""

import math
from collections.abc import Mapping
from datetime import datetime

SPANS = {"minute": 60, "day": 86_400}
MAX_BUCKET = 40


def window_of(span: str, now: datetime) -> tuple[int, int]:
    """The number of the window that holds `now`, and the whole seconds until the next one."""
    seconds = int(now.timestamp())
    length = SPANS[span]
    return seconds // length, length - seconds % length


def share_of(limit: int) -> int:
    """How many calls a process reserves at once: a twentieth of a minute's, so that one write serves many calls."""
    return max(1, min(200, limit // 20))


def bucket_of(milliseconds: float) -> int:
    return min(MAX_BUCKET, max(0, math.ceil(2 * math.log2(max(milliseconds, 0.5)) + 1)))


def upper_edge(bucket: int) -> float:
    """The longest time, in milliseconds, that falls into `bucket`."""
    return float(round(2 ** ((bucket - 1) / 2), 1))


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """The upper edge of the class in which the `share` of all calls is reached; None without calls."""
    wanted = math.ceil(sum(counts.values()) * share)
    reached = 0
    for bucket in sorted(counts):
        reached += counts[bucket]
        if wanted and reached >= wanted:
            return upper_edge(bucket)
    return None
