"""What a form collects as columns: the way over whole columns gives what value by value gives, whatever older answers hold."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.casework.rules.specs.form import FormSpec
from shuren.casework.services.collections.columns import form_columns

FORM = FormSpec.model_validate(
    {
        "key": "test.columns",
        "title": "列",
        "sections": [
            {
                "key": "all",
                "title": "全部",
                "fields": [
                    {"key": "count", "title": "人数", "type": "integer"},
                    {"key": "share", "title": "比例", "type": "decimal"},
                    {"key": "note", "title": "说明", "type": "text"},
                    {"key": "is_in", "title": "是否", "type": "boolean"},
                    {"key": "day", "title": "日期", "type": "date"},
                    {"key": "kinds", "title": "类别", "type": "codes", "options": [{"code": "a", "title": "甲"}]},
                    {"key": "where", "title": "位置", "type": "place"},
                    {"key": "who", "title": "单位", "type": "org"},
                ],
            }
        ],
    }
)
COLUMNS = {column.name: column for column in form_columns(FORM)}
PLACE = {"lon": 116.4, "lat": 39.9}
ORG = {"id": "o-1", "name": "一小"}
KEPT = st.one_of(
    st.none(),
    st.just(""),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["2026-09-01", ["a", "b"], PLACE, ORG]),
)


@given(st.lists(st.dictionaries(st.sampled_from([field.key for field in FORM.fields]), KEPT), min_size=1, max_size=20))
def test_a_column_as_a_whole_is_what_its_values_are(rows: list[dict[str, Any]]) -> None:
    for column in COLUMNS.values():
        told = column.array(rows)
        assert told.type == column.type
        assert told.to_pylist() == [column.of(row) for row in rows]


@pytest.mark.parametrize(
    ("name", "kept", "told"),
    [
        ("count", [320, "", None, "41", 12.5, "不详"], [320, None, None, 41, 12, None]),
        ("share", [1, 0.5, "0.25", "一半"], [1.0, 0.5, 0.25, None]),
        ("note", ["好", "", 7, None], ["好", None, "7", None]),
        ("is_in", [True, False, 1, "是"], [True, False, None, None]),
        ("day", ["2026-09-01", "九月"], [date(2026, 9, 1), None]),
        ("kinds", [["a", "b"], []], ["a、b", ""]),
        ("where_lon", [PLACE, "北京"], [116.4, None]),
        ("who_id", [ORG, "一小"], ["o-1", None]),
    ],
)
def test_answers_of_an_older_version_do_not_hold_up_the_file(name: str, kept: list[Any], told: list[Any]) -> None:
    column = COLUMNS[name]
    assert column.array([{column.key: value} for value in kept]).to_pylist() == told
