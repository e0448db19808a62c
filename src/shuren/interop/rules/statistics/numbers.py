"""Numbers of cells: as they are kept, typed, shown and added."""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from shuren.interop.rules.statistics.plan import CellKind, CellPlan, Place

# Kept as JSON: whole numbers as they are, others as text, nothing where nothing is known.
Kept = int | str | None
Number = int | Decimal
Cells = dict[str, dict[str, Kept]]
MOST = 10**12
_TYPED = re.compile(r"^[0-9]{1,13}(\.[0-9]{1,4})?$")


def number_of(kept: object) -> Number | None:
    if isinstance(kept, int):
        return kept
    return Decimal(kept) if isinstance(kept, str) and kept else None


def kept_of(number: Number | float | None, places: int) -> Kept:
    """Rounded to the places of its column."""
    if number is None:
        return None
    told = Decimal(str(number)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{told:f}" if places else int(told)


def typed_number(text: str, places: int) -> Number | None:
    """What somebody typed; None where it is no number that the column holds. Thousands may be told apart by commas."""
    plain = text.strip().replace(",", "").replace("，", "")
    if not _TYPED.match(plain):
        return None
    told = Decimal(plain)
    exponent = told.normalize().as_tuple().exponent
    if told >= MOST or (isinstance(exponent, int) and -exponent > places):
        return None
    return told if places else int(told)


def cell_of(cells: Mapping[str, Mapping[str, Kept]], place: Place) -> Kept:
    return cells.get(place[0], {}).get(place[1])


def put(cells: Cells, place: Place, value: Kept) -> None:
    cells.setdefault(place[0], {})[place[1]] = value


def completed(plan: Mapping[Place, CellPlan], known: Cells) -> Cells:
    """Every cell with its sums; a sum is known once all that it adds is."""
    values: Cells = {}
    for place, cell in plan.items():
        if cell.kind not in (CellKind.SUM, CellKind.BLANK):
            put(values, place, cell_of(known, place))
    for place in plan:
        _sum_into(values, plan, place)
    return values


def _sum_into(values: Cells, plan: Mapping[Place, CellPlan], place: Place) -> Number | None:
    cell = plan[place]
    if cell.kind is CellKind.BLANK:
        return 0
    if cell.kind is not CellKind.SUM or place[1] in values.get(place[0], {}):
        return number_of(cell_of(values, place))
    told = [_sum_into(values, plan, addend) for addend in cell.addends]
    known = [number for number in told if number is not None]
    total = sum(known, start=Decimal()) if len(known) == len(told) else None
    put(values, place, kept_of(total, cell.places))
    return total


def added(plan: Mapping[Place, CellPlan], parts: Mapping[Place, Number]) -> Cells:
    """Totals over many reports as one; what nobody reported is nothing."""
    known: Cells = {}
    for place, cell in plan.items():
        if cell.kind not in (CellKind.SUM, CellKind.BLANK):
            put(known, place, kept_of(parts.get(place, 0), cell.places))
    return completed(plan, known)
