"""The archive: what leaves the lake comes back byte by byte, and nothing leaves that is held or was not due."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.datahub import api
from shuren.datahub.data import ArchiveState
from shuren.datahub.models import ArchivedFile, ArchivedPartition, StoredSnapshot
from shuren.datahub.rules import sealed_files
from shuren.datahub.rules.sealed_files import ArchiveBroken, opened_blocks, sealed_blocks
from shuren.datahub.selectors.storage import Folder
from shuren.datahub.services.life_cycle.archive import archive_partition
from shuren.datahub.services.life_cycle.recall import put_back, recall_archive
from shuren.datahub.tests.life_cycle.conftest import ARCHIVED, NAME, Keeper
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid, NotFound

KEY = bytes(range(32))


@given(data=st.binary(max_size=200), block=st.integers(1, 64))
def test_what_is_sealed_opens_as_it_was_and_not_when_anything_of_it_changed(data: bytes, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed_files, "BLOCK", block)
        sealed = b"".join(sealed_blocks(io.BytesIO(data), key=KEY))
    assert b"".join(opened_blocks(io.BytesIO(sealed), key=KEY)) == data
    for broken in (sealed[:-1], sealed[: len(sealed) // 2], sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(ArchiveBroken):
            list(opened_blocks(io.BytesIO(broken), key=KEY))
    with pytest.raises(ArchiveBroken):
        list(opened_blocks(io.BytesIO(sealed), key=KEY[::-1]))


@pytest.mark.django_db
def test_what_is_due_is_archived_and_called_back_for_a_while(keeper: Keeper, lake: Path) -> None:
    cast = keeper.cast
    old, young = {"year": cast.now.year - 3}, {"year": cast.now.year}
    assert keeper.look()["archived"] == 0, "a default rule does nothing by itself"
    before = api.snapshot_of(NAME, old)
    rows = api.read_partition(NAME, old)
    keeper.rule(ARCHIVED)
    assert keeper.look()["archived"] == 1
    with pytest.raises(NotFound, match="已归档"):
        api.read_partition(NAME, old)
    assert api.read_partition(NAME, young).num_rows == 3
    assert before is not None
    assert api.sweep(now=cast.now + timedelta(hours=3)).snapshots == 3
    [sealed] = lake.rglob("*.sealed")
    assert b"PAR1" not in sealed.read_bytes()
    assert api.faults_of_lake() == (2, [])

    archive = ArchivedPartition.objects.get()
    officer, until = cast.actor("county_officer"), day_of(cast.now) + timedelta(days=9)
    with pytest.raises(Invalid, match="90"):
        recall_archive(actor=officer, archive_id=archive.pk, reason="核对", until=until + timedelta(days=99), now=cast.now)
    recall_archive(actor=officer, archive_id=archive.pk, reason="核对", until=until, now=cast.now)
    assert put_back(archive_id=archive.pk, now=cast.now)
    assert api.snapshot_of(NAME, old) == before
    assert api.read_partition(NAME, old).equals(rows)
    assert keeper.look()["archived"] == 0, "it is back until its day"
    later = cast.now + timedelta(days=10)
    assert archive_partition(NAME, f"year={old['year']}", now=later) is not None
    archive.refresh_from_db()
    assert (archive.state, ArchivedFile.objects.count()) == (ArchiveState.ARCHIVED, 1), "put away again, not written anew"


@pytest.mark.django_db
def test_nothing_leaves_that_is_held_or_was_written_meanwhile(
    keeper: Keeper, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = keeper.cast
    old = {"year": cast.now.year - 3}
    keeper.rule(ARCHIVED)
    api.hold_dataset(NAME, reason="审计", actor=SYSTEM, now=cast.now)
    assert keeper.look() == {"archived": 0, "planned": 0, "held": 1}
    assert api.read_partition(NAME, old).num_rows == 3
    api.release_dataset(NAME, actor=SYSTEM, now=cast.now)

    reading = Folder.open

    def written_meanwhile(self: Folder, file: str) -> Any:
        monkeypatch.setattr(Folder, "open", reading)
        api.write_partition(NAME, old, api.read_partition(NAME, old).slice(0, 2), actor=SYSTEM, now=cast.now)
        return reading(self, file)

    monkeypatch.setattr(Folder, "open", written_meanwhile)
    assert archive_partition(NAME, f"year={old['year']}", now=cast.now) is None
    assert api.read_partition(NAME, old).num_rows == 2
    assert list(lake.rglob("*.sealed")) == []


@pytest.mark.django_db
def test_a_file_that_is_not_what_was_written_stays_where_it_is(keeper: Keeper, lake: Path) -> None:
    cast = keeper.cast
    keeper.rule(ARCHIVED)
    row = StoredSnapshot.objects.get(is_current=True, partition=f"year={cast.now.year - 3}")
    (lake / row.file).write_bytes(b"PAR1 something else")
    with pytest.raises(RuntimeError, match="other bytes"):
        keeper.look()
    row.refresh_from_db()
    assert row.is_current
    assert list(lake.rglob("*.sealed")) == []


@pytest.mark.django_db
def test_what_was_written_anew_is_not_overwritten_by_a_recall(keeper: Keeper) -> None:
    cast = keeper.cast
    keeper.rule(ARCHIVED)
    keeper.look()
    old = {"year": cast.now.year - 3}
    archive = ArchivedPartition.objects.get()
    api.write_partition(NAME, old, api.read_partition(NAME, {"year": cast.now.year}), actor=SYSTEM, now=cast.now)
    told = {"archive_id": archive.pk, "reason": "核对", "until": day_of(cast.now), "now": cast.now}
    with pytest.raises(Conflict, match="新数据"):
        recall_archive(actor=cast.actor("county_officer"), **told)
    with pytest.raises(NotFound):
        recall_archive(actor=cast.actor("teacher"), **told)
