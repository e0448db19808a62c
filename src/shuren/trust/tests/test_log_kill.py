"""The log is killed, by SIGKILL, again and again in the middle of its work."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

KILLS = int(os.environ.get("SHUREN_KILLS", "1"))
CHECK = """
import django; django.setup()
import sys
from datetime import UTC, datetime
from shuren.trust import api
from shuren.trust.models import LogEntry
now = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
api.grow_log(now=now)
faults = api.faults_of_log()
assert faults == [], faults
from shuren.trust.rules.log.merkle import is_consistent, tree_hash
head = api.tree_head()
for line in sys.stdin:
    words = line.split()
    if words[0] == "head":
        size, root = int(words[1]), bytes.fromhex(words[2])
        path = api.consistency(old=size, new=head.size)
        assert is_consistent(size, head.size, root, head.root, path, tree_hash(head.hash_algorithm)), line
    else:
        assert LogEntry.objects.filter(pk=int(words[0]), leaf_index__lt=head.size).exists(), line
print("whole", head.size)
"""


@pytest.mark.skipif("os.environ.get('SHUREN_DATABASE_URL')", reason="it has a data folder of its own, on SQLite")
def test_nothing_acknowledged_is_lost_and_no_head_forks(tmp_path: Path) -> None:
    environment = os.environ | {
        "SHUREN_DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "shuren.conf.settings",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    subprocess.run([sys.executable, "-m", "django", "migrate", "-v", "0"], env=environment, check=True)
    rng = random.Random(5)  # when it is killed needs no secrecy
    told = ""
    for _number in range(KILLS):
        out = tmp_path / "told"
        with out.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "shuren.trust.tests.grow_process"], env=environment, stdout=file, start_new_session=True
            )
            while "head" not in out.read_text() and process.poll() is None:
                time.sleep(0.02)
            time.sleep(rng.random() * 1.5)
            os.kill(process.pid, signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        # The last line may be cut off: it was not acknowledged whole.
        told += out.read_text().rpartition("\n")[0] + "\n"
    assert told.count("head") >= KILLS
    checked = subprocess.run(
        [sys.executable, "-c", CHECK], env=environment, input=told, text=True, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith("whole")
