"""Columns whose order must be the same on every database."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    _Text = models.CharField[str, str]  # the stubs know it as generic, Django at run time does not
else:
    _Text = models.CharField


class BytewiseField(_Text):
    """Text compared byte by byte: PostgreSQL would otherwise sort it by the language of the database.

    So a prefix is one range of a plain index (`>= p AND < next`) on both databases.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


class PathField(BytewiseField):
    """An org path."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 200)
        super().__init__(*args, **kwargs)
