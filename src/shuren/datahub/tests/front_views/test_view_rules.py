"""What a view's columns and values become, and what is refused, on any database."""

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.datahub.data import NewViewSource, TlsMode
from shuren.datahub.rules.front_views.changes import column_changes, row_changes
from shuren.datahub.rules.front_views.columns import ViewColumn, columns_found, merged
from shuren.datahub.rules.front_views.fitting import fitted
from shuren.datahub.rules.front_views.names import check_source
from shuren.kernel.errors import Invalid

SAID = {
    "key": "low_income",
    "title_zh": "低保对象",
    "title_en": "",
    "org_id": 1,
    "host": "front.example.cn",
    "port": 5432,
    "database": "front",
    "username": "reader",
    "password": "secret",
    "tls": TlsMode.VERIFY,
    "schema": "open",
    "view": "低保对象",
}


def column(kind: str, told: str = "", name: str = "x") -> ViewColumn:
    return ViewColumn(name, told or kind, kind, name, is_taken=True)


def values(kind: str, *texts: str | None, told: str = "") -> tuple[list[object], int]:
    misfits: Counter[str] = Counter()
    [array] = fitted([(text,) for text in texts], [column(kind, told)], {}, misfits)
    return array.to_pylist(), misfits["x"]


@pytest.mark.parametrize(
    ("kind", "told", "good", "value", "bad"),
    [
        ("integer", "int8", "42", 42, "9223372036854775808"),
        ("decimal", "numeric(6,2)", "1234.50", Decimal("1234.50"), "NaN"),
        ("decimal", "numeric", "0.5", Decimal("0.5000000000"), "1" + "0" * 40),
        ("number", "float8", "2.5", 2.5, "Infinity"),
        ("boolean", "bool", "t", True, "yes"),
        ("date", "date", "2026-09-01", date(2026, 9, 1), "infinity"),
        ("moment", "timestamp", "2026-09-01 08:00:00.5", datetime(2026, 9, 1, 8, 0, 0, 500_000), "0044-03-15 00:00:00 BC"),
        ("instant", "timestamptz", "2026-09-01 08:00:00+00", datetime(2026, 9, 1, 8, tzinfo=UTC), "2026-09-01 08:00:00"),
    ],
)
def test_a_value_keeps_its_meaning_and_one_that_does_not_fit_is_counted(
    kind: str, told: str, good: str, value: object, bad: str
) -> None:
    assert values(kind, good, None, told=told) == ([value, None], 0)
    assert values(kind, good, bad, None, bad, told=told) == ([value, None, None, None], 2)


def test_a_value_outside_the_code_set_is_counted_by_its_column() -> None:
    misfits: Counter[str] = Counter()
    rows = [("1", "a"), ("3", "b"), (None, "c"), ("9", "d")]
    sex, name = column("text", name="sex"), column("text", name="name")
    arrays = fitted(rows, [sex, name], {"sex": {"1", "2"}.__contains__}, misfits)
    assert arrays[0].to_pylist() == ["1", None, None, None]
    assert misfits == {"sex": 2}


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1).map(str), max_size=30))
def test_whole_numbers_of_eight_bytes_come_through_as_they_are(texts: list[str | None]) -> None:
    assert values("integer", *texts) == ([None if text is None else int(text) for text in texts], 0)


def test_columns_get_names_of_the_lake_and_types_that_are_not_known_are_not_taken() -> None:
    found = columns_found(
        [("姓名", "text", "text"), ("AGE", "int4", "int4"), ("age", "int4", "int4"), ("photo", "bytea", "bytea")]
    )
    assert [one.lake for one in found] == ["column_1", "age", "column_3", "photo"]
    assert [bool(one.kind) for one in found] == [True, True, True, False]
    assert not any(one.is_taken for one in found)


def test_words_that_were_chosen_stay_when_the_view_is_looked_at_again() -> None:
    kept = [ViewColumn("a", "text", "text", "first", is_taken=True, grade="L2", mask="none"), column("text", name="gone")]
    found = columns_found([("a", "varchar", "varchar(20)"), ("first", "text", "text")])
    together = merged(kept, found)
    assert [(one.name, one.lake, one.grade, one.is_taken) for one in together] == [
        ("a", "first", "L2", True),
        ("first", "column_1", "L3", False),
    ]


def test_a_lost_column_another_type_and_half_the_rows_are_changes_and_a_longer_text_is_none() -> None:
    taken = [column("text", "varchar(20)", "name"), column("date", "date", "born"), column("decimal", "numeric(6,2)", "sum")]
    found = columns_found([("name", "varchar", "varchar(50)"), ("sum", "numeric", "numeric(8,3)")])
    assert [(one["change"], one["column"]) for one in column_changes(taken, found)] == [
        ("column_lost", "born"),
        ("type_changed", "sum"),
    ]
    assert row_changes(None, 0) == []
    assert row_changes(100, 50) == []
    assert [one["change"] for one in row_changes(100, 49)] == ["shrank"]
    assert [one["change"] for one in row_changes(100, 0)] == ["came_empty"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "Low"},
        {"key": "a.b"},
        {"host": "/var/run/postgresql"},
        {"host": "one,two"},
        {"host": "front.example.cn user=postgres"},
        {"port": 0},
        {"port": 70000},
        {"view": ""},
        {"view": "a\x00b"},
        {"schema": " open"},
        {"database": "x" * 64},
    ],
)
def test_names_that_could_mean_something_else_are_refused(wrong: dict[str, object]) -> None:
    check_source(NewViewSource(**SAID))  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        check_source(NewViewSource(**{**SAID, **wrong}))  # type: ignore[arg-type]
