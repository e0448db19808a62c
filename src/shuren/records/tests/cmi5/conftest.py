"""What tests of courses share: a public address, and a folder for files."""

from pathlib import Path
from typing import Any

import pytest

from shuren.records.tests.cmi5.course_play import HOME


@pytest.fixture(autouse=True)
def _at_home(settings: Any, tmp_path: Path) -> None:
    settings.SHUREN_PUBLIC_URL = HOME
    settings.MEDIA_ROOT = tmp_path / "files"
