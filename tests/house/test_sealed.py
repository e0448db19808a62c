"""A sealed value that a rotation of the secret does not reach is lost when the old secret is thrown away."""

from django.apps import apps
from django.db import models

from shuren.trust.rules.columns import SealedColumn
from tests.house.source import APPS


def test_every_sealed_column_is_announced_and_every_announced_one_is_there() -> None:
    announced: set[tuple[str, str]] = set()
    held: set[tuple[str, str]] = set()
    for config in map(apps.get_app_config, APPS):
        for line in getattr(config, "sealed_columns", ()):
            column = SealedColumn.named(config.label, line)
            announced.add((column.model, column.column))
        for model in config.get_models():
            held |= {(model._meta.label, field.name) for field in model._meta.concrete_fields if _is_sealed(field)}
    assert held == announced


def _is_sealed(field: "models.Field[object, object]") -> bool:
    """By the name that sealed columns carry: `sealed`, or what is sealed before `_sealed`."""
    return isinstance(field, models.BinaryField) and (field.name == "sealed" or field.name.endswith("_sealed"))
