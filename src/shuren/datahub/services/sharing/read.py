"""The three ways through a grant. Each goes through the lake's gate, and none is answered without a trace of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from shuren.datahub.data import Reader, SharingWay
from shuren.datahub.models import SharingGrant, SharingUse
from shuren.datahub.rules.harmless import harmless
from shuren.datahub.rules.names import view_name
from shuren.datahub.rules.sharing import WHOLE, columns_read, reader_of_grant, rows_sql
from shuren.datahub.selectors.shared_datasets import columns_of_shared, shared_dataset
from shuren.datahub.selectors.sharing import access_usable_grant, refuse_unusable
from shuren.datahub.services.ask import ask_lake, stream_lake
from shuren.directory import api as directory
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid

PAGE_ROWS = 1_000
ANSWER_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class SharedPage:
    """One page of shared rows as the data stood at `as_of`; pages of one moment fit together."""

    table: pa.Table
    has_more: bool
    as_of: datetime


def read_shared_rows(
    *, actor: Actor, grant_id: int, number: int, size: int, as_of: datetime | None = None, now: datetime
) -> SharedPage:
    """One page of the granted rows, in the order of the granted columns; `as_of` not before the grant began."""
    grant = access_usable_grant(actor=actor, id=grant_id, way=SharingWay.API, now=now)
    moment = as_of or now
    if not grant.begins_at <= moment <= now:
        raise Invalid(_("只能读授权开始以后的数据。"))
    sql = rows_sql(view_name(grant.dataset), grant.masks, offset=(number - 1) * size, limit=size + 1)
    # Without a moment of the caller's own the newest state is asked for, which is cheaper and the same.
    table = ask_lake(sql, reader=reader_of(grant, size + 1), actor=actor, now=now, as_of=as_of)
    shown = table.slice(0, size)
    trace_use(grant, actor, SharingWay.API, shown.num_rows, sorted(grant.masks), now)
    return SharedPage(shown, table.num_rows > size, moment)


def ask_shared(*, actor: Actor, grant_id: int, sql: str, most_rows: int = ANSWER_ROWS, now: datetime) -> pa.Table:
    """A question in SQL about the granted rows and columns; the trace has those columns that it reads."""
    grant = access_usable_grant(actor=actor, id=grant_id, way=SharingWay.QUERY, now=now)
    table = ask_lake(sql, reader=reader_of(grant, min(most_rows, ANSWER_ROWS)), actor=actor, now=now)
    trace_use(grant, actor, SharingWay.QUERY, table.num_rows, columns_read(sql, grant.masks), now)
    return table


def write_shared_file(*, actor: Actor, grant_id: int, target: BinaryIO, format: str, now: datetime) -> int:  # noqa: A002
    """All granted rows into `target` as `csv` or `parquet`, never cut short; returns how many. Memory stays that of a batch.

    Text that a spreadsheet would run gets an apostrophe in CSV; Parquet holds it as it is.

    Nobody is to be handed the file before this returns: only then is it traced, and the grant looked at once more.
    """
    grant = access_usable_grant(actor=actor, id=grant_id, way=SharingWay.FILE, now=now)
    sql = rows_sql(view_name(grant.dataset), grant.masks)
    rows = _written(stream_lake(sql, reader=reader_of(grant, WHOLE), actor=actor, now=now), target, format)
    trace_use(grant, actor, SharingWay.FILE, rows, sorted(grant.masks), now)
    return rows


def reader_of(grant: SharingGrant, most_rows: int) -> Reader:
    orgs, root = directory.orgs_by_ids(grant.org_ids), directory.root_org()
    spec = shared_dataset(grant.dataset).spec
    return reader_of_grant(
        spec,
        grant.masks,
        columns_of_shared(spec),
        paths=tuple(sorted(org.path for org in orgs.values())),
        is_region=root is not None and root.id in orgs,
        purpose=grant.application.purpose,
        most_rows=most_rows,
    )


@transaction.atomic
def trace_use(grant: SharingGrant, actor: Actor, way: SharingWay, rows: int, columns: Sequence[str], now: datetime) -> None:
    """Write the use down, unless the grant was revoked while the answer was made."""
    held = SharingGrant.objects.select_for_update().get(pk=grant.pk)
    refuse_unusable(held, now)
    SharingUse.objects.create(grant=held, person_id=actor.person_id, way=way.value, rows=rows, columns=list(columns), at=now)
    SharingGrant.objects.filter(pk=held.pk).update(uses=F("uses") + 1, used_at=now)
    details = {"dataset": held.dataset, "org": held.applicant_org_id, "way": way.value, "rows": rows, "columns": list(columns)}
    target = f"sharing_grant:{held.pk}"
    audit.record(actor=actor, action="datahub.sharing_used", target=target, details=details, now=now)


def _written(batches: Iterator[pa.RecordBatch], target: BinaryIO, form: str) -> int:
    schema, rows = next(batches).schema, 0
    try:
        with pa_csv.CSVWriter(target, schema) if form == "csv" else pq.ParquetWriter(target, schema) as writer:
            for batch in batches:
                writer.write_batch(harmless(batch) if form == "csv" else batch)
                rows += batch.num_rows
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise Invalid(_("这些列写不进 CSV。"), remedy=_("请改用 Parquet。")) from error
    return rows
