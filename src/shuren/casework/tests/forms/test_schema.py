"""The JSON Schema of a form says what our own check says."""

from datetime import date
from typing import Any

from hypothesis import given, settings
from jsonschema import Draft202012Validator

from shuren.casework.rules.forms import check_form
from shuren.casework.rules.schema import json_schema
from shuren.casework.rules.specs.form import FormSpec
from shuren.casework.tests.forms.drawn import field, filled_forms, form_of

TODAY = date(2026, 9, 1)


def refused(form: FormSpec, data: Any) -> list[str]:
    schema = json_schema(form, language="zh-hans")
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(data)]


@settings(max_examples=400)
@given(filled_forms())
def test_the_library_and_we_agree(drawn: tuple[FormSpec, dict[str, Any]]) -> None:
    form, data = drawn
    checked = check_form(form, data, today=TODAY)
    own = [fault for fault in checked.errors if "签名" not in fault.reason or fault.path not in data]
    assert bool(own) == bool(refused(form, data)), (own, refused(form, data))
    if not own:
        assert refused(form, checked.data) == []


def test_what_depends_on_other_answers_is_a_hint_and_not_asked() -> None:
    form = form_of(
        sections=[
            {"key": "one", "title": {"zh": "一", "en": "One"}, "fields": [field("kind", "code", required=True)]},
            {
                "key": "two",
                "title": "二",
                "shown_if": "kind == 'b'",
                "fields": [
                    field("more", "integer", required=True, unit="人", maximum=5),
                    field("sum", "decimal", calculated="more * 2"),
                ],
            },
        ]
    )
    schema = json_schema(form, language="en")
    assert schema["required"] == ["kind"]
    assert schema["x-sections"] == [
        {"key": "one", "title": "One", "fields": ["kind"]},
        {"key": "two", "title": "二", "shown_if": "kind == 'b'", "fields": ["more", "sum"]},
    ]
    assert schema["properties"]["kind"]["x-enum-titles"] == {"a": "First", "b": "乙等", "c": "丙等"}
    assert schema["properties"]["more"]["x-unit"] == "人"
    assert schema["properties"]["sum"]["x-calculated"] == "more * 2"
    assert refused(form, {"kind": "a"}) == []
    assert refused(form, {"kind": "a", "more": 6}) != []
