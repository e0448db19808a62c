"""Filling a PostgreSQL database from a backup, table by table; killed at any point, it goes on where it was.

The tables come from the migrations of the backup's time. Foreign keys and indexes are taken off before the rows come in and
put back, and thereby checked, afterwards. What is still to do stands in a table of the database itself, changed in the same
transactions; the table goes last.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from shuren.backups.data import Manifest, StoredTable
from shuren.backups.services.make_tables import make_tables
from shuren.backups.services.repository import Repository
from shuren.kernel.errors import Conflict

TO_DO = "shuren_restoring"
_MAKE = f"CREATE TABLE {TO_DO} (id serial PRIMARY KEY, kind text NOT NULL, name text NOT NULL, definition text NOT NULL)"
_PUT = f"INSERT INTO {TO_DO} (kind, name, definition) VALUES (%s, %s, %s)"  # noqa: S608  # a name of this module
_FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'f' AND conparentid = 0 AND connamespace = current_schema()::regnamespace ORDER BY oid
"""
_INDEXES = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype <> 'f'
    WHERE c.relnamespace = current_schema()::regnamespace AND k.oid IS NULL AND NOT c.relispartition ORDER BY i.indexrelid
"""


def load_database(manifest: Manifest, repository: Repository, *, on_bytes: Callable[[int], None]) -> None:
    """Make the configured database what the manifest says; raises `Conflict` where a table's rows do not come out even."""
    if not is_begun():
        _migrate_to(manifest)
        with transaction.atomic():
            _make_missing(manifest.schema)
            _empty_and_strip(manifest)
    for table in manifest.tables:
        if _rows("SELECT 1 FROM {} WHERE kind = 'table' AND name = %s", table.name):
            _load_table(table, repository, on_bytes)
    _put_back()


def is_begun() -> bool:
    return TO_DO in connection.introspection.table_names()


def _migrate_to(manifest: Manifest) -> None:
    executor = MigrationExecutor(connection)
    applied = [key for key in manifest.migrations if key in executor.loader.graph.nodes]
    if len(applied) == len(executor.loader.graph.nodes) and not connection.introspection.table_names():
        make_tables(connection)
        return
    children = {
        parent.key for key in applied for parent in executor.loader.graph.node_map[key].parents if parent.key[0] == key[0]
    }
    targets: list[tuple[str, str | None]] = [key for key in applied if key not in children]
    executor.migrate(targets)


def _make_missing(schema: dict[str, Any] | Any) -> None:
    """Partitions and tables that no migration makes, as the backup describes them."""
    present = set(connection.introspection.table_names(include_views=True)) | {
        name for (name,) in _run("SELECT relname FROM pg_class")
    }
    quote = connection.ops.quote_name
    for name, _last in schema["sequences"]:
        if name not in present and not any(_owns(table, name) for table in schema["tables"].values()):
            _run(f"CREATE SEQUENCE IF NOT EXISTS {quote(name)}")
    for name, table in schema["tables"].items():
        if name not in present:
            fields = ", ".join(_field(*column) for column in table["columns"])
            keys = "".join(f", CONSTRAINT {quote(key)} {definition}" for key, definition in table["constraints"])
            _run(f"CREATE TABLE {quote(name)} ({fields}{keys})")
            for definition in table["indexes"]:
                _run(definition)
    for name, parent, bound, keys in schema["partitions"]:
        if name not in present:
            rest = f" PARTITION BY {keys}" if keys else ""
            _run(f"CREATE TABLE {quote(name)} PARTITION OF {quote(parent)} {bound}{rest}")


def _owns(table: Any, sequence: str) -> bool:
    return any(identity and sequence.endswith(f"_{name}_seq") for name, _type, _null, identity, *_rest in table["columns"])


def _field(name: str, kind: str, is_required: bool, identity: str, generated: str, default: str | None) -> str:
    words = [connection.ops.quote_name(name), kind]
    if generated:
        words.append(f"GENERATED ALWAYS AS ({default}) STORED")
    elif identity:
        words.append(f"GENERATED {'ALWAYS' if identity == 'a' else 'BY DEFAULT'} AS IDENTITY")
    elif default is not None:
        words.append(f"DEFAULT {default}")
    return " ".join([*words, "NOT NULL" if is_required else ""])


def _empty_and_strip(manifest: Manifest) -> None:
    quote = connection.ops.quote_name
    known = set(connection.introspection.table_names())
    # Partitions count as views there; they are emptied with what they are parts of.
    parts = set(connection.introspection.table_names(include_views=True))
    absent = [table.name for table in manifest.tables if table.name not in parts]
    if absent:
        raise Conflict(_("库表结构与备份不符：缺少 %(tables)s。") % {"tables": ", ".join(absent[:5])})
    _run(_MAKE)
    _run(f"TRUNCATE {', '.join(quote(name) for name in sorted(known))} CASCADE")
    with connection.cursor() as cursor:
        for table, name, definition in _run(_FOREIGN_KEYS):
            cursor.execute(_PUT, ["foreign", name, f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"])
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for name, definition in _run(_INDEXES):
            cursor.execute(_PUT, ["index", name, definition.replace(" ON ONLY ", " ON ", 1)])
            cursor.execute(f"DROP INDEX {name}")
        for name, last in manifest.schema["sequences"]:
            cursor.execute(_PUT, ["sequence", name, "" if last is None else str(last)])
        for stored in manifest.tables:
            cursor.execute(_PUT, ["table", stored.name, ""])


@transaction.atomic
def _load_table(table: StoredTable, repository: Repository, on_bytes: Callable[[int], None]) -> None:
    quote = connection.ops.quote_name
    fields = ", ".join(quote(name) for name in table.columns)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {quote(table.name)} DISABLE TRIGGER USER")
        if table.rows:
            with cursor.copy(f"COPY {quote(table.name)} ({fields}) FROM STDIN") as copy:
                for block in repository.pieces(table.pieces):
                    copy.write(block)
                    on_bytes(len(block))
            if cursor.rowcount != table.rows:
                raise Conflict(f"{table.name}: {cursor.rowcount} != {table.rows}")
        cursor.execute(f"ALTER TABLE {quote(table.name)} ENABLE TRIGGER USER")
        cursor.execute(f"DELETE FROM {TO_DO} WHERE kind = 'table' AND name = %s", [table.name])  # noqa: S608


def _put_back() -> None:
    """Sequences, indexes, then foreign keys, each in its own transaction; the last one removes the list."""
    for id, kind, name, definition in _rows("SELECT id, kind, name, definition FROM {} ORDER BY kind DESC, id"):
        with transaction.atomic():
            if kind == "sequence":
                if definition:
                    _run("SELECT setval(quote_ident(%s)::regclass, %s)", name, int(definition))
            else:
                if kind == "index":
                    _run("SET LOCAL maintenance_work_mem = '256MB'")
                _run(definition)
            _run(f"DELETE FROM {TO_DO} WHERE id = %s", id)  # noqa: S608
    _run(f"DROP TABLE {TO_DO}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _rows(query: str, *values: str | int) -> list[tuple[Any, ...]]:
    return _run(query.format(TO_DO), *values)


def _run(query: str, *values: str | int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, list(values) or None)
        return cursor.fetchall() if cursor.description else []
