"""Moments in plain SQL, which knows no fields: as the database keeps them, and read back."""

from datetime import UTC, datetime

from django.db import connection


def stored(moment: datetime) -> str | datetime:
    """A moment as this database keeps it, to be written or compared."""
    return connection.ops.adapt_datetimefield_value(moment) or moment


def loaded(value: object) -> datetime:
    """A moment that was kept: SQLite gives plain SQL its dates as text, in UTC."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
