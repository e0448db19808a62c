"""A roster being applied is killed with SIGKILL at random moments: afterwards all of it is there, or none.

`SHUREN_KILLS` is the number of kills (20 in `make soak`). Each run has a database and a data folder of its own.
"""

import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.database

KILLS = int(os.environ.get("SHUREN_KILLS", "1"))
PEOPLE = 4_000
PROGRAM = """
import json, sys
import django
django.setup()
from django.core.management import call_command
from shuren.directory.models import Affiliation, AppliedRoster, Enrollment, Org, PendingRoster, Person
from shuren.directory.services.apply_roster.service import apply_roster
from shuren.directory.services.check_roster.service import check_roster
from shuren.intake.api import record_checking, request_apply, start_import
from shuren.intake.models import ImportRun
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from pathlib import Path

def quiet(done, total): pass

step = sys.argv[1]
if step == "check":
    call_command("migrate", verbosity=0)
    package = Path(sys.argv[2])
    import_id = start_import(actor=SYSTEM, kind="roster", file_name="p.zip", content=package, options={}, now=clock.now())
    record_checking(import_id)
    check_roster(import_id=import_id, now=clock.now(), on_progress=quiet)
    request_apply(actor=SYSTEM, import_id=import_id, now=clock.now())
elif step == "apply":
    print("begun", flush=True)
    apply_roster(import_id=ImportRun.objects.get().pk, now=clock.now(), on_progress=quiet)
print(json.dumps({
    "visible": [model.objects.visible().count() for model in (Org, Person, Affiliation, Enrollment)],
    "all": [model.objects.count() for model in (Org, Person, Affiliation, Enrollment)],
    "pending": PendingRoster.objects.count(),
    "applied": AppliedRoster.objects.count(),
    "status": ImportRun.objects.get().status,
}))
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a process with a database and a folder of its own."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "shuren.conf.settings", "SHUREN_DATA_DIR": str(tmp_path / "data")}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    environment.pop("SHUREN_DATABASE_URL", None)
    database = settings.DATABASES["default"]
    if "sqlite" in database["ENGINE"]:
        yield environment
        return
    place = f"{database['USER']}@{database['HOST']}:{database['PORT'] or 5432}"
    name = f"shuren_kill_{secrets.token_hex(4)}"
    # Only this branch needs the driver, which an installation on SQLite does not have.
    with import_module("psycopg").connect(
        f"postgresql://{place}/postgres", autocommit=True, password=database.get("PASSWORD") or None
    ) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield {**environment, "SHUREN_DATABASE_URL": f"postgresql://{place}/{name}"}
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def run(world: dict[str, str], *arguments: str) -> dict[str, object]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], env=world, capture_output=True, text=True, check=True)
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def kill_while_applying(world: dict[str, str], seconds: float) -> bool:
    """Start applying and kill it after a while; False if it was done before."""
    with subprocess.Popen([sys.executable, "-c", PROGRAM, "apply"], env=world, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(seconds)
        if process.poll() is not None:
            return False
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True


def test_killed_import_is_all_or_nothing(world: dict[str, str], province_file: Callable[..., Path], tmp_path: Path) -> None:
    package = tmp_path / "p.zip"
    shutil.copyfile(province_file(PEOPLE), package)
    before = run(world, "check", str(package))
    assert before["visible"] == [0, 0, 0, 0]
    dice = random.Random(20261121)
    killed = 0
    for turn in range(KILLS * 3):
        # The first kill comes early, so that there is one however fast the machine is.
        if killed == KILLS or not kill_while_applying(world, dice.uniform(0.05, 2.5) if turn else 0.02):
            break
        killed += 1
        state = run(world, "look")
        if state["applied"]:
            break
        assert state["visible"] == [0, 0, 0, 0]
    assert killed
    end = run(world, "apply")
    assert end["status"] == "applied"
    assert end["visible"] == end["all"]
    assert end["pending"] == 0
    assert end["all"][1] == end["all"][2] == PEOPLE  # type: ignore[index]  # a list of four
