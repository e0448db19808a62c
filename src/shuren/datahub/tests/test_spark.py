"""The same questions on a cluster of two worker processes give the same answers (`make spark`)."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from shuren.datahub import api
from shuren.datahub.data import Reader
from shuren.datahub.selectors.engines import spark
from shuren.datahub.tests.test_failures import READ, ROWS, write_notes
from shuren.datahub.tests.test_gate import BY_ORG, PUPILS
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MASTER = "local-cluster[2,1,1024]"
pytestmark = [pytest.mark.spark, pytest.mark.django_db]
COUNTY = Reader(scope=("1/2/",), purpose="checking")
QUESTIONS = [
    "SELECT count(*), sum(mark), avg(mark), min(born), max(name), stddev(mark), var_pop(mark), median(mark) FROM probe_pupils",
    "SELECT org_path, year, count(DISTINCT mark) AS n FROM probe_pupils GROUP BY ROLLUP (org_path, year) ORDER BY org_path, year",
    "SELECT name FROM probe_pupils ORDER BY name DESC, mark LIMIT 5",
    "SELECT mark, name FROM probe_pupils ORDER BY name, mark OFFSET 3",
    "SELECT year, sum(mark) FILTER (WHERE mark > 3) AS s FROM probe_pupils GROUP BY year ORDER BY year",
    "SELECT mark / nullif(mark - 3, 0) AS q, mark % 4 AS r, -mark AS neg FROM probe_pupils ORDER BY mark, name",
    "SELECT upper(name) || ':' || left(phone, 3) AS t, length(name) AS l FROM probe_pupils ORDER BY phone",
    "SELECT CAST(floor(weight) AS BIGINT) AS w, ceil(weight) AS c, round(weight) AS r FROM probe_pupils ORDER BY phone",
    "SELECT year(born) AS y, month(born) AS m, date_diff('day', born, DATE '2026-06-01') AS d FROM probe_pupils ORDER BY phone",
    "SELECT phone FROM probe_pupils WHERE regexp_full_match(phone, '138[0-9]+[02468]') ORDER BY phone",
    "SELECT phone FROM probe_pupils WHERE name LIKE '测%' AND contains(phone, '7') AND starts_with(phone, '1') ORDER BY phone",
    "SELECT phone, rank() OVER (PARTITION BY year ORDER BY mark DESC) AS place FROM probe_pupils ORDER BY phone",
    "SELECT phone, lag(mark) OVER (ORDER BY phone) AS before FROM probe_pupils ORDER BY phone",
    """WITH s AS (SELECT org_id, avg(mark) AS m FROM probe_pupils GROUP BY org_id)
    SELECT b.org_id, s.m FROM probe_by_org b LEFT JOIN s ON s.org_id = b.org_id ORDER BY b.org_id""",
    "SELECT org_id FROM probe_pupils EXCEPT SELECT org_id FROM probe_by_org ORDER BY org_id",
    "SELECT coalesce(name, '无') AS n, CASE WHEN mark >= 5 THEN 'a' ELSE 'b' END AS g FROM probe_pupils ORDER BY phone",
    "SELECT greatest(mark, 3) AS g, least(mark, 3) AS l, nullif(mark, 2) AS z, abs(mark - 4) FROM probe_pupils ORDER BY phone",
    "SELECT bool_and(mark > 0) AS x, bool_or(mark > 8) AS y FROM probe_pupils",
    "SELECT trim('  a ') AS t, substring(phone, 2, 3) AS s, replace(phone, '0', '') AS r FROM probe_pupils ORDER BY phone",
    """SELECT phone FROM probe_pupils WHERE mark IN (SELECT max(mark) FROM probe_pupils)
    AND NOT EXISTS (SELECT 1 FROM probe_by_org b WHERE b.org_id = probe_pupils.org_id) ORDER BY phone""",
    "SELECT 'a\\b''c' AS odd, TRUE AS yes, NULL AS nothing, 1.5 AS number",
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    pytest.importorskip("pyspark.sql")
    session = spark.session(MASTER)
    yield
    session.stop()


@pytest.fixture(autouse=True)
def written(lake: Path, cluster: None) -> None:
    chosen = np.random.default_rng(3)
    for spec in (PUPILS, BY_ORG):
        api.declare_dataset(spec)
    for year in (2025, 2026):
        rows = 40
        orgs = chosen.integers(20, 24, rows)
        table = pa.table(
            {
                "org_path": [f"1/{2 + org % 2}/{org}/" for org in orgs],
                "org_id": pa.array(orgs, pa.int64()),
                "name": [None if i % 7 == 0 else f"测{'甲乙丙'[i % 3]}{i % 5}" for i in range(rows)],
                "phone": [f"138{year}{i:04d}" for i in range(rows)],
                "born": pa.array([date(2015, 1 + i % 12, 1 + i % 28) for i in range(rows)]),
                "mark": pa.array(chosen.integers(1, 9, rows), pa.int16()),
                "weight": chosen.normal(40, 5, rows),
            }
        )
        for start in (0, 20):
            api.append_partition("probe.pupils", {"year": year}, table.slice(start, 20), actor=SYSTEM, now=NOW)
    few = pa.table({"org_id": pa.array([20, 21, 22], pa.int64())})
    api.write_partition("probe.by_org", {"year": 2026}, few, actor=SYSTEM, now=NOW)
    tree = pa.table({"id": pa.array(range(20, 24), pa.int64()), "org_path": [f"1/{2 + org % 2}/{org}/" for org in range(20, 24)]})
    api.write_partition("directory.org", {"state": "now"}, tree, actor=SYSTEM, now=NOW)


def both(sql: str, settings: Any, **options: Any) -> tuple[list[list[Any]], list[list[Any]]]:
    found = []
    for engine in ("duckdb", MASTER):
        settings.SHUREN_LAKE_ENGINE = engine
        table = api.query(sql, **options)
        found.append([list(row.values()) for row in table.to_pylist()])
    return found[0], found[1]


def same(one: Any, other: Any) -> bool:
    if isinstance(one, str | date | bool | None) or isinstance(other, str | date | bool | None):
        return bool(one == other)
    return math.isclose(float(one), float(other), rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize(
    ("sql", "reader"),
    [*((sql, None) for sql in QUESTIONS), *((sql, COUNTY) for sql in QUESTIONS[::3])],
)
def test_one_text_one_answer(sql: str, reader: Reader | None, settings: Any) -> None:
    if reader is not None and "ORDER BY phone" in sql:
        sql = sql.replace("ORDER BY phone", "ORDER BY 1, phone, mark, name")
    here, there = both(sql, settings, reader=reader)
    if reader is not None:
        # Masked values are alike, so that their order tells nothing.
        here, there = sorted(here, key=repr), sorted(there, key=repr)
    assert len(here) == len(there)
    assert all(same(a, b) for one, other in zip(here, there, strict=True) for a, b in zip(one, other, strict=True))


def test_parameters_and_partitions(settings: Any) -> None:
    sql = "SELECT count(*) FROM probe_pupils WHERE mark >= $least AND name <> $name"
    here, there = both(sql, settings, params={"least": 3, "name": "x' OR '1'='1"}, partitions={"year": 2026})
    assert here == there != [[0]]
    here, there = both("SELECT count(*) FROM probe_pupils WHERE mark > ? AND phone LIKE ?", settings, params=[2, "138%"])
    assert here == there


def test_what_fails_says_so(settings: Any) -> None:
    settings.SHUREN_LAKE_ENGINE = MASTER
    with pytest.raises(Invalid, match="没有“`nonsense`”这一列；相近的有"):
        api.query("SELECT nonsense FROM probe_pupils")
    with pytest.raises(Invalid):
        api.query("SELECT getenv('HOME') FROM probe_pupils")


def test_a_value_of_another_branch_fails_no_question_and_is_never_told(settings: Any) -> None:
    write_notes()
    settings.SHUREN_LAKE_ENGINE = MASTER
    assert api.query(READ, reader=COUNTY).column(0).to_pylist() == [ROWS]
    with pytest.raises(Invalid, match="先用 WHERE 或 CASE 排除") as failed:
        api.query(READ, reader=Reader(scope=(), purpose="checking", is_region=True))
    assert "密语" not in str(failed.value)
