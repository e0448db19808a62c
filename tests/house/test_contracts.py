import os
import subprocess
import sys
from pathlib import Path

from tests.house.source import ROOT


def test_floors_stairs_and_faces_are_kept() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    answer = subprocess.run([tool, "--no-cache"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_contract_ignores_nothing() -> None:
    assert "ignore_imports" not in (ROOT / ".importlinter").read_text()
