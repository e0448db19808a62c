"""The files of a pack: read with the lines they stand on, the region's changes laid over the shipped ones.

A file of the region with `extends: true` is merged into the shipped file of the same name: mappings key by key, lists of things
with a `key` (or `code`) thing by thing, anything else replaced; `remove: true` takes a thing out, `null` a key. Without
`extends` it stands in for the shipped file. Nothing shipped is ever edited, and so an upgrade finds the changes where they were.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, Finding
from shuren.casework.rules.pack_parts import pack_parts

FOLDERS = {
    "forms": DefinitionKind.FORM,
    "flows": DefinitionKind.FLOW,
    "registers": DefinitionKind.REGISTER,
    "collections": DefinitionKind.COLLECTION,
    "items": DefinitionKind.ITEM,
    "draws": DefinitionKind.DRAW,
    "indicators": DefinitionKind.INDICATOR,
}
PACK_FILE = "pack.yaml"
CERTIFICATES = "certificates"
Lines = Mapping[str, tuple[str, int]]


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file as it holds after the region's changes; `lines` says by path which file and line a thing stands on."""

    relative: str
    body: dict[str, Any]
    lines: Lines
    is_overridden: bool = False

    def placed(self, finding: Finding) -> Finding:
        """The finding with file and line: those of the nearest thing above that was read."""
        path = finding.path
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        file, line = self.lines.get(path, (self.relative, 1))
        return Finding(finding.path, finding.reason, finding.remedy, finding.is_error, file, line)


@dataclass(frozen=True, slots=True)
class PackFolder:
    """Everything a pack's folders hold: `files` by relative name, and what could not be read."""

    key: str
    folders: tuple[Path, ...]
    files: Mapping[str, ReadFile]
    findings: tuple[Finding, ...] = ()
    overridden: tuple[str, ...] = ()

    @property
    def definitions(self) -> list[tuple[DefinitionKind, ReadFile]]:
        found = [(FOLDERS.get(name.partition("/")[0]), file) for name, file in self.files.items()]
        return [(kind, file) for kind, file in found if kind is not None]

    @property
    def certificates(self) -> list[ReadFile]:
        return [file for name, file in self.files.items() if name.partition("/")[0] == CERTIFICATES]

    @property
    def parts(self) -> dict[str, list[ReadFile]]:
        """What belongs to apps above, by folder; a folder that holds nothing is there too."""
        found: dict[str, list[ReadFile]] = {folder: [] for folder in pack_parts()}
        for name, file in self.files.items():
            if (folder := name.partition("/")[0]) in found:
                found[folder].append(file)
        return found

    @property
    def digest(self) -> str:
        """Over every file in the folders, so that a changed sample or word counts as a change too."""
        total = sha256()
        for folder in self.folders:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    total.update(f"{path.relative_to(folder)}\0".encode() + sha256(path.read_bytes()).digest())
        return total.hexdigest()

    def path_of(self, relative: str) -> Path | None:
        """The file that holds: the region's, else the shipped one."""
        return next((path for folder in reversed(self.folders) if (path := folder / relative).is_file()), None)


@dataclass(slots=True)
class _Reading:
    files: dict[str, ReadFile] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    overridden: list[str] = field(default_factory=list)


def read_pack_folder(key: str, folders: tuple[Path, ...]) -> PackFolder:
    """The pack `key` of one folder, or of the shipped one and then the region's."""
    reading = _Reading()
    places = (*FOLDERS, CERTIFICATES, *pack_parts())
    for folder in folders:
        for path in sorted(folder.rglob("*.yaml")):
            relative = path.relative_to(folder).as_posix()
            if relative.partition("/")[0] in {*places, PACK_FILE}:
                _read_into(reading, path, relative, is_over=folder != folders[0])
            elif relative.partition("/")[0] not in {"standards", "samples"}:
                reason = _("这里不放这样的文件。")
                remedy = _("可用的文件夹：%(names)s。") % {"names": "、".join((*places, "standards", "samples"))}
                reading.findings.append(Finding("", reason, remedy, file=str(path), line=1))
        if folder != folders[0]:
            reading.overridden += [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    return PackFolder(key, folders, reading.files, tuple(reading.findings), tuple(reading.overridden))


def _read_into(reading: _Reading, path: Path, relative: str, *, is_over: bool) -> None:
    try:
        body, lines = read_marked(path)
    except UnreadableFile as fault:
        reading.findings.append(fault.finding)
        return
    below = reading.files.get(relative)
    extends = body.pop("extends", False)
    if extends and below is None:
        reason = _("写了 extends: true，但没有同名的自带文件可以接着写。")
        remedy = _("改回自带文件的名字，或去掉 extends，写出完整的定义。")
        reading.findings.append(Finding("extends", reason, remedy, file=str(path), line=1))
    elif extends and below is not None:
        reading.files[relative] = ReadFile(relative, merged(below.body, body), {**below.lines, **lines}, is_overridden=True)
    else:
        reading.files[relative] = ReadFile(relative, body, lines, is_overridden=is_over and below is not None)


class UnreadableFile(ValueError):
    """A file is no YAML, or not a mapping."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def read_marked(path: Path) -> tuple[dict[str, Any], dict[str, tuple[str, int]]]:
    """A YAML file and the line of everything in it, by path; a key that stands twice is a fault, as it is in no other reader."""
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except UnicodeDecodeError as fault:
        remedy = _("用 UTF-8 编码保存。")
        raise UnreadableFile(Finding("", _("文件不是 UTF-8 编码。"), remedy, file=str(path), line=1)) from fault
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        reason = _("这一行不是有效的 YAML：%(fault)s。") % {"fault": getattr(fault, "problem", "") or "?"}
        remedy = _("检查缩进、引号和冒号后的空格。")
        raise UnreadableFile(Finding("", reason, remedy, file=str(path), line=line)) from fault
    if not isinstance(node, yaml.MappingNode):
        raise UnreadableFile(Finding("", _("文件里应当是一组“名称: 内容”。"), file=str(path), line=1))
    lines: dict[str, tuple[str, int]] = {}
    _mark(node, "", str(path), lines)
    return _plain(yaml.load(text, Loader=yaml.CSafeLoader)), lines


def _mark(node: yaml.Node, path: str, file: str, lines: dict[str, tuple[str, int]]) -> None:
    lines[path] = (file, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            if name.value in seen:
                reason = _("“%(key)s”写了两次。") % {"key": name.value}
                place = joined(path, name.value)
                raise UnreadableFile(Finding(place, reason, _("留下一个。"), file=file, line=name.start_mark.line + 1))
            seen.add(name.value)
            _mark(value, joined(path, name.value), file, lines)
            lines[joined(path, name.value)] = (file, name.start_mark.line + 1)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _mark(item, joined(path, _name_of_node(item) or str(number)), file, lines)


def _name_of_node(node: yaml.Node) -> str:
    if not isinstance(node, yaml.MappingNode):
        return ""
    named = {name.value: value.value for name, value in node.value if isinstance(value, yaml.ScalarNode)}
    return str(named.get("key") or named.get("code") or "")


def joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def name_of(item: object) -> str:
    """What a thing in a list is called by, in paths and when it is merged."""
    return str(item.get("key") or item.get("code") or "") if isinstance(item, Mapping) else ""


def path_in(body: object, loc: tuple[int | str, ...]) -> str:
    """The path by names of a place that a reader gave by positions."""
    path, here = "", body
    for step in loc:
        if isinstance(here, list | tuple) and isinstance(step, int) and step < len(here):
            here = here[step]
            path = joined(path, name_of(here) or str(step))
        elif isinstance(here, Mapping) and step in here:
            here = here[step]
            path = joined(path, str(step))
        elif isinstance(here, Mapping):
            path = joined(path, str(step))
            here = None
    return path


def merged(base: Any, over: Any) -> Any:
    """`over` laid over `base`, as the head of this module says; neither is changed."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        told = {key: value for key, value in base.items() if not (key in over and over[key] is None)}
        for key, value in over.items():
            if value is not None:
                told[key] = merged(told[key], value) if key in told else _new(value)
        return told
    if isinstance(base, list) and isinstance(over, list) and _are_named(base) and _are_named(over):
        return _merged_lists(base, over)
    return _new(over)


def _are_named(items: list[Any]) -> bool:
    return all(name_of(item) for item in items)


def _merged_lists(base: list[Any], over: list[Any]) -> list[Any]:
    changes = {name_of(item): item for item in over}
    kept = [item for item in base if not changes.get(name_of(item), {}).get("remove")]
    told = [merged(item, changes[name_of(item)]) if name_of(item) in changes else item for item in kept]
    known = {name_of(item) for item in base}
    return told + [_new(item) for item in over if name_of(item) not in known and not item.get("remove")]


def _new(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _new(inner) for key, inner in value.items() if key != "remove" and inner is not None}
    return [_new(item) for item in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """As JSON can keep it: a date that YAML made of a text is that text again."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value
