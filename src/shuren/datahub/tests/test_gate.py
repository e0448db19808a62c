"""What a reader's own words can reach: the rows of their branches, masked, and nothing else."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shuren.datahub import api
from shuren.datahub.data import ColumnSpec, DatasetSpec, Reader
from shuren.datahub.rules import dialect
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid, NotFound, Refused, ShurenError
from shuren.kernel.models import AuditEntry

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PUPILS = DatasetSpec(
    name="probe.pupils",
    partition_keys=("year",),
    description="for tests",
    grade="L3",
    owner="tests",
    columns={
        "org_path": ColumnSpec(grade="L1"),
        "org_id": ColumnSpec(grade="L1"),
        "name": ColumnSpec(element="person.name"),
        "phone": ColumnSpec(element="person.phone"),
        "born": ColumnSpec(grade="L3", mask="year"),
        "mark": ColumnSpec(grade="L2"),
    },
    scope_column="org_path",
)
BY_ORG = DatasetSpec("probe.by_org", ("year",), "for tests", "L2", "tests", org_column="org_id")
NOWHERE = DatasetSpec("probe.nowhere", ("year",), "for tests", "L2", "tests")
OPEN = DatasetSpec("probe.open", ("year",), "for tests", "L1", "tests")
ROWS = pa.table(
    {
        "org_path": ["1/2/20/", "1/2/21/", "1/3/30/"],
        "org_id": pa.array([20, 21, 30], pa.int64()),
        "name": ["测一一", "测二二", "测三三"],
        "phone": ["13800000001", "13800000002", "13800000003"],
        "born": pa.array([date(2015, 3, 4), date(2016, 5, 6), date(2017, 7, 8)]),
        "mark": pa.array([1, 2, 3], pa.int16()),
    }
)
COUNTY = Reader(scope=("1/2/",), purpose="checking")
pytestmark = [pytest.mark.django_db, pytest.mark.tables]


@pytest.fixture(autouse=True)
def written(lake: Path) -> None:
    for spec in (PUPILS, BY_ORG, NOWHERE, OPEN):
        api.declare_dataset(spec)
        api.write_partition(spec.name, {"year": 2026}, ROWS, actor=SYSTEM, now=NOW)
    orgs = pa.table({"id": pa.array([20, 21, 30], pa.int64()), "org_path": ["1/2/20/", "1/2/21/", "1/3/30/"]})
    api.write_partition("directory.org", {"state": "now"}, orgs, actor=SYSTEM, now=NOW)


def marks(sql: str, reader: Reader = COUNTY, **options: Any) -> list[object]:
    return sorted(api.query(sql, reader=reader, **options).column(0).to_pylist())


def test_a_reader_sees_the_rows_of_their_branches() -> None:
    assert marks("SELECT mark FROM probe_pupils") == [1, 2]
    assert marks("SELECT mark FROM probe_by_org") == [1, 2]
    assert marks("SELECT mark FROM probe_open") == [1, 2, 3]
    assert marks("SELECT mark FROM probe_pupils", Reader(scope=(), purpose="checking")) == []
    assert marks("SELECT mark FROM probe_pupils", Reader(scope=(), purpose="checking", is_region=True)) == [1, 2, 3]
    with pytest.raises(Refused):
        marks("SELECT mark FROM probe_nowhere")


def test_what_is_graded_higher_is_masked_before_anything_is_asked_of_it() -> None:
    (first, _second) = api.query("SELECT * FROM probe_pupils ORDER BY mark", reader=COUNTY).to_pylist()
    assert (first["name"], first["phone"], first["born"], first["year"]) == ("测**", "138****0001", date(2015, 1, 1), 2026)
    assert marks("SELECT mark FROM probe_pupils WHERE name = '测一一'") == []
    assert marks("SELECT count(*) FROM probe_pupils GROUP BY phone LIKE '%00000001'") == [2]
    trusted = Reader(scope=("1/2/",), purpose="checking", highest_grade="L4")
    assert marks("SELECT name FROM probe_pupils", trusted) == ["测一一", "测二二"]


def test_only_what_was_granted() -> None:
    granted = Reader(
        scope=("1/",),
        purpose="checking",
        datasets=frozenset({"probe.pupils"}),
        columns={"probe.pupils": frozenset({"mark", "name"})},
        masks={"probe.pupils.name": "all"},
    )
    assert marks("SELECT mark FROM probe_pupils", granted) == [1, 2, 3]
    assert api.query("SELECT name FROM probe_pupils", reader=granted).column(0).to_pylist() == [None] * 3
    with pytest.raises(Invalid):
        marks("SELECT phone FROM probe_pupils", granted)
    with pytest.raises(NotFound):
        marks("SELECT mark FROM probe_open", granted)


def test_no_more_rows_than_are_theirs() -> None:
    few = Reader(scope=("1/",), purpose="checking", most_rows=2)
    assert len(marks("SELECT mark FROM probe_pupils", few)) == 2
    assert len(marks("SELECT mark FROM probe_pupils LIMIT 100", few)) == 2
    assert len(marks("SELECT mark FROM probe_pupils LIMIT 1", few)) == 1
    assert len(marks("SELECT mark FROM probe_pupils UNION ALL SELECT mark FROM probe_pupils", few)) == 2


@pytest.mark.parametrize(
    "sql",
    [
        "WITH x AS (SELECT * FROM probe_pupils) SELECT mark FROM x",
        'SELECT mark FROM "probe_pupils"',
        'SELECT mark FROM "PROBE_Pupils" p',
        "SELECT mark FROM (SELECT * FROM probe_pupils) t",
        "SELECT mark FROM probe_pupils WHERE mark IN (SELECT mark FROM probe_pupils)",
        "SELECT mark FROM probe_pupils UNION SELECT mark FROM probe_pupils",
        "SELECT p.mark FROM probe_pupils p JOIN probe_pupils q ON p.mark = q.mark",
        "SELECT mark FROM /* probe_open */ probe_pupils -- whole\n",
        "SELECT mark FROM probe_pupils WHERE EXISTS (SELECT 1 FROM probe_pupils o WHERE o.mark = probe_pupils.mark)",
        "SELECT DISTINCT max(mark) OVER (PARTITION BY mark) FROM probe_pupils",
        "SELECT mark FROM probe_pupils WHERE true OR org_path >= '1/3/'",
        "FROM probe_pupils SELECT mark",
    ],
)
def test_every_way_to_name_the_table_meets_the_filter(sql: str) -> None:
    assert marks(sql) == [1, 2]


@pytest.mark.parametrize(
    "sql",
    [
        "WITH probe_pupils AS (SELECT 99 AS mark) SELECT mark FROM probe_pupils",
        "WITH sqlite_master AS (SELECT 1) SELECT * FROM sqlite_master",
        "WITH a AS (SELECT * FROM duckdb_settings), duckdb_settings AS (SELECT 1) SELECT * FROM a",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM main.probe_pupils",
        "SELECT * FROM memory.main.probe_pupils",
        "SELECT * FROM pg_catalog.pg_tables",
        "SELECT * FROM duckdb_views()",
        "SELECT * FROM pragma_database_list",
        "SELECT * FROM read_parquet('/tmp/*.parquet')",
        "SELECT * FROM parquet_scan('x')",
        "SELECT * FROM 'x.parquet'",
        'SELECT * FROM "x.parquet"',
        "SELECT * FROM query('SELECT * FROM probe_pupils')",
        "SELECT * FROM query_table('probe_pupils')",
        "SELECT * FROM orgs_of_the_reader",
        "SELECT * FROM range(3)",
        "SELECT getenv('HOME')",
        "SELECT current_setting('threads')",
        "SELECT version()",
        "SELECT mark FROM probe_pupils, LATERAL (SELECT 1) l",
        "SELECT * FROM unnest([1])",
        "ATTACH 'x.db'",
        "COPY probe_pupils TO '/tmp/x.csv'",
        "PRAGMA show_tables",
        "CALL duckdb_settings()",
        "EXPLAIN SELECT * FROM probe_pupils",
        "DESCRIBE probe_pupils",
        "SHOW TABLES",
        "SELECT 1; SELECT 2",
        "INSERT INTO probe_pupils SELECT 1",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r",
        "SELECT * FROM probe_pupils LIMIT (SELECT 5)",
    ],
)
def test_there_is_no_way_around(sql: str) -> None:
    with pytest.raises(ShurenError):
        api.query(sql, reader=COUNTY)


@pytest.mark.parametrize(
    "sql",
    [
        'WITH "{path}" AS (SELECT * FROM "{path}") SELECT * FROM "{path}"',
        'SELECT o.* FROM (WITH "{path}" AS (SELECT 1 AS y) SELECT * FROM "{path}") AS t, "{path}" AS o, probe_pupils',
        'WITH "{other}" AS (SELECT 1 AS y) SELECT o.* FROM "{path}" AS o, probe_pupils',
        'WITH a AS (SELECT * FROM "{path}"), "{path}" AS (SELECT * FROM probe_pupils) SELECT * FROM a',
        "SELECT * FROM (WITH x AS (SELECT 1 AS y) SELECT * FROM x) AS t, x",
        "WITH x AS (SELECT * FROM x) SELECT * FROM x",
    ],
)
def test_no_name_of_the_text_hides_that_another_place_reads_outside(lake: Path, sql: str) -> None:
    """A file that one question may read is a table by its name to the engine: its rows would be neither chosen nor masked."""
    (path,) = lake.glob("probe.pupils/*/*.parquet")
    # To Python the sign for kelvin is a k in lower case, to the engine it is another letter.
    text = sql.format(path=path, other=str(path).replace("k", "\u212a"))
    with pytest.raises(ShurenError):
        api.query(text, reader=COUNTY)


def test_a_text_that_names_datasets_without_end_is_refused_before_the_engine_begins() -> None:
    """It would be at it for minutes, and hear of no time limit meanwhile."""
    one = "SELECT mark FROM probe_pupils"
    assert len(marks(" UNION ALL ".join([one] * 100))) == 200
    with pytest.raises(Invalid, match="最多写 100 次"):
        marks(" UNION ALL ".join([one] * 101))


def test_names_of_the_text_are_seen_where_they_are_defined() -> None:
    inner = "SELECT a.mark FROM (WITH 次 AS (SELECT * FROM 甲) SELECT mark FROM 次) AS a, 甲"
    asked = f"WITH 甲 AS (SELECT mark FROM probe_pupils), b AS ({inner}) SELECT DISTINCT mark FROM B UNION SELECT 9"
    assert marks(asked) == [1, 2, 9]
    many = ", ".join(f"c{place} AS (SELECT mark FROM {f'c{place - 1}' if place else 'probe_pupils'})" for place in range(50))
    assert marks(f"WITH {many} SELECT mark FROM c49") == [1, 2]


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT quantile_cont(mark, 0.5) FROM probe_pupils", "quantile_cont"),
        ("PIVOT probe_pupils ON mark USING sum(mark)", "SELECT"),
        ("SELECT * FROM probe_pupils ASOF JOIN probe_open USING (mark)", "ASOF"),
        ("SELECT * FROM probe_pupils USING SAMPLE 10%", "SAMPLE"),
        ("SELECT hash(mark) FROM probe_pupils", "hash"),
        ("SELECT skewness(mark) FROM probe_pupils", "skewness"),
        ("SELECT kurtosis(mark) FROM probe_pupils", "kurtosis"),
        ("SELECT list(mark ORDER BY mark) FROM probe_pupils", "array_agg"),
        ("SELECT mark FROM probe_pupils QUALIFY row_number() OVER (ORDER BY mark) = 1", "QUALIFY"),
        ("SELECT\n  1 / mark FROM probe_pupils", "nullif"),
        ("SELECT mark % mark FROM probe_pupils", "nullif"),
        ("SELECT CAST(mark AS INTEGER) FROM probe_pupils", "floor"),
        ("SELECT round(mark, 1) FROM probe_pupils", "round"),
        ("SELECT substring(name, 0, 1) FROM probe_pupils", "substring"),
        ("SELECT * EXCLUDE (mark) FROM probe_pupils", "EXCLUDE"),
        ("SELECT DISTINCT ON (mark) mark FROM probe_pupils", "DISTINCT"),
        ("SELECT mark FROM probe_pupils GROUP BY ALL", "ALL"),
        ("SELECT concat(name, 'x') FROM probe_pupils", "concat"),
    ],
)
def test_what_means_something_else_on_another_engine_is_refused_by_name(sql: str, named: str) -> None:
    with pytest.raises(Invalid) as refused:
        api.query(sql)
    assert named.lower() in refused.value.message.lower()


def test_a_refusal_says_where() -> None:
    with pytest.raises(Invalid, match="第 2 行第 3 列"):
        dialect.check("SELECT mark,\n  getenv('HOME') FROM probe_pupils")


def test_a_question_says_what_it_is_for_and_leaves_a_trace() -> None:
    with pytest.raises(Invalid):
        api.ask_lake("SELECT mark FROM probe_pupils", reader=Reader(scope=("1/",), purpose=" "), actor=SYSTEM, now=NOW)
    assert api.ask_lake("SELECT mark FROM probe_pupils", reader=COUNTY, actor=SYSTEM, now=NOW).num_rows == 2
    entry = AuditEntry.objects.get(action="datahub.lake_asked")
    assert entry.details["datasets"] == ["probe.pupils"]
    assert entry.details["purpose"] == "checking"


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60))
def test_any_text_is_answered_or_refused(text: str) -> None:
    try:
        found = api.query(f"SELECT mark FROM probe_pupils {text}", reader=COUNTY)
    except ShurenError:
        return
    assert set(found.column(0).to_pylist()) <= {1, 2}


@pytest.mark.parametrize("value", ["a'b", "a\\b", "'; DROP VIEW x; --", "\\' OR 1=1", "名", ""])
def test_values_stay_values_on_the_way_to_spark(value: str) -> None:
    tree = dialect.bound(dialect.parsed("SELECT mark FROM probe_pupils WHERE name = $name"), {"name": value})
    text = dialect.to_spark(tree)
    assert text.endswith("WHERE name = '" + value.replace("\\", "\\\\").replace("'", "\\'") + "'")
