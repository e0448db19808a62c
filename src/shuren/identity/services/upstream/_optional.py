"""Libraries that an installation may do without, loaded in one place."""

from importlib import import_module
from typing import Any


def load(name: str) -> Any | None:
    """The module, or None where its extra is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


ldap3 = load("ldap3")
