"""Putting something on record."""

import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from django.db import connection

from shuren.trust.data import Business
from shuren.trust.models import LogEntry
from shuren.trust.rules.log.entries import SALT_BYTES, SUBJECT_LIMIT, recorded_moment
from shuren.trust.rules.log.merkle import HASH_BYTES

_AT_ONCE = 2_000
_DRAW_IDS = "SELECT nextval(pg_get_serial_sequence('trust_logentry', 'id')) FROM generate_series(1, %s)"
_COPY = "COPY trust_logentry (id, business, subject, digest, salt, at) FROM STDIN"
_COPY_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def anchor(*, business: Business, subject: str, digest: bytes, now: datetime) -> int:
    """Put the digest (32 bytes, SM3 or SHA-256) of something on record in the caller's transaction; returns the entry's id.

    `subject` says what it is a digest of, `<kind>:<row id>`, without personal data. The log takes the entry up within a
    minute of the commit; from then on `proof_of` proves it. Public files show neither subject nor digest.
    """
    row = _row(business, subject, digest, now)
    row.save(force_insert=True)
    return row.pk


def anchor_many(*, business: Business, items: Iterable[tuple[str, bytes]], now: datetime) -> list[int]:
    """`anchor` for many (subject, digest) at once; ids in their order. Streams: `items` may be a generator."""
    write = _copied if connection.vendor == "postgresql" else _inserted
    ids: list[int] = []
    waiting = iter(items)
    while some := list(islice(waiting, _AT_ONCE)):
        ids += write(business, some, now)
    return ids


def _inserted(business: Business, items: Sequence[tuple[str, bytes]], now: datetime) -> list[int]:
    rows = LogEntry.objects.bulk_create([_row(business, subject, digest, now) for subject, digest in items])
    return [row.pk for row in rows]


def _copied(business: Business, items: Sequence[tuple[str, bytes]], now: datetime) -> list[int]:
    """By COPY, in several times the speed of INSERT. It returns no ids, so they are drawn from the sequence first."""
    code, at, salts = Business(business).value, recorded_moment(now).isoformat(), os.urandom(SALT_BYTES * len(items)).hex()
    width = SALT_BYTES * 2
    with connection.cursor() as cursor:
        cursor.execute(_DRAW_IDS, [len(items)])
        ids = sorted(number for (number,) in cursor.fetchall())
        lines = []
        for place, (pk, (subject, digest)) in enumerate(zip(ids, items, strict=True)):
            _check(subject, digest)
            salt = salts[place * width : (place + 1) * width]
            lines.append(f"{pk}\t{code}\t{subject.translate(_COPY_ESCAPES)}\t\\\\x{digest.hex()}\t\\\\x{salt}\t{at}\n")
        with cursor.copy(_COPY) as copy:
            copy.write("".join(lines))
    return ids


def _row(business: Business, subject: str, digest: bytes, now: datetime) -> LogEntry:
    _check(subject, digest)
    code, at = Business(business).value, recorded_moment(now)
    return LogEntry(business=code, subject=subject, digest=digest, salt=os.urandom(SALT_BYTES), at=at)


def _check(subject: str, digest: bytes) -> None:
    if len(digest) != HASH_BYTES or not 0 < len(subject) <= SUBJECT_LIMIT:
        raise ValueError(f"a digest has {HASH_BYTES} bytes and a subject at most {SUBJECT_LIMIT} characters")
