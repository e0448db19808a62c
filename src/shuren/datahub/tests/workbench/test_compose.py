"""What is ticked becomes a question of the dialect; what cannot be asked is refused with its column and a remedy."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from shuren.datahub.data import ScheduleEvery
from shuren.datahub.rules import dialect
from shuren.datahub.rules.workbench.answers import chart_of, columns_shown, difference, fitting, packed, unpacked
from shuren.datahub.rules.workbench.compose import (
    Composition,
    Kind,
    Match,
    Pick,
    Sort,
    Use,
    composed,
    matches_for,
    picks_stored,
    to_stored,
    uses_for,
)
from shuren.datahub.rules.workbench.due import next_due
from shuren.kernel.errors import Invalid
from shuren.pages.data import ChartKind

KINDS = {"name": Kind.TEXT, "mark": Kind.WHOLE, "share": Kind.NUMBER, "born": Kind.DAY, "is_new": Kind.FLAG}
VALUES = {Kind.WHOLE: st.just("60"), Kind.NUMBER: st.just("-59.5"), Kind.DAY: st.just("2016-02-29"), Kind.FLAG: st.just("是")}
ZONE = ZoneInfo("Asia/Shanghai")


@st.composite
def picks(draw: st.DrawFn) -> tuple[Pick, ...]:
    """A pick for every column, of what pages offer for it."""
    found = []
    for name, kind in KINDS.items():
        use = draw(st.sampled_from([None, *uses_for(kind)]))
        value = draw(VALUES.get(kind, st.text(min_size=1).filter(str.strip)))
        sort = draw(st.sampled_from([None, *Sort])) if use else None
        found.append(Pick(name, use, draw(st.sampled_from([None, *matches_for(kind)])), value, sort))
    return tuple(found)


@given(picks())
def test_whatever_is_ticked_keeps_to_the_dialect_on_every_engine(told: tuple[Pick, ...]) -> None:
    asked = Composition(told, has_count=True, limit=50, kinds=KINDS)
    sql = composed("probe_shared", asked)
    dialect.check(sql)
    assert dialect.to_spark(dialect.parsed(sql))
    assert dialect.tables_in(dialect.parsed(sql)) == {"probe_shared"}
    kept = to_stored(asked)
    assert composed("probe_shared", Composition(tuple(picks_stored(kept).values()), True, 50, KINDS)) == sql


@given(st.text(min_size=1).filter(lambda text: text.strip() and "\x00" not in text))
def test_a_value_stays_a_value(text: str) -> None:
    sql = composed("t", Composition((Pick("name", Use.SHOW, Match.IS, text),), kinds=KINDS))
    literals = list(sqlglot.parse_one(sql, read="duckdb").find_all(exp.Literal))
    assert text.strip() in [one.name for one in literals if one.is_string]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Composition(kinds=KINDS), "还没有选列"),
        (Composition((Pick("name", Use.SUM),), kinds=KINDS), "“name”不是数"),
        (Composition((Pick("mark", Use.SHOW, Match.FROM, "六十"),), kinds=KINDS), "请写成数"),
        (Composition((Pick("born", Use.SHOW, Match.TO, "2026-02-30"),), kinds=KINDS), "YYYY-MM-DD"),
        (Composition((Pick("mark", Use.SHOW, Match.IS, " "),), kinds=KINDS), "没有写值"),
        (Composition((Pick("mark", Use.SUM), Pick("name", sort=Sort.UP)), kinds=KINDS), "不能按它排序"),
        (Composition((Pick("mark", Use.SHOW),), limit=0, kinds=KINDS), "最多行数"),
    ],
)
def test_what_cannot_be_asked_is_told_with_its_column(asked: Composition, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        composed("t", asked)


def test_sums_stand_beside_the_groups() -> None:
    asked = (Pick("name", Use.SHOW), Pick("mark", Use.MEAN, Match.FROM, "60", Sort.DOWN))
    sql = composed("t", Composition(asked, has_count=True, limit=9, kinds=KINDS))
    assert " ".join(sql.split()) == (
        'SELECT "name", AVG("mark") AS "mark_avg", COUNT(*) AS row_count FROM t WHERE "mark" >= 60 '
        'GROUP BY "name" ORDER BY "mark_avg" DESC LIMIT 9'
    )


@pytest.mark.parametrize(
    ("every", "day", "after", "due"),
    [
        (ScheduleEvery.DAY, 1, "2026-11-30T06:59", "2026-11-30T07:00"),
        (ScheduleEvery.DAY, 1, "2026-11-30T07:00", "2026-12-01T07:00"),
        (ScheduleEvery.WEEK, 1, "2026-11-30T08:00", "2026-12-07T07:00"),
        (ScheduleEvery.MONTH, 31, "2027-01-31T08:00", "2027-02-28T07:00"),
        (ScheduleEvery.MONTH, 29, "2028-02-01T08:00", "2028-02-29T07:00"),
    ],
)
def test_when_it_is_due_next(every: ScheduleEvery, day: int, after: str, due: str) -> None:
    begin = datetime.fromisoformat(after).replace(tzinfo=ZONE).astimezone(UTC)
    assert next_due(every, day=day, hour=7, after=begin, zone=ZONE) == datetime.fromisoformat(due).replace(tzinfo=ZONE)


def test_the_picture_follows_from_the_columns() -> None:
    table = pa.table({"year": [2026, 2025], "name": ["乙", "甲"], "mark_avg": [71.5, 80.0]})
    columns = columns_shown(unpacked(packed(table)), {"mark": "成绩"}, {Use.MEAN: "平均"})
    assert [one.title for one in columns] == ["year", "name", "成绩 · 平均"]
    assert [one.is_measure for one in columns] == [False, False, True]
    assert fitting(columns, 2) == ("line", 0, 2)
    chart = chart_of("line", table, columns, 0, 2)
    assert (chart.kind, [(one.label, one.value) for one in chart.series[0].points]) == (
        ChartKind.TREND,
        [("2025", 80.0), ("2026", 71.5)],
    )
    counted = chart_of("histogram", table, columns, None, 2).series[0].points
    assert sum(point.value or 0 for point in counted) == 2
    with pytest.raises(Invalid, match="不是数"):
        chart_of("bar", table, columns, 0, 1)


def test_what_differs_counts_rows_that_are_alike() -> None:
    before, now = pa.table({"a": [1, 1, 2]}), pa.table({"a": [1, 2, 3]})
    assert difference(before, now) == ([(3,)], [(1,)])
    assert difference(before, pa.table({"b": [1]})) is None
