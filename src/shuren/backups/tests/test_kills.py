"""Backups and restores killed by SIGKILL at any moment, and a lake that is written and swept while it is copied."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cast import build_cast

from shuren.backups import api as backups
from shuren.backups.tests.conftest import PASSPHRASE
from shuren.kernel.data import SYSTEM

KILLS = int(os.environ.get("SHUREN_KILLS", "1"))
NOW = datetime(2026, 11, 30, 4, tzinfo=UTC)
WRITER = """
import django; django.setup()
import itertools, sys, time
from datetime import timedelta
import pyarrow as pa
from shuren.datahub import api as datahub
from shuren.datahub.data import DatasetSpec
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
datahub.declare_dataset(DatasetSpec(name="backups.sample", partition_keys=("part",), description="", grade="L1", owner="backups"))
for turn in itertools.count():
    rows = pa.table({"id": [turn] * 2_000})
    datahub.write_partition("backups.sample", {"part": str(turn % 5)}, rows.to_batches(), actor=SYSTEM, now=clock.now())
    datahub.sweep(now=clock.now(), grace=timedelta(seconds=3))
    print(turn, flush=True)
    time.sleep(0.02)
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("os.environ.get('SHUREN_DATABASE_URL')", reason="it restores into a data folder of its own, on SQLite")
def test_kills_lose_nothing_and_a_busy_lake_is_copied_whole(house: Path) -> None:
    build_cast()
    for number in range(30):
        (house / "data" / "lake" / f"{number}.parquet").write_bytes(os.urandom(3_000_000))
    first = backups.back_up(actor=SYSTEM, now=NOW).manifest
    rng = random.Random(7)  # when it is killed needs no secrecy
    home = house / "home"
    environment = _environment(house, home)
    shutil.copytree(house / "data" / "keys", home / "keys")
    for _kill in range(KILLS):
        _killed(["restore"], environment, seconds=2.5 + rng.random())
    told = _done(["restore", "--json", "--unrecorded"], environment)
    assert told["manifest"] == first
    for path in (house / "data" / "lake").iterdir():
        assert (home / "lake" / path.name).read_bytes() == path.read_bytes()

    writer = subprocess.Popen([sys.executable, "-c", WRITER], env=environment, stdout=subprocess.PIPE)
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline()
        for _kill in range(KILLS):
            _killed(["backup"], environment, seconds=2.5 + rng.random())
        subprocess.run([*_PROGRAM, "backup"], env=environment, check=True)
    finally:
        writer.kill()
        writer.wait()
    assert backups.check_backups() == []
    assert backups.backups()[-1].id == first
    other = house / "other"
    environment = _environment(house, other)
    shutil.copytree(house / "data" / "keys", other / "keys")
    newest = _done(["restore", "--json", "--unrecorded"], environment)["manifest"]
    assert newest != first
    proof = _done(["backup", "prove", str(newest)], environment)
    assert proof["faults"] == []
    assert proof["lake_files"] >= 5  # type: ignore[operator]
    assert (
        "不是空的" in subprocess.run([*_PROGRAM, "restore"], env=environment, capture_output=True, text=True, check=False).stderr
    )


_PROGRAM = (sys.executable, "-m", "shuren.front.cli")


def _environment(house: Path, home: Path) -> dict[str, str]:
    home.mkdir()
    return os.environ | {
        "SHUREN_DATA_DIR": str(home),
        "SHUREN_BACKUP_TARGETS": str(house / "place"),
        "SHUREN_BACKUP_PASSPHRASE": PASSPHRASE,
        "DJANGO_SETTINGS_MODULE": "shuren.conf.settings",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }


def _done(words: list[str], environment: Mapping[str, str]) -> dict[str, object]:
    done = subprocess.run([*_PROGRAM, *words], env=dict(environment), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def _killed(words: list[str], environment: Mapping[str, str], *, seconds: float) -> None:
    process = subprocess.Popen([*_PROGRAM, *words], env=dict(environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
