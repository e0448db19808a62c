"""Columns of a view: what they hold here, and how they are kept with their source."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import Any

import pyarrow as pa

from shuren.datahub.data import ColumnKind
from shuren.datahub.rules.front_views.names import proposed_lake_name
from shuren.standards.data import Grade, MaskStyle

# As the server itself names them; whatever is not here is not taken.
_KINDS = {
    "text": ColumnKind.TEXT,
    "varchar": ColumnKind.TEXT,
    "bpchar": ColumnKind.TEXT,
    "name": ColumnKind.TEXT,
    "uuid": ColumnKind.TEXT,
    "int2": ColumnKind.INTEGER,
    "int4": ColumnKind.INTEGER,
    "int8": ColumnKind.INTEGER,
    "numeric": ColumnKind.DECIMAL,
    "float4": ColumnKind.NUMBER,
    "float8": ColumnKind.NUMBER,
    "bool": ColumnKind.BOOLEAN,
    "date": ColumnKind.DATE,
    "timestamp": ColumnKind.MOMENT,
    "timestamptz": ColumnKind.INSTANT,
}
CURSORS = {ColumnKind.INTEGER: "bigint", ColumnKind.MOMENT: "timestamp", ColumnKind.INSTANT: "timestamptz"}
_ARROW = {
    ColumnKind.TEXT: pa.string(),
    ColumnKind.INTEGER: pa.int64(),
    ColumnKind.NUMBER: pa.float64(),
    ColumnKind.BOOLEAN: pa.bool_(),
    ColumnKind.DATE: pa.date32(),
    ColumnKind.MOMENT: pa.timestamp("us"),
    ColumnKind.INSTANT: pa.timestamp("us", tz="UTC"),
}
_NUMERIC = re.compile(r"numeric\((\d+),(-?\d+)\)")
_MOST_DIGITS, _PLACES = 38, 10


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of a view and what becomes of it; `kind` is empty where its type is not taken, `lake` its name in the lake."""

    name: str
    type: str
    kind: str
    lake: str
    is_taken: bool = False
    element: str = ""
    title_zh: str = ""
    title_en: str = ""
    grade: str = Grade.PERSONAL.value
    mask: str = MaskStyle.ALL.value

    @property
    def arrow(self) -> pa.DataType:
        """Its type in the lake; numbers with decimals keep the digits that the view declares."""
        kind = ColumnKind(self.kind)
        if kind is not ColumnKind.DECIMAL:
            return _ARROW[kind]
        told = _NUMERIC.fullmatch(self.type)
        digits, places = (int(told[1]), int(told[2])) if told else (_MOST_DIGITS, _PLACES)
        return pa.decimal128(min(digits, _MOST_DIGITS), max(0, places)) if 0 <= places <= digits else pa.decimal128(38, _PLACES)


def kind_of(type_name: str) -> str:
    """What a type of the server is taken as; empty where it is not."""
    kind = _KINDS.get(type_name)
    return kind.value if kind is not None else ""


def columns_found(told: Iterable[tuple[str, str, str]]) -> list[ViewColumn]:
    """Columns as (name, type name, type with its size) of the server, each with a name in the lake of its own."""
    found: list[ViewColumn] = []
    for number, (name, type_name, display) in enumerate(told, 1):
        lake = proposed_lake_name(name, number)
        lake = f"column_{number}" if any(one.lake == lake for one in found) else lake
        found.append(ViewColumn(name, display, kind_of(type_name), lake))
    return found


def merged(kept: Sequence[ViewColumn], found: Sequence[ViewColumn]) -> list[ViewColumn]:
    """What is found, with the words that were chosen before for columns of the same name."""
    known = {one.name: one for one in kept}
    result: list[ViewColumn] = []
    for one in found:
        before = known.get(one.name)
        taken = {each.lake for each in (*kept, *found, *result) if each.name != one.name}
        if before is not None:
            result.append(replace(before, type=one.type, kind=one.kind, is_taken=before.is_taken and bool(one.kind)))
        elif one.lake in taken:
            result.append(replace(one, lake=next(name for name in map("column_{}".format, count(1)) if name not in taken)))
        else:
            result.append(one)
    return result


def columns_in(kept: Iterable[dict[str, Any]]) -> list[ViewColumn]:
    return [ViewColumn(**one) for one in kept]


def columns_as_json(columns: Iterable[ViewColumn]) -> list[dict[str, Any]]:
    return [asdict(one) for one in columns]


def taken_of(columns: Iterable[ViewColumn]) -> list[ViewColumn]:
    return [one for one in columns if one.is_taken]
