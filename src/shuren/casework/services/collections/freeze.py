"""Freezing: nothing is taken any more, what was handed in goes into the lake, and then nothing changes."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.casework.data import CollectionState, TargetState
from shuren.casework.models import Collection, CollectionTarget
from shuren.casework.rules.collections import HANDED_IN, dataset_name, form_grade
from shuren.casework.rules.specs.form import FormSpec
from shuren.casework.selectors.collections.reach import access_managed
from shuren.casework.selectors.definitions import form_of
from shuren.casework.services.collections.columns import DataColumn, form_columns, gathered, record_batch, table_columns
from shuren.casework.services.collections.rows import HEAD, HEAD_TITLES, filled_rows
from shuren.casework.services.collections.stop import stop_open_cases
from shuren.datahub import api as datahub
from shuren.datahub.data import AssetKind, AssetRef, ColumnFlow, ColumnSpec, DatasetSpec, PreparedPartition, Snapshot
from shuren.kernel import audit, events, ids
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid
from shuren.standards.data import Grade
from shuren.work import api as work

ACCEPTED, SUBMITTED = TargetState.ACCEPTED.value, TargetState.SUBMITTED.value
PARTITION = "collection"
# Whose each row is: the path of its org, which every dataset of a collection has at its head.
_PATH = "_org_path"
# What stands at the head of some rows, and their answers.
Answers = tuple[list[list[Any]], list[Mapping[str, Any]]]


@transaction.atomic
def freeze_collection(*, actor: Actor, collection_id: int, frozen_with: str, now: datetime) -> int:
    """Close a collection for good and write it into the lake; returns the job's id.

    `frozen_with` says whose answers count: `accepted` only, or also what is `submitted` and not yet decided.
    """
    if frozen_with not in (ACCEPTED, SUBMITTED):
        raise Invalid(_("请选择冻结哪些数据。"))
    access_managed(actor=actor, id=collection_id, now=now)
    row = Collection.objects.select_for_update().get(pk=collection_id)
    if row.state != CollectionState.OPEN:
        raise Conflict(_("只有正在填报的采集可以冻结。"))
    row.state, row.frozen_with = CollectionState.FREEZING.value, frozen_with
    row.freeze_job_id = work.enqueue(
        "shuren.casework.jobs.collections.freeze_targets",
        {"collection_id": row.pk},
        key=f"collection:{row.pk}:freeze",
        title=gettext_lazy("冻结采集“%(title)s”"),
        title_words={"title": row.title},
        actor=actor,
    )
    row.save(update_fields=["state", "frozen_with", "freeze_job_id"])
    details = {"frozen_with": frozen_with}
    audit.record(actor=actor, action="casework.collection_closed", target=f"collection:{row.pk}", details=details, now=now)
    return row.freeze_job_id


def write_frozen(*, collection_id: int, on_progress: Callable[[int, int], None], now: datetime) -> int:
    """Stop what is still open, write the lake and switch; returns the rows of the main dataset.

    Killed anywhere it is run again from the start: what was written and not switched to is swept.
    Publishes `casework.collection_frozen`.
    """
    row = Collection.objects.select_related("form_version__definition", "org").get(pk=collection_id)
    if row.state != CollectionState.FREEZING:
        return 0
    stop_open_cases(collection_id=row.pk, on_progress=on_progress, now=now)
    form = form_of(row.form_version_id)
    states = [state.value for state in HANDED_IN] if row.frozen_with == SUBMITTED else [ACCEPTED]
    targets = CollectionTarget.objects.filter(collection=row, state__in=states)
    prepared = _prepared(row, form, targets, on_progress)
    return _switch(row, form, prepared, now)


def collection_datasets(row: Collection, form: FormSpec) -> dict[str, list[DataColumn]]:
    """The datasets that a collection of this form fills, each with its columns; the main one first."""
    key = row.form_version.definition.key
    tables = {dataset_name(key, table): columns for table, columns in table_columns(form).items()}
    return {dataset_name(key): form_columns(form), **tables}


def _prepared(
    row: Collection, form: FormSpec, targets: QuerySet[CollectionTarget], on_progress: Callable[[int, int], None]
) -> list[PreparedPartition]:
    main, *tables = collection_datasets(row, form).items()
    grade = form_grade(form.fields)
    for name, columns in (main, *tables):
        datahub.offer_dataset(_spec(row, form, name, columns, grade))
    lineage = _lineage(row, form)
    found = [_prepare(row, main[0], HEAD, main[1], lineage, _main_rows(targets, on_progress))]
    for key, (name, columns) in zip(table_columns(form), tables, strict=True):
        head = [*HEAD[:4], HEAD[5], pa.field("_row", pa.int32())]
        found.append(_prepare(row, name, head, columns, lineage, _table_rows(targets, key)))
    return found


def _spec(row: Collection, form: FormSpec, name: str, columns: list[DataColumn], grade: Grade) -> DatasetSpec:
    """The main dataset of a form, or the one of its table whose name stands behind the form's."""
    described = {
        head: ColumnSpec(grade="" if head == PARTITION else Grade.INTERNAL.value, title_zh=zh, title_en=en)
        for head, (zh, en) in HEAD_TITLES.items()
    }
    for column in columns:
        described[column.name] = ColumnSpec(
            element=column.element, grade=column.grade, title_zh=column.title, title_en=column.title_en
        )
    table = {dataset_name(form.key, field.key): field.title for field in form.fields if field.title}.get(name)
    return DatasetSpec(
        name,
        (PARTITION,),
        f"{form.title.zh}：表单 {form.key} 各次采集冻结的数据，按采集分区，附有表单版本。",
        grade.value,
        f"org:{row.org_id}",
        columns=described,
        scope_column=_PATH,
        title_zh=f"{form.title.zh} · {table.zh}" if table else form.title.zh,
        title_en=f"{form.title.en} · {table.en}" if table and table.en and form.title.en else form.title.en,
    )


def _prepare(
    row: Collection,
    name: str,
    head: list[pa.Field],
    columns: list[DataColumn],
    lineage: dict[str, str],
    rows: Iterator[Answers],
) -> PreparedPartition:
    schema = pa.schema([*head, *(column.field for column in columns)], metadata=lineage)
    partition = {PARTITION: ids.encode("collection", row.pk)}
    tables = gathered(record_batch(schema, heads, columns, answers) for heads, answers in rows)
    batches = (batch for table in tables for batch in table.combine_chunks().to_batches())
    return datahub.prepare_partition(name, partition, batches, schema=schema)


def _main_rows(targets: QuerySet[CollectionTarget], on_progress: Callable[[int, int], None]) -> Iterator[Answers]:
    done, total = 0, targets.count()
    for some in filled_rows(targets):
        yield [filled.head for filled in some], [filled.data for filled in some]
        done += len(some)
        on_progress(done, total)


def _table_rows(targets: QuerySet[CollectionTarget], key: str) -> Iterator[Answers]:
    for some in filled_rows(targets):
        heads: list[list[Any]] = []
        lines: list[Mapping[str, Any]] = []
        for filled in some:
            head = filled.head
            for number, line in enumerate(filled.data.get(key) or (), start=1):
                heads.append([*head[:4], head[5], number])
                lines.append(line)
        if lines:
            yield heads, lines


def _lineage(row: Collection, form: FormSpec) -> dict[str, str]:
    """Where the figures come from, written into the file itself."""
    return {
        "collection": ids.encode("collection", row.pk),
        "title": row.title,
        "period": row.period,
        "form": form.key,
        "form_version": str(row.form_version.number),
        "issued_by_org": row.org.name,
        "issued_at": row.issued_at.isoformat(),
        "frozen_with": row.frozen_with,
    }


@transaction.atomic
def _switch(row: Collection, form: FormSpec, prepared: list[PreparedPartition], now: datetime) -> int:
    if Collection.objects.select_for_update().get(pk=row.pk).state != CollectionState.FREEZING:
        return 0
    snapshots = [datahub.publish_partition(part, actor=SYSTEM, now=now) for part in prepared]
    _record_run(row, form, snapshots, now)
    reason = _("采集“%(title)s”冻结的数据") % {"title": row.title}
    for made in snapshots:
        datahub.keep_snapshot(made.dataset, made.partition, made.id, reason=reason, actor=SYSTEM, now=now)
    snapshot = ids.encode("collection", row.pk)
    Collection.objects.filter(pk=row.pk).update(state=CollectionState.FROZEN.value, frozen_at=now, snapshot=snapshot)
    told = {**_lineage(row, form), "datasets": [_written(made) for made in snapshots]}
    audit.record(actor=SYSTEM, action="casework.collection_frozen", target=f"collection:{row.pk}", details=told, now=now)
    names = [made.dataset for made in snapshots]
    events.publish("casework.collection_frozen", {"collection_id": row.pk, "org_path": row.path, "datasets": names}, now=now)
    return snapshots[0].rows


def _record_run(row: Collection, form: FormSpec, snapshots: list[Snapshot], now: datetime) -> None:
    """Field by field from the form into the datasets that were written."""
    source = AssetRef(AssetKind.FORM, row.form_version.definition.key)
    tables = [("", form_columns(form)), *((f"{key}.", columns) for key, columns in table_columns(form).items())]
    outputs = [AssetRef(AssetKind.DATASET, made.dataset) for made in snapshots]
    flows = [
        ColumnFlow(source, output, f"{prefix}{column.key}", column.name)
        for output, (prefix, columns) in zip(outputs, tables, strict=True)
        for column in columns
    ]
    facts = {"collection": ids.encode("collection", row.pk)}
    key = f"collection:{row.pk}:{snapshots[0].id}"
    datahub.record_run(
        job="casework.freeze_collection", inputs=[source], outputs=outputs, flows=flows, key=key, facts=facts, now=now
    )


def _written(made: Snapshot) -> dict[str, object]:
    return {"dataset": made.dataset, "snapshot": made.id, "rows": made.rows, "sha256": made.sha256}
