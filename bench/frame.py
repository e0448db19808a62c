"""What the benches stand on: an installation that is thrown away, and lines that tell time and memory."""

import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.db import connection, connections
from django.db.models import Model

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def throwaway() -> Iterator[None]:
    """Settings of a data folder, and on PostgreSQL a database, that nobody else uses; before Django reads them."""
    folder = tempfile.mkdtemp(prefix="shuren-bench-")
    server, _slash, given = os.environ.get("SHUREN_DATABASE_URL", "").rpartition("/")
    name = f"shuren_bench_{os.getpid()}"
    if given:
        on_server(server, f"CREATE DATABASE {name}")
        os.environ["SHUREN_DATABASE_URL"] = f"{server}/{name}"
    os.environ |= {"SHUREN_DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "shuren.conf.settings"}
    try:
        yield
    finally:
        connections.close_all()
        if given:
            on_server(server, f"DROP DATABASE {name}")
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def bare(*models: type[Model]) -> Iterator[None]:
    """On PostgreSQL the tables stand without indexes and foreign keys meanwhile: a tenth of the time for millions of rows."""
    if connection.vendor != "postgresql":
        yield
        return
    tables = [model._meta.db_table for model in models]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '512MB'")
        cursor.execute(
            "SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE i.tablename = ANY(%s)"
            " AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)",
            [tables],
        )
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
    yield
    with connection.cursor() as cursor:
        for _name, definition in indexes:
            cursor.execute(definition)
        cursor.execute("RESET session_replication_role; RESET synchronous_commit; RESET maintenance_work_mem")


def multiply(tables: Mapping[type[Model], Mapping[str, str]], have: int, until: int) -> None:
    """Copy the `have` newest rows of each table until there are `until`, a hundred times faster than writing each.

    `tables` gives the SQL of columns that a copy says differently; `{step}` is by how much ids moved on, which are in one piece.
    """
    first = {model: model._default_manager.count() - have for model in tables}
    while have < until:
        some = min(have, until - have)
        with connection.cursor() as cursor:
            for model, copies in tables.items():
                columns = [field.column for field in model._meta.concrete_fields]
                names = ", ".join(f'"{column}"' for column in columns)
                told = ", ".join(copies.get(column, f'"{column}"').format(step=have) for column in columns)
                table = f'"{model._meta.db_table}"'
                rows = f"(SELECT * FROM {table} ORDER BY id LIMIT {some} OFFSET {first[model]}) AS kept"  # own names
                cursor.execute(f"INSERT INTO {table} ({names}) SELECT {told} FROM {rows}")
        have += some


def on_server(server: str, statement: str) -> None:
    with psycopg.connect(f"{server}/postgres", autocommit=True) as own:
        own.execute(statement)


def timed(label: str, work: Callable[[], object]) -> float:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    took = time.perf_counter() - wall
    print(f"{label:<44} {took:8.1f} s  {time.process_time() - cpu:8.1f} CPU s  peak {peak():6.0f} MiB", flush=True)
    return took


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
