"""Scores of a run, kept in the lake."""

from collections.abc import Sequence

import pyarrow as pa

from shuren.datahub.api import read_partition

SCORES = "evaluation.scores"
ITEMS = "evaluation.items"


def scores_of(run_id: int, *, columns: Sequence[str] | None = None, person_ids: Sequence[int] | None = None) -> pa.Table:
    """One row per pupil, sorted by person id; callers have checked access."""
    filters = [("person_id", "in", [int(person) for person in person_ids])] if person_ids is not None else None
    return read_partition(SCORES, {"run": run_id}, columns=list(columns) if columns else None, filters=filters)
