"""Which backups stay."""

from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from shuren.backups.rules.manifests import moment_of


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days, weeks and months back one backup each is kept: the newest of its day, week or month."""

    daily: int
    weekly: int
    monthly: int


def read_retention(text: str) -> Retention:
    """`7,5,12`: days, weeks, months. Raises `ValueError` for anything else, or for nothing at all."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3 or not all(part.isdigit() for part in parts) or not any(int(part) for part in parts):
        raise ValueError(f"{text!r}: write three numbers, of days, weeks and months, like 7,5,12")
    return Retention(*(int(part) for part in parts))


def kept(ids: Iterable[str], *, retention: Retention, held: Collection[str], zone: tzinfo) -> set[str]:
    """The ids to keep: the newest one always, those held, and the newest of each of the last days, weeks and months."""
    newest_first = sorted(ids, reverse=True)
    keep = set(newest_first[:1]) | (set(held) & set(newest_first))
    periods: list[tuple[int, Callable[[datetime], Hashable]]] = [
        (retention.daily, lambda at: at.date()),
        (retention.weekly, lambda at: at.isocalendar()[:2]),
        (retention.monthly, lambda at: (at.year, at.month)),
    ]
    for count, period_of in periods:
        seen: set[Hashable] = set()
        for one in newest_first:
            period = period_of(moment_of(one).astimezone(zone))
            if period not in seen and len(seen) < count:
                seen.add(period)
                keep.add(one)
    return keep
