"""When a unit, a block and a course count as done (moveOn, 13.1.4 and 9.3.9)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from shuren.records.rules.cmi5.words import MoveOn, PartKind


@dataclass(frozen=True, slots=True)
class Branch:
    """A part in the tree of its course; `parent` is None right below the course."""

    id: int
    parent: int | None
    kind: PartKind
    move_on: MoveOn


def is_unit_satisfied(move_on: MoveOn, *, is_completed: bool, is_passed: bool, is_waived: bool) -> bool:
    """A waived unit counts as done, whatever it asks; having failed never changes anything."""
    if is_waived or move_on is MoveOn.NOT_APPLICABLE:
        return True
    return {
        MoveOn.PASSED: is_passed,
        MoveOn.COMPLETED: is_completed,
        MoveOn.BOTH: is_completed and is_passed,
        MoveOn.EITHER: is_completed or is_passed,
    }[move_on]


def satisfied_blocks(tree: Sequence[Branch], units: Collection[int]) -> tuple[list[int], bool]:
    """Blocks of which every part is done, inner ones first, and whether the course is; `units` are the satisfied ones.

    Of `tree` each block stands before what lies in it; units that ask for nothing are satisfied without being named.
    """
    done = set(units) | {one.id for one in tree if one.kind is PartKind.UNIT and one.move_on is MoveOn.NOT_APPLICABLE}
    open_within: dict[int | None, int] = {}
    blocks: list[int] = []
    for one in reversed(tree):
        if one.kind is PartKind.BLOCK and not open_within.get(one.id):
            blocks.append(one.id)
            done.add(one.id)
        if one.id not in done:
            open_within[one.parent] = open_within.get(one.parent, 0) + 1
    return blocks, not open_within.get(None)
