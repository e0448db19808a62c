"""What every result can be turned into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any

import numpy as np

from edmeasure import _arrow
from edmeasure.errors import MissingPackage


class Exported:
    """A frozen dataclass whose fields are numbers, text, arrays, tuples and other such results."""

    def to_dict(self) -> dict[str, object]:
        """Its fields as numbers, text, lists and dictionaries, ready for JSON: NaN and infinities become None."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]

    def to_arrow(self) -> Any:
        """Its main table as a ``pyarrow.Table`` (needs the extra ``arrow``)."""
        return _arrow.table(self._columns())

    def plot(self, **options: Any) -> Any:
        """Draw its usual plot (needs the extra ``plot``): takes and returns matplotlib's ``Axes``, see `edmeasure.plots`."""
        try:
            plots = import_module("edmeasure.plots")
        except ModuleNotFoundError as missing:
            raise MissingPackage("matplotlib is not installed.", remedy="Run `pip install 'edmeasure[plot]'`.") from missing
        return plots.draw(self, **options)

    def _columns(self) -> Mapping[str, object]:
        """Arrays as long as the first one, each a column."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        found = {name: value for name, value in arrays.items() if isinstance(value, np.ndarray) and value.ndim == 1}
        longest = max((value.size for value in found.values()), default=0)
        return {name: value for name, value in found.items() if value.size == longest}


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray | tuple | list):
        return [_plain(one) for one in (value.tolist() if isinstance(value, np.ndarray) else value)]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value
