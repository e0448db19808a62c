"""A whole PostgreSQL database without superuser: every table by COPY out of one snapshot, and what migrations do not make."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql

from shuren.backups.data import Piece, StoredTable
from shuren.backups.rules.chunking import content_defined
from shuren.backups.services.repository import Repository

_TABLES = """
    SELECT c.relname, c.relkind::text, c.relispartition
    FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
    ORDER BY c.relname
"""
_COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text, a.attgenerated::text,
           pg_get_expr(d.adbin, d.adrelid)
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_PARTITIONS = """
    SELECT child.relname, parent.relname, pg_get_expr(child.relpartbound, child.oid),
           CASE WHEN child.relkind = 'p' THEN pg_get_partkeydef(child.oid) ELSE '' END
    FROM pg_inherits i JOIN pg_class child ON child.oid = i.inhrelid JOIN pg_class parent ON parent.oid = i.inhparent
    WHERE child.relispartition AND child.relnamespace = current_schema()::regnamespace AND child.relkind IN ('r', 'p')
    ORDER BY child.oid
"""
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema() ORDER BY 1"
_CONSTRAINTS = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = %s::regclass AND contype IN ('p', 'u', 'c', 'x') ORDER BY contype DESC, conname
"""
_INDEXES = """
    SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid
    WHERE i.indrelid = %s::regclass AND k.oid IS NULL ORDER BY i.indexrelid
"""

_BLOCK = 1024 * 1024

Rows = psycopg.Cursor[tuple[Any, ...]]


@contextmanager
def snapshot() -> Iterator[Rows]:
    """A cursor in a read-only transaction that sees one moment of the configured database, however long it takes."""
    parameters = {
        key: value for key, value in connection.get_connection_params().items() if key not in ("cursor_factory", "context")
    }
    with psycopg.connect(**parameters, autocommit=False) as raw, raw.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # A scan that joins another one midway would give the rows in another order, and so other chunks every time.
        cursor.execute("SET LOCAL synchronize_seqscans = off")
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT txid_current_snapshot()")
        yield cursor


def store_tables(
    cursor: Rows, repository: Repository, *, on_bytes: Callable[[int], None] = lambda _count: None
) -> tuple[StoredTable, ...]:
    """Store every table as the snapshot sees it."""
    return tuple(_store_table(cursor, name, repository, on_bytes) for name in data_tables(cursor))


def data_tables(cursor: Rows) -> list[str]:
    """Tables that hold rows themselves: no roots of partitions."""
    return [name for name, kind, _is_part in cursor.execute(_TABLES).fetchall() if kind == "r"]


def copy_text(cursor: Rows, name: str, columns: tuple[str, ...]) -> Iterator[bytes]:
    """The rows of a table in the text form of COPY, one a time, in the order in which they lie."""
    fields = sql.SQL(", ").join(map(sql.Identifier, columns))
    # A table without columns that can be stored still has its rows.
    with cursor.copy(sql.SQL("COPY {} ({}) TO STDOUT").format(sql.Identifier(name), fields)) as copy:
        for row in copy:
            yield bytes(row)


def _store_table(cursor: Rows, name: str, repository: Repository, on_bytes: Callable[[int], None]) -> StoredTable:
    described = cursor.execute(_COLUMNS, [_quoted(name)]).fetchall()
    columns = tuple(column for column, _type, _null, _identity, generated, _default in described if not generated)
    tally = Tally()
    waiting = []
    for chunk in content_defined(tally.counted(copy_text(cursor, name, columns))):
        waiting.append((repository.keep(chunk), len(chunk)))
        on_bytes(len(chunk))
    pieces = tuple(Piece(chunk.result(), 0, length) for chunk, length in waiting)
    return StoredTable(name, columns, tally.rows, tally.bytes, tally.digest, pieces)


class Tally:
    """Counts rows on their way, and adds up their hashes: a server is free to lay the same rows down in another order."""

    def __init__(self) -> None:
        self.rows = self.bytes = 0
        self._sum = 0

    @property
    def digest(self) -> str:
        return f"{self._sum % 2**256:064x}"

    def counted(self, rows: Iterator[bytes]) -> Iterator[bytes]:
        block: list[bytes] = []
        size = 0
        for row in rows:
            block.append(row)
            size += len(row)
            if size >= _BLOCK:
                yield self._whole(block)
                block, size = [], 0
        if block:
            yield self._whole(block)

    def _whole(self, block: list[bytes]) -> bytes:
        whole = b"".join(block)
        self.rows += len(block)
        self.bytes += len(whole)
        self._sum += sum(int.from_bytes(blake2b(row, digest_size=32).digest(), "big") for row in block)
        return whole


def described_schema(cursor: Rows) -> dict[str, Any]:
    """What is made while the house runs: partitions, the state of sequences, and how every table could be made anew."""
    tables = {}
    for name, kind, is_part in cursor.execute(_TABLES).fetchall():
        if kind == "r" and not is_part:
            tables[name] = {
                "columns": [list(column) for column in cursor.execute(_COLUMNS, [_quoted(name)]).fetchall()],
                "constraints": [list(one) for one in cursor.execute(_CONSTRAINTS, [_quoted(name)]).fetchall()],
                "indexes": [one for (one,) in cursor.execute(_INDEXES, [_quoted(name)]).fetchall()],
            }
    return {
        "tables": tables,
        "partitions": [list(one) for one in cursor.execute(_PARTITIONS).fetchall()],
        "sequences": [list(one) for one in cursor.execute(_SEQUENCES).fetchall()],
        "server": cursor.connection.info.server_version,
    }


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
