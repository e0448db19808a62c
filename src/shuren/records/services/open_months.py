"""The months that PostgreSQL keeps statements in: opened ahead of time, one table each."""

from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction

# Writers hold it shared while they write (`services.rows`); it is also what two who open months wait for.
OPENING = 7_303_001
_TABLES = ("records_statement", "records_mention")


def open_months(*, now: datetime, ahead: int = 2) -> int:
    """Make the tables of this month and of those `ahead`; returns how many were not there. Elsewhere than on PostgreSQL none."""
    if connection.vendor != "postgresql":
        return 0
    made = 0
    first = now.astimezone(UTC).date().replace(day=1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [OPENING])
        for _month in range(ahead + 1):
            after = _after(first)
            for table in _TABLES:
                cursor.execute("SELECT to_regclass(%s) IS NULL", [f"{table}_{first:%Y%m}"])
                if cursor.fetchone()[0]:
                    cursor.execute(
                        f"CREATE TABLE {table}_{first:%Y%m} PARTITION OF {table} "
                        f"FOR VALUES FROM ('{first} 00:00:00+00') TO ('{after} 00:00:00+00')"
                    )
                    made += 1
            first = after
    return made


def _after(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
