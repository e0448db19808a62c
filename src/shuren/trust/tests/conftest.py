from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def log_folder(tmp_path: Path, settings: Any) -> Path:
    """A folder of its own for the evidence log."""
    settings.SHUREN_EVIDENCE_DIR = tmp_path / "evidence"
    settings.SHUREN_EVIDENCE_WITNESSES = []
    settings.SHUREN_EVIDENCE_WITNESSED = []
    settings.SHUREN_EVIDENCE_ANCHORS = []
    return tmp_path / "evidence"
