"""What stands around an asset: one step first, further ones where a reader opened them, some neighbours at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, QuerySet

from shuren.datahub.models import LineageEdge
from shuren.datahub.selectors.assets import Neighbour, edges_beside, neighbour_of

PER_STEP = 8
MOST_OPEN = 24
_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Spot:
    """An asset, or one of its columns, looked at in one direction."""

    asset_id: int
    column: str
    is_up: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One neighbour in the picture; `branch` is what stands behind it where that was opened."""

    neighbour: Neighbour
    spot: Spot
    leads_on: bool
    is_again: bool
    branch: "Branch | None" = None


@dataclass(frozen=True, slots=True)
class Branch:
    """The neighbours of one spot: page `number` of `last`, `total` of them (at most 10,000 are counted)."""

    spot: Spot
    steps: tuple[Step, ...]
    number: int
    total: int
    is_exact: bool

    @property
    def last(self) -> int:
        return max(1, -(-self.total // PER_STEP))


@dataclass
class _Walk:
    opened: Mapping[Spot, int]
    left: int = MOST_OPEN
    way: list[Spot] = field(default_factory=list)


def branch_of(spot: Spot, *, opened: Mapping[Spot, int]) -> Branch:
    """The neighbours of a spot; `opened` names the spots behind it that are shown too, and which page of each."""
    return _branch(spot, _Walk(opened))


def _branch(spot: Spot, walk: _Walk) -> Branch:
    walk.left -= 1
    walk.way.append(spot)
    edges = edges_beside(spot.asset_id, is_up=spot.is_up, column=spot.column)
    counted = edges.order_by()[: _COUNTED + 1].count()
    total = min(counted, _COUNTED)
    number = min(max(1, walk.opened.get(spot, 1)), max(1, -(-total // PER_STEP)))
    rows = list(edges.annotate(leads_on=Exists(_beyond(spot.is_up)))[(number - 1) * PER_STEP : number * PER_STEP])
    steps = tuple(_step(row, spot, walk) for row in rows)
    walk.way.pop()
    return Branch(spot, steps, number, total, counted <= _COUNTED)


def _beyond(is_up: bool) -> QuerySet[LineageEdge]:
    if is_up:
        return LineageEdge.objects.filter(target_id=OuterRef("source_id"), target_column=OuterRef("source_column"))
    return LineageEdge.objects.filter(source_id=OuterRef("target_id"), source_column=OuterRef("target_column"))


def _step(row: LineageEdge, spot: Spot, walk: _Walk) -> Step:
    neighbour = neighbour_of(row, is_up=spot.is_up)
    column = row.source_column if spot.is_up else row.target_column
    there = Spot(neighbour.asset.pk, column, spot.is_up)
    # What leads back to where the reader came from is named and not walked again.
    is_again = there in walk.way
    is_open = there in walk.opened and not is_again and walk.left > 0
    return Step(neighbour, there, row.leads_on, is_again, _branch(there, walk) if is_open else None)  # type: ignore[attr-defined]
