"""Rows of statements into the two databases, in plain SQL: what every statement passes through.

PostgreSQL takes them by COPY, a few in one message. Each writer holds a lock from before its moment `stored` until it
commits: so a reader knows up to which moment everything is visible (`selectors.consistent`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from django.db import connection

from shuren.kernel import clock, moments
from shuren.records.selectors.consistent import WRITING
from shuren.records.services.open_months import open_months


class Reach(Enum):
    """How far the statements of a request reach: no further than themselves, to others, or so far as to void them."""

    ALONE = 1
    SPEAKS = 2
    VOIDS = 3


_TAKE = """
    WITH held AS MATERIALIZED (SELECT {locks}),
    begun AS MATERIALIZED (SELECT date_trunc('milliseconds', clock_timestamp()) AS at FROM held),
    sent AS MATERIALIZED (
        SELECT asked.id, asked.digest, asked.place, nextval('records_statement_order') AS seq
        FROM begun, unnest(%s::uuid[], %s::bytea[]) WITH ORDINALITY AS asked (id, digest, place)
    ),
    claimed AS (
        INSERT INTO records_statementkey (statement_id, stored, seq, digest)
        SELECT sent.id, begun.at, sent.seq, sent.digest FROM sent, begun ORDER BY sent.id
        ON CONFLICT DO NOTHING RETURNING seq
    )
    SELECT begun.at, to_regclass('records_statement_' || to_char(begun.at AT TIME ZONE 'UTC', 'YYYYMM')),
           ARRAY(SELECT seq FROM sent ORDER BY place), ARRAY(SELECT seq FROM claimed)
    FROM begun
"""
# Who speaks of others waits for those who do so too, and whoever voids for every writer: of two that come at once, one sees
# the other, and no chain and no voiding is missed.
_LINKING = 7_303_003
_LOCKS = {
    Reach.ALONE: f"pg_advisory_xact_lock_shared({WRITING})",
    Reach.SPEAKS: f"pg_advisory_xact_lock({_LINKING}), pg_advisory_xact_lock_shared({WRITING})",
    Reach.VOIDS: f"pg_advisory_xact_lock({_LINKING}), pg_advisory_xact_lock({WRITING})",
}
_AWAITED = "SELECT EXISTS (SELECT 1 FROM records_reference WHERE target_id IN ({marks}))"
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
    authority: str
    person_id: int | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """The moment of storing, in milliseconds; a number of order for each id asked for; and those whose id nobody had before."""

    stored: datetime
    numbers: Sequence[int]
    fresh: set[int]


def take(*, keys: Sequence[str], digests: Sequence[bytes], reach: Reach) -> Taken:
    """Take these ids, as the first step of the caller's transaction. Of two who take one at once, the second waits."""
    if connection.vendor != "postgresql":
        return _taken_here(keys, digests)
    with connection.cursor() as cursor:
        cursor.execute(_TAKE.format(locks=_LOCKS[reach]), [list(keys), list(digests)])
        stored, month, numbers, fresh = cursor.fetchone()
    if month is None:
        open_months(now=stored)
    return Taken(stored, numbers, set(fresh))


def _taken_here(keys: Sequence[str], digests: Sequence[bytes]) -> Taken:
    """On SQLite, where one writes at a time."""
    now = clock.now()
    stored = now.replace(microsecond=now.microsecond // 1000 * 1000)
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(rowid), 0) FROM records_statementkey")
        last = cursor.fetchone()[0]
        numbers = range(last + 1, last + len(keys) + 1)
        taken: set[str] = set()
        for some in _some(keys):
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
    return Taken(stored, numbers, {row[2] for row in fresh})


def write(rows: Sequence[Row], *, stored: datetime, mentions: Sequence[tuple[str, int]]) -> bool:
    """Statements whose ids were taken, and what they mention as (digest, number); whether somebody speaks of one already."""
    if connection.vendor == "postgresql" and len(rows) <= _FEW:
        return _insert(rows, stored=stored, mentions=mentions)
    put = _copy if connection.vendor == "postgresql" else _put_here
    put(rows, stored=stored, mentions=mentions)
    return any(_is_awaited(some) for some in _some([row.id for row in rows]))


def _is_awaited(keys: Sequence[str]) -> bool:
    mark = "%s::uuid" if connection.vendor == "postgresql" else "%s"
    with connection.cursor() as cursor:
        cursor.execute(_AWAITED.format(marks=", ".join([mark] * len(keys))), keys)
        return bool(cursor.fetchone()[0])


def _put_here(rows: Sequence[Row], *, stored: datetime, mentions: Sequence[tuple[str, int]]) -> None:
    moment = moments.stored(stored)
    marks = ", ".join(["%s"] * 12)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO records_statement ({_COLUMNS}) VALUES ({marks})",  # noqa: S608  # fixed columns
            [
                (
                    *(moment, row.seq, _hex(row.id), moments.stored(row.timestamp), row.actor, row.verb, row.activity),
                    *(row.registration and _hex(row.registration), row.authority, row.person_id, False, row.body.decode()),
                )
                for row in rows
            ],
        )
        cursor.executemany(
            "INSERT INTO records_mention (key, stored, seq) VALUES (%s, %s, %s)", [(key, moment, seq) for key, seq in mentions]
        )


def _insert(rows: Sequence[Row], *, stored: datetime, mentions: Sequence[tuple[str, int]]) -> bool:
    """Both tables, and the question who speaks of these, in one message to PostgreSQL."""
    told: list[int | str | datetime | None] = []
    for row in rows:
        told += (stored, row.seq, row.id, row.timestamp, row.actor, row.verb, row.activity, row.registration, row.authority)
        told += (row.person_id, False, row.body.decode())
    marks = ", ".join([f"({', '.join(['%s'] * 12)})"] * len(rows))
    sql = f"INSERT INTO records_statement ({_COLUMNS}) VALUES {marks}"  # noqa: S608  # fixed columns
    if mentions:
        told += [value for key, seq in mentions for value in (key, stored, seq)]
        marks = ", ".join(["(%s, %s, %s)"] * len(mentions))
        sql += f"; INSERT INTO records_mention (key, stored, seq) VALUES {marks}"  # noqa: S608  # marks only
    sql += "; " + _AWAITED.format(marks=", ".join(["%s"] * len(rows)))
    with connection.cursor() as cursor:
        cursor.execute(sql, [*told, *(row.id for row in rows)])
        while cursor.nextset():
            pass
        return bool(cursor.fetchone()[0])


def _copy(rows: Sequence[Row], *, stored: datetime, mentions: Sequence[tuple[str, int]]) -> None:
    """In COPY's text format: of what it takes apart, JSON has backslashes alone, and identifiers are digits."""
    moment = stored.isoformat()
    lines = []
    for row in rows:
        head = (
            f"{moment}\t{row.seq}\t{row.id}\t{row.timestamp.isoformat()}\t{row.actor}\t{row.verb}\t{row.activity or NULL}\t"
            f"{row.registration or NULL}\t{row.authority}\t{NULL if row.person_id is None else row.person_id}\tf\t"
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


def _some(keys: Sequence[str]) -> Iterator[list[str]]:
    """As the database compares them, and not more than a question may hold."""
    told = list(keys) if connection.vendor == "postgresql" else [_hex(key) for key in keys]
    return (told[start : start + _AT_ONCE] for start in range(0, len(told), _AT_ONCE))


def _hex(key: str) -> str:
    """A UUID as SQLite keeps it."""
    return key.replace("-", "")
