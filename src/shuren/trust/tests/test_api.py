import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shuren.trust import api, services


@pytest.fixture(autouse=True)
def key_file(tmp_path: Path, settings: Any) -> Iterator[Path]:
    settings.SHUREN_SEAL_KEY_FILE = tmp_path / "keys" / "seal.key"
    services._key.cache_clear()
    yield settings.SHUREN_SEAL_KEY_FILE
    services._key.cache_clear()


def test_the_key_is_made_once_and_only_the_owner_may_read_it(key_file: Path) -> None:
    sealed = api.seal(b"440101", purpose="directory.national_id")
    first = key_file.read_text()
    services._key.cache_clear()
    assert api.unseal(sealed, purpose="directory.national_id") == b"440101"
    assert key_file.read_text() == first
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_a_lost_key_cannot_open_old_seals(key_file: Path) -> None:
    sealed = api.seal(b"x", purpose="p")
    index = api.blind_index("x", purpose="p")
    key_file.unlink()
    services._key.cache_clear()
    with pytest.raises(api.SealBroken):
        api.unseal(sealed, purpose="p")
    assert api.blind_index("x", purpose="p") != index


def test_values_come_back_from_the_database_as_memoryviews() -> None:
    assert api.unseal(memoryview(api.seal(b"x", purpose="p")), purpose="p") == b"x"
