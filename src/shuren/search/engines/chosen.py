"""The engine that fits the database in use."""

from types import ModuleType

from django.db import connection

from shuren.search.engines import postgresql, sqlite


def engine() -> ModuleType:
    return postgresql if connection.vendor == "postgresql" else sqlite
