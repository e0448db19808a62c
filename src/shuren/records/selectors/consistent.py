"""Up to which moment everything that was stored can be read (X-Experience-API-Consistent-Through)."""

from datetime import datetime, timedelta

from django.db import connection

# Held shared by every writer from before its moment of storing until it commits (`services.rows`).
WRITING = 7_303_002
_THROUGH = """
    SELECT LEAST(asked.at, MIN(a.xact_start)) FROM (SELECT clock_timestamp() AS at OFFSET 0) AS asked
    LEFT JOIN pg_locks l ON l.locktype = 'advisory' AND l.objid = %s
    LEFT JOIN pg_stat_activity a ON a.pid = l.pid AND a.pid <> pg_backend_pid()
    GROUP BY asked.at
"""
# Moments of storing are cut to milliseconds.
_CUT = timedelta(milliseconds=1)
# SQLite tells nobody who is writing; no request writes for longer than this.
_WRITE_TIME = timedelta(seconds=1)


def consistent_through(*, now: datetime) -> datetime:
    if connection.vendor != "postgresql":
        return now - _WRITE_TIME
    with connection.cursor() as cursor:
        cursor.execute(_THROUGH, [WRITING])
        found: datetime = cursor.fetchone()[0]
    return found - _CUT
