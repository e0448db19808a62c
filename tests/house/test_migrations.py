import re

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunPython, RunSQL

from tests.house.source import APPS, SRC

GENERATED = re.compile(r"auto_|_initial$|_alter_|_squashed_0")


def migrations() -> list[tuple[str, object]]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return [(f"{app}.{name}", migration) for (app, name), migration in loader.disk_migrations.items() if app in APPS]


def test_migrations_tell_a_fact_not_a_date() -> None:
    assert [name for name, _ in migrations() if GENERATED.search(name)] == []


def test_every_migration_can_be_undone() -> None:
    stuck = [
        name
        for name, migration in migrations()
        for operation in migration.operations  # type: ignore[attr-defined]
        if isinstance(operation, RunPython | RunSQL) and not operation.reversible
    ]
    assert stuck == []


def test_migrations_import_no_app() -> None:
    importing = re.compile(r"from shuren\.(?!kernel\.fields)\w+\.(services|selectors|rules|api)")
    files = [path for app in APPS for path in (SRC / "shuren" / app / "migrations").glob("0*.py")]
    assert files
    assert [str(path) for path in files if importing.search(path.read_text())] == []


@pytest.mark.parametrize("app", APPS)
def test_foreign_keys_point_downward(app: str) -> None:
    floors = [
        *(
            "kernel",
            "work",
            "trust",
            "standards",
            "intake pages search messaging",
            "directory",
            "identity",
            "datahub",
            "records",
            "casework",
        ),
        *("certificates", "assessment", "evaluation", "interop", "front"),
    ]
    floor_of = {name: number for number, names in enumerate(floors) for name in names.split()}
    wrong = [
        f"{model.__name__}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and field.related_model is not None
        if (other := field.related_model._meta.app_label) != app and floor_of.get(other, -1) >= floor_of[app]
    ]
    assert wrong == []
