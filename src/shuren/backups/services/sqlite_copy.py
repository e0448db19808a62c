"""The database as one file: SQLite's own online copy, a whole snapshot beside writers, and back."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from django.db import connection

from shuren.backups.data import Piece
from shuren.backups.rules.chunking import FIXED
from shuren.backups.services.repository import Repository


def copy_database(target: Path) -> None:
    """Write a snapshot of the database into `target`; in WAL mode writers go on meanwhile.

    One step over all pages holds one read transaction, so that busy writers cannot make it begin again.
    """
    connection.ensure_connection()
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA synchronous=OFF")
        connection.connection.backup(copy, pages=-1)


def store_copy(repository: Repository, copy: Path, *, on_bytes: Callable[[int], None]) -> tuple[tuple[Piece, ...], int]:
    """Store the copy in chunks of whole pages; pages that did not change find their old chunk."""
    waiting, size = [], 0
    with copy.open("rb", buffering=0) as file:
        while block := file.read(FIXED):
            waiting.append((repository.keep(block), len(block)))
            size += len(block)
            on_bytes(len(block))
    return tuple(Piece(chunk.result(), 0, length) for chunk, length in waiting), size


def counts_of(copy: Path) -> dict[str, int]:
    """Rows of every table of a database file that nobody writes to."""
    with closing(sqlite3.connect(f"file:{copy}?mode=ro&immutable=1", uri=True)) as database:
        names = [
            name
            for (name,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
            )
        ]
        return {name: int(database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in sorted(names)}  # noqa: S608  # names from the file itself


def place_database(target: Path, blocks: Iterator[bytes]) -> None:
    """Put the restored database in its place, whole or not at all."""
    connection.close()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.restoring")
    with draft.open("wb") as file:
        for block in blocks:
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    for rest in ("-wal", "-shm"):
        target.with_name(target.name + rest).unlink(missing_ok=True)
    draft.replace(target)
