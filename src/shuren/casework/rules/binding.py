"""Binding a form's fields to the data elements of the region: what is not said of a field is the element's."""

from collections.abc import Callable
from typing import TypeVar

from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.casework.rules.specs.words import Words
from shuren.standards.data import ElementData, ElementType, Grade

Form = TypeVar("Form", bound=FormSpec)

_TYPES = {
    ElementType.TEXT: FieldType.TEXT,
    ElementType.CODE: FieldType.CODE,
    ElementType.DATE: FieldType.DATE,
    ElementType.INTEGER: FieldType.INTEGER,
    ElementType.DECIMAL: FieldType.DECIMAL,
    ElementType.BOOLEAN: FieldType.BOOLEAN,
}


class UnknownElement(ValueError):
    """A field names an element that the region does not have."""

    def __init__(self, field: str, element: str) -> None:
        super().__init__(f"field {field} names the element {element}, which there is not")
        self.field, self.element = field, element


def bound_form(form: Form, element: Callable[[str], ElementData | None]) -> Form:
    """The form with every field's title, type, grade and code set filled in; raises `UnknownElement`."""
    sections = tuple(section.model_copy(update={"fields": bound_fields(section.fields, element)}) for section in form.sections)
    return form.model_copy(update={"sections": sections})


def bound_fields(fields: tuple[FieldSpec, ...], element: Callable[[str], ElementData | None]) -> tuple[FieldSpec, ...]:
    return tuple(_bound(field, element) for field in fields)


def _bound(field: FieldSpec, element: Callable[[str], ElementData | None]) -> FieldSpec:
    if field.columns:
        return field.model_copy(update={"columns": bound_fields(field.columns, element), "grade": field.grade or Grade.INTERNAL})
    if not field.element:
        return field.model_copy(update={"grade": field.grade or Grade.INTERNAL})
    told = element(field.element)
    if told is None:
        raise UnknownElement(field.key, field.element)
    return field.model_copy(
        update={
            "title": field.title or Words(zh=told.name_zh, en=told.name_en),
            "type": field.type or _TYPES[told.type],
            "grade": field.grade or told.grade,
            "unit": field.unit or told.unit,
            "code_set": field.code_set or told.code_set,
            "length": field.length or told.length,
        }
    )
