"""What a form collects, as columns: for the lake, for CSV and for Parquet; each field has its columns and its Arrow type."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.standards import api as standards

Turn = Callable[[Any], Any]
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class DataColumn:
    """One column: its name in files, its title on paper, how a kept value becomes its value."""

    name: str
    title: str
    type: pa.DataType
    key: str
    turn: Turn
    grade: str
    element: str = ""
    title_en: str = ""

    @property
    def field(self) -> pa.Field:
        told = {"title": self.title, "grade": self.grade, "element": self.element}
        known = standards.known_element(self.element)
        if known is not None and known.source:
            # What is frozen was filled in from its source: the column says which, and writes nothing of its own.
            told["copy_of"] = known.source
        return pa.field(self.name, self.type, metadata=told)

    def of(self, data: Mapping[str, Any]) -> Any:
        """The value in a case's data; None where nothing, or nothing of this kind, was filled in."""
        told = data.get(self.key)
        if told is None or told == "":
            return None
        try:
            return self.turn(told)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            # A form may change its type between versions: an older answer that does not fit any more is no answer.
            return None

    def array(self, rows: Sequence[Mapping[str, Any]]) -> pa.Array:
        """The column over many rows: taken as a whole where every value is of its kind, else value by value."""
        if self.turn in _AS_KEPT:
            told = [None if (value := data.get(self.key)) == "" else value for data in rows]
            try:
                return pa.array(told, type=self.type)
            except (pa.ArrowException, OverflowError):
                pass
        return pa.array([self.of(data) for data in rows], type=self.type)


def form_columns(form: FormSpec, *, with_tables: bool = False) -> list[DataColumn]:
    """The columns of a form's fields in their order; tables are datasets of their own, or with `with_tables` JSON text."""
    columns: list[DataColumn] = []
    for field in form.fields:
        if field.type is not FieldType.TABLE:
            columns += field_columns(field)
        elif with_tables:
            columns.append(_column(field, pa.string(), _json))
    return columns


def field_columns(field: FieldSpec) -> list[DataColumn]:
    """One column for most fields; two for what has a name beside its id, and for a place."""
    match field.type:
        case FieldType.INTEGER:
            return [_column(field, pa.int64(), _whole)]
        case FieldType.DECIMAL:
            return [_column(field, pa.float64(), float)]
        case FieldType.BOOLEAN:
            return [_column(field, pa.bool_(), _boolean)]
        case FieldType.DATE:
            return [_column(field, pa.date32(), date.fromisoformat)]
        case FieldType.CODES | FieldType.FILE:
            return [_column(field, pa.string(), _joined)]
        case FieldType.PERSON | FieldType.ORG | FieldType.ENTRY:
            return [_column(field, pa.string(), _named), _column(field, pa.string(), _id, part="id")]
        case FieldType.SIGNATURE:
            return [_column(field, pa.string(), _signed)]
        case FieldType.PLACE:
            return [_column(field, pa.float64(), _coordinate(part), part=part) for part in ("lon", "lat")]
        case _:
            return [_column(field, pa.string(), str)]


def table_columns(form: FormSpec) -> dict[str, list[DataColumn]]:
    """The columns of each table, by its key."""
    tables = [field for field in form.fields if field.type is FieldType.TABLE]
    return {field.key: [column for inner in field.columns for column in field_columns(inner)] for field in tables}


def record_batch(
    schema: pa.Schema, heads: Iterable[Sequence[Any]], columns: Sequence[DataColumn], rows: Sequence[Mapping[str, Any]]
) -> pa.RecordBatch:
    """Rows as one batch: what stands at the head of each, and their answers in these columns."""
    first = [pa.array(values, type=field.type) for values, field in zip(zip(*heads, strict=True), schema, strict=False)]
    return pa.RecordBatch.from_arrays([*first, *(column.array(rows) for column in columns)], schema=schema)


def gathered(batches: Iterable[pa.RecordBatch], *, rows: int = 8_192) -> Iterator[pa.Table]:
    """Small batches together: each table becomes a row group of a Parquet file, and many small ones read slowly."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(part.num_rows for part in waiting) >= rows:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)


def _column(field: FieldSpec, type: pa.DataType, turn: Turn, *, part: str = "") -> DataColumn:  # noqa: A002  # Arrow's word
    title = str(field.title) if field.title else field.key
    english = field.title.en if field.title else ""
    return DataColumn(
        name=f"{field.key}_{part}" if part else field.key,
        title=f"{title} ({part})" if part else title,
        type=type,
        key=field.key,
        turn=turn,
        grade=field.grade.value if field.grade else "",
        element=field.element,
        title_en=f"{english} ({part})" if part and english else english,
    )


def _whole(told: Any) -> int:
    number = int(told)
    if abs(number) > _LARGEST:
        raise ValueError
    return number


def _boolean(told: Any) -> bool:
    if not isinstance(told, bool):
        raise TypeError
    return told


def _joined(told: Any) -> str:
    return "、".join(str(part["name"]) if isinstance(part, dict) else str(part) for part in told)


def _named(told: Any) -> str:
    return str(told["name"])


def _id(told: Any) -> str:
    return str(told["id"])


def _signed(told: Any) -> str:
    return f"{told['name']} {told['at']}"


def _coordinate(part: str) -> Turn:
    return lambda told: float(told[part])


def _json(told: Any) -> str:
    return json.dumps(told, ensure_ascii=False)


# What is kept in the type of its column already.
_AS_KEPT: tuple[Turn, ...] = (_whole, float, str, _boolean)
