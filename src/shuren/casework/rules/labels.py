"""What an entry of a register, or whatever a form describes, is called."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from shuren.casework.rules.expressions import compile_expression
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.casework.rules.values import value_text

LENGTH = 200
_NAMING = (FieldType.TEXT, FieldType.ORG, FieldType.PERSON, FieldType.ENTRY)


def label_of(spec: FormSpec, data: Mapping[str, Any], *, today: date, language: str = "zh-hans") -> str:
    """The field or expression that `label` names; without one the first field that reads like a name. Empty where unfilled."""
    if not spec.label:
        return next(filter(None, (_text(field, data, language) for field in _naming(spec))), "")
    field = spec.field_named(spec.label)
    if field is not None:
        return _text(field, data, language)
    answer = compile_expression(spec.label).value(data, today=today)
    return "" if answer is None else str(answer)[:LENGTH]


def label_fields(spec: FormSpec) -> tuple[FieldSpec, ...]:
    """The fields that a label may tell of."""
    if not spec.label:
        return _naming(spec)
    if (field := spec.field_named(spec.label)) is not None:
        return (field,)
    names = {name.partition(".")[0] for name in compile_expression(spec.label).names}
    return tuple(field for field in spec.fields if field.key in names)


def _naming(spec: FormSpec) -> tuple[FieldSpec, ...]:
    return tuple(field for field in spec.fields if field.type in _NAMING) or spec.fields


def _text(field: FieldSpec, data: Mapping[str, Any], language: str) -> str:
    return value_text(field, data.get(field.key), language)[:LENGTH]
