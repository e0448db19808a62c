"""Kills and readers at every moment of a write: the old state or the new one, never a third."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.db import connection

from shuren.datahub import api
from shuren.datahub.models import StoredSnapshot
from shuren.datahub.tests.conftest import table_of
from shuren.kernel.data import SYSTEM

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROWS = 60_000
PIECE_ROWS = 500
pytestmark = pytest.mark.django_db(transaction=True)


def database(folder: Path) -> str:
    """The name under which another process finds what this one wrote: SQLite's test database lives in memory, so it is copied."""
    if connection.vendor != "sqlite":
        return str(connection.settings_dict["NAME"])
    path = folder / "copy.sqlite3"
    connection.ensure_connection()
    with sqlite3.connect(path) as copy:
        connection.connection.backup(copy)
    return str(path)


def process(mode: str, name: str, folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "shuren.conf.test_settings", "SHUREN_TEST_DATA_DIR": str(folder)}
    arguments = [sys.executable, "-m", "shuren.datahub.tests.lake_process", mode, name, str(folder)]
    return subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, text=True)


def answer(mode: str, name: str, folder: Path) -> Any:
    with process(mode, name, folder) as running:
        text, _errors = running.communicate(timeout=120)
        assert running.returncode == 0
        return json.loads(text)


def state(name: str, lake: Path) -> list[int]:
    """Rows and distinct values of the current snapshot, as the database of the killed process names it."""
    if connection.vendor == "sqlite":
        with sqlite3.connect(name) as copy:
            [(file,)] = copy.execute("SELECT file FROM datahub_storedsnapshot WHERE is_current")
        table = pq.read_table(lake / file)
    else:
        table = api.read_partition("probe.marks", {"run": 1})
    return [table.num_rows, len(table["mark"].unique())]


def test_readers_never_see_half_a_write(tmp_path: Path) -> None:
    found = answer("read", database(tmp_path), tmp_path)
    assert found["states"] == [[ROWS, 1]]
    assert found["reads"] > 5


def test_a_killed_writer_leaves_one_whole_state(lake: Path, tmp_path: Path) -> None:
    api.write_partition("probe.marks", {"run": 1}, table_of(ROWS), actor=SYSTEM, now=NOW)
    name = database(tmp_path)
    for pause in (0.01, 0.05, 0.12):
        with process("write", name, tmp_path) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            time.sleep(pause)
            writer.send_signal(signal.SIGKILL)
        assert state(name, lake) == [ROWS, 1]


def test_what_a_kill_left_is_swept(lake: Path) -> None:
    api.write_partition("probe.marks", {"run": 1}, table_of(10), actor=SYSTEM, now=NOW)
    api.prepare_partition("probe.marks", {"run": 1}, table_of(10, 1))
    (lake / "probe.marks" / "run=1" / "0.parquet.tmp").write_bytes(b"half")
    swept = api.sweep(now=datetime.now(UTC) + timedelta(hours=2))
    assert swept.files == 2
    current = api.snapshot_of("probe.marks", {"run": 1})
    assert current is not None
    assert [path.stat().st_size for path in lake.rglob("*") if path.is_file()] == [current.bytes]


def acknowledged(name: str, folder: Path, pause: float) -> list[int]:
    """The values that a process said were safe before it was killed while it appended, compacted and swept."""
    with process("append", name, folder) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(pause)
        writer.send_signal(signal.SIGKILL)
        said = writer.stdout.read()
    return [int(line) for line in said.split("\n")[:-1]]


def pieces(name: str, lake: Path) -> dict[int, int]:
    """Rows by value of all current pieces, as the database of the killed process names them."""
    if connection.vendor == "sqlite":
        with sqlite3.connect(name) as copy:
            wanted = "SELECT file FROM datahub_storedsnapshot WHERE is_current AND partition = 'run=2'"
            files = [file for (file,) in copy.execute(wanted)]
    else:
        rows = StoredSnapshot.objects.filter(is_current=True, partition="run=2")
        files = list(rows.values_list("file", flat=True))
    found = Counter[int]()
    for file in files:
        found.update(pq.read_table(lake / file)["mark"].to_pylist())
    return dict(found)


def killed_at(pauses: list[float], lake: Path, folder: Path) -> None:
    name = database(folder)
    safe = Counter[int]()
    for pause in pauses:
        told = acknowledged(name, folder, pause)
        safe.update(told)
        found = pieces(name, lake)
        # The piece after the last word may have come too, whole; nothing else may differ.
        assert all(found.get(value, 0) >= times * PIECE_ROWS for value, times in safe.items())
        assert all(rows % PIECE_ROWS == 0 for rows in found.values())
        extra = sum(found.values()) - sum(safe.values()) * PIECE_ROWS
        assert 0 <= extra <= PIECE_ROWS
        safe = Counter({value: rows // PIECE_ROWS for value, rows in found.items()})


def test_a_kill_between_pieces_compaction_and_sweep_loses_nothing(lake: Path, tmp_path: Path) -> None:
    killed_at([0.15, 0.6], lake, tmp_path)


@pytest.mark.soak
def test_fifty_kills_lose_nothing(lake: Path, tmp_path: Path) -> None:
    chosen = random.Random(20261130)
    killed_at([chosen.uniform(0.02, 1.5) for _kill in range(50)], lake, tmp_path)
