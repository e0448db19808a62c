from datetime import UTC, datetime

import pytest
from django.db import connection

from shuren.kernel.models import Event
from shuren.kernel.statistics import refresh_statistics

NOW = datetime(2026, 9, 1, tzinfo=UTC)
KNOWN = {
    "sqlite": "SELECT max(CAST(stat AS integer)) FROM sqlite_stat1 WHERE tbl = 'kernel_event'",
    "postgresql": "SELECT CAST(reltuples AS integer) FROM pg_class WHERE relname = 'kernel_event'",
}


@pytest.mark.django_db(transaction=True)
def test_the_database_learns_how_many_rows_there_are() -> None:
    Event.objects.bulk_create(Event(name="a.b", payload={}, published_at=NOW) for _ in range(700))
    refresh_statistics(Event)
    with connection.cursor() as cursor:
        cursor.execute(KNOWN[connection.vendor])
        assert cursor.fetchone() == (700,)
