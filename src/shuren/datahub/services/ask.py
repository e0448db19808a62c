"""Questions in a reader's own words, which always leave an entry in the audit."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

import pyarrow as pa

from shuren.datahub.data import Reader
from shuren.datahub.selectors.snapshots import AsOf
from shuren.datahub.selectors.sql import datasets_read, query, stream
from shuren.kernel import audit
from shuren.kernel.data import Actor


def ask_lake(
    sql: str,
    *,
    reader: Reader,
    actor: Actor,
    now: datetime,
    params: Mapping[str, object] | Sequence[object] | None = None,
    partitions: Mapping[str, object] | None = None,
    as_of: AsOf | None = None,
) -> pa.Table:
    """Answer a reader through the gate. The entry is written before the answer is known, and holds no word of the text."""
    _record(sql, reader, actor, now)
    return query(sql, params=params, partitions=partitions, reader=reader, as_of=as_of)


def stream_lake(
    sql: str, *, reader: Reader, actor: Actor, now: datetime, partitions: Mapping[str, object] | None = None
) -> Iterator[pa.RecordBatch]:
    """The same for an answer that may be large: batches, the first empty; memory stays that of one."""
    _record(sql, reader, actor, now)
    return stream(sql, reader=reader, partitions=partitions)


def _record(sql: str, reader: Reader, actor: Actor, now: datetime) -> None:
    details = {
        "purpose": reader.purpose[:200],
        "datasets": list(datasets_read(sql, reader)),
        "text": sha256(sql.encode()).hexdigest(),
        "branches": list(reader.scope[:20]),
    }
    audit.record(actor=actor, action="datahub.lake_asked", target="lake:0", details=details, now=now)
