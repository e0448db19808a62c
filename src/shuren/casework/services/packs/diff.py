"""What installing a pack would change, and what the region changed in it, field by field and in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, DefinitionStatus
from shuren.casework.models import Definition
from shuren.casework.rules.changes import body_changes, form_changes
from shuren.casework.rules.pack_files import PackFolder
from shuren.casework.rules.specs.form import FormSpec
from shuren.casework.selectors.known import read_body
from shuren.casework.selectors.packs import pack_folder, shipped_folder
from shuren.standards import api as standards

Bodies = Mapping[tuple[DefinitionKind, str], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class DefinitionDiff:
    """What changes in one definition, line by line."""

    kind: DefinitionKind
    key: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PackDiff:
    """`to_install`: from what is in force to what lies on disk; `overridden`: from what is shipped to the region's."""

    key: str
    to_install: tuple[DefinitionDiff, ...]
    overridden: tuple[DefinitionDiff, ...]


def diff_pack(key: str) -> PackDiff:
    """Compares bodies; nothing needs to be without faults for it."""
    standards.forget_registry()
    folder, shipped = pack_folder(key), shipped_folder(key)
    rows = Definition.objects.filter(pack_id=key, status=DefinitionStatus.IN_FORCE.value).select_related("current")
    installed = {(DefinitionKind(row.kind), row.key): row.current.body for row in rows if row.current is not None}
    on_disk = _bodies(folder)
    changed = _diff(_bodies(shipped), on_disk) if shipped is not None and folder.overridden else ()
    return PackDiff(key, _diff(installed, on_disk), changed)


def _bodies(folder: PackFolder) -> Bodies:
    return {(kind, str(file.body.get("key", file.relative))): file.body for kind, file in folder.definitions}


def _diff(before: Bodies, after: Bodies) -> tuple[DefinitionDiff, ...]:
    found = []
    for kind, key in sorted({*before, *after}):
        if (kind, key) not in before:
            lines = [_("新增")]
        elif (kind, key) not in after:
            lines = [_("停用：包里已经没有它")]
        else:
            lines = _lines(kind, before[kind, key], after[kind, key])
        if lines:
            found.append(DefinitionDiff(kind, key, tuple(lines)))
    return tuple(found)


def _lines(kind: DefinitionKind, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    old, _faults = read_body(kind, before, standards.known_elements())
    new, _faults = read_body(kind, after, standards.known_elements())
    if not (isinstance(old, FormSpec) and isinstance(new, FormSpec)):
        return [change.words for change in body_changes(before, after)]
    changes = form_changes(old, new)
    told = {change.path.partition(".")[0] for change in changes}
    rest = [change for change in body_changes(before, after) if not told & set(change.path.split("."))]
    return [change.words for change in (*changes, *rest)]
