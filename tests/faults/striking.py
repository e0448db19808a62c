"""Programs of this folder, killed at a moment of chance."""

import os
import random
import signal
import subprocess
import time
from contextlib import suppress

from tests.faults.installation import Installation, program_words
from tests.house.source import ROOT


def start(installation: Installation, program: str, what: str) -> subprocess.Popen[bytes]:
    words = program_words(program, what)
    return subprocess.Popen(words, cwd=ROOT, env=installation.environment, stdout=subprocess.PIPE)


def struck(installation: Installation, program: str, what: str, chance: random.Random) -> tuple[list[bytes], bool]:
    """Run it until a moment of chance after its first word; what it said whole, and whether it was struck at work."""
    process = start(installation, program, what)
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(chance.uniform(0, 0.5))
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    rest = process.stdout.read()
    said = first + rest
    return said[: said.rfind(b"\n") + 1].split(), process.wait() == -signal.SIGKILL
