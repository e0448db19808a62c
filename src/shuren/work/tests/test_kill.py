"""Workers as real processes, killed with SIGKILL."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection

pytestmark = pytest.mark.database

SOURCES = Path(settings.PACKAGE_DIR).parent


class Installation:
    """A database and a data folder of their own, and the processes working on them."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "SHUREN_DATA_DIR": str(folder / "data"),
            "SHUREN_DATABASE_URL": database_url,
            "DJANGO_SETTINGS_MODULE": "shuren.work.tests.lean_settings",
            "PYTHONPATH": str(SOURCES),
        }
        self.workers: list[subprocess.Popen[str]] = []

    def _command(self, name: str) -> list[str]:
        return [sys.executable, "-m", "shuren.work.tests.worker_process", name]

    def setup(self, orders: list[dict[str, Any]]) -> None:
        subprocess.run(self._command("setup"), env=self.environment, input=json.dumps(orders), text=True, check=True, timeout=120)

    def start_worker(self) -> subprocess.Popen[str]:
        worker = subprocess.Popen(
            self._command("work"), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.workers.append(worker)
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        return worker

    def finish(self) -> dict[str, Any]:
        """Work in one more process until nothing is left, and tell what became of the jobs."""
        found = subprocess.run(
            self._command("finish"), env=self.environment, capture_output=True, text=True, check=True, timeout=120
        )
        return json.loads(found.stdout)

    def kill_all(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.workers.clear()


@pytest.fixture
def installation(tmp_path: Path, django_db_blocker: Any) -> Iterator[Installation]:
    url = os.environ.get("SHUREN_DATABASE_URL", "")
    name = f"shuren_kill_{os.getpid()}"
    if url:
        _sql(django_db_blocker, f'DROP DATABASE IF EXISTS "{name}"', f'CREATE DATABASE "{name}"')
        url = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    made = Installation(tmp_path, url)
    yield made
    made.kill_all()
    if url:
        _sql(django_db_blocker, f'DROP DATABASE "{name}" WITH (FORCE)')


def _sql(blocker: Any, *statements: str) -> None:
    with blocker.unblock(), connection._nodb_cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_a_killed_job_goes_on_from_its_checkpoint(installation: Installation) -> None:
    counted = installation.folder / "counted"
    installation.setup([{"job": "count_in_file", "args": {"path": str(counted), "upto": 60}}])
    first = installation.start_worker()
    _wait(lambda: len(_lines(counted)) >= 20)
    first.kill()
    first.wait()
    before = len(_lines(counted))
    report = installation.finish()
    numbers = [int(line.split()[1]) for line in _lines(counted)]
    assert set(numbers) == set(range(60))
    # Only the step between its effect and its checkpoint may have been done twice.
    assert len(numbers) <= 61
    assert len({line.split()[0] for line in _lines(counted)[before:]}) == 1
    assert report["jobs"][0]["attempt"] == 2
    assert report["jobs"][0]["result"] == {"counted": 60}


def test_batches_applied_with_their_checkpoint_happen_exactly_once(installation: Installation) -> None:
    moments = random.Random(11)
    installation.setup([{"job": "count_in_database", "args": {"upto": 250}}])
    for _turn in range(3):
        worker = installation.start_worker()
        time.sleep(0.6 + moments.random())
        worker.kill()
        worker.wait()
    report = installation.finish()
    assert report["audited"] == [f"number:{number}" for number in range(250)]


def test_two_workers_never_run_one_job_at_once_and_none_is_run_twice(installation: Installation) -> None:
    folder = installation.folder / "held"
    folder.mkdir()
    installation.setup([{"job": "hold_alone", "args": {"folder": str(folder)}} for _ in range(60)])
    installation.start_worker()
    report = installation.finish()
    assert {job["status"] for job in report["jobs"]} == {"done"}
    assert Counter(job["attempt"] for job in report["jobs"]) == {1: 60}
    assert max(Counter(_lines(folder / "held")).values()) == 1


def test_every_subscriber_hears_every_event_though_its_worker_is_killed(installation: Installation) -> None:
    heard = installation.folder / "heard"
    order = {"event": "work.test_happened", "payload": {"path": str(heard)}}
    installation.setup([order] * 40)
    first = installation.start_worker()
    _wait(lambda: len(_lines(heard)) >= 15)
    first.kill()
    first.wait()
    report = installation.finish()
    assert len(report["jobs"]) == 80
    assert len({job["key"] for job in report["jobs"]}) == 80
    counts = Counter(_lines(heard))
    assert len(counts) == 80
    # The two lanes of the killed worker may each have left one job without its last word.
    assert sum(counts.values()) <= 82
