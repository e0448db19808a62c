"""Sealed values on their way to a new secret; the process that moves them is killed at random moments."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import NotFound
from shuren.trust import api
from shuren.trust.data import KeyAlgorithm
from shuren.trust.models import Key
from shuren.trust.rules.sealing import version_of
from shuren.trust.services import reseal
from shuren.trust.services.keys.stores import private_pkcs8_of
from shuren.work.api import job_states

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
KILLS = int(os.environ.get("SHUREN_KILLS", "1"))


@pytest.fixture(autouse=True)
def key_file(tmp_path: Path, settings: Any) -> None:
    settings.SHUREN_SEAL_KEY_FILE = tmp_path / "keys" / "seal.key"


class StandIn:
    """A job that remembers its checkpoints and is cancelled after so many of them."""

    def __init__(self, batches: int | None = None) -> None:
        self.state: dict[str, Any] = {}
        self.batches = batches
        self.seen = 0

    def progress(self, done: int, total: int | None = None, note: str = "") -> None: ...

    def checkpoint(self, **state: Any) -> None:
        self.state |= state
        self.seen += 1

    def is_cancelled(self) -> bool:
        return self.batches is not None and self.seen >= self.batches


def keys_made(count: int) -> None:
    for place in range(count):
        api.make_key(name=f"k{place}", algorithm=KeyAlgorithm.ED25519, now=NOW)


def versions() -> list[int]:
    return [version_of(bytes(row.sealed)) for row in Key.objects.order_by("pk")]


@pytest.mark.django_db
def test_every_announced_column_is_queued_once() -> None:
    announced = {(column.model, column.column) for column in reseal.sealed_columns()}
    assert {("trust.Key", "sealed"), ("directory.Person", "national_id_sealed")} <= announced
    assert api.rotate_seal_key(actor=SYSTEM, now=NOW) == 2
    jobs = api.begin_resealing(actor=SYSTEM)
    assert api.begin_resealing(actor=SYSTEM) == jobs
    assert {state.name for state in job_states(jobs).values()} == {reseal.JOB}
    assert len(set(jobs)) == len(announced)


@pytest.mark.django_db
def test_a_stopped_run_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reseal, "BATCH", 2)
    keys_made(5)
    before = [private_pkcs8_of(row) for row in Key.objects.order_by("pk")]
    api.rotate_seal_key(actor=SYSTEM, now=NOW)
    job = StandIn(batches=1)
    assert reseal.reseal_column(job, model="trust.Key", column="sealed") == {"resealed": 2, "broken": 0}
    assert versions() == [2, 2, 1, 1, 1]
    job.batches = None
    assert reseal.reseal_column(job, model="trust.Key", column="sealed") == {"resealed": 5, "broken": 0}
    assert versions() == [2] * 5
    assert [private_pkcs8_of(row) for row in Key.objects.order_by("pk")] == before


@pytest.mark.django_db
def test_a_value_that_does_not_open_is_kept_and_counted() -> None:
    keys_made(3)
    Key.objects.filter(name="k1").update(sealed=b"v1:broken")
    api.rotate_seal_key(actor=SYSTEM, now=NOW)
    assert reseal.reseal_column(StandIn(), model="trust.Key", column="sealed") == {"resealed": 2, "broken": 1}
    assert bytes(Key.objects.get(name="k1").sealed) == b"v1:broken"


@pytest.mark.django_db
def test_the_other_algorithm_is_a_reason_too(settings: Any) -> None:
    keys_made(2)
    settings.SHUREN_SEAL_ALGORITHM = "SM4-GCM"
    assert reseal.reseal_column(StandIn(), model="trust.Key", column="sealed") == {"resealed": 2, "broken": 0}
    assert reseal.reseal_column(StandIn(), model="trust.Key", column="sealed") == {"resealed": 0, "broken": 0}
    assert api.verify(b"x", api.sign(b"x", key="k0"), key="k0")


@pytest.mark.django_db
def test_what_nobody_announced_is_left_alone() -> None:
    with pytest.raises(NotFound):
        reseal.reseal_column(StandIn(), model="trust.Key", column="public")


PROGRAM = """
import json, sys
import django
django.setup()
from django.core.management import call_command
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.trust import api
from shuren.trust.data import KeyAlgorithm
from shuren.trust.models import Key
from shuren.trust.rules.sealing import version_of
from shuren.trust.services import reseal
from shuren.trust.services.keys.stores import private_pkcs8_of
from shuren.trust.services.sealing import seal
from shuren.trust.tests.test_reseal import StandIn

reseal.BATCH = 20
step = sys.argv[1]
if step == "prepare":
    call_command("migrate", verbosity=0)
    now = clock.now()
    Key.objects.bulk_create([
        Key(name=f"k{i}", version=1, algorithm="Ed25519", status="active", store="sealed", created_at=now, public=b"",
            sealed=seal(str(i).encode(), purpose=f"trust.key/k{i}/1"))
        for i in range(800)
    ])
    api.rotate_seal_key(actor=SYSTEM, now=now)
elif step == "reseal":
    print("begun", flush=True)
    reseal.reseal_column(StandIn(), model="trust.Key", column="sealed")
rows = list(Key.objects.order_by("pk"))
print(json.dumps({
    "opened": sum(private_pkcs8_of(row) == row.name[1:].encode() for row in rows),
    "fresh": sum(version_of(bytes(row.sealed)) == 2 for row in rows),
}))
"""


def run(world: dict[str, str], step: str) -> dict[str, int]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, step], env=world, capture_output=True, text=True, check=True)
    answer: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_a_killed_run_loses_nothing(tmp_path: Path) -> None:
    world = {**os.environ, "DJANGO_SETTINGS_MODULE": "shuren.conf.settings", "SHUREN_DATA_DIR": str(tmp_path / "data")}
    world["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    world.pop("SHUREN_DATABASE_URL", None)
    assert run(world, "prepare") == {"opened": 800, "fresh": 0}
    draw = random.Random(20260901)
    fresh = 0
    for _kill in range(KILLS):
        with subprocess.Popen([sys.executable, "-c", PROGRAM, "reseal"], env=world, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            time.sleep(draw.uniform(0.02, 0.2))
            process.send_signal(signal.SIGKILL)
        found = run(world, "look")
        assert found["opened"] == 800
        assert found["fresh"] >= fresh
        fresh = found["fresh"]
    assert run(world, "reseal") == {"opened": 800, "fresh": 800}
