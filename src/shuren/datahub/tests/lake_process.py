"""A process of its own for the fault tests: writes, or appends, compacts and sweeps for ever, or reads while it writes.

Called as `python -m shuren.datahub.tests.lake_process MODE DATABASE DATA_FOLDER`.
"""

import json
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django
from django.conf import settings
from django.db import connection, connections

django.setup()

from shuren.datahub import api  # noqa: E402  # models need the setup above
from shuren.datahub.tests.conftest import MARKS, table_of  # noqa: E402
from shuren.kernel.data import SYSTEM  # noqa: E402

ROWS = 60_000
PIECE_ROWS = 500


def write(value: int) -> None:
    api.write_partition("probe.marks", {"run": 1}, table_of(ROWS, value), actor=SYSTEM, now=datetime.now(UTC))


def write_for_ever() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    value = 1
    while True:
        write(value)
        value += 1


def append_for_ever() -> None:
    """Says the value of every piece once it is acknowledged."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    value = 1
    while True:
        api.append_partition("probe.marks", {"run": 2}, table_of(PIECE_ROWS, value), actor=SYSTEM, now=datetime.now(UTC))
        sys.stdout.write(f"{value}\n")
        sys.stdout.flush()
        if value % 3 == 0:
            api.compact_partition("probe.marks", {"run": 2}, now=datetime.now(UTC))
            api.sweep(now=datetime.now(UTC), grace=timedelta(seconds=0.2))
        value += 1


def seen() -> list[int]:
    table = api.read_partition("probe.marks", {"run": 1})
    return [table.num_rows, len(table["mark"].unique())]


def read_while_writing() -> dict[str, object]:
    stop = threading.Event()
    states: set[tuple[int, ...]] = set()
    reads = [0]

    def read() -> None:
        try:
            while not stop.is_set():
                states.add(tuple(seen()))
                reads[0] += 1
        finally:
            connections.close_all()

    write(0)
    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for value in range(1, 9):
        write(value)
    stop.set()
    for reader in readers:
        reader.join()
    return {"states": sorted(states), "reads": reads[0]}


if __name__ == "__main__":
    mode, database, folder = sys.argv[1:]
    connection.settings_dict["NAME"] = database
    settings.DATA_DIR = Path(folder)
    api.declare_dataset(MARKS)
    if mode == "write":
        write_for_ever()
    if mode == "append":
        append_for_ever()
    sys.stdout.write(json.dumps(read_while_writing()))
