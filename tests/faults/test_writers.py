import json
import subprocess
import sys
from pathlib import Path

from tests.faults.test_kill import Installation
from tests.house.source import ROOT

WRITERS, WRITES = 50, 10


def test_fifty_writers_never_find_the_database_locked(tmp_path: Path) -> None:
    """Two processes of 25 threads each: the embedded database queues them, none is turned away."""
    installation = Installation(tmp_path / "data")
    installation.run("init")
    before = installation.start("init")
    words = [sys.executable, "-m", "tests.faults.writers", str(WRITERS // 2), str(WRITES)]
    crowd = [subprocess.Popen(words, cwd=ROOT, env=installation.environment, stdout=subprocess.PIPE) for _ in range(2)]
    answers = [json.loads(process.communicate(timeout=300)[0]) for process in crowd]
    before.wait(60)
    assert [answer["faults"] for answer in answers] == [[], []]
    assert max(answer["events"] for answer in answers) == WRITERS * WRITES
