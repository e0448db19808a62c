"""A restored PostgreSQL database takes its name only when it is whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

_RIGHT = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
_DATABASE = (
    "SELECT pg_encoding_to_char(encoding), datcollate, datctype, pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = %s"
)
_LONGEST = 63
_SUFFIX = "_restoring"


@contextmanager
def database_to_fill() -> Iterator[None]:
    """Point the connection at a scratch database, which takes the configured name at the end.

    Where the role may not make databases, or on SQLite, the configured one is filled itself.
    """
    if connection.vendor != "postgresql":
        yield
        return
    name = str(connection.settings_dict["NAME"])
    filling = _made_beside(name)
    if not filling:
        yield
        return
    if connection_has_tables():
        yield  # the check that follows refuses it, or a restore into it goes on
        return
    _point_at(filling)
    try:
        yield
    finally:
        _point_at(name)
    with maintenance() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        cursor.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(filling), sql.Identifier(name)))


def connection_has_tables() -> bool:
    """Whether the configured database is there and has tables."""
    try:
        with psycopg.connect(**server_parameters()) as raw:
            found = raw.execute(
                "SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
            )
            return found.fetchone() is not None
    except psycopg.OperationalError as fault:
        if "does not exist" in str(fault):
            return False
        raise


def drop_database(name: str) -> None:
    """Remove a scratch database with all that is in it."""
    with maintenance() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def databases_named(prefix: str) -> list[str]:
    """Databases of the server whose names begin so."""
    with maintenance() as cursor:
        found = cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1", [prefix])
        return [name for (name,) in found.fetchall()]


def may_make_databases() -> bool:
    with psycopg.connect(**server_parameters()) as raw:
        row = raw.execute(_RIGHT).fetchone()
        return bool(row and row[0])


@contextmanager
def maintenance() -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
    """A cursor beside the databases that are made, renamed and dropped."""
    with psycopg.connect(**server_parameters(dbname="postgres"), autocommit=True) as raw, raw.cursor() as cursor:
        yield cursor


def server_parameters(**changes: Any) -> dict[str, Any]:
    """How the configured server is reached, without what only Django's cursors need."""
    parameters = connection.get_connection_params()
    return {key: value for key, value in parameters.items() if key not in ("cursor_factory", "context")} | changes


def _made_beside(name: str) -> str:
    """A database for the rows to come, new or left by a killed restore; empty where this role may make none."""
    filling = f"{name[: _LONGEST - len(_SUFFIX)]}{_SUFFIX}"
    try:
        with maintenance() as cursor:
            may_make = cursor.execute(_RIGHT).fetchone()
            present = cursor.execute(_DATABASE, [name]).fetchone()
            if not may_make or not may_make[0] or (present and not present[3]):
                return ""
            if cursor.execute(_DATABASE, [filling]).fetchone() is None:
                cursor.execute(_create(filling, present))
    except psycopg.OperationalError:
        return ""
    return filling


def _create(filling: str, like: tuple[Any, ...] | None) -> sql.Composed:
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(filling))
    if like is None:
        return statement
    encoding, collate, ctype = (sql.Literal(value) for value in like[:3])
    return statement + sql.SQL(" ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(encoding, collate, ctype)


def _point_at(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name
    settings.DATABASES["default"]["NAME"] = name
