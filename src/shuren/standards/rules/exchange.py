"""Formats that data is exchanged in: apps declare them, their schemas are made from the data elements."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

from django.utils.translation import gettext as _

from shuren.standards.data import CodeData, ElementData, ElementType, ExchangeField, ExchangeFormat, RecordFault
from shuren.standards.rules.tables import SHIPPED

Formats = Callable[[], Iterable[ExchangeFormat]]
Codes = Callable[[str], Mapping[str, CodeData]]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
# A list of codes longer than this is named, not written out.
_LISTED = 500
_TYPES = {
    ElementType.TEXT: {"type": "string"},
    ElementType.CODE: {"type": "string"},
    ElementType.DATE: {"type": "string", "format": "date"},
    ElementType.INTEGER: {"type": "integer"},
    ElementType.DECIMAL: {"type": "number"},
    ElementType.BOOLEAN: {"type": "boolean"},
}
_formats: dict[str, Formats] = {}


def declare_formats(name: str, formats: Formats) -> None:
    """Offer formats of an app; called where the app starts, asked each time they are shown."""
    _formats[name] = formats


def declared_formats() -> Iterator[ExchangeFormat]:
    for formats in _formats.values():
        yield from formats()


@cache
def jyt_names() -> Mapping[str, str]:
    """What an element is called in the records of JY/T 1002 to 1004."""
    with (SHIPPED / "jyt_fields.csv").open(encoding="utf-8", newline="") as file:
        return {row["element"]: row["name"] for row in csv.DictReader(file)}


def schema_of(
    told: ExchangeFormat, elements: Mapping[str, ElementData], codes: Codes, *, language: str, on: date
) -> dict[str, Any]:
    """JSON Schema 2020-12 of one record: types, lengths and codes come from the elements that the fields carry."""
    properties = {}
    for field in told.fields:
        element = elements.get(field.element)
        properties[field.name] = _property(field, element, codes, language, on)
    return {
        "$schema": DIALECT,
        "$id": f"urn:shuren:exchange:{told.code}",
        "title": told.name(language),
        "description": told.reference,
        "type": "object",
        "properties": properties,
        "required": [field.name for field in told.fields if field.is_required],
    }


def _property(field: ExchangeField, element: ElementData | None, codes: Codes, language: str, on: date) -> dict[str, Any]:
    is_own = bool(field.values or field.pattern)
    if element is None:
        title = field.title(language)
        found: dict[str, Any] = _TYPES[field.type] | ({"title": title} if title else {})
    else:
        # A format with words of its own carries the element in another form: its type and codes do not hold there.
        found = {
            **_TYPES[field.type if is_own else element.type],
            "title": element.name(language),
            "x-element": element.code,
            "x-grade": element.grade.value,
        }
        if element.length and element.type is ElementType.TEXT and not is_own:
            found["maxLength"] = element.length
        if element.unit:
            found["x-unit"] = element.unit
    if field.values:
        found["enum"] = list(field.values)
    elif element is not None and element.code_set and not is_own:
        found["x-code-set"] = element.code_set
        valid = [code.code for code in codes(element.code_set).values() if code.is_valid_on(on)]
        if len(valid) <= _LISTED:
            found["enum"] = valid
    if field.pattern:
        found["pattern"] = field.pattern
    if field.jyt:
        found["x-jyt"] = field.jyt
    if field.note:
        found["description"] = field.note
    if "enum" in found and not field.is_required:
        found["enum"] = [*found["enum"], ""]
    return found


def faults_in(
    told: ExchangeFormat, record: Mapping[str, object], elements: Mapping[str, ElementData], codes: Codes, *, on: date
) -> Iterator[RecordFault]:
    """What is wrong with a record: field by field, and fields that the format does not know."""
    for field in told.fields:
        value = record.get(field.name)
        if value is None or value == "":
            if field.is_required:
                yield RecordFault(field.name, _("必填，没有值"))
            continue
        reason = _fault(field, elements.get(field.element), value, codes, on)
        if reason:
            yield RecordFault(field.name, reason)
    known = {field.name for field in told.fields}
    for name in record:
        if name not in known:
            yield RecordFault(str(name)[:100], _("这个格式里没有这个字段"))


def _fault(field: ExchangeField, element: ElementData | None, value: object, codes: Codes, on: date) -> str:
    text = str(value)
    if field.values:
        return "" if text in field.values else _("不在可用的值之中")
    if field.pattern:
        return "" if re.fullmatch(field.pattern, text) else _("写法不对")
    reason = _type_fault(element.type if element is not None else field.type, value)
    if reason or element is None:
        return reason
    if element.type is ElementType.TEXT and element.length and len(text) > element.length:
        return _("超过 %(length)s 个字") % {"length": element.length}
    if element.code_set:
        code = codes(element.code_set).get(text)
        if code is None:
            return _("代码集 %(set)s 中没有这个代码") % {"set": element.code_set}
        if not code.is_valid_on(on):
            return _("这个代码在 %(day)s 不在有效期内") % {"day": on.isoformat()}
    return ""


def _type_fault(kind: ElementType, value: object) -> str:
    """A record from a CSV file holds text alone; numbers and truth values may be written as text."""
    if kind in (ElementType.TEXT, ElementType.CODE):
        return "" if isinstance(value, str) else _("应为文字")
    if kind is ElementType.DATE:
        return "" if isinstance(value, str) and _is_date(value) else _("应为 2026-09-01 这样的日期")
    if kind is ElementType.BOOLEAN:
        return "" if isinstance(value, bool) or value in ("true", "false") else _("应为 true 或 false")
    if isinstance(value, bool):
        return _("应为数")
    pattern = r"[+-]?[0-9]{1,18}" if kind is ElementType.INTEGER else r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?"
    if isinstance(value, str) and re.fullmatch(pattern, value):
        return ""
    is_number = isinstance(value, int) or (kind is ElementType.DECIMAL and isinstance(value, float))
    return "" if is_number else (_("应为整数") if kind is ElementType.INTEGER else _("应为数"))


def _is_date(text: str) -> bool:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
