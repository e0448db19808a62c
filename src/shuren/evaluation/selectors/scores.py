"""Scores of a run, kept in the lake."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from shuren.datahub.api import read_partition

SCORES = "evaluation.scores"
ITEMS = "evaluation.items"


def scores_of(
    run_id: int,
    *,
    columns: Sequence[str] | None = None,
    person_ids: Sequence[int] | None = None,
    class_id: int | None = None,
) -> pa.Table:
    """One row per pupil, sorted by person id, of everybody, of some people or of one class; callers checked access."""
    filters: list[tuple[str, str, Any]] = []
    if person_ids is not None:
        filters.append(("person_id", "in", [int(person) for person in person_ids]))
    if class_id is not None:
        filters.append(("class_id", "==", class_id))
    return read_partition(SCORES, {"run": run_id}, columns=list(columns) if columns else None, filters=filters or None)
