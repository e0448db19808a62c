"""What the database knows of its tables when it plans a query."""

from django.db import connection
from django.db.models import Model

# Rows SQLite looks at per index: enough to choose by, and quick on any table.
_LOOKED_AT = 1_000


def refresh_statistics(*models: type[Model]) -> None:
    """Let the database look at these tables again, after a write that changed what they are like.

    A server may have autovacuum off or far behind, and SQLite has none; until the tables are looked at, a million new rows
    are planned for as if there were none.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA analysis_limit = {_LOOKED_AT}")
        for model in models:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")
