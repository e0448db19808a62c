"""A form and what was told: shown, calculated, required, ruled and signed."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given

from shuren.casework.rules.expressions import ExpressionFault
from shuren.casework.rules.forms import check_form, expressions_of, first_data, signed, taken_over
from shuren.casework.rules.specs.form import FormSpec
from shuren.casework.tests.forms.drawn import field, filled_forms, form_of

TODAY = date(2026, 9, 1)
ROOMS = field(
    "rooms",
    "table",
    title="教室",
    columns=[
        field("use", "code", title="用途", required=True),
        field("seats", "integer", title="座位", minimum=0, maximum=100, required=True),
        field("other", title="说明", shown_if="use == 'c'", required="seats > 50"),
        field("share", "decimal", title="占比", calculated="seats / total * 100"),
    ],
)
SCHOOL = form_of(
    field("name", title="校名", required=True),
    field("boards", "boolean", title="是否寄宿", required=True),
    field("beds", "integer", title="床位", shown_if="boards", required=True),
    ROOMS,
    field("total", "integer", title="座位合计", calculated="sum(rooms.seats)"),
    field("pupils", "integer", title="学生"),
    field("why", title="原因", required="pupils > total"),
    rules=[
        {"check": "beds <= pupils", "message": "床位不应多于学生。", "at": "beds", "is_warning": True},
        {"check": "total <= 200", "message": "座位合计不能超过 200。", "at": "rooms"},
    ],
)


def told(data: dict[str, Any], form: FormSpec = SCHOOL, **more: Any) -> list[tuple[str, str]]:
    return [(fault.path, fault.reason) for fault in check_form(form, data, today=TODAY, **more).faults]


def test_everything_that_is_asked_and_not_told_is_named() -> None:
    assert told({}) == [("name", "还没有填"), ("boards", "还没有选择")]
    assert told({}, is_draft=True) == []


def test_what_is_not_shown_is_neither_asked_nor_kept() -> None:
    checked = check_form(SCHOOL, {"name": "一小", "boards": False, "beds": 12}, today=TODAY)
    assert checked.data == {"name": "一小", "boards": False, "total": 0}
    assert "beds" not in checked.shown
    assert told({"name": "一小", "boards": True}) == [("beds", "还没有填")]


def test_rows_are_asked_calculated_and_shown_one_by_one() -> None:
    rows = [{"use": "a", "seats": "60"}, {"use": "c", "seats": 40}, {"use": "c", "seats": 60}, {"seats": "200"}]
    checked = check_form(SCHOOL, {"name": "一小", "boards": "否", "rooms": rows}, today=TODAY)
    assert [(fault.path, fault.title, fault.remedy) for fault in checked.faults] == [
        ("rooms[3].seats", "座位", "应填 0 到 100 之间的整数。"),
        ("rooms[2].other", "说明", "请填写“说明”。"),
        ("rooms[3].use", "用途", "请选择一项。"),
    ]
    assert [row.get("share") for row in checked.data["rooms"]] == [37.5, 25.0, 37.5, None]
    assert checked.data["total"] == 160
    assert "rooms[1].other" in checked.shown
    assert "rooms[0].other" not in checked.shown


def test_rules_across_fields_and_conditions_of_need() -> None:
    rows = [{"use": "a", "seats": 100}] * 3
    faults = told({"name": "一小", "boards": True, "beds": 900, "pupils": 800, "rooms": rows})
    assert faults == [("why", "还没有填"), ("beds", "床位不应多于学生。"), ("rooms", "座位合计不能超过 200。")]
    checked = check_form(SCHOOL, {"name": "一", "boards": True, "beds": 9, "pupils": 8, "why": "扩招"}, today=TODAY)
    assert checked.is_sound, "a warning stops nobody"
    assert len(checked.faults) == 1


def test_a_draft_keeps_what_cannot_be_read_as_it_was_typed() -> None:
    checked = check_form(SCHOOL, {"pupils": "八百", "rooms": [{"seats": "许多"}, {}]}, today=TODAY, is_draft=True)
    assert checked.data["pupils"] == "八百"
    assert checked.data["rooms"] == [{"seats": "许多"}]
    assert [fault.path for fault in checked.faults] == ["rooms[0].seats", "pupils"]
    assert check_form(SCHOOL, checked.data, today=TODAY, is_draft=True) == checked


def test_a_section_hides_all_its_fields() -> None:
    form = form_of(
        sections=[
            {"key": "one", "title": "一", "fields": [field("kind", "code")]},
            {"key": "two", "title": "二", "shown_if": "kind == 'b'", "fields": [field("more", required=True)]},
        ]
    )
    assert told({"kind": "a"}, form) == []
    assert told({"kind": "b"}, form) == [("more", "还没有填")]


def test_a_calculation_that_runs_in_a_circle_is_not_answered() -> None:
    form = form_of(field("a", "integer", calculated="b + 1"), field("b", "integer", calculated="a + 1"))
    assert check_form(form, {"a": 5}, today=TODAY).data == {}


def test_what_is_calculated_cannot_be_told() -> None:
    assert check_form(SCHOOL, {"name": "一", "boards": False, "total": 999}, today=TODAY).data["total"] == 0


def test_a_rule_in_python_speaks_at_its_field() -> None:
    form = form_of(field("number", title="编号"), functions=[{"function": "app.known", "at": "number"}])
    rule = {"app.known": lambda data, today: "" if data.get("number") == "1" else f"{today.year} 年没有这个编号。"}
    assert told({"number": "2"}, form, functions=rule) == [("number", "2026 年没有这个编号。")]
    assert told({"number": "1"}, form, functions=rule) == []


def test_a_table_too_short_or_no_table_at_all() -> None:
    form = form_of(field("rows", "table", title="行", columns=[field("n", "integer")], minimum_rows=2))
    assert told({}, form) == [("rows", "还没有填")]
    assert told({"rows": [{"n": 1}, {}]}, form) == [("rows", "行数不够")]
    assert told({"rows": "x"}, form) == [("rows", "不是表格")]


def test_a_signature_holds_until_what_it_signed_changes() -> None:
    form = form_of(field("name", required=True), field("sign", "signature", title="填报人签名", required=True))
    who = {"person": "0123456789abc", "name": "王芳", "at": "2026-09-01T10:00:00+08:00", "today": TODAY}
    assert [fault.path for fault in signed(form, {}, "sign", **who).faults] == ["name"]
    done = signed(form, {"name": " 一小 "}, "sign", **who)
    assert done.data["sign"]["name"] == "王芳"
    assert told(done.data, form) == []
    assert told({**done.data, "name": "二小"}, form) == [("sign", "签名之后内容有改动")]
    assert told({"name": "一小"}, form) == [("sign", "还没有签名")]


def test_a_filler_can_neither_forge_a_signature_nor_take_in_files_of_others() -> None:
    form = form_of(field("sign", "signature"), field("files", "file"), field("rows", "table", columns=[field("photo", "file")]))
    mine = {"id": "0123456789abc", "name": "图.png", "size": 3, "sha256": "aa"}
    other = {"id": "zzzzzzzzzzzzz", "name": "别.png", "size": 3, "sha256": "bb"}
    forged = {"sign": {"person": "x"}, "files": [{**mine, "name": "改名.exe"}, other], "rows": [{"photo": [other, mine]}]}
    assert taken_over(form, forged, {}, {mine["id"]: mine}) == {"sign": None, "files": [mine], "rows": [{"photo": [mine]}]}


def test_defaults_and_expressions_of_a_form() -> None:
    form = form_of(field("year", "integer", default=2026), field("x", shown_if="year > 2025", required="y == 1"))
    assert first_data(form) == {"year": 2026}
    assert {place: expression.text for place, expression in expressions_of(form).items()} == {
        "x.shown_if": "year > 2025",
        "x.required": "y == 1",
    }
    with pytest.raises(ExpressionFault):
        expressions_of(form_of(field("x", shown_if="year >")))


@given(filled_forms())
def test_what_was_found_sound_is_found_so_again(drawn: tuple[FormSpec, dict[str, Any]]) -> None:
    form, data = drawn
    signatures = {spec.key for spec in form.fields if spec.type == "signature"}
    checked = check_form(form, {key: value for key, value in data.items() if key not in signatures}, today=TODAY)
    again = check_form(form, checked.data, today=TODAY)
    assert again.data == checked.data
    if checked.is_sound:
        assert again.is_sound
