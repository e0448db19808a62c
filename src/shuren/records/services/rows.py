"""Rows of statements into the two databases, in plain SQL: what every statement passes through.

PostgreSQL takes them by COPY, a few in one message. Each writer holds a shared lock from before its moment `stored` until it
commits: so a reader knows up to which moment everything is visible (`selectors.consistent`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from shuren.kernel import clock, moments
from shuren.records.selectors.consistent import WRITING
from shuren.records.services.open_months import open_months

_BEGIN = """
    SELECT clock_timestamp(), to_regclass('records_statement_' || to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYYMM')),
           ARRAY(SELECT nextval('records_statement_order') FROM generate_series(1, %s))
    FROM (SELECT pg_advisory_xact_lock_shared(%s) OFFSET 0) AS held
"""
_CLAIM = """
    INSERT INTO records_statementkey (statement_id, stored, seq, digest)
    SELECT id, %s, seq, digest FROM unnest(%s::uuid[], %s::bigint[], %s::bytea[]) AS sent (id, seq, digest) ORDER BY id
    ON CONFLICT DO NOTHING RETURNING seq
"""
_COLUMNS = "stored, seq, statement_id, timestamp, actor, verb, activity, registration, authority, person_id, is_voided, body"
_AT_ONCE = 900
# Up to here PostgreSQL is quicker told in one way than in the four of two COPYs.
_FEW = 5


@dataclass(slots=True)
class Row:
    """A statement as the table has it; ids and digests as text, `body` as bytes."""

    seq: int
    id: str
    timestamp: datetime
    actor: str
    verb: str
    activity: str | None
    registration: str | None
    person_id: int | None
    body: bytes


def begin(count: int) -> tuple[datetime, Sequence[int]]:
    """The moment of storing, in milliseconds, and as many numbers of order; in the caller's transaction, as its first step."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_BEGIN, [count, WRITING])
            now, month, numbers = cursor.fetchone()
            if month is None:
                open_months(now=now)
        else:
            cursor.execute("SELECT COALESCE(MAX(rowid), 0) FROM records_statementkey")
            last = cursor.fetchone()[0]
            now, numbers = clock.now(), range(last + 1, last + count + 1)
    return now.replace(microsecond=now.microsecond // 1000 * 1000), numbers


def claim(*, stored: datetime, keys: Sequence[str], numbers: Sequence[int], digests: Sequence[bytes]) -> set[int]:
    """Take these ids; returns the numbers of those that nobody had before. Of two who take one at once, the second waits."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_CLAIM, [stored, list(keys), list(numbers), list(digests)])
            return {seq for (seq,) in cursor.fetchall()}
        taken: set[str] = set()
        for start in range(0, len(keys), _AT_ONCE):
            some = [_hex(key) for key in keys[start : start + _AT_ONCE]]
            marks = ", ".join(["%s"] * len(some))
            cursor.execute(f"SELECT statement_id FROM records_statementkey WHERE statement_id IN ({marks})", some)  # noqa: S608  # marks only
            taken.update(key for (key,) in cursor.fetchall())
        moment = moments.stored(stored)
        fresh = [
            (_hex(key), moment, seq, digest)
            for key, seq, digest in zip(keys, numbers, digests, strict=True)
            if _hex(key) not in taken
        ]
        cursor.executemany("INSERT INTO records_statementkey (statement_id, stored, seq, digest) VALUES (%s, %s, %s, %s)", fresh)
        return {row[2] for row in fresh}


def write(rows: Sequence[Row], *, stored: datetime, authority: str, mentions: Sequence[tuple[str, int]]) -> None:
    """Statements whose ids were claimed, and what they mention as (digest, number)."""
    if connection.vendor == "postgresql":
        put = _insert if len(rows) <= _FEW else _copy
        put(rows, stored=stored, authority=authority, mentions=mentions)
        return
    moment = moments.stored(stored)
    marks = ", ".join(["%s"] * 12)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO records_statement ({_COLUMNS}) VALUES ({marks})",  # noqa: S608  # fixed columns
            [
                (
                    *(moment, row.seq, _hex(row.id), moments.stored(row.timestamp), row.actor, row.verb, row.activity),
                    *(row.registration and _hex(row.registration), authority, row.person_id, False, row.body.decode()),
                )
                for row in rows
            ],
        )
        cursor.executemany(
            "INSERT INTO records_mention (key, stored, seq) VALUES (%s, %s, %s)", [(key, moment, seq) for key, seq in mentions]
        )


def _insert(rows: Sequence[Row], *, stored: datetime, authority: str, mentions: Sequence[tuple[str, int]]) -> None:
    """Both tables in one message to PostgreSQL."""
    told: list[int | str | datetime | None] = []
    for row in rows:
        told += (stored, row.seq, row.id, row.timestamp, row.actor, row.verb, row.activity, row.registration, authority)
        told += (row.person_id, False, row.body.decode())
    marks = ", ".join([f"({', '.join(['%s'] * 12)})"] * len(rows))
    sql = f"INSERT INTO records_statement ({_COLUMNS}) VALUES {marks}"  # noqa: S608  # fixed columns
    if mentions:
        told += [value for key, seq in mentions for value in (key, stored, seq)]
        marks = ", ".join(["(%s, %s, %s)"] * len(mentions))
        sql += f"; INSERT INTO records_mention (key, stored, seq) VALUES {marks}"  # noqa: S608  # marks only
    with connection.cursor() as cursor:
        cursor.execute(sql, told)


def _copy(rows: Sequence[Row], *, stored: datetime, authority: str, mentions: Sequence[tuple[str, int]]) -> None:
    """In COPY's text format: of what it takes apart, JSON has backslashes alone, and identifiers are digits."""
    moment = stored.isoformat()
    lines = []
    for row in rows:
        head = (
            f"{moment}\t{row.seq}\t{row.id}\t{row.timestamp.isoformat()}\t{row.actor}\t{row.verb}\t{row.activity or NULL}\t"
            f"{row.registration or NULL}\t{authority}\t{NULL if row.person_id is None else row.person_id}\tf\t"
        )
        lines.append(head.encode() + row.body.replace(b"\\", b"\\\\") + b"\n")
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY records_statement ({_COLUMNS}) FROM STDIN") as copy:
            copy.write(b"".join(lines))
        if mentions:
            told = "".join([f"{key}\t{moment}\t{seq}\n" for key, seq in mentions])
            with cursor.copy("COPY records_mention (key, stored, seq) FROM STDIN") as copy:
                copy.write(told)


NULL = "\\N"


def _hex(key: str) -> str:
    """A UUID as SQLite keeps it."""
    return key.replace("-", "")
