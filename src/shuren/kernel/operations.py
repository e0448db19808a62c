"""Steps of migrations that must not keep an installation waiting."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class AddIndexMeanwhile(migrations.AddIndex):
    """Make an index while others read and write, where the database can.

    Its migration says `atomic = False` and may therefore be killed half-way: whatever stands by that name is dropped
    first. Django's own `AddIndexConcurrently` cannot be imported without psycopg and fails on SQLite.
    """

    atomic = False

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._drop(schema_editor)
            statement = self.index.create_sql(model, schema_editor, **_how(schema_editor))
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            self._drop(schema_editor)

    def _drop(self, schema_editor: BaseDatabaseSchemaEditor) -> None:
        meanwhile = "CONCURRENTLY " if _how(schema_editor) else ""
        schema_editor.execute(f"DROP INDEX {meanwhile}IF EXISTS {schema_editor.quote_name(self.index.name)}")


def _how(schema_editor: BaseDatabaseSchemaEditor) -> dict[str, Any]:
    return {"concurrently": True} if schema_editor.connection.vendor == "postgresql" else {}
