"""The roster as facts: a stream of Arrow batches in the order of their ids, for the lake that measures it.

No access filter here: the lake's readers are filtered where they read. The sealed national id stays where it is; only its
blind index goes along, by which two rows of one id are seen to be one.
"""

from collections.abc import Iterator, Sequence
from datetime import date

import pyarrow as pa
from django.db import connection

BATCH_ROWS = 20_000

_DAY = pa.date32()
_MEMBER = (
    ("id", pa.int64(), "a.id"),
    ("person_id", pa.int64(), "p.id"),
    ("org_id", pa.int64(), "a.org_id"),
    ("org_path", pa.string(), "a.org_path"),
    ("role", pa.string(), "a.role"),
    ("begin_date", _DAY, "a.begin_date"),
    ("number", pa.string(), "p.number"),
    ("name", pa.string(), "p.name"),
    ("sex", pa.string(), "p.sex"),
    ("birth_date", _DAY, "p.birth_date"),
    ("grade", pa.string(), "p.grade"),
    ("pupil_number", pa.string(), "p.pupil_number"),
    ("staff_number", pa.string(), "p.staff_number"),
    ("phone", pa.string(), "p.phone"),
    ("email", pa.string(), "p.email"),
    ("national_id_index", pa.string(), "p.national_id_index"),
    (
        "class_id",
        pa.int64(),
        (
            "(SELECT min(e.class_org_id) FROM directory_enrollment e WHERE e.person_id = p.id AND e.role = 'student' "
            "AND e.is_primary AND (e.end_date IS NULL OR e.end_date > {day}))"
        ),
    ),
    ("is_synthetic", pa.bool_(), "p.is_synthetic"),
)
_MEMBER_SOURCE = (
    "directory_affiliation a JOIN directory_person p ON p.id = a.person_id "
    "WHERE a.id > %s AND (a.end_date IS NULL OR a.end_date > {day}) AND p.merged_into_id IS NULL AND p.is_active "
    "AND NOT EXISTS (SELECT 1 FROM directory_pendingroster r WHERE r.import_id = a.import_id OR r.import_id = p.import_id)"
)
_ORG = (
    ("id", pa.int64(), "o.id"),
    ("org_id", pa.int64(), "o.id"),
    ("org_path", pa.string(), "o.path"),
    ("type", pa.string(), "o.type"),
    ("status", pa.string(), "o.status"),
    ("code", pa.string(), "o.code"),
    ("name", pa.string(), "o.name"),
    ("division_code", pa.string(), "o.division_code"),
    ("credit_code", pa.string(), "o.credit_code"),
    ("is_rural", pa.bool_(), "o.is_rural"),
    ("has_position", pa.bool_(), "(o.geometry IS NOT NULL)"),
    ("begin_date", _DAY, "o.begin_date"),
    *(
        # One of three words written here.
        (kind, pa.int64(), f"(SELECT c.value FROM directory_orgcount c WHERE c.org_id = o.id AND c.kind = '{kind}')")  # noqa: S608
        for kind in ("pupils", "teachers", "classes")
    ),
)
_ORG_SOURCE = (
    "directory_org o WHERE o.id > %s AND o.status = 'active' "
    "AND NOT EXISTS (SELECT 1 FROM directory_pendingroster r WHERE r.import_id = o.import_id)"
)
_MEMBER_SCHEMA = pa.schema([(name, kind) for name, kind, _sql in _MEMBER])
_ORG_SCHEMA = pa.schema([(name, kind) for name, kind, _sql in _ORG])


def member_facts(day: date) -> Iterator[pa.RecordBatch]:
    """One row per affiliation in force on `day` of everybody who is there; one empty batch where nobody is."""
    return _facts(_MEMBER, _MEMBER_SOURCE, _MEMBER_SCHEMA, day)


def org_facts(day: date) -> Iterator[pa.RecordBatch]:
    """One row per org at work, with its kept counts."""
    return _facts(_ORG, _ORG_SOURCE, _ORG_SCHEMA, day)


def _facts(
    columns: Sequence[tuple[str, pa.DataType, str]], source: str, schema: pa.Schema, day: date
) -> Iterator[pa.RecordBatch]:
    said = f"DATE '{day:%Y-%m-%d}'" if connection.vendor == "postgresql" else f"'{day:%Y-%m-%d}'"
    chosen = ", ".join(sql for _name, _kind, sql in columns)
    text = f"SELECT {chosen} FROM {source} ORDER BY 1 LIMIT {BATCH_ROWS}".replace("{day}", said)  # noqa: S608  # constants and a date
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(text, [after])
            rows = cursor.fetchall()
        if not rows:
            if after == 0:
                yield pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)
            return
        yield pa.RecordBatch.from_arrays(
            [_array(column, field.type) for column, field in zip(zip(*rows, strict=True), schema, strict=True)], schema=schema
        )
        after = rows[-1][0]


def _array(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    """SQLite tells days as text and truth as numbers."""
    if kind == _DAY:
        return pa.array([date.fromisoformat(value) if isinstance(value, str) else value for value in values], kind)
    if kind == pa.bool_():
        return pa.array([None if value is None else bool(value) for value in values], kind)
    return pa.array(values, kind)
