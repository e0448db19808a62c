"""Backups made in a test's database: what lies in the places, what is stored again, what is refused."""

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from shuren.backups import api as backups
from shuren.backups.data import RunData, RunState
from shuren.backups.models import Run
from shuren.backups.rules.manifests import chunks_of
from shuren.backups.rules.sealing import Unopened
from shuren.backups.services import back_up, restore, stores
from shuren.backups.services.repository import Repository, open_repository, secret_of_settings
from shuren.backups.services.turns import BACKUPS, one_at_a_time
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.kernel.models import AuditEntry

NOW = datetime(2026, 11, 30, 4, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


def _made(days: float = 0, **wish: Any) -> RunData:
    return backups.back_up(actor=SYSTEM, now=NOW + timedelta(days=days), wish=backups.Wish(**wish))


def _opened(house: Path) -> Repository:
    return open_repository([str(house / "place")], secret=secret_of_settings())


def _files(house: Path, manifest: str) -> dict[str, bytes]:
    repository = _opened(house)
    try:
        return {file.path: b"".join(repository.pieces(file.pieces)) for file in repository.manifest(manifest).files}
    finally:
        repository.close()


def test_files_come_back_as_they_were_and_equal_ones_are_stored_once(house: Path) -> None:
    # More than the database, whose own pieces change between two backups, and nothing that packs well.
    (house / "data" / "imports" / "photo.jpg").write_bytes(os.urandom(1_000_000))
    first = _made()
    assert first.state is RunState.DONE
    found = _files(house, first.manifest)
    assert found["imports/1.xlsx"] == b"one"
    assert found["lake/a.parquet"] == b"lake" * 60_000
    assert not any(name.startswith(("keys/", "scratch/")) for name in found)
    (house / "data" / "imports" / "3.xlsx").write_text("three")
    second = _made(1)
    assert _files(house, second.manifest) == {**found, "imports/3.xlsx": b"three"}
    assert second.stored < 500_000 < 1_000_000 < first.stored
    assert not list((house / "data" / "scratch").iterdir())
    assert AuditEntry.objects.filter(action="backups.backup_made").count() == 2


def test_places_see_neither_names_nor_contents(house: Path) -> None:
    (house / "data" / "imports" / "张三.txt").write_text("a secret sentence " * 5_000)
    _made()
    for path in (house / "place").rglob("*"):
        assert "张三" not in path.name
        assert path.is_dir() or b"secret sentence" not in path.read_bytes()


def test_two_places_hold_the_same_and_one_that_fails_makes_it_partial(house: Path, settings: Settings) -> None:
    settings.SHUREN_BACKUP_TARGETS = [str(house / "place"), str(house / "second")]
    assert _made().targets == (str(house / "place"), str(house / "second"))
    names = [{path.relative_to(top) for path in top.rglob("*")} for top in (house / "place", house / "second")]
    assert names[0] == names[1]
    (house / "second" / "repository.json").unlink()
    (house / "second" / "repository.json").mkdir()  # cannot be read
    run = _made(1)
    assert (run.state, run.targets) == (RunState.PARTIAL, (str(house / "place"),))
    assert str(house / "second") in run.problems[0]


def test_a_full_disk_leaves_former_backups_whole_and_the_next_goes_on(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _made()
    (house / "data" / "lake" / "b.parquet").write_bytes(os.urandom(40_000_000))
    written = 0
    put = stores.FolderStore.put

    def filling(store: stores.FolderStore, name: str, data: bytes) -> None:
        nonlocal written
        written += 1
        if written > 6:
            raise OSError(errno.ENOSPC, "No space left on device")
        put(store, name, data)

    monkeypatch.setattr(stores.FolderStore, "put", filling)
    with pytest.raises(OSError, match="No space"):
        _made(1)
    monkeypatch.undo()
    assert Run.objects.order_by("-id")[0].state == RunState.FAILED
    assert backups.check_backups() == []
    assert [one.id for one in backups.backups()] == [first.manifest]
    again = _made(2)
    assert again.state is RunState.DONE
    assert again.stored < 40_000_000, "chunks that were stored before the disk was full are found again"
    assert backups.check_backups() == []


def test_any_changed_or_missing_chunk_is_named(house: Path) -> None:
    run = _made()
    repository = _opened(house)
    chunks = sorted(chunks_of(repository.manifest(run.manifest)))
    repository.close()
    damaged, missing = chunks[0], chunks[-1]
    path = house / "place" / "chunks" / damaged[:2] / damaged
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    (house / "place" / "chunks" / missing[:2] / missing).unlink()
    faults = "\n".join(backups.check_backups())
    assert damaged in faults
    assert f"{missing} (missing)" in faults


def test_a_changed_manifest_is_named_and_stops_pruning(house: Path, settings: Settings) -> None:
    run = _made()
    path = house / "place" / "manifests" / run.manifest
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Unopened, match=run.manifest):
        backups.read_manifest(run.manifest)
    chunks = len(list((house / "place" / "chunks").rglob("*")))
    with pytest.raises(Conflict, match=run.manifest):
        backups.prune(actor=SYSTEM, now=NOW)
    assert len(list((house / "place" / "chunks").rglob("*"))) == chunks
    assert _made(1).state is RunState.DONE, "a manifest that does not open is no reason not to make another"


def test_another_passphrase_opens_nothing(house: Path, settings: Settings) -> None:
    _made()
    settings.SHUREN_BACKUP_PASSPHRASE = "quite another passphrase"
    with pytest.raises(Invalid, match="打不开"):
        backups.backups()
    settings.SHUREN_BACKUP_PASSPHRASE = "short"
    with pytest.raises(Invalid, match="太短"):
        _made(1)


def test_pruning_keeps_what_policy_and_holds_say_and_every_chunk_they_name(house: Path, settings: Settings) -> None:
    settings.SHUREN_BACKUP_KEEP = "2,0,0"
    made = []
    for day in range(4):
        (house / "data" / "lake" / f"{day}.parquet").write_bytes(os.urandom(70_000))
        made.append(_made(day).manifest)
    backups.hold_backup(manifest=made[0], reason="a court asks", actor=SYSTEM, now=NOW)
    before = {manifest: _files(house, manifest) for manifest in made}
    run = backups.prune(actor=SYSTEM, now=NOW)
    assert run.report["backups"] == [made[1]]
    assert [one.id for one in backups.backups()] == [made[3], made[2], made[0]]
    assert backups.backups()[-1].held_for == "a court asks"
    assert {one: _files(house, one) for one in (made[0], made[2], made[3])} == {
        one: before[one] for one in (made[0], made[2], made[3])
    }
    backups.release_backup(manifest=made[0], actor=SYSTEM, now=NOW)
    swept = backups.prune(actor=SYSTEM, now=NOW)
    assert swept.report["backups"] == [made[0]]
    assert backups.check_backups() == []
    with pytest.raises(NotFound):
        backups.hold_backup(manifest="../../etc/passwd", reason="x", actor=SYSTEM, now=NOW)


def test_one_run_at_a_time(house: Path) -> None:
    with one_at_a_time(BACKUPS), pytest.raises(Conflict, match="正在运行"):
        _made()


def test_a_file_swept_while_it_is_copied_is_still_in_the_backup(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_database = back_up._with_database

    def sweeping(*given: Any) -> Any:
        (house / "data" / "lake" / "a.parquet").unlink()
        return with_database(*given)

    monkeypatch.setattr(back_up, "_with_database", sweeping)
    assert _files(house, _made().manifest)["lake/a.parquet"] == b"lake" * 60_000


def test_a_place_must_be_absolute_or_a_bucket(house: Path, settings: Settings) -> None:
    settings.SHUREN_BACKUP_TARGETS = ["somewhere"]
    with pytest.raises(Invalid, match="somewhere"):
        _made()


def test_nobody_serves_where_a_restore_did_not_come_to_its_end(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "restoring.draft").write_text("")  # all that a kill, or a full disk, left of the mark
    assert not restore._is_filled(tmp_path)
    backups.refuse_half_restored()
    (tmp_path / restore.MARKER).write_text('{"manifest": "20261130T031500Z-1a2b3c4d"}')
    with pytest.raises(Conflict, match="20261130T031500Z-1a2b3c4d"):
        backups.refuse_half_restored()
