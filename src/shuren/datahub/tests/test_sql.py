"""Questions in SQL, and what they must not reach."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shuren.datahub import api
from shuren.datahub.tests.conftest import table_of
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid, NotFound

NOW = datetime(2026, 6, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def written(lake: Path) -> None:
    for run in (1, 2):
        api.write_partition("probe.marks", {"run": run}, table_of(4, run), actor=SYSTEM, now=NOW)
    wide = table_of(2, 5).append_column("more", pa.array([1.5, None]))
    api.write_partition("probe.pairs", {"run": 1, "year": 2025}, table_of(2, 4), actor=SYSTEM, now=NOW)
    api.write_partition("probe.pairs", {"run": 1, "year": 2026}, wide, actor=SYSTEM, now=NOW)


def test_partition_keys_are_columns_and_values_are_bound() -> None:
    table = api.query(
        "SELECT run, sum(mark) AS total FROM probe_marks WHERE mark >= $least GROUP BY run ORDER BY run", params={"least": 2}
    )
    assert table.to_pydict() == {"run": [2], "total": [8]}
    hostile = api.query("SELECT count(*) AS n FROM probe_marks WHERE CAST(run AS VARCHAR) = ?", params=["1' OR '1'='1"])
    assert hostile["n"].to_pylist() == [0]


def test_only_the_current_snapshot_is_seen() -> None:
    api.write_partition("probe.marks", {"run": 1}, table_of(1, 9), actor=SYSTEM, now=NOW)
    assert api.query("SELECT mark FROM probe_marks WHERE run = 1")["mark"].to_pylist() == [9]


def test_partitions_of_different_columns_are_joined_by_name() -> None:
    table = api.query("SELECT year, sum(more) AS more FROM probe_pairs GROUP BY year ORDER BY year")
    assert table.to_pydict() == {"year": [2025, 2026], "more": [None, 1.5]}


def test_partitions_may_be_chosen() -> None:
    assert api.query("SELECT DISTINCT run FROM probe_marks", partitions={"run": 2})["run"].to_pylist() == [2]
    with pytest.raises(NotFound):
        api.query("SELECT 1 FROM probe_marks", partitions={"run": 77})


@pytest.mark.parametrize(
    "sql",
    [
        "DROP VIEW probe_marks",
        "CREATE TABLE t AS SELECT 1",
        "COPY (SELECT 1) TO '/tmp/stolen.csv'",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "SET threads = 64",
        "PRAGMA version",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP VIEW probe_marks",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM read_parquet('https://example.org/x.parquet')",
        "SELECT * FROM directory_person",
        "SELECT nonsense FROM probe_marks",
        "SELEC 1",
        "",
    ],
)
def test_nothing_but_a_question_about_named_data(sql: str) -> None:
    with pytest.raises(Invalid):
        api.query(sql)


def test_other_datasets_and_other_files_of_the_lake_are_out_of_reach(lake: Path) -> None:
    with pytest.raises(Invalid):
        api.query("SELECT * FROM probe_pairs", datasets=["probe.marks"])
    other = lake / "probe.marks" / "run=1" / "orphan.parquet"
    pq.write_table(table_of(1), other)
    with pytest.raises(Invalid):
        api.query(f"SELECT * FROM read_parquet('{other}')", datasets=["probe.marks"])


def test_an_undeclared_dataset_is_not_found() -> None:
    with pytest.raises(NotFound):
        api.query("SELECT 1", datasets=["probe.unknown"])
