"""All answers of a collection as CSV or Parquet, streamed: memory does not grow with the number of orgs."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from django.utils.translation import gettext as _

from shuren.casework.data import TargetState
from shuren.casework.models import Collection
from shuren.casework.rules.collections import HANDED_IN, form_grade
from shuren.casework.selectors.collections.reach import Reach
from shuren.casework.selectors.definitions import form_of
from shuren.casework.services.collections.columns import form_columns, gathered, record_batch
from shuren.casework.services.collections.rows import HEAD, filled_rows
from shuren.kernel import audit
from shuren.kernel.data import Actor

_STATES = [TargetState.RETURNED.value, *(state.value for state in HANDED_IN)]
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# A cell that begins so would run as a formula where the file is opened.
_FORMULA = r"^( *[=+\-@\t\r＝＋－＠])"


def csv_parts(*, actor: Actor, reach: Reach, now: datetime) -> Iterator[bytes]:
    """The file in parts; the entry in the audit trail is written before the first."""
    record_export(actor=actor, reach=reach, form="csv", now=now)
    return _csv_parts(reach)


def write_parquet(target: BinaryIO, *, actor: Actor, reach: Reach, now: datetime) -> int:
    """Write the file into `target`; returns its rows."""
    record_export(actor=actor, reach=reach, form="parquet", now=now)
    schema, rows = _schema(reach.collection), 0
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for table in gathered(answer_batches(reach, schema)):
            writer.write_table(table)
            rows += table.num_rows
    return rows


def answer_batches(reach: Reach, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The orgs in reach that handed something in, some hundred a batch."""
    columns = form_columns(form_of(reach.collection.form_version_id), with_tables=True)
    for some in filled_rows(reach.targets.filter(state__in=_STATES)):
        yield record_batch(schema, (filled.head for filled in some), columns, [filled.data for filled in some])


def record_export(*, actor: Actor, reach: Reach, form: str, now: datetime) -> None:
    """Who took which answers out, and how carefully they are graded."""
    spec = form_of(reach.collection.form_version_id)
    told = {"form": form, "paths": list(reach.paths), "fields": len(spec.fields), "grade": form_grade(spec.fields).value}
    target = f"collection:{reach.collection.pk}"
    audit.record(actor=actor, action="casework.collection_exported", target=target, details=told, now=now)


def _schema(row: Collection) -> pa.Schema:
    columns = form_columns(form_of(row.form_version_id), with_tables=True)
    return pa.schema([*HEAD, *(column.field for column in columns)])


def _csv_parts(reach: Reach) -> Iterator[bytes]:
    schema = _schema(reach.collection)
    part = io.BytesIO()
    part.write(_BYTE_ORDER_MARK + _head_line(reach.collection))
    with pa_csv.CSVWriter(part, schema, write_options=pa_csv.WriteOptions(include_header=False)) as writer:
        for batch in answer_batches(reach, schema):
            writer.write_batch(_harmless(batch))
            yield part.getvalue()
            part.seek(0)
            part.truncate()
    yield part.getvalue()


def _head_line(row: Collection) -> bytes:
    columns = form_columns(form_of(row.form_version_id), with_tables=True)
    head = [_("单位编号"), _("单位代码"), _("单位名称"), _("单位路径"), _("状态"), _("办件编号"), _("提交时间"), _("通过时间")]
    line = io.StringIO()
    csv.writer(line).writerow([re.sub(_FORMULA, r"'\1", title) for title in [*head, *(column.title for column in columns)]])
    return line.getvalue().encode()


def _harmless(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        pc.replace_substring_regex(column, pattern=_FORMULA, replacement=r"'\1") if pa.types.is_string(column.type) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)
