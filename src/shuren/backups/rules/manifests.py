"""A manifest as bytes, and which of them to go by."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import orjson

from shuren.backups.data import Manifest, Piece, RunKind, StoredFile, StoredTable

_STAMP = "%Y%m%dT%H%M%SZ"


def new_id(at: datetime) -> str:
    """An id that sorts by time: 20261130T031500Z-1a2b3c4d."""
    return f"{at.astimezone(UTC).strftime(_STAMP)}-{secrets.token_hex(4)}"


def moment_of(manifest_id: str) -> datetime:
    """When the backup was taken, as its id says; raises `ValueError` for what is no id."""
    return datetime.strptime(manifest_id.partition("-")[0], _STAMP).replace(tzinfo=UTC)


def is_id(text: str) -> bool:
    stamp, _dash, rest = text.partition("-")
    try:
        datetime.strptime(stamp, _STAMP)  # noqa: DTZ007  # only whether it is one
    except ValueError:
        return False
    return len(rest) == 8 and set(rest) <= set("0123456789abcdef")


def latest_before(ids: Iterable[str], at: datetime | None) -> str | None:
    """The newest id, or the newest not later than `at`."""
    fitting = [one for one in ids if at is None or moment_of(one) <= at]
    return max(fitting, default=None)


def chunks_of(manifest: Manifest) -> set[str]:
    of_tables = (piece for table in manifest.tables for piece in table.pieces)
    of_files = (piece for file in manifest.files for piece in file.pieces)
    return {piece.chunk for piece in chain(manifest.database, of_tables, of_files)}


def encoded(manifest: Manifest) -> bytes:
    return orjson.dumps(
        {
            "id": manifest.id,
            "kind": manifest.kind.value,
            "at": manifest.at.isoformat(),
            "vendor": manifest.vendor,
            "release": manifest.release,
            "migrations": manifest.migrations,
            "database": _plain(manifest.database),
            "database_bytes": manifest.database_bytes,
            "tables": [[t.name, t.columns, t.rows, t.bytes, t.digest, _plain(t.pieces)] for t in manifest.tables],
            "counts": dict(manifest.counts),
            "schema": dict(manifest.schema),
            "files": [[f.path, f.bytes, f.mtime_ns, _plain(f.pieces)] for f in manifest.files],
            "keys": manifest.keys,
        }
    )


def decoded(data: bytes) -> Manifest:
    told = orjson.loads(data)
    return Manifest(
        id=told["id"],
        kind=RunKind(told["kind"]),
        at=datetime.fromisoformat(told["at"]),
        vendor=told["vendor"],
        release=told["release"],
        migrations=tuple((app, name) for app, name in told["migrations"]),
        database=_pieces(told["database"]),
        database_bytes=told["database_bytes"],
        tables=tuple(
            StoredTable(name, tuple(columns), rows, size, digest, _pieces(pieces))
            for name, columns, rows, size, digest, pieces in told["tables"]
        ),
        counts=told["counts"],
        schema=told["schema"],
        files=tuple(StoredFile(path, size, mtime, _pieces(pieces)) for path, size, mtime, pieces in told["files"]),
        keys=told["keys"],
    )


def _plain(pieces: Sequence[Piece]) -> list[list[Any]]:
    return [[piece.chunk, piece.offset, piece.length] for piece in pieces]


def _pieces(plain: Sequence[Sequence[Any]]) -> tuple[Piece, ...]:
    return tuple(Piece(chunk, offset, length) for chunk, offset, length in plain)
