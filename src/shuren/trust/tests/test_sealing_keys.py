import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid
from shuren.trust import api
from shuren.trust.rules.sealing import blind_with, derived_key, version_of
from shuren.trust.services import sealing

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def key_file(tmp_path: Path, settings: Any) -> Path:
    settings.SHUREN_SEAL_KEY_FILE = tmp_path / "keys" / "seal.key"
    return tmp_path / "keys" / "seal.key"


def restarted() -> None:
    sealing._rings.clear()
    sealing._index_keys.clear()


def test_the_key_is_made_once_and_only_the_owner_may_read_it(key_file: Path) -> None:
    sealed = api.seal(b"440101", purpose="directory.national_id")
    first = key_file.read_text()
    restarted()
    assert api.unseal(sealed, purpose="directory.national_id") == b"440101"
    assert key_file.read_text() == first
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_a_lost_key_cannot_open_old_seals(key_file: Path) -> None:
    sealed = api.seal(b"x", purpose="p")
    key_file.unlink()
    restarted()
    with pytest.raises(api.SealBroken):
        api.unseal(sealed, purpose="p")


def test_values_come_back_from_the_database_as_memoryviews() -> None:
    assert api.unseal(memoryview(api.seal(b"x", purpose="p")), purpose="p") == b"x"


def test_the_algorithm_may_be_changed_at_any_time(settings: Any) -> None:
    values = []
    for algorithm in ("AES-256-GCM", "SM4-GCM", "AES-256-GCM"):
        settings.SHUREN_SEAL_ALGORITHM = algorithm
        values.append(api.seal(b"x", purpose="p"))
    assert [value[:6] for value in values] == [b"v2:1:A", b"v2:1:S", b"v2:1:A"]
    assert {api.unseal(value, purpose="p") for value in values} == {b"x"}


@pytest.mark.django_db
def test_a_new_secret_seals_at_once_in_every_process_and_the_old_ones_still_open(key_file: Path) -> None:
    old = api.seal(b"x", purpose="p")
    beside = dict(sealing._rings)
    assert sealing.add_seal_key(actor=SYSTEM, now=NOW) == 2
    # What another process remembers from before.
    sealing._rings.update(beside)
    new = api.seal(b"x", purpose="p")
    assert (version_of(old), version_of(new)) == (1, 2)
    assert {api.unseal(value, purpose="p") for value in (old, new)} == {b"x"}
    assert api.seal_versions() == [1, 2]
    assert stat.S_IMODE((key_file.parent / "seal.2.key").stat().st_mode) == 0o600
    # Once everything was sealed anew the first secret may be put away.
    key_file.unlink()
    restarted()
    assert api.unseal(new, purpose="p") == b"x"
    assert not key_file.exists()


@pytest.mark.django_db
def test_blind_indexes_outlive_every_secret(key_file: Path) -> None:
    api.seal(b"x", purpose="p")
    index = api.blind_index("a", purpose="p")
    # The same as before there was a key of its own.
    assert index == blind_with(derived_key(bytes.fromhex(key_file.read_text()), use="blind_index"), "a", purpose="p")
    sealing.add_seal_key(actor=SYSTEM, now=NOW)
    key_file.unlink()
    restarted()
    assert api.blind_index("a", purpose="p") == index
    (key_file.parent / "index.key").unlink()
    restarted()
    with pytest.raises(Conflict, match=r"index\.key"):
        api.blind_index("a", purpose="p")


@pytest.mark.django_db
def test_secrets_lie_under_a_passphrase_where_there_is_one(key_file: Path, settings: Any) -> None:
    plain = api.seal(b"x", purpose="p")
    index = api.blind_index("a", purpose="p")
    secret = key_file.read_text()
    settings.SHUREN_KEY_PASSPHRASE = "eine lange Wendung"
    restarted()
    assert api.unseal(plain, purpose="p") == b"x"
    assert api.wrap_seal_keys(actor=SYSTEM, now=NOW) == ["index.key", "seal.key"]
    assert api.wrap_seal_keys(actor=SYSTEM, now=NOW) == []
    sealing.add_seal_key(actor=SYSTEM, now=NOW)
    files = {path.name: path.read_text() for path in key_file.parent.iterdir()}
    assert set(files) == {"seal.key", "seal.2.key", "index.key"}
    assert all(text.startswith("shuren-wrapped/v1:600000:") and secret not in text for text in files.values())
    assert {stat.S_IMODE(path.stat().st_mode) for path in key_file.parent.iterdir()} == {0o600}
    restarted()
    assert api.unseal(plain, purpose="p") == b"x"
    assert api.blind_index("a", purpose="p") == index
    for passphrase in ("", "eine andere"):
        settings.SHUREN_KEY_PASSPHRASE = passphrase
        restarted()
        with pytest.raises(Invalid, match=r"seal"):
            api.unseal(plain, purpose="p")


def test_what_is_sealed_for_an_app_has_a_key_of_its_own(key_file: Path) -> None:
    new = api.seal_for("reader", b"x", purpose="phone")
    old = api.seal(b"x", purpose="app.reader/phone")  # as it was sealed before apps had keys of their own
    assert (new[:6], old[:6]) == (b"v3:1:A", b"v2:1:A")
    assert {api.unseal_for("reader", value, purpose="phone") for value in (new, old)} == {b"x"}
    with pytest.raises(api.SealBroken):
        api.unseal(new, purpose="app.reader/phone")
    with pytest.raises(api.SealBroken):
        sealing.unseal(new, purpose="app.reader/phone", owner="writer")
