"""A form as JSON Schema 2020-12, for programs that hand it in and for those that draw it.

It describes values as they are kept (`rules/values.py`). What only an expression can tell (required if, shown if, rules across
fields) is not asked by the schema but told by its hints: `x-sections` is the layout, `x-…` of a field what the schema has no
word for.
"""

from decimal import Decimal
from typing import Any

from shuren.casework.rules.codes import offered
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.casework.rules.values import LARGEST, longest_of, places_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_OBJECT_PARTS: dict[FieldType, dict[str, Any]] = {
    FieldType.SIGNATURE: {
        "person": {"type": "string"},
        "name": {"type": "string"},
        "at": {"type": "string"},
        "digest": {"type": "string", "description": "SHA-256"},
    },
    FieldType.PLACE: {
        "lon": {"type": "number", "minimum": -180, "maximum": 180},
        "lat": {"type": "number", "minimum": -90, "maximum": 90},
    },
}
_PARTY = {"id": {"type": "string", "minLength": 1}, "name": {"type": "string"}}
_FILE = {
    "id": {"type": "string"},
    "name": {"type": "string"},
    "size": {"type": "integer"},
    "sha256": {"type": "string"},
}


def json_schema(form: FormSpec, *, language: str) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "$schema": DIALECT,
        "title": form.title.text(language),
        **_object(form.fields, language, conditional=_conditional(form)),
        "x-key": form.key,
        "x-about": form.about.value,
        "x-sections": [_section(form, index, language) for index in range(len(form.sections))],
        "x-rules": [
            {"check": rule.check, "message": rule.message.text(language), "at": rule.at, "is_warning": rule.is_warning}
            for rule in form.rules
        ],
    }
    return schema | ({"description": form.note.text(language)} if form.note else {})


def _conditional(form: FormSpec) -> frozenset[str]:
    return frozenset(field.key for section in form.sections if section.shown_if for field in section.fields)


def _section(form: FormSpec, index: int, language: str) -> dict[str, Any]:
    section = form.sections[index]
    told = {
        "key": section.key,
        "title": section.title.text(language),
        "note": section.note.text(language) if section.note else "",
        "shown_if": section.shown_if,
    }
    return {name: value for name, value in told.items() if value} | {"fields": [field.key for field in section.fields]}


def _object(fields: tuple[FieldSpec, ...], language: str, conditional: frozenset[str] = frozenset()) -> dict[str, Any]:
    required = [field.key for field in fields if is_always_required(field) and field.key not in conditional]
    schema: dict[str, Any] = {"type": "object", "properties": {field.key: field_schema(field, language) for field in fields}}
    return schema | ({"required": required} if required else {})


def is_always_required(field: FieldSpec) -> bool:
    return (field.required is True or field.minimum_rows > 0) and not field.shown_if and not field.calculated


def field_schema(field: FieldSpec, language: str) -> dict[str, Any]:
    """One value, with what people read and the hints."""
    told: dict[str, Any] = {"title": field.title.text(language) if field.title else field.key}
    if field.help:
        told["description"] = field.help.text(language)
    if field.default is not None:
        told["default"] = field.default
    return told | _value(field, language) | _hints(field)


def _value(field: FieldSpec, language: str) -> dict[str, Any]:
    assert field.type is not None
    if field.type in _OBJECT_PARTS:
        return _closed(_OBJECT_PARTS[field.type])
    if field.type in (FieldType.PERSON, FieldType.ORG, FieldType.ENTRY):
        return _closed(_PARTY)
    if field.type in (FieldType.CODE, FieldType.CODES):
        return _coded(field, language)
    if field.type in (FieldType.INTEGER, FieldType.DECIMAL):
        return _number(field)
    if field.type in (FieldType.TEXT, FieldType.PARAGRAPH):
        text: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": longest_of(field)}
        return text | ({"pattern": f"^(?:{field.pattern})$"} if field.pattern else {})
    if field.type == FieldType.FILE:
        return {"type": "array", "items": _closed(_FILE), "minItems": 1, "maxItems": field.maximum_files}
    if field.type == FieldType.TABLE:
        fewest = max(1, field.minimum_rows)
        return {"type": "array", "items": _object(field.columns, language), "minItems": fewest, "maxItems": field.maximum_rows}
    if field.type == FieldType.DATE:
        return {"type": "string", "format": "date", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
    return {"type": "boolean"}


def _closed(parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": parts, "required": list(parts)}


def _coded(field: FieldSpec, language: str) -> dict[str, Any]:
    titles = {code: title.text(language) for code, title in offered(field).items()}
    one = {"type": "string", "enum": list(titles)}
    if field.type == FieldType.CODE:
        return one | {"x-enum-titles": titles}
    return {"type": "array", "items": one, "uniqueItems": True, "minItems": 1, "x-enum-titles": titles}


def _number(field: FieldSpec) -> dict[str, Any]:
    low = -LARGEST if field.minimum is None else _plain(field.minimum)
    high = LARGEST if field.maximum is None else _plain(field.maximum)
    if field.type == FieldType.INTEGER:
        return {"type": "integer", "minimum": low, "maximum": high}
    return {"type": "number", "minimum": low, "maximum": high, "x-places": places_of(field)}


def _plain(bound: Decimal) -> int | float:
    return int(bound) if bound == int(bound) else float(bound)


def _hints(field: FieldSpec) -> dict[str, Any]:
    told = {
        "x-type": field.type.value if field.type else "",
        "x-element": field.element,
        "x-grade": field.grade.value if field.grade else "",
        "x-unit": field.unit,
        "x-shown-if": field.shown_if,
        "x-required-if": field.required if isinstance(field.required, str) else "",
        "x-calculated": field.calculated,
        "x-code-set": field.code_set,
        "x-register": field.register_key,
        "x-half": field.is_half,
    }
    return {name: value for name, value in told.items() if value}
