"""From tallies to scores, for every org that units lie under.

A score is 100 times the weighted share of rows that kept to the rules: 100 · (1 − Σ w·failed / Σ w·checked). An org's score
is that of all rows below it, not the mean of its schools: a big school counts as much as it has rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shuren.datahub.data import QualityDimension


@dataclass(slots=True)
class Tally:
    """Sums for one org: plain counts for reading, weighted ones per dimension for the score."""

    checked: int = 0
    failed: int = 0
    weighted: dict[str, list[float]] = field(default_factory=dict)

    def add(self, dimension: str, weight: float, checked: int, failed: int) -> None:
        self.checked += checked
        self.failed += failed
        sums = self.weighted.setdefault(dimension, [0.0, 0.0])
        sums[0] += weight * checked
        sums[1] += weight * failed

    @property
    def score(self) -> float | None:
        """None where nothing was looked at that counts."""
        return _score(sum(sums[0] for sums in self.weighted.values()), sum(sums[1] for sums in self.weighted.values()))

    def by_dimension(self) -> dict[str, float | None]:
        return {dimension: _score(*self.weighted.get(dimension, (0.0, 0.0))) for dimension in QualityDimension}


def tallies_up(found: Iterable[tuple[str, str, float, int, int]]) -> Mapping[str, Tally]:
    """By path of every org on the way up: `found` are a unit's path, a dimension, a weight, rows looked at and rows failed."""
    tallies: dict[str, Tally] = {}
    for unit, dimension, weight, checked, failed in found:
        for path in paths_up(unit):
            tallies.setdefault(path, Tally()).add(dimension, weight, checked, failed)
    return tallies


def paths_up(path: str) -> list[str]:
    """`1/15/2034/` lies under `1/` and `1/15/`."""
    parts = path.rstrip("/").split("/")
    return ["/".join(parts[:size]) + "/" for size in range(1, len(parts) + 1)]


def _score(checked: float, failed: float) -> float | None:
    return None if checked == 0 else 100 * (1 - failed / checked)
