"""Writing, reading, travelling back, dropping and sweeping."""

import io
import os
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shuren.datahub import api
from shuren.datahub.data import DatasetSpec
from shuren.datahub.models import StoredSnapshot
from shuren.datahub.tests.conftest import table_of
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid, NotFound
from shuren.kernel.models import AuditEntry, Event

NOW = datetime(2026, 6, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def write(rows: int = 10, value: int = 0, run: object = 1, now: datetime = NOW) -> int:
    return api.write_partition("probe.marks", {"run": run}, table_of(rows, value), actor=SYSTEM, now=now).id


def marks(run: object = 1, **options: object) -> list[int]:
    return api.read_partition("probe.marks", {"run": run}, **options)["mark"].to_pylist()  # type: ignore[arg-type]


def test_what_was_written_is_read_back(lake: Path) -> None:
    write(rows=5, value=3)
    assert marks() == [3] * 5
    snapshot = api.snapshot_of("probe.marks", {"run": 1})
    assert snapshot is not None
    assert (snapshot.rows, snapshot.is_current, dict(snapshot.columns)) == (5, True, {"person_id": "int64", "mark": "int16"})
    assert (lake / "probe.marks" / "run=1").is_dir()
    assert Event.objects.filter(name="datahub.partition_written").count() == 1
    assert AuditEntry.objects.filter(action="datahub.partition_written").count() == 1


def test_writing_again_switches_and_keeps_the_old_state_readable() -> None:
    first = write(value=1)
    second = write(value=2)
    assert marks() == [2] * 10
    assert marks(snapshot=first) == [1] * 10
    assert [one.id for one in api.snapshots_of("probe.marks", {"run": 1})] == [second, first]
    assert StoredSnapshot.objects.filter(is_current=True).count() == 1


def test_a_transaction_that_is_rolled_back_leaves_the_old_state() -> None:
    write(value=1)
    with transaction.atomic():
        write(value=2)
        transaction.set_rollback(True)
    assert marks() == [1] * 10


def test_a_broken_stream_leaves_no_file_and_the_old_state(lake: Path) -> None:
    write(value=1)

    def broken() -> object:
        yield table_of(4, 2).to_batches()[0]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        api.write_partition("probe.marks", {"run": 1}, broken(), actor=SYSTEM, now=NOW)  # type: ignore[arg-type]
    assert marks() == [1] * 10
    assert len(list(lake.rglob("*.parquet*"))) == 1


def test_a_prepared_partition_is_seen_only_when_published() -> None:
    write(value=1)
    prepared = api.prepare_partition("probe.marks", {"run": 1}, table_of(3, 2))
    assert marks() == [1] * 10
    api.publish_partition(prepared, actor=SYSTEM, now=NOW)
    assert marks() == [2] * 3


def test_filters_and_columns() -> None:
    write(rows=100)
    table = api.read_partition("probe.marks", {"run": 1}, columns=["person_id"], filters=[("person_id", "==", 42)])
    assert table.to_pydict() == {"person_id": [42]}


@pytest.mark.parametrize("people", [[42], [7, 40_000, 99_999], [], [-1]])
def test_filters_find_rows_in_any_row_group(people: list[int]) -> None:
    api.write_partition("probe.marks", {"run": 1}, table_of(100_000), actor=SYSTEM, now=NOW, sort_by="person_id")
    filters = [("person_id", "in", people), ("mark", ">=", 0)]
    whole = api.read_partition("probe.marks", {"run": 1})
    expected = whole.filter(pc.is_in(whole["person_id"], pa.array(people, whole.schema.field("person_id").type)))
    assert api.read_partition("probe.marks", {"run": 1}, filters=filters).equals(expected)
    assert api.read_partition("probe.marks", {"run": 1}, columns=["mark"], filters=filters).equals(expected.select(["mark"]))


def test_sorted_writing_makes_look_ups_read_one_row_group(lake: Path) -> None:
    shuffled = table_of(100_000).sort_by([("person_id", "descending")])
    api.write_partition("probe.marks", {"run": 1}, shuffled, actor=SYSTEM, now=NOW, sort_by="person_id")
    found = pq.ParquetFile(next(lake.rglob("*.parquet"))).metadata
    bounds = [found.row_group(place).column(0).statistics for place in range(found.num_row_groups)]
    assert found.num_row_groups == 4
    assert all(one.max < other.min for one, other in pairwise(bounds))


def test_scanning_gives_the_rows_in_order_in_blocks() -> None:
    write(rows=1000)
    batches = list(api.scan_partition("probe.marks", {"run": 1}, columns=["person_id"], batch_rows=300))
    assert [batch.num_rows for batch in batches] == [300, 300, 300, 100]
    assert pa.Table.from_batches(batches)["person_id"].to_pylist() == list(range(1000))


def test_an_empty_partition_needs_its_columns() -> None:
    with pytest.raises(Invalid):
        api.write_partition("probe.marks", {"run": 1}, [], actor=SYSTEM, now=NOW)
    api.write_partition("probe.marks", {"run": 1}, [], actor=SYSTEM, now=NOW, schema=table_of(1).schema)
    assert marks() == []


@pytest.mark.parametrize(
    "partition", [{}, {"year": 1}, {"run": 1, "year": 2}, {"run": "../x"}, {"run": "a/b"}, {"run": ""}, {"run": "x" * 81}]
)
def test_a_partition_that_does_not_fit_is_refused(partition: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        api.write_partition("probe.marks", partition, table_of(1), actor=SYSTEM, now=NOW)


def test_an_unknown_dataset_and_partition_are_not_found() -> None:
    with pytest.raises(NotFound):
        api.read_partition("probe.nothing", {"run": 1})
    with pytest.raises(NotFound):
        api.read_partition("probe.marks", {"run": 99})
    assert api.snapshot_of("probe.marks", {"run": 99}) is None


@pytest.mark.parametrize(
    "spec",
    [
        DatasetSpec("marks", ("run",), "", "L2", ""),
        DatasetSpec("probe.marks", (), "", "L2", ""),
        DatasetSpec("probe.marks", ("Run",), "", "L2", ""),
        DatasetSpec("probe.marks", ("run",), "", "L9", ""),
        DatasetSpec("probe.marks", ("run",), "declared differently", "L2", ""),
    ],
)
def test_a_declaration_that_cannot_hold_is_refused(spec: DatasetSpec) -> None:
    with pytest.raises(ValueError, match=r"dataset"):
        api.declare_dataset(spec)


def test_a_dropped_partition_is_gone_but_can_be_travelled_to() -> None:
    first = write(value=1)
    assert api.drop_partition("probe.marks", {"run": 1}, actor=SYSTEM, now=NOW)
    assert not api.drop_partition("probe.marks", {"run": 1}, actor=SYSTEM, now=NOW)
    with pytest.raises(NotFound):
        marks()
    assert marks(snapshot=first) == [1] * 10


def test_sweeping_takes_what_nobody_can_be_reading(lake: Path) -> None:
    kept, old, new = write(value=1), write(value=2), write(value=3)
    api.keep_snapshot("probe.marks", {"run": 1}, kept, reason="a run was computed from it", actor=SYSTEM, now=NOW)
    orphan, fresh = lake / "probe.marks" / "run=1" / "orphan.parquet", lake / "probe.marks" / "run=1" / "half.parquet.tmp"
    for path in (orphan, fresh):
        path.write_bytes(b"x")
    real_now = datetime.now(UTC)
    os.utime(orphan, (time.time() - 7200, time.time() - 7200))
    assert api.sweep(now=NOW + timedelta(minutes=59)).snapshots == 0
    swept = api.sweep(now=real_now)
    assert (swept.snapshots, swept.files) == (1, 1)
    assert not orphan.exists()
    assert fresh.exists()
    with pytest.raises(NotFound):
        marks(snapshot=old)
    assert marks(snapshot=kept) == [1] * 10
    assert marks(snapshot=new) == marks() == [3] * 10


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_export_is_whole_and_audited(form: str) -> None:
    write(rows=70_000, value=7)
    stream = io.BytesIO()
    assert api.export_partition("probe.marks", {"run": 1}, stream, actor=SYSTEM, now=NOW, format=form, columns=["mark"]) == 70_000
    stream.seek(0)
    table = pa_csv.read_csv(stream) if form == "csv" else pq.read_table(stream)
    assert set(table["mark"].to_pylist()) == {7}
    assert table.num_rows == 70_000
    assert AuditEntry.objects.filter(action="datahub.partition_exported").count() == 1


@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(-(2**63), 2**63 - 1), st.one_of(st.none(), st.integers(-128, 127)), st.text(max_size=20)),
        min_size=1,
        max_size=50,
    )
)
def test_anything_written_is_read_back(rows: list[tuple[int, int | None, str]]) -> None:
    columns = list(zip(*rows, strict=True))
    table = pa.table(
        {"a": pa.array(columns[0], pa.int64()), "b": pa.array(columns[1], pa.int8()), "c": pa.array(columns[2], pa.string())}
    )
    api.write_partition("probe.pairs", {"run": 1, "year": 2026}, table.to_batches(max_chunksize=7), actor=SYSTEM, now=NOW)
    assert api.read_partition("probe.pairs", {"run": 1, "year": 2026}).equals(table)


def test_a_dataset_offered_while_the_house_runs_is_known_in_every_process(lake: Path) -> None:
    offered = DatasetSpec("probe.offered", ("round",), "A form's answers.", "L2", "org:1")
    api.offer_dataset(offered)

    api.write_partition("probe.offered", {"round": "one"}, table_of(3, 7), actor=SYSTEM, now=NOW)

    # Nothing of it is kept in memory: the names come from the table of contents.
    assert "probe.offered" not in [spec.name for spec in api.declared_datasets()]
    assert api.read_partition("probe.offered", {"round": "one"})["mark"].to_pylist() == [7, 7, 7]
    assert api.query("SELECT count(*) AS n FROM probe_offered").to_pylist() == [{"n": 3}]
    assert offered in api.known_datasets()


def test_an_offer_may_be_worded_anew_but_not_cut_anew(lake: Path) -> None:
    api.offer_dataset(DatasetSpec("probe.offered", ("round",), "First.", "L2", "org:1"))
    api.offer_dataset(DatasetSpec("probe.offered", ("round",), "Second.", "L3", "org:2"))

    (spec,) = [spec for spec in api.known_datasets() if spec.name == "probe.offered"]
    assert (spec.description, spec.grade, spec.owner) == ("Second.", "L3", "org:2")
    with pytest.raises(ValueError, match="is cut by"):
        api.offer_dataset(DatasetSpec("probe.offered", ("year",), "Third.", "L2", "org:1"))
    with pytest.raises(ValueError, match="declared by an app"):
        api.offer_dataset(DatasetSpec("probe.marks", ("run",), "Mine.", "L2", "org:1"))
