"""The tables of an empty database, made from the models; playing every migration through takes nine times as long."""

from django.apps import apps
from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations import CreateModel, RunPython
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

# What a migration makes by hand, besides the tables of models, carries this hint.
MAKES = "makes"


def make_tables(connection: BaseDatabaseWrapper) -> None:
    """All tables or none, with every migration noted as applied. The database must be empty.

    A table whose migration makes it in a way of its own, such as by months, is made that way. A migration that only moves
    rows has nothing to do here; one that makes what no model names says `hints={"makes": True}`.
    """
    executor = MigrationExecutor(connection)
    nodes = executor.loader.graph.nodes
    operations = [(app, operation) for (app, _name), node in nodes.items() for operation in node.operations]
    own_ways = {
        (app, operation.name_lower): operation
        for app, operation in operations
        if isinstance(operation, CreateModel) and type(operation) is not CreateModel
    }
    as_now = ProjectState.from_apps(apps)
    with connection.schema_editor(atomic=True) as editor:
        recorder = MigrationRecorder(connection)
        editor.create_model(recorder.Migration)
        for app in executor.loader.migrated_apps:
            for model in router.get_migratable_models(apps.get_app_config(app), connection.alias):
                own_way = own_ways.get((app, model._meta.model_name or ""))
                if own_way is not None:
                    own_way.database_forwards(app, editor, as_now, as_now)
                elif model._meta.can_migrate(connection):
                    editor.create_model(model)
        for _app, operation in operations:
            if isinstance(operation, RunPython) and operation.hints.get(MAKES):
                operation.code(as_now.apps, editor)
        for app, name in nodes:
            recorder.record_applied(app, name)
