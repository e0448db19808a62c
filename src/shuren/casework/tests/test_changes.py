"""Changes between versions of a form: in words, and which of them open cases cannot follow."""

from typing import Any

import pytest

from shuren.casework.rules.changes import blocking, body_changes, form_changes
from shuren.casework.rules.specs.form import FormSpec


def form(*fields: dict[str, Any]) -> FormSpec:
    return FormSpec.model_validate(
        {"key": "demo.form", "title": "表", "sections": [{"key": "one", "title": "一", "fields": list(fields)}]}
    )


NAME = {"key": "name", "title": "名称", "type": "text"}
SEATS = {"key": "seats", "title": "座位数", "type": "integer", "maximum": 100}
KIND = {"key": "kind", "title": "类别", "type": "code", "options": [{"code": "a", "title": "甲"}, {"code": "b", "title": "乙"}]}


@pytest.mark.parametrize(
    ("before", "after", "words", "loses"),
    [
        (NAME, None, "去掉字段“名称”", True),
        (NAME, NAME | {"type": "paragraph"}, "“名称”的类型由 text 改为 paragraph", False),
        (SEATS, SEATS | {"type": "decimal"}, "“座位数”的类型由 integer 改为 decimal", False),
        (SEATS, SEATS | {"type": "text"}, "“座位数”的类型由 integer 改为 text", True),
        (NAME, NAME | {"title": "全称"}, "“名称”改名为“全称”", False),
        (SEATS, SEATS | {"maximum": 200}, "“座位数”的 maximum 由 100 改为 200", False),
        (NAME, NAME | {"required": True}, "“名称”改为必填", False),
        (NAME | {"required": True}, NAME, "“名称”不再必填", False),
        (KIND, KIND | {"options": KIND["options"][:1]}, "“类别”去掉选项 b", True),
        (KIND, KIND | {"options": [*KIND["options"], {"code": "c", "title": "丙"}]}, "“类别”增加选项 c", False),
    ],
)
def test_each_change_is_told_and_weighed(before: Any, after: Any, words: str, loses: bool) -> None:
    other = {"key": "other", "title": "其他", "type": "text"}
    (change,) = form_changes(form(other, before), form(other, *([after] if after else [])))
    assert (change.words, change.loses) == (words, loses)


def test_a_new_field_loses_nothing_unless_it_must_be_filled() -> None:
    (optional,) = form_changes(form(NAME), form(NAME, SEATS))
    (required,) = form_changes(form(NAME), form(NAME, SEATS | {"required": True}))
    (given,) = form_changes(form(NAME), form(NAME, SEATS | {"required": True, "default": 1}))
    assert (optional.loses, required.loses, given.loses) == (False, True, False)


def test_columns_of_tables_are_looked_into() -> None:
    table = {"key": "rooms", "title": "教室", "type": "table", "columns": [NAME, SEATS]}
    (change,) = form_changes(form(table), form(table | {"columns": [NAME]}))
    assert (change.path, change.loses) == ("rooms.seats", True)


def test_only_what_somebody_filled_in_keeps_a_change_back() -> None:
    changes = form_changes(form(NAME, SEATS), form(NAME))
    assert blocking(changes, {"seats": 0}, open_cases=5) == []
    assert blocking(changes, {"seats": 1}, open_cases=5) == changes


def test_a_new_required_field_concerns_every_case_on_its_way() -> None:
    changes = form_changes(form(NAME), form(NAME, SEATS | {"required": True}))
    assert blocking(changes, {}, open_cases=1) == changes
    assert blocking(changes, {}, open_cases=0) == []


def test_bodies_are_compared_place_by_place() -> None:
    before = {"title": {"zh": "旧"}, "stages": [{"key": "a", "due": 3}, {"key": "b"}], "gone": 1}
    after = {"title": {"zh": "新"}, "stages": [{"key": "b"}, {"key": "a", "due": 5}, {"key": "c"}]}
    assert [change.words for change in body_changes(before, after)] == [
        "title.zh 由 旧 改为 新",
        "stages.a.due 由 3 改为 5",
        "增加 stages.c：c",
        "stages 的顺序变了",
        "去掉 gone（原为 1）",
    ]


def test_the_same_is_no_change() -> None:
    assert list(body_changes({"a": [1, {"key": "x"}]}, {"a": [1, {"key": "x"}]})) == []
    assert form_changes(form(NAME, KIND), form(NAME, KIND)) == []
