"""Kill -9 in the middle of a roster import, a results import and an evaluation.

The victim is the command that does the work; afterwards a worker takes up what it left. Nothing may be half there,
and the same command run again must end as if nothing had happened.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.house.source import ROOT

SEED = int(os.environ.get("SHUREN_FAULT_SEED", "20261121"))
PEOPLE, ITEMS = 3000, 12
SETTLE_PATIENCE = 240.0

moments = pytest.mark.parametrize("number", [pytest.param(n, marks=() if n == 0 else pytest.mark.soak) for n in range(20)])


class Installation:
    """An installation in a folder of its own, worked only through the command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("SHUREN_", "DJANGO_"))}
        self.environment = environment | {"SHUREN_DATA_DIR": str(folder)}

    def words(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "shuren.front.cli", *map(str, arguments)]

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        sink = subprocess.DEVNULL
        return subprocess.Popen(self.words(*arguments), cwd=ROOT, env=self.environment, stdout=sink, stderr=sink)

    def run(self, *arguments: object) -> str:
        answer = subprocess.run(
            self.words(*arguments), cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def inspect(self) -> dict:
        words = [sys.executable, "-m", "tests.faults.inspection"]
        answer = subprocess.run(words, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def seconds(self, *arguments: object) -> float:
        begun = time.monotonic()
        self.run(*arguments)
        return time.monotonic() - begun

    def settle(self) -> dict:
        """Let a worker take up what the victim left; returns what an inspector sees then."""
        worker = self.start("worker")
        try:
            deadline = time.monotonic() + SETTLE_PATIENCE
            while (state := self.inspect())["live_jobs"] and time.monotonic() < deadline:
                time.sleep(2)
            return state
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(60)

    def copy(self, folder: Path) -> "Installation":
        shutil.copytree(self.folder, folder)
        return Installation(folder)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    Installation(folder / "x").run("province", "--people", PEOPLE, "--out", folder / "roster.zip")
    words = [sys.executable, "-m", "tests.faults.school_test", str(folder / "roster.zip"), str(folder / "results.zip")]
    subprocess.run(words, cwd=ROOT, check=True, env=Installation(folder / "x").environment)
    return folder


@pytest.fixture(scope="session")
def stages(files: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Installation, float]]:
    """An installation before each of the three works, and how long that work takes undisturbed."""
    base = tmp_path_factory.mktemp("stages")
    now = Installation(base / "now")
    now.run("init")
    found = {}
    for name, words in works(files).items():
        before = now.copy(base / name)
        found[name] = (before, now.seconds(*words))
    found["end"] = (now, 0.0)
    return found


def works(files: Path) -> dict[str, tuple[object, ...]]:
    return {
        "roster": ("roster", "import", files / "roster.zip", "--yes"),
        "results": ("results", "import", files / "results.zip", "--yes"),
        "evaluation": ("evaluate", "--assessment", "fault-test"),
    }


@pytest.fixture
def victim(stages: dict[str, tuple[Installation, float]], tmp_path: Path, request: pytest.FixtureRequest) -> Installation:
    return stages[request.param][0].copy(tmp_path / "victim")


def kill_at_random(installation: Installation, words: tuple[object, ...], *, within: float, number: int) -> None:
    moment = random.Random(f"{SEED}:{words[0]}:{number}").uniform(0.5, max(1.0, within * 0.97))
    process = installation.start(*words)
    time.sleep(moment)
    process.kill()
    process.wait()


@moments
@pytest.mark.parametrize("victim", ["roster"], indirect=True)
def test_a_killed_roster_import_is_whole_or_absent(victim, stages, files, number) -> None:
    words = works(files)["roster"]
    kill_at_random(victim, words, within=stages["roster"][1], number=number)
    state = victim.settle()
    whole = stages["end"][0].inspect()["people"]
    assert state["people"] in (whole, dict.fromkeys(whole, 0))
    assert state["dangling"] == 0
    assert state["live_jobs"] == 0
    victim.run(*words)
    assert victim.inspect()["people"] == whole


@moments
@pytest.mark.parametrize("victim", ["results"], indirect=True)
def test_a_killed_results_import_is_whole_or_absent(victim, stages, files, number) -> None:
    words = works(files)["results"]
    kill_at_random(victim, words, within=stages["results"][1], number=number)
    state = victim.settle()
    assert state["lake_faults"] == []
    assert state["live_jobs"] == 0
    victim.run(*words)
    assert victim.inspect()["lake_faults"] == []
    victim.run(*works(files)["evaluation"])


@moments
@pytest.mark.parametrize("victim", ["evaluation"], indirect=True)
def test_a_killed_evaluation_is_finished_by_the_next_worker(victim, stages, files, number) -> None:
    words = works(files)["evaluation"]
    kill_at_random(victim, words, within=stages["evaluation"][1], number=number)
    state = victim.settle()
    assert state["lake_faults"] == []
    assert state["live_jobs"] == 0
    assert set(state["runs"]) <= {"done", "declared"}
    victim.run(*words)
    assert "done" in victim.inspect()["runs"]
