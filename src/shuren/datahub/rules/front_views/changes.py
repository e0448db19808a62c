"""What is no longer as it was in a view: nothing lands until somebody has looked at it."""

from collections.abc import Sequence
from typing import Any

from shuren.datahub.rules.front_views.columns import ViewColumn

COLUMN_LOST, TYPE_CHANGED, SHRANK, CAME_EMPTY, WENT_BACK = "column_lost", "type_changed", "shrank", "came_empty", "went_back"


def column_changes(taken: Sequence[ViewColumn], found: Sequence[ViewColumn]) -> list[dict[str, Any]]:
    """Columns that are taken and are gone, or hold something else."""
    now = {one.name: one for one in found}
    changes = []
    for one in taken:
        other = now.get(one.name)
        if other is None:
            changes.append({"change": COLUMN_LOST, "column": one.name, "was": one.type, "now": ""})
        elif (other.kind, other.arrow if other.kind else None) != (one.kind, one.arrow):
            changes.append({"change": TYPE_CHANGED, "column": one.name, "was": one.type, "now": other.type})
    return changes


def row_changes(known_rows: int | None, rows: int) -> list[dict[str, Any]]:
    """Whether the whole view has come empty, or less than a half is left; None rows are known before anything landed."""
    if not known_rows or rows * 2 >= known_rows:
        return []
    return [{"change": SHRANK if rows else CAME_EMPTY, "column": "", "was": str(known_rows), "now": str(rows)}]


def cursor_change(column: str, *, has_gone_back: bool) -> list[dict[str, Any]]:
    """Whether the largest value of the growing column is smaller than what was read last."""
    return [{"change": WENT_BACK, "column": column, "was": "", "now": ""}] if has_gone_back else []
