"""Packs on disk, shipped and of the region, and what of them is installed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from pydantic import ValidationError

from shuren.casework.data import DefinitionKind, Finding, PackData
from shuren.casework.models import Pack
from shuren.casework.rules.checks.reading import spec_findings
from shuren.casework.rules.pack_files import PACK_FILE, PackFolder, ReadFile, joined, read_pack_folder
from shuren.casework.rules.specs.certificate import CertificateSpec
from shuren.casework.rules.specs.pack import BuildLevel, PackSpec
from shuren.casework.selectors.known import Specs, read_body
from shuren.kernel.errors import NotFound
from shuren.standards.data import ElementData

# Every installation has it, and every pack may name what it holds.
CORE = "core"


@dataclass(frozen=True, slots=True)
class ReadDefinition:
    """A definition of a pack; `spec` is None where the body could not be read, and `findings` then say why."""

    kind: DefinitionKind
    key: str
    file: ReadFile
    spec: Any | None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadCertificate:
    """A certificate of a pack, and the file it stands in."""

    file: ReadFile
    spec: CertificateSpec


@dataclass(frozen=True, slots=True)
class ReadPack:
    """A pack as its files say it."""

    folder: PackFolder
    spec: PackSpec | None
    findings: tuple[Finding, ...]
    definitions: tuple[ReadDefinition, ...] = field(default=())
    certificates: tuple[ReadCertificate, ...] = field(default=())

    @property
    def key(self) -> str:
        return self.folder.key

    @property
    def specs(self) -> Specs:
        return {(one.kind, one.key): one.spec for one in self.definitions if one.spec is not None}

    @property
    def needs(self) -> tuple[str, ...]:
        told = self.spec.needs if self.spec else ()
        return told if self.key == CORE or CORE in told else (CORE, *told)


def pack_keys() -> list[str]:
    """Every pack on disk: those that are shipped, and the region's own."""
    found = set()
    for folder in (Path(settings.SHUREN_PACKS_SHIPPED), Path(settings.SHUREN_PACKS)):
        found |= {path.name for path in folder.glob("*") if path.is_dir() and not path.name.startswith((".", "_"))}
    return sorted(found)


def pack_folder(key: str) -> PackFolder:
    """The files of a pack, the region's over the shipped ones."""
    if key not in pack_keys():
        raise NotFound(_("没有名为“%(key)s”的功能包。") % {"key": key[:60]}, remedy=_("用 shuren packs list 看有哪些。"))
    shipped, own = Path(settings.SHUREN_PACKS_SHIPPED) / key, Path(settings.SHUREN_PACKS) / key
    return read_pack_folder(key, tuple(folder for folder in (shipped, own) if folder.is_dir()))


def shipped_folder(key: str) -> PackFolder | None:
    """The pack as it is shipped, where it is."""
    shipped = Path(settings.SHUREN_PACKS_SHIPPED) / key
    return read_pack_folder(key, (shipped,)) if shipped.is_dir() else None


def read_pack(folder: PackFolder, elements: Mapping[str, ElementData]) -> ReadPack:
    """Everything in a pack read and bound; nothing is checked yet beyond what each file says by itself."""
    findings = list(folder.findings)
    spec = _pack_spec(folder, findings)
    definitions = []
    for kind, file in folder.definitions:
        read, faults = read_body(kind, file.body, elements)
        key = str(file.body.get("key", ""))
        expected = joined(folder.key, Path(file.relative).stem)
        if key != expected:
            said = {"key": key, "expected": expected}
            reason = _("名称 %(key)s 和文件名不符。") % said
            faults = [*faults, Finding("key", reason, _("写 key: %(expected)s，或改文件名。") % said)]
        definitions.append(ReadDefinition(kind, key, file, read, tuple(file.placed(fault) for fault in faults)))
    certificates = read_certificates(folder, findings)
    return ReadPack(folder, spec, tuple(findings), tuple(definitions), certificates)


def read_certificates(folder: PackFolder, findings: list[Finding]) -> tuple[ReadCertificate, ...]:
    """The certificates of a pack that can be read; what keeps the others from it is added to `findings`."""
    found = []
    for file in folder.certificates:
        try:
            found.append(ReadCertificate(file, CertificateSpec.model_validate(file.body)))
        except ValidationError as error:
            findings += [file.placed(finding) for finding in spec_findings(error, file.body)]
    return tuple(found)


def read_packs(elements: Mapping[str, ElementData]) -> dict[str, ReadPack]:
    """Every pack on disk, by key."""
    return {key: read_pack(pack_folder(key), elements) for key in pack_keys()}


def _pack_spec(folder: PackFolder, findings: list[Finding]) -> PackSpec | None:
    file = folder.files.get(PACK_FILE)
    if file is None:
        if not any(finding.file.endswith(PACK_FILE) for finding in findings):
            findings.append(Finding("", _("少了 pack.yaml。"), _("写上 key、title、version。"), file=str(folder.folders[-1])))
        return None
    try:
        spec = PackSpec.model_validate(file.body)
    except ValidationError as error:
        findings += [file.placed(finding) for finding in spec_findings(error, file.body)]
        return None
    if spec.key != folder.key:
        said = {"key": spec.key, "folder": folder.key}
        findings.append(file.placed(Finding("key", _("名称 %(key)s 和文件夹 %(folder)s 不符。") % said)))
    return spec


def in_order(packs: Iterable[ReadPack]) -> list[ReadPack]:
    """Each after those it needs; packs that need one another stand as they came, and their check says so."""
    waiting = {pack.key: pack for pack in packs}
    ordered: list[ReadPack] = []
    while waiting:
        ready = [pack for pack in waiting.values() if not (set(pack.needs) & waiting.keys()) - {pack.key}]
        for pack in ready or list(waiting.values()):
            ordered.append(waiting.pop(pack.key))
    return ordered


def pack_titles() -> dict[str, str]:
    """What the installed packs are called, by key, in the language of whoever reads."""
    is_english = (get_language() or "").startswith("en")
    return {row.key: (row.title_en if is_english else "") or row.title_zh for row in Pack.objects.all()}


def list_packs() -> list[PackData]:
    """Every pack on disk, and whether what is installed is what lies there."""
    installed = {pack.key: pack for pack in Pack.objects.all()}
    return [_pack_data(pack_folder(key), installed.get(key)) for key in pack_keys()]


def _pack_data(folder: PackFolder, row: Pack | None) -> PackData:
    body = folder.files[PACK_FILE].body if PACK_FILE in folder.files else {}
    title = body.get("title", folder.key)
    words = title if isinstance(title, Mapping) else {"zh": title}
    return PackData(
        key=folder.key,
        title_zh=str(words.get("zh", folder.key)),
        title_en=str(words.get("en", "")),
        version=str(body.get("version", "")),
        installed=row.version if row else "",
        is_shipped=folder.folders[0] == Path(settings.SHUREN_PACKS_SHIPPED) / folder.key,
        is_current=row is not None and row.digest == folder.digest,
        overridden=folder.overridden,
        definitions=len(folder.definitions) + sum(len(files) for files in folder.parts.values()),
        level=str(body.get("level", BuildLevel.OWN.value)),
    )
