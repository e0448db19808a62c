"""Formats that data is exchanged in, with schemas made from the words of today."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shuren.kernel.errors import NotFound
from shuren.standards.data import CodeData, ExchangeFormat, RecordFault
from shuren.standards.rules.exchange import declared_formats, faults_in, jyt_names, schema_of
from shuren.standards.selectors.words import code_set, known_elements


def exchange_formats() -> list[ExchangeFormat]:
    return sorted(declared_formats(), key=lambda one: one.code)


def exchange_format(code: str) -> ExchangeFormat:
    found = next((one for one in declared_formats() if one.code == code), None)
    if found is None:
        raise NotFound(_("没有这个交换格式。"))
    return found


def exchange_schema(code: str, *, on: date, language: str = "") -> dict[str, Any]:
    """JSON Schema 2020-12 of one record of a format, with the codes valid on a day."""
    return schema_of(exchange_format(code), known_elements(), _codes, language=language or get_language() or "", on=on)


def check_record(code: str, record: Mapping[str, object], *, on: date) -> list[RecordFault]:
    """What is wrong with a record of a format, field by field; nothing where it is right."""
    return list(faults_in(exchange_format(code), record, known_elements(), _codes, on=on))


def jyt_name(element: str) -> str:
    """What an element is called in the records of JY/T 1002 to 1004; empty where nothing is known."""
    return jyt_names().get(element, "")


def _codes(code_set_code: str) -> Mapping[str, CodeData]:
    return code_set(code_set_code).codes
