"""A question that fails says what is wrong with its text, and nothing of rows that its asker does not see."""

import traceback
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from shuren.datahub import api
from shuren.datahub.data import DatasetSpec, Reader
from shuren.datahub.selectors.sql import stream
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NOTES = DatasetSpec("probe.notes", ("year",), "for tests", "L2", "tests", org_column="org_id")
ORGS, ROWS, ABROAD = 2000, 400, 1000
COUNTY = Reader(scope=("1/2/",), purpose="checking")
READ = "SELECT count(*) FROM probe_notes WHERE CAST(trim(note) AS bigint) = 12"
pytestmark = [pytest.mark.django_db, pytest.mark.tables]


def write_notes() -> None:
    """Notes of many orgs; the one org outside the county has the one note that is no number, and numbers of the largest."""
    api.declare_dataset(NOTES)
    orgs = np.arange(ORGS)
    paths = ["1/3/" if org == ABROAD else "1/2/" for org in orgs]
    api.write_partition("directory.org", {"state": "now"}, pa.table({"id": orgs, "org_path": paths}), actor=SYSTEM, now=NOW)
    owners = np.append(np.random.default_rng(1).choice(orgs[orgs != ABROAD], ROWS), ABROAD)
    notes = pa.table(
        {
            "org_id": owners,
            "note": ["12"] * ROWS + ["测试密语"],
            "mark": np.append(np.ones(ROWS, np.int64), np.iinfo(np.int64).max),
        }
    )
    api.write_partition("probe.notes", {"year": 2026}, notes, actor=SYSTEM, now=NOW)


@pytest.fixture(autouse=True)
def written(lake: Path) -> None:
    write_notes()


@pytest.mark.parametrize("sql", [READ, "SELECT count(*) FROM probe_notes WHERE mark + mark = 2"])
def test_a_value_of_another_branch_fails_no_question(sql: str) -> None:
    assert api.query(sql, reader=COUNTY).column(0).to_pylist() == [ROWS]
    assert [row for batch in stream(sql, reader=COUNTY) for row in batch.column(0).to_pylist()] == [ROWS]


def test_a_value_that_fails_is_not_told() -> None:
    everything = Reader(scope=(), purpose="checking", is_region=True)
    for ask in (lambda: api.query(READ, reader=everything), lambda: list(stream(READ, reader=everything))):
        with pytest.raises(Invalid, match="先用 WHERE 或 CASE 排除") as failed:
            ask()
        assert "密语" not in str(failed.value)
    assert "密语" in "".join(traceback.format_exception(failed.value)), "whoever runs the installation finds the cause"


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT marc FROM probe_notes", r"没有“marc”这一列；相近的有 .*mark"),
        ("SELECT note, count(*) FROM probe_notes", "“note”既没有写进 GROUP BY"),
        ("SELECT a.note FROM probe_notes", "FROM 里没有“a”"),
        ("SELECT note FROM probe_notes AS a, probe_notes AS b", "“note”不知是哪个数据集的列"),
        ("SELECT sum(note) FROM probe_notes", r"sum\(VARCHAR\) 不成立"),
        ("SELECT mark FROM probe_notes WHERE note > 5", "VARCHAR 与 INTEGER 不能比较"),
        ("SELECT mark FROM probe_notes WHERE sum(mark) > 1", "请写在 HAVING 里"),
        ("SELECT note FROM probe_notes UNION SELECT note, mark FROM probe_notes", "列数不同"),
        ("SELECT mark FROM probe_notes ORDER BY 5", "列号超出了范围"),
        ("SELECT CASE WHEN mark > 1 THEN note ELSE year END FROM probe_notes", "不能放在一起|GROUP BY|$^"),
    ],
)
def test_what_is_wrong_with_the_text_is_said_in_words(sql: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as failed:
        api.query(sql, reader=COUNTY)
    assert "Error" not in str(failed.value)
