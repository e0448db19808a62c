import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.installation import Installation, new_installation, program_words
from tests.house.source import ROOT

WRITERS, WRITES = 50, 10


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with new_installation(tmp_path / "data") as made:
        yield made


def test_fifty_writers_never_find_the_database_locked(installation: Installation) -> None:
    """Two processes of 25 threads each: the embedded database queues them, none is turned away."""
    installation.run("init")
    before = installation.start("init")
    words = program_words("writers", WRITERS // 2, WRITES)
    crowd = [subprocess.Popen(words, cwd=ROOT, env=installation.environment, stdout=subprocess.PIPE) for _ in range(2)]
    answers = [json.loads(process.communicate(timeout=300)[0]) for process in crowd]
    before.wait(60)
    assert [answer["faults"] for answer in answers] == [[], []]
    assert max(answer["events"] for answer in answers) == WRITERS * WRITES
