"""What a register must refuse: good rows, each broken in one way that a field allows."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, zip_longest

from shuren.casework.rules.specs.form import FieldSpec, FieldType
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.rules.values import longest_of

MOST = 10
_NUMBERS = (FieldType.INTEGER, FieldType.DECIMAL)
_TEXTS = (FieldType.TEXT, FieldType.PARAGRAPH)
# What a field of another type does not take, by what is wrong with it.
_NEVER: dict[FieldType, dict[str, str]] = {
    FieldType.INTEGER: {"wrong type": "不是数", "not whole": "1.5"},
    FieldType.DECIMAL: {"wrong type": "不是数"},
    FieldType.BOOLEAN: {"wrong type": "也许"},
    FieldType.DATE: {"wrong type": "去年", "bad date": "2026-02-30"},
    FieldType.CODE: {"unknown code": "没有这个代码"},
    FieldType.CODES: {"unknown code": "没有这个代码"},
    FieldType.PLACE: {"wrong type": "在那边"},
    FieldType.PERSON: {"unknown": "没有这个人"},
    FieldType.ORG: {"unknown": "没有这个单位"},
    FieldType.ENTRY: {"unknown": "没有这一条"},
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A row, and the field that is wrong in it."""

    row: dict[str, str]
    field: FieldSpec
    way: str


def broken_rows(spec: RegisterSpec, rows: list[dict[str, str]]) -> list[Fault]:
    """Every way once before any comes twice, each in another sample row, so that only a duplicate is one; at most `MOST`."""
    ways: dict[str, list[tuple[FieldSpec, str, str]]] = defaultdict(list)
    for field in _always_asked(spec):
        for way, value in _wrong(field):
            ways[way].append((field, way, value))
    in_turn = [one for one in chain.from_iterable(zip_longest(*ways.values())) if one is not None]
    faults = [Fault({**row, field.key: value}, field, way) for row, (field, way, value) in zip(rows, in_turn, strict=False)]
    return faults[:MOST]


def _always_asked(spec: RegisterSpec) -> Iterator[FieldSpec]:
    for section in spec.sections:
        if not section.shown_if:
            yield from (field for field in section.fields if not field.shown_if and not field.calculated)


def _wrong(field: FieldSpec) -> Iterator[tuple[str, str]]:
    """What is wrong, and a value that is."""
    assert field.type is not None
    if field.type in (FieldType.TABLE, FieldType.FILE, FieldType.SIGNATURE):
        return
    if field.required is True:
        yield "required", ""
    yield from _NEVER.get(field.type, {}).items()
    if field.type in _NUMBERS and field.minimum is not None:
        yield "too small", str(field.minimum - 1)
    if field.type in _NUMBERS and field.maximum is not None:
        yield "too large", str(field.maximum + 1)
    if field.type in _TEXTS:
        yield "too long", "长" * (longest_of(field) + 1)
    if field.type in _TEXTS and field.pattern:
        yield "pattern", "¿"
