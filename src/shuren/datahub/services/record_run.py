"""What a job of the house read and wrote, put down where it did so; edges are drawn from it afterwards."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from shuren.datahub.data import AssetKind, AssetRef, ColumnFlow, RunState
from shuren.datahub.models import LineageRun
from shuren.datahub.rules.lineage import UnreadSql, columns_of_question, tables_of_question
from shuren.datahub.rules.names import view_name
from shuren.datahub.rules.run_ids import run_id_at
from shuren.datahub.selectors.assets import columns_of_datasets
from shuren.datahub.selectors.catalogue import known_datasets
from shuren.kernel import clock
from shuren.work.api import enqueue

NAMESPACE = "shuren"
PRODUCER = "https://shuren.invalid/datahub"
FOLD_JOB = "shuren.datahub.jobs.fold_lineage"


def record_run(
    *,
    job: str,
    inputs: Sequence[AssetRef],
    outputs: Sequence[AssetRef],
    flows: Sequence[ColumnFlow] = (),
    sql: str = "",
    key: str = "",
    facts: Mapping[str, object] | None = None,
    began_at: datetime | None = None,
    now: datetime | None = None,
) -> None:
    """Put a run down in the caller's transaction: one row, and a job behind those that wait. The same `key` counts once.

    Where `sql` is given, what it reads is added to the inputs, and its columns lead to those of the first output. `facts`
    are ids that let a reader find what the run was (`import`, `collection`, `run`), never values.
    """
    told_at = now or clock.now()
    read = flows_of_sql(sql, outputs[0]) if sql and outputs else []
    sources = [*inputs, *(flow.source for flow in read)]
    row = LineageRun(
        run_id=str(run_id_at(told_at)),
        namespace=NAMESPACE,
        job=job,
        key=key or None,
        state=RunState.COMPLETE.value,
        began_at=began_at or told_at,
        ended_at=told_at,
        inputs=list(dict.fromkeys(ref.key for ref in sources)),
        outputs=list(dict.fromkeys(ref.key for ref in outputs)),
        flows=[[f.source.key, f.source_column, f.target.key, f.target_column] for f in dict.fromkeys([*flows, *read])],
        sql=sql,
        producer=PRODUCER,
        facts=dict(facts or {}),
        next_at=told_at if settings.SHUREN_OPENLINEAGE_URL else None,
    )
    with transaction.atomic():
        LineageRun.objects.bulk_create([row], ignore_conflicts=bool(key))
        enqueue(FOLD_JOB, key=FOLD_JOB)


def flows_of_sql(sql: str, target: AssetRef) -> list[ColumnFlow]:
    """What a question over the lake draws; one that cannot be read still tells nothing wrong: it tells nothing."""
    try:
        names = tables_of_question(sql)
        datasets = {view_name(spec.name): spec.name for spec in known_datasets()}
        used = {view: name for view, name in datasets.items() if view in names}
        columns = columns_of_datasets(used.values())
        derived = columns_of_question(sql, {view: columns.get(name, ()) for view, name in used.items()})
    except UnreadSql:
        return []
    found = [
        ColumnFlow(AssetRef(AssetKind.DATASET, used[each.table]), target, each.source_column, each.column) for each in derived
    ]
    return found + [ColumnFlow(AssetRef(AssetKind.DATASET, name), target) for name in used.values()]


def same_columns(source: AssetRef, target: AssetRef, columns: Sequence[str]) -> list[ColumnFlow]:
    """Columns that keep their names on the way."""
    return [ColumnFlow(source, target, column, column) for column in columns]


def flows_in(row: LineageRun) -> list[list[Any]]:
    """Every flow of a run, with those of the whole: an input without columns leads to each output."""
    return [*row.flows, *([source, "", target, ""] for source in row.inputs for target in row.outputs if source != target)]
