"""The codes that a field offers: its own options, or those of its code set, which `standards` holds in memory."""

from collections.abc import Mapping
from datetime import date

from shuren.casework.rules.specs.form import FieldSpec, FieldType
from shuren.casework.rules.specs.words import Words
from shuren.kernel.errors import NotFound
from shuren.standards import api as standards
from shuren.standards.data import CodeData


def has_codes(field: FieldSpec) -> bool:
    return field.type in (FieldType.CODE, FieldType.CODES)


def offered(field: FieldSpec, *, on: date | None = None) -> dict[str, Words]:
    """Code → what it means, in the order of the set; with `on` only those valid on that day."""
    if field.options:
        return {option.code: option.title for option in field.options}
    known = _set(field.code_set)
    return {code.code: Words(zh=code.name_zh, en=code.name_en) for code in known.values() if code.is_valid_on(on)}


def found_code(field: FieldSpec, told: str, *, on: date | None = None) -> str | None:
    """The code that was told by itself, by what it means in either language, or as `1 女` and `1-女` in a workbook."""
    if field.options:
        known = {option.code: option.title for option in field.options}
        return told if told in known else _by_meaning(told, known)
    codes = _set(field.code_set)
    if told in codes:
        return told if codes[told].is_valid_on(on) else None
    return _by_meaning(told, offered(field, on=on))


def meaning(field: FieldSpec, code: str, language: str) -> str:
    """What a code means; one that is not known any more is told as it stands."""
    if field.options:
        return next((option.title.text(language) for option in field.options if option.code == code), code)
    known = _set(field.code_set).get(code)
    return known.name(language) if known else code


def _by_meaning(told: str, known: Mapping[str, Words]) -> str | None:
    wanted = told.casefold()
    for code, title in known.items():
        if wanted in (title.zh.casefold(), title.en.casefold(), f"{code} {title.zh}".casefold(), f"{code}-{title.zh}".casefold()):
            return code
    return None


def _set(name: str) -> Mapping[str, CodeData]:
    try:
        return standards.code_set(name).codes
    except NotFound:
        return {}
