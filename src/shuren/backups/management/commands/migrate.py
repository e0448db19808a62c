"""`migrate`: tables of an empty database come straight from the models."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from shuren.backups.services.make_tables import make_tables

# Who asks for these wants the migrations themselves.
_BY_HAND = ("app_label", "migration_name", "fake", "fake_initial", "plan", "check_unapplied", "prune")


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if not any(options.get(name) for name in _BY_HAND) and not connection.introspection.table_names():
            make_tables(connection)
        super().handle(*args, **options)
