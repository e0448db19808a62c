"""What the house tells of its own tests: the ids of line items and results, which nobody else may write, and its words."""

from collections.abc import Sequence
from dataclasses import dataclass

from shuren.interop.rules.oneroster.faults import Fault
from shuren.kernel import ids
from shuren.kernel.errors import NotFound

CATEGORY = "shuren-tests"
WITHHELD = "ext:withheld"
_Z95 = 1.959964
_OWN = frozenset({"lineItems", "scoreScales", "results"})
# The name of a level and the score from which it begins; the lowest has none.
Levels = Sequence[tuple[str, float | None]]


@dataclass(frozen=True, slots=True)
class Place:
    """A run and, of line items and score scales, the class; of results the person."""

    run_id: int
    other_id: int


def class_id_of(run: str, class_public_id: str) -> str:
    """The sourcedId of the line item, and of the score scale, of a class in a run."""
    return f"{run}-{class_public_id}"


def place_of(name: str, sourced_id: str) -> Place | None:
    """What an id of the house names; None for every other text."""
    run, dash, other = sourced_id.partition("-")
    if not dash or name not in _OWN:
        return None
    try:
        return Place(ids.decode("run", run), ids.decode("person" if name == "results" else "org", other))
    except NotFound:
        return None


def check_is_own(name: str, sourced_id: str) -> None:
    """Refuses to write under an id of the house's own objects."""
    if place_of(name, sourced_id) is not None or (name == "categories" and sourced_id == CATEGORY):
        raise Fault(403, "This object is of the platform's own tests; it can be read only.")


def level_at(levels: Levels, score: float) -> str:
    return next((name for name, begin in reversed(levels) if begin is None or score >= begin), "")


def level_ranges(levels: Levels) -> list[dict[str, str]]:
    """Every level with its scores, the lowest below its end and the highest from its beginning."""
    ends = [begin for _name, begin in levels[1:]]
    found = []
    for (name, begin), end in zip(levels, [*ends, None], strict=True):
        low, high = (f"{bound:g}" if bound is not None else "" for bound in (begin, end))
        found.append({"itemValueLHS": name, "itemValueRHS": f"{low}-{high}"})
    return found


def interval_of(score: float, error: float) -> tuple[float, float]:
    """The 95 % interval of a score."""
    return round(score - _Z95 * error, 1), round(score + _Z95 * error, 1)
