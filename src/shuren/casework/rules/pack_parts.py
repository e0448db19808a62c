"""Folders of packs whose files belong to apps above, which check and install them.

An app announces in its configuration `pack_parts = {"statistics": "shuren.interop.services.….PART"}`: the folder, and where its
`PackPart` lies. A part is looked up only when a pack is checked or installed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.utils.module_loading import import_string

from shuren.casework.data import FigureAsked, Finding, PackCounts
from shuren.kernel.data import Actor

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PackPart:
    """What an app does with the files of its folder.

    `check` says what is wrong with a body by itself, `figures` which figures over registers and cases it asks for, by path; both
    get bodies that may be faulty. `install` gets the key of the pack and every body, in the transaction that installs the pack.
    """

    check: Callable[[Body], Sequence[Finding]]
    figures: Callable[[Body], Mapping[str, FigureAsked]]
    install: Callable[[str, Sequence[Body], Actor, datetime], PackCounts]


def pack_parts() -> dict[str, str]:
    """Every announced folder, and where its part lies."""
    return {folder: path for config in apps.get_app_configs() for folder, path in getattr(config, "pack_parts", {}).items()}


def part_of(folder: str) -> PackPart:
    part: PackPart = import_string(pack_parts()[folder])
    return part
