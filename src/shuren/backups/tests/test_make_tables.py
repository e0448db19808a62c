"""Tables made from the models are those that all migrations make, one after the other."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

# Every table with its columns in the order of their names, its keys, indexes and checks; names that a database gives itself
# tell when a table was changed, not what it is.
PROGRAM = """
import json, re, sys
import django
django.setup()
from django.core.management import call_command
from django.core.management.commands.migrate import Command
from django.db import connection

def name_of(constraint):
    return "" if re.search(r"^__unnamed|^fk_[0-9]+$|_uniq$|_key$", constraint) else constraint

call_command(Command() if sys.argv[1] == "played" else "migrate", verbosity=0, interactive=False)
told = {}
with connection.cursor() as cursor:
    for table in connection.introspection.table_names(cursor):
        columns = connection.introspection.get_table_description(cursor, table)
        constraints = connection.introspection.get_constraints(cursor, table)
        told[table] = {
            "columns": sorted(repr((one.name, one.type_code, one.null_ok, one.default, one.collation)) for one in columns),
            "constraints": sorted(name_of(name) + repr(sorted(one.items(), key=str)) for name, one in constraints.items()),
        }
    if connection.vendor == "sqlite":
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    else:
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()")
    told["indexes"] = sorted(name_of(name) + sql.replace(name, "") for name, sql in cursor.fetchall())
    cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
    told["migrations"] = cursor.fetchall()
print(json.dumps(told))
"""


def tables_of(how: str, url: str, folder: Path) -> dict[str, Any]:
    environment = os.environ | {"SHUREN_DATABASE_URL": url, "SHUREN_DATA_DIR": str(folder / how)}
    environment["DJANGO_SETTINGS_MODULE"] = "shuren.conf.settings"
    (folder / how).mkdir()
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@contextmanager
def empty_database(name: str) -> Iterator[str]:
    """The address of a database of its own; without a server the folder of the installation will do."""
    server = os.environ.get("SHUREN_DATABASE_URL", "")
    if not server:
        yield ""
        return
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_both_ways_make_the_same_tables(tmp_path: Path) -> None:
    told = {}
    for how in ("made", "played"):
        with empty_database(f"tables_{how}_{os.getpid()}") as url:
            told[how] = tables_of(how, url, tmp_path)
    made, played = told["made"], told["played"]
    assert sorted(made) == sorted(played)
    for table, facts in played.items():
        # Django's own tables number the rows between groups and permissions in another width; nobody of ours asks them.
        if not table.startswith("auth_"):
            assert made[table] == facts, table
