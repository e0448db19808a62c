"""Functions of apps that packs may name, for rules that YAML cannot say: who is asked, what an end does, what a form refuses."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.apps import apps
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from shuren.kernel.errors import Invalid

_functions: dict[str, str] = {}


def register_function(name: str, dotted: str) -> None:
    """Let packs name `name`; it is looked up where it lies only when it is called.

    Apps above announce theirs in their configuration instead (`case_functions`: name → dotted path).

    Called for assignees it gets (case: CaseData, now) and returns person ids; for an end (case, actor, now), in the
    transaction that closes the case; for a form (data, today), returning what is wrong or nothing.
    """
    if not dotted.startswith("shuren."):
        raise ValueError(f"{dotted!r} is not a function of shuren")
    _functions[name] = dotted


@cache
def _announced() -> dict[str, str]:
    return {name: path for config in apps.get_app_configs() for name, path in getattr(config, "case_functions", {}).items()}


def is_registered(name: str) -> bool:
    return name in _functions or name in _announced()


def function_names() -> frozenset[str]:
    return frozenset(_functions) | frozenset(_announced())


def function_named(name: str) -> Callable[..., Any]:
    """The function behind a name; `Invalid` where no app registered it."""
    if not is_registered(name):
        raise Invalid(_("没有名为“%(name)s”的函数。") % {"name": name}, remedy=_("请联系管理员检查流程定义。"))
    found: Callable[..., Any] = import_string(_functions.get(name) or _announced()[name])
    return found
