"""What a restored installation is held against: rows and bytes of every table, files of the lake, the evidence log."""

import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from shuren.backups.data import Manifest
from shuren.backups.services import postgres_copy
from shuren.backups.services.folder_copy import LAKE
from shuren.datahub import api as datahub
from shuren.trust import api as trust

_SHOWN = 20


def proof_of(manifest: Manifest, *, is_migrated: bool) -> dict[str, Any]:
    """Figures and faults of this installation against the backup it came from; it must not have been used yet.

    Where migrations ran after the restore, tables that they changed may differ in their bytes: only counts are compared.
    """
    counts = counts_now(list(manifest.counts))
    faults = [
        f"{name}: {counts.get(name)} rows instead of {rows}"
        for name, rows in manifest.counts.items()
        if counts.get(name) != rows
        and not (is_migrated and name in ("django_migrations", "django_content_type", "auth_permission"))
    ]
    faults += _faults_of_database(manifest, is_migrated)
    faults += _faults_of_files(manifest)
    checked, lake = datahub.faults_of_lake()
    faults += [f"lake: {fault}" for fault in lake]
    log = trust.faults_of_log()
    faults += [f"evidence log: {fault}" for fault in log]
    head = trust.tree_head()
    return {
        "tables": len(manifest.counts),
        "rows": sum(counts.values()),
        "files": len(manifest.files),
        "lake_files": checked,
        "log_size": head.size if head else 0,
        "log_root": head.root.hex() if head else "",
        "faults": faults[:_SHOWN],
        "fault_count": len(faults),
    }


def counts_now(names: list[str]) -> dict[str, int]:
    # With views, for on PostgreSQL partitions count as such.
    present = set(connection.introspection.table_names(include_views=True))
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            present |= {name for (name,) in cursor.fetchall()}
        found = {}
        for name in names:
            if name in present:
                cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(name)}")  # noqa: S608  # names of tables
                found[name] = int(cursor.fetchone()[0])
        return found


def _faults_of_files(manifest: Manifest) -> list[str]:
    data = Path(settings.DATA_DIR)
    found = []
    for file in manifest.files:
        if settings.SHUREN_LAKE_URL and file.path.startswith(LAKE):
            continue  # not in this folder; every file that the catalogue names is held against it below
        path = data / file.path
        # Bytes were verified against their chunks when they were placed.
        if not path.is_file():
            # Tiles of evidence beyond the head of the restored database are taken away on purpose.
            if not file.path.startswith("evidence/tile/"):
                found.append(f"{file.path} is missing")
        elif path.stat().st_size != file.bytes:
            found.append(f"{file.path}: {path.stat().st_size} bytes instead of {file.bytes}")
    return found


def _faults_of_database(manifest: Manifest, is_migrated: bool) -> list[str]:
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(f"file:{connection.settings_dict['NAME']}?mode=ro", uri=True)) as database:
            told = [str(line) for (line,) in database.execute("PRAGMA quick_check(20)")]
        return [] if told == ["ok"] else [f"database: {line}" for line in told]
    return [] if is_migrated else list(_changed_tables(manifest))


def _changed_tables(manifest: Manifest) -> Iterator[str]:
    """Tables whose rows, copied out again, are others."""
    with postgres_copy.snapshot() as cursor:
        for table in manifest.tables:
            tally = postgres_copy.Tally()
            deque(tally.counted(postgres_copy.copy_text(cursor, table.name, table.columns)), maxlen=0)
            if tally.digest != table.digest:
                yield f"{table.name}: other rows than in the backup"
