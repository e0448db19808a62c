"""Two ways into the database: COPY within one transaction, or short batches behind a switch."""

import io
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv
from django.db import connection, transaction

from shuren.directory.services.apply_roster.writes import Write
from shuren.directory.services.check_roster.staging import Stage

LOCK_SECONDS = 0.25
_FIRST_BATCH = 2_000
MIN_BATCH = 500
_MAX_BATCH = 20_000
Progress = Callable[[int], None]


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def copy_in(stage: Stage, write: Write, on_rows: Progress, *, target: str = "") -> int:
    """Stream rows from the stage into a PostgreSQL table by COPY; no row passes through Python."""
    done = 0
    columns = ", ".join(write.names)
    with (
        connection.cursor() as cursor,
        cursor.cursor.copy(f"COPY {target or write.table} ({columns}) FROM STDIN (FORMAT csv)") as copy,
    ):
        for query in write.queries(stage, is_postgresql=True):
            for batch in stage.batches(query):
                copy.write(csv_bytes(batch))
                done += batch.num_rows
                on_rows(batch.num_rows)
    return done


def csv_bytes(batch: pa.RecordBatch) -> memoryview:
    """CSV in which every text is quoted and nothing stands for NULL, as COPY reads it."""
    sink = io.BytesIO()
    pyarrow.csv.write_csv(batch, sink, pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed"))
    return sink.getbuffer()


def batch_in(stage: Stage, write: Write, on_rows: Progress) -> int:
    """Insert rows in transactions short enough that other writers hardly wait."""
    marks = ", ".join(["%s"] * len(write.names))
    sql = f"INSERT INTO {write.table} ({', '.join(write.names)}) VALUES ({marks})"
    size = _FIRST_BATCH
    done = 0
    for rows in _row_lists(stage, write):
        start = 0
        while start < len(rows):
            part = rows[start : start + size]
            begun = time.perf_counter()
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.executemany(sql, part)
            took = time.perf_counter() - begun
            start += len(part)
            done += len(part)
            on_rows(len(part))
            size = max(MIN_BATCH, min(_MAX_BATCH, int(size * min(2.0, max(0.3, LOCK_SECONDS / max(took, 1e-6))))))
    return done


def _row_lists(stage: Stage, write: Write) -> Iterator[list[tuple[Any, ...]]]:
    for query in write.queries(stage, is_postgresql=False):
        for batch in stage.batches(query, _MAX_BATCH):
            yield list(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def update_rows(stage: Stage, write: Write) -> int:
    """Set the columns of the rows whose id is the first column; within the caller's transaction."""
    names = write.names
    if is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS roster_change")
            cursor.execute(
                f"CREATE TEMP TABLE roster_change ON COMMIT DROP AS SELECT {', '.join(names)} FROM {write.table} WHERE false"
            )  # constants
        count = copy_in(stage, write, lambda _: None, target="roster_change")
        with connection.cursor() as cursor:
            sets = ", ".join(f"{name} = c.{name}" for name in names[1:])
            cursor.execute(f"UPDATE {write.table} r SET {sets} FROM roster_change c WHERE c.{names[0]} = r.{names[0]}")
            touched = cursor.rowcount
            cursor.execute("DROP TABLE roster_change")
        return count if touched == count else touched
    count = 0
    sets = ", ".join(f"{name} = %s" for name in names[1:])
    for rows in _row_lists(stage, write):
        with connection.cursor() as cursor:
            cursor.executemany(f"UPDATE {write.table} SET {sets} WHERE {names[0]} = %s", [(*row[1:], row[0]) for row in rows])
        count += len(rows)
    return count


def run_for_ids(ids: Sequence[int], sql: str, parameters: Sequence[Any] = ()) -> int:
    """Run a statement that ends in `IN {ids}` for many ids, in pieces."""
    touched = 0
    with connection.cursor() as cursor:
        for start in range(0, len(ids), 5_000):
            part = ids[start : start + 5_000]
            cursor.execute(sql.replace("{ids}", f"({', '.join(['%s'] * len(part))})"), [*parameters, *part])
            touched += cursor.rowcount
    return touched
