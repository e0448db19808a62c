import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations.state import ProjectState

from shuren.kernel.models import AuditEntry
from shuren.kernel.operations import AddIndexMeanwhile

INDEX = models.Index(fields=["action"], name="entry_meanwhile", condition=models.Q(action__gt=""))


def standing() -> list[str]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, AuditEntry._meta.db_table)
    return [name for name in found if name == INDEX.name]


def statements(*directions: str) -> list[str]:
    operation = AddIndexMeanwhile("auditentry", INDEX)
    before = ProjectState.from_apps(apps)
    after = before.clone()
    operation.state_forwards("kernel", after)
    said: list[str] = []
    with connection.execute_wrapper(lambda execute, sql, *rest: (said.append(sql), execute(sql, *rest))[1]):
        for direction in directions:
            states = (before, after) if direction == "forwards" else (after, before)
            with connection.schema_editor(atomic=False) as editor:
                getattr(operation, f"database_{direction}")("kernel", editor, *states)
    return [sql for sql in said if "INDEX" in sql]


@pytest.mark.django_db(transaction=True)
def test_an_index_is_made_again_after_a_kill_and_taken_back() -> None:
    made = statements("forwards", "forwards")
    assert standing() == ["entry_meanwhile"]
    assert [sql.split()[0] for sql in made] == ["DROP", "CREATE"] * 2
    assert all("CONCURRENTLY" in sql for sql in made) == (connection.vendor == "postgresql")
    statements("backwards")
    assert standing() == []
