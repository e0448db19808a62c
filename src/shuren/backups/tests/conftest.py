"""An installation's data folder and a place for its backups, apart from those of other tests."""

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

PASSPHRASE = "a passphrase for tests"


@pytest.fixture
def house(tmp_path: Path, settings: Settings) -> Path:
    """A data folder with files in it; its backups go to `place` beside it."""
    data = tmp_path / "data"
    for name, text in {"lake/a.parquet": "lake" * 60_000, "imports/1.xlsx": "one", "imports/2.xlsx": "two"}.items():
        path = data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (data / "keys").mkdir()
    (data / "keys" / "ids.key").write_text("ab" * 32)
    settings.DATA_DIR = data
    settings.SHUREN_BACKUP_SCRATCH = data / "scratch"
    settings.SHUREN_BACKUP_TARGETS = [str(tmp_path / "place")]
    settings.SHUREN_BACKUP_PASSPHRASE = PASSPHRASE
    settings.SHUREN_BACKUP_KEY_FILE = ""
    return tmp_path
