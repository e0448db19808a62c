"""Libraries that an installation may do without, loaded when they are first asked for: Spark starts a Java machine."""

from functools import lru_cache
from importlib import import_module
from typing import Any


@lru_cache(maxsize=4)
def load(name: str) -> Any | None:
    """The module, or None where its extra is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None
