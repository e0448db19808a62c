"""The other side of a view source: one connection, one read-only transaction, one state of the view."""

import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings

from shuren.datahub.data import ColumnKind, TlsMode
from shuren.datahub.models import ViewSource
from shuren.datahub.rules.front_views.columns import CURSORS, ViewColumn, columns_found
from shuren.kernel import outward
from shuren.trust.api import unseal

SEALED_FOR = "datahub.view_source"
MOST_ROWS = 5_000_000
MOST_BYTES = 2 * 2**30
BATCH_ROWS = 5_000
SECONDS = 1_800
_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 600
# What is written while we read may be dated before it can be seen.
_SETTLED = "interval '1 minute'"
_SSL = {TlsMode.VERIFY: "verify-full", TlsMode.ENCRYPT: "require", TlsMode.PLAIN: "disable"}
_STATES = {
    "28000": "login",
    "28P01": "login",
    "3D000": "login",
    "3F000": "no_view",
    "42P01": "no_view",
    "42703": "no_column",
    "42501": "no_right",
    "57014": "too_slow",
    "25006": "not_read_only",
}
_TEXTS = ("int2", "int4", "int8", "numeric", "float4", "float8", "bool", "date", "timestamp", "timestamptz", "uuid")


class FrontBroken(Exception):
    """The view cannot be read; `code` says why, in words of our own and never in those of the other side."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Totals:
    """The whole view: its rows, those without a value in the growing column, that column's largest settled value."""

    rows: int
    without_cursor: int = 0
    upper: str = ""
    has_gone_back: bool = False


def psycopg_of_the_house() -> Any:
    """The driver, which an installation on SQLite may do without."""
    try:
        return import_module("psycopg")
    except ImportError as fault:
        raise FrontBroken("no_driver") from fault


def target_of(host: str, port: int, tls: TlsMode) -> str:
    """The one address behind a name that may be connected to; raises `outward.OutwardRefused`.

    Public ones are believed by their certificate only; others stand in `SHUREN_PRIVATE_TARGETS`.
    """
    scheme = "https" if tls is TlsMode.VERIFY else "http"
    return outward.target_of(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}").ip


@contextmanager
def opened(source: ViewSource) -> Iterator["Front"]:
    """A connection in a read-only transaction that sees one state; raises `FrontBroken`."""
    driver = psycopg_of_the_house()
    try:
        address = target_of(source.host, source.port, TlsMode(source.tls))
    except outward.OutwardRefused as fault:
        raise FrontBroken("address") from fault
    try:
        connection = driver.connect(**_parameters(source, address))
    except driver.Error as fault:
        # Libraries of the server tell more only in its own words, which may name people.
        raise FrontBroken(_STATES.get(fault.sqlstate or "", "no_connection")) from fault
    try:
        connection.isolation_level = driver.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        text = import_module("psycopg.types.string").TextLoader
        for name in _TEXTS:
            connection.adapters.register_loader(name, text)
        for setting in (f"statement_timeout = {_STATEMENT_SECONDS * 1000}", "TimeZone = 'UTC'", "DateStyle = 'ISO, YMD'"):
            connection.execute(f"SET LOCAL {setting}")
        yield Front(source, connection, time.monotonic() + SECONDS)
    except driver.Error as fault:
        raise FrontBroken(_STATES.get(fault.sqlstate or "", "broken")) from fault
    except UnicodeDecodeError as fault:
        raise FrontBroken("encoding") from fault
    finally:
        with suppress(driver.Error):
            connection.close()


def _parameters(source: ViewSource, address: str) -> dict[str, Any]:
    tls = TlsMode(source.tls)
    trusted = ssl.get_default_verify_paths().cafile
    return {
        "host": source.host,
        "hostaddr": address,
        "port": source.port,
        "dbname": source.database,
        "user": source.username,
        "password": unseal(bytes(source.password_sealed), purpose=SEALED_FOR).decode(),
        "sslmode": _SSL[tls],
        **({"sslrootcert": trusted or "system"} if tls is TlsMode.VERIFY else {}),
        "gssencmode": "disable",
        "client_encoding": "UTF8",
        "connect_timeout": _CONNECT_SECONDS,
        "application_name": "shuren",
    }


class Front:
    """A view as it stands at one moment; every name is quoted, every value a parameter."""

    def __init__(self, source: ViewSource, connection: Any, until: float) -> None:
        self._source, self._connection, self._until = source, connection, until
        self._sql = import_module("psycopg.sql")
        self._view = self._sql.Identifier(source.schema, source.view)

    def columns(self) -> list[ViewColumn]:
        """What the server says the view has, read off an answer without rows."""
        query = self._sql.SQL("SELECT * FROM {} LIMIT 0").format(self._view)
        told = self._connection.execute(query).description or ()
        types = import_module("psycopg").adapters.types
        found = []
        for one in told:
            known = types.get(one.type_code)
            found.append((one.name, known.name if known is not None else "", one.type_display))
        return columns_found(found)

    def totals(self, cursor: ViewColumn | None) -> Totals:
        if cursor is None:
            [(rows,)] = self._connection.execute(self._sql.SQL("SELECT count(*) FROM {}").format(self._view)).fetchall()
            return Totals(int(rows))
        name, kind = self._sql.Identifier(cursor.name), ColumnKind(cursor.kind)
        cast = CURSORS[kind]
        last = self._source.cursor or None
        query = self._sql.SQL(
            "SELECT count(*), count({name}), CAST(max(CASE WHEN {settled} THEN {name} END) AS text), "
            "COALESCE(max({name}) < CAST(%s AS {cast}), false) FROM {view}"
        ).format(name=name, settled=self._settled(name, kind), cast=self._sql.SQL(cast), view=self._view)
        parameters = [settings.TIME_ZONE] if kind is ColumnKind.MOMENT else []
        [(rows, filled, upper, is_back)] = self._connection.execute(query, [*parameters, last]).fetchall()
        return Totals(int(rows), int(rows) - int(filled), upper or "", is_back == "t")

    def _settled(self, name: Any, kind: ColumnKind) -> Any:
        if kind is ColumnKind.INTEGER:
            return self._sql.SQL("true")
        moment = "now()" if kind is ColumnKind.INSTANT else "(now() AT TIME ZONE %s)"
        return self._sql.SQL("{} <= " + f"{moment} - {_SETTLED}").format(name)

    def is_unique(self, keys: Sequence[str], cursor: ViewColumn | None, upper: str) -> bool:
        """Whether every row to be read has its key, and has it alone."""
        where, parameters = self._bounds(cursor, upper)
        names = self._sql.SQL(", ").join(map(self._sql.Identifier, keys))
        gaps = self._sql.SQL(" OR ").join(self._sql.SQL("{} IS NULL").format(self._sql.Identifier(key)) for key in keys)
        query = self._sql.SQL(
            "SELECT EXISTS (SELECT 1 FROM {view} WHERE {where} GROUP BY {names} HAVING count(*) > 1) "
            "OR EXISTS (SELECT 1 FROM {view} WHERE {where} AND ({gaps}))"
        ).format(view=self._view, where=where, names=names, gaps=gaps)
        [(is_wrong,)] = self._connection.execute(query, [*parameters, *parameters]).fetchall()
        return str(is_wrong) != "t"

    def batches(
        self, names: Sequence[str], keys: Sequence[str], cursor: ViewColumn | None, upper: str, *, first: int = 0
    ) -> Iterator[list[tuple[str | None, ...]]]:
        """The rows by their keys, behind the last value of the growing column and up to `upper`; or the `first` of them."""
        where, parameters = self._bounds(cursor, upper)
        columns = self._sql.SQL(", ").join(map(self._sql.Identifier, names))
        order = self._sql.SQL(", ").join(map(self._sql.Identifier, keys))
        query = self._sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {} {}").format(
            columns, self._view, where, order, self._sql.SQL(f"LIMIT {first:d}" if first else "")
        )
        rows_read = size = 0
        with self._connection.cursor(name="shuren_view") as asked:
            asked.execute(query, parameters)
            while rows := asked.fetchmany(BATCH_ROWS):
                size += sum(len(text) for row in rows for text in row if text is not None)
                rows_read += len(rows)
                if rows_read > MOST_ROWS or size > MOST_BYTES:
                    raise FrontBroken("too_much")
                if time.monotonic() > self._until:
                    raise FrontBroken("too_slow")
                yield rows

    def _bounds(self, cursor: ViewColumn | None, upper: str) -> tuple[Any, list[str]]:
        if cursor is None:
            return self._sql.SQL("true"), []
        name, cast = self._sql.Identifier(cursor.name), self._sql.SQL(CURSORS[ColumnKind(cursor.kind)])
        upto = self._sql.SQL("{} <= CAST(%s AS {})").format(name, cast)
        if not self._source.cursor:
            return upto, [upper]
        return self._sql.SQL("{} AND {} > CAST(%s AS {})").format(upto, name, cast), [upper, self._source.cursor]
