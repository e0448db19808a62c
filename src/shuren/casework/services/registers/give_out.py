"""A register on its way out: GeoJSON of what lies where, Parquet for analysis, labels to stick on things."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from itertools import islice
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
import segno
from django.template.loader import render_to_string

from shuren.casework.rules.registers import state_of
from shuren.casework.rules.specs.form import FieldSpec, FieldType
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.rules.values import value_text
from shuren.casework.selectors.entries import Register
from shuren.casework.selectors.entry_lists import EntryRow
from shuren.kernel import ids
from shuren.pages.api import pdf_bytes

LABELS_AT_ONCE = 480
_ROW_GROUP = 5_000
_TYPES: dict[FieldType, pa.DataType] = {
    FieldType.INTEGER: pa.int64(),
    FieldType.DECIMAL: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.DATE: pa.date32(),
}
# Of these a file gives no single value.
_LEFT_OUT = frozenset({FieldType.TABLE, FieldType.FILE, FieldType.SIGNATURE})


def feature_collection(rows: Iterable[EntryRow], *, base_url: str) -> dict[str, Any]:
    """GeoJSON (RFC 7946) of the entries that have a place, each with its name, state, org and address here."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": ids.encode("entry", row.entry.pk),
                "geometry": {"type": "Point", "coordinates": [row.entry.longitude, row.entry.latitude]},
                "properties": {
                    "label": row.entry.label,
                    "state": row.entry.state,
                    "org": row.org_name,
                    "url": f"{base_url}/entries/{ids.encode('entry', row.entry.pk)}/",
                },
            }
            for row in rows
        ],
    }


def exported_fields(spec: RegisterSpec) -> tuple[FieldSpec, ...]:
    return tuple(one for one in spec.fields if one.type not in _LEFT_OUT)


def parquet_file(register: Register, rows: Iterator[EntryRow]) -> IO[bytes]:
    """Every row as Parquet in a temporary file, a few thousand in memory at a time; values keep their types.

    A value that the reader sees only masked makes no number or date: it is left empty there.
    """
    fields = exported_fields(register.spec)
    schema = pa.schema(
        [
            pa.field("entry_id", pa.string()),
            pa.field("label", pa.string()),
            pa.field("org_id", pa.string()),
            pa.field("org", pa.string()),
            pa.field("state", pa.string()),
            pa.field("changed_at", pa.timestamp("us", tz="UTC")),
            *(pa.field(one.key, _arrow_type(one), metadata={"title": str(one.title)}) for one in fields),
        ]
    )
    with ExitStack() as held:
        target = held.enter_context(tempfile.TemporaryFile())
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            while some := list(islice(rows, _ROW_GROUP)):
                writer.write_table(pa.Table.from_pylist([_record(row, fields) for row in some], schema=schema))
        target.seek(0)
        held.pop_all()
    return target


def _arrow_type(one: FieldSpec) -> pa.DataType:
    assert one.type is not None
    return pa.list_(pa.string()) if one.type is FieldType.CODES else _TYPES.get(one.type, pa.string())


def _record(row: EntryRow, fields: Sequence[FieldSpec]) -> dict[str, Any]:
    entry = row.entry
    return {
        "entry_id": ids.encode("entry", entry.pk),
        "label": entry.label,
        "org_id": row.org.public_id if row.org else None,
        "org": row.org_name,
        "state": entry.state or None,
        "changed_at": entry.changed_at,
        **{one.key: _plain(one, row.data.get(one.key)) for one in fields},
    }


def _plain(one: FieldSpec, value: Any) -> Any:
    if value is None or (isinstance(value, str) and "*" in value and one.type in _TYPES):
        return None
    if one.type is FieldType.DATE:
        return date.fromisoformat(value)
    if one.type is FieldType.CODES:
        return [str(code) for code in value] if isinstance(value, list) else None
    if isinstance(value, Mapping):
        return value_text(one, value, "zh-hans")
    return float(value) if one.type is FieldType.DECIMAL else value if one.type in _TYPES else str(value)


def labels_pdf(register: Register, rows: Sequence[EntryRow], *, base_url: str, now: datetime) -> bytes:
    """A sheet of A4 with 21 labels a page; scanning one opens the entry. Raises `PdfUnavailable`."""
    labels = [
        {
            "label": row.entry.label,
            "org": row.org_name,
            "facts": " ".join(_facts(register.spec, row)),
            "qr": qr_code(f"{base_url}/entries/{ids.encode('entry', row.entry.pk)}/"),
        }
        for row in rows
    ]
    words = {"title": register.title, "labels": labels, "now": now}
    return pdf_bytes(render_to_string("casework/register_labels.html", words))


def qr_code(url: str) -> str:
    """A QR code as an address of data, which needs no other file."""
    return str(segno.make(url, error="m").svg_data_uri(border=0, dark="#1b2a30", scale=4))


def _facts(spec: RegisterSpec, row: EntryRow) -> Iterator[str]:
    for one in spec.fields:
        if one.key in spec.identity and (text := value_text(one, row.data.get(one.key), "zh-hans")):
            yield text
    state = state_of(spec, row.entry.state)
    if state is not None:
        yield str(state.title)
