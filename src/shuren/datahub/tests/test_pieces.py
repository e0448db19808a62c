"""Pieces, compaction, the past, and how long it is kept."""

import errno
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from shuren.datahub import api
from shuren.datahub.data import DatasetSpec
from shuren.datahub.models import StoredSnapshot
from shuren.datahub.selectors import storage
from shuren.datahub.services import compact
from shuren.datahub.tests.conftest import table_of
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import NotFound
from shuren.kernel.models import AuditEntry

NOW = datetime(2026, 6, 1, tzinfo=UTC)
EVENTS = DatasetSpec("probe.events", ("month",), "for tests", "L2", "tests", sort_by=("person_id",), keep_days=7)
MONTH = {"month": "2026-06"}
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def declared(lake: Path) -> None:
    api.declare_dataset(EVENTS)


def at(hours: int) -> datetime:
    return NOW + timedelta(hours=hours)


def append(ids: list[int], hours: int = 0) -> int:
    return api.append_partition("probe.events", MONTH, pa.table({"person_id": ids}), actor=SYSTEM, now=at(hours)).id


def ids(**options: Any) -> list[int]:
    return api.read_partition("probe.events", MONTH, **options)["person_id"].to_pylist()


def test_a_partition_in_pieces_is_read_as_one() -> None:
    append([3, 1])
    append([2], 1)
    assert ids() == [3, 1, 2]
    assert [n for batch in api.scan_partition("probe.events", MONTH) for n in batch["person_id"].to_pylist()] == [3, 1, 2]
    assert api.query("SELECT sum(person_id) AS s, count(*) AS n FROM probe_events").to_pylist() == [{"s": 6, "n": 3}]
    assert ids(filters=[("person_id", ">", 1)]) == [3, 2]


def test_writing_anew_takes_the_place_of_all_pieces() -> None:
    append([1])
    append([2])
    api.write_partition("probe.events", MONTH, pa.table({"person_id": [9]}), actor=SYSTEM, now=at(1))
    assert ids() == [9]


def test_compaction_gathers_and_sorts_and_the_old_pieces_stay_readable() -> None:
    first = append([3, 1])
    last = append([2], 1)
    made = api.compact_partition("probe.events", MONTH, now=at(2))
    assert made is not None
    assert ids() == [1, 2, 3]
    assert StoredSnapshot.objects.filter(is_current=True).count() == 1
    assert ids(as_of=at(1)) == [3, 1, 2]
    assert ids(as_of=first) == [3, 1]
    assert ids(as_of=last) == [3, 1, 2]
    assert ids(as_of=made.id) == [1, 2, 3]
    assert api.query("SELECT count(*) AS n FROM probe_events", as_of=at(0)).to_pylist() == [{"n": 2}]
    assert AuditEntry.objects.filter(action="datahub.partition_compacted").count() == 1
    assert api.compact_partition("probe.events", MONTH, now=at(3)) is None
    append([0], 4)
    assert ids() == [1, 2, 3, 0]


def test_pieces_with_other_columns_are_gathered_by_name() -> None:
    append([1])
    wide = pa.table({"more": ["x"], "person_id": pa.array([0], pa.int64())})
    api.append_partition("probe.events", MONTH, wide, actor=SYSTEM, now=at(1))
    api.compact_partition("probe.events", MONTH, now=at(2))
    found = api.read_partition("probe.events", MONTH).to_pylist()
    assert found == [{"person_id": 0, "more": "x"}, {"person_id": 1, "more": None}]


def test_a_piece_that_comes_during_compaction_stays_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    append([2])
    append([1])
    real = compact.write_file

    def slow(*arguments: Any) -> Any:
        made = real(*arguments)
        append([9], 1)
        return made

    monkeypatch.setattr(compact, "write_file", slow)
    assert api.compact_partition("probe.events", MONTH, now=at(2)) is not None
    assert sorted(ids()) == [1, 2, 9]


def test_a_partition_written_anew_during_compaction_wins(monkeypatch: pytest.MonkeyPatch, lake: Path) -> None:
    append([2])
    append([1])
    real = compact.write_file

    def slow(*arguments: Any) -> Any:
        made = real(*arguments)
        api.write_partition("probe.events", MONTH, pa.table({"person_id": [7]}), actor=SYSTEM, now=at(1))
        return made

    monkeypatch.setattr(compact, "write_file", slow)
    assert api.compact_partition("probe.events", MONTH, now=at(2)) is None
    assert ids() == [7]
    assert len(list(lake.rglob("*.parquet*"))) == 3


def test_only_what_lies_in_many_pieces_is_compacted() -> None:
    for value in range(5):
        append([value])
    assert api.compact_lake(now=at(1)) == 0
    assert api.compact_lake(now=at(1), pieces=5) == 1


def test_superseded_snapshots_are_kept_for_their_days_and_then_the_past_is_closed() -> None:
    append([1])
    append([2], 1)
    api.compact_partition("probe.events", MONTH, now=at(2))
    assert api.sweep(now=at(2 + 24 * 6)).snapshots == 0
    assert ids(as_of=at(1)) == [1, 2]
    assert api.sweep(now=at(2 + 24 * 7 + 1)).snapshots == 2
    assert ids() == [1, 2]
    assert ids(as_of=at(2)) == [1, 2]
    with pytest.raises(NotFound):
        ids(as_of=at(1))
    with pytest.raises(NotFound):
        api.query("SELECT count(*) FROM probe_events", as_of=at(1))


def test_a_held_dataset_is_not_swept() -> None:
    api.write_partition("probe.events", MONTH, table_of(1), actor=SYSTEM, now=at(0))
    api.write_partition("probe.events", MONTH, table_of(2), actor=SYSTEM, now=at(1))
    api.hold_dataset("probe.events", reason="an appeal", actor=SYSTEM, now=at(2))
    assert api.sweep(now=at(24 * 400)).snapshots == 0
    api.release_dataset("probe.events", actor=SYSTEM, now=at(3))
    assert api.sweep(now=at(24 * 400)).snapshots == 1
    assert AuditEntry.objects.filter(action__in=["datahub.dataset_held", "datahub.dataset_released"]).count() == 2


class FullDisk:
    """A file system that is full after so many bytes, for every file."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.real = storage.Sink.write

    def write(self, sink: storage.Sink, data: bytes) -> int:
        if sink.bytes + len(data) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.real(sink, data)


@pytest.fixture(params=[0, 3, 200, 5_000])
def full_disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    append(list(range(3_000)))
    append(list(range(3_000)), 1)
    disk = FullDisk(request.param)
    monkeypatch.setattr(storage.Sink, "write", lambda sink, data: disk.write(sink, data))  # noqa: PLW0108  # a method would be given the disk for the sink


def test_a_full_disk_leaves_what_was_acknowledged(full_disk: None, lake: Path) -> None:
    kept = sorted(path.name for path in lake.rglob("*.parquet*"))
    for action in (
        lambda: append(list(range(50_000)), 2),
        lambda: api.write_partition("probe.events", MONTH, table_of(50_000), actor=SYSTEM, now=at(2)),
        lambda: api.compact_partition("probe.events", MONTH, now=at(2)),
    ):
        with pytest.raises(OSError, match="No space"):
            action()
        assert ids() == [*range(3_000), *range(3_000)]
        assert sorted(path.name for path in lake.rglob("*.parquet*")) == kept
    assert api.faults_of_lake() == (2, [])
