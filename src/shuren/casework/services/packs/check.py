"""Check packs: everything they hold and everything they name, before anything is installed."""

from collections.abc import Iterator, Mapping
from csv import reader
from dataclasses import replace
from pathlib import Path

import yaml
from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, Finding
from shuren.casework.rules.checks.all import definition_findings, untranslated
from shuren.casework.rules.checks.certificates import certificate_findings
from shuren.casework.rules.checks.indicators import figure_findings
from shuren.casework.rules.checks.known import Known, nearest
from shuren.casework.rules.checks.sources import source_place_findings
from shuren.casework.rules.functions import function_names
from shuren.casework.rules.pack_files import PACK_FILE, PackFolder, joined, read_pack_folder
from shuren.casework.rules.pack_parts import part_of
from shuren.casework.rules.specs.flow import FlowSpec
from shuren.casework.selectors.certificates import certificates_missing
from shuren.casework.selectors.known import Words, known_now, specs_in_force
from shuren.casework.selectors.packs import ReadPack, pack_folder, read_pack, read_packs
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid
from shuren.standards import api as standards
from shuren.standards.data import ElementData

# What has samples, and in which form.
_SAMPLED = {DefinitionKind.REGISTER: "csv", DefinitionKind.FORM: "yaml", DefinitionKind.FLOW: "yaml"}


def check_pack(folder: Path | str) -> list[Finding]:
    """What is wrong with a pack, by its key or in a folder of its own; warnings are findings that are no errors."""
    standards.forget_registry()
    read = pack_folder(folder) if isinstance(folder, str) else read_pack_folder(folder.name, (folder,))
    words, findings = words_of(read)
    pack = read_pack(read, words[0])
    return findings + findings_of(pack, read_packs(words[0]), words)


def words_of(folder: PackFolder) -> tuple[Words, list[Finding]]:
    """The region's words with those of the pack, and what is wrong with the latter."""
    findings = []
    words: Words = standards.known_elements(), standards.known_code_sets()
    for part in folder.folders:
        try:
            words = standards.words_with(part / "standards")
        except Invalid as fault:
            findings.append(Finding("", str(fault), _("改正 standards 里的这一条。"), file=str(part / "standards")))
    return words, findings


def findings_of(pack: ReadPack, packs: Mapping[str, ReadPack], words: Words) -> list[Finding]:
    """What is wrong with a pack that was read, among the other packs on disk."""
    others = {key: other for key, other in packs.items() if key != pack.key}
    findings = [*pack.findings, *(finding for one in pack.definitions for finding in one.findings)]
    reached, faults = _reached(pack, others)
    specs = specs_in_force(without_packs={pack.key, *others})
    for key in reached:
        specs |= others[key].specs
    known = known_now({**specs, **pack.specs}, functions=function_names(), words=words)
    findings += faults
    findings += _sources(pack, known)
    for one in pack.definitions:
        if one.spec is not None:
            told = [*definition_findings(one.kind, one.spec, known), *untranslated(one.spec)]
            findings += [one.file.placed(finding) for finding in told]
    findings += _certificates(pack, [others[key] for key in reached], known)
    findings += _parts(pack, known)
    findings += _rows(pack)
    findings += _samples(pack)
    return findings


def _reached(pack: ReadPack, others: dict[str, ReadPack]) -> tuple[set[str], list[Finding]]:
    """The packs whose definitions may be named: those it needs, and what they need."""
    findings: list[Finding] = []
    reached: set[str] = set()
    waiting = list(pack.needs)
    file = pack.folder.files.get(PACK_FILE)
    while waiting:
        key = waiting.pop()
        if key == pack.key:
            finding = Finding("needs", _("几个功能包互相需要，装不上。"), _("把共用的定义移到其中一个里。"))
            findings.append(file.placed(finding) if file else finding)
        elif key not in others:
            finding = Finding("needs", _("没有名为“%(key)s”的功能包。") % {"key": key}, nearest(key, others))
            findings.append(file.placed(finding) if file else finding)
        elif key not in reached:
            reached.add(key)
            waiting += others[key].needs
    return reached, findings


def _sources(pack: ReadPack, known: Known) -> Iterator[Finding]:
    """Elements that this pack brings lead to places that exist."""
    for code in _own_codes(pack.folder):
        element: ElementData | None = known.elements.get(code)
        if element is not None:
            for finding in source_place_findings(element, known):
                yield Finding(finding.path, finding.reason, finding.remedy, file=f"{pack.key}/standards/elements.yaml", line=1)


def _own_codes(folder: PackFolder) -> list[str]:
    path = folder.path_of("standards/elements.yaml")
    try:
        entries = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) if path else []
    except yaml.YAMLError:
        return []
    return [str(entry.get("code", "")) for entry in entries or [] if isinstance(entry, dict)]


def _certificates(pack: ReadPack, reached: list[ReadPack], known: Known) -> Iterator[Finding]:
    """The pack's certificates, and ends that name one that neither a pack nor the region has."""
    for certificate in pack.certificates:
        for finding in certificate_findings(certificate.spec, known):
            yield certificate.file.placed(finding)
    brought = {one.spec.name for other in (pack, *reached) for one in other.certificates}
    ends = [(one, end) for one in pack.definitions if isinstance(one.spec, FlowSpec) for end in one.spec.ends]
    named = {end.certificate for _one, end in ends if end.certificate} - brought
    missing = certificates_missing(named, actor=SYSTEM, now=clock.now())
    for one, end in ends:
        if end.certificate in missing:
            reason = _("平台没有名为“%(name)s”的证书模板，办结后发不出来。") % {"name": end.certificate}
            remedy = _("在“发放证书”里新建这个名称的模板，或在功能包的 certificates 里带一个。")
            yield one.file.placed(Finding(f"ends.{end.key}.certificate", reason, remedy, is_error=False))


def _parts(pack: ReadPack, known: Known) -> Iterator[Finding]:
    """Files of apps above: what those say of them, their names, and the figures that they ask of this app."""
    for folder, files in pack.folder.parts.items():
        for file in files:
            part = part_of(folder)
            expected = joined(pack.key, Path(file.relative).stem)
            if file.body.get("key") != expected:
                reason = _("名称 %(key)s 和文件名不符。") % {"key": file.body.get("key", ""), "expected": expected}
                yield file.placed(Finding("key", reason, _("写 key: %(expected)s，或改文件名。") % {"expected": expected}))
            for finding in part.check(file.body):
                yield file.placed(finding)
            for path, asked in part.figures(file.body).items():
                for finding in figure_findings(asked, known):
                    yield file.placed(replace(finding, path=joined(path, finding.path)))


def _rows(pack: ReadPack) -> Iterator[Finding]:
    """Every row that a definition fulfils has its title in `pack.yaml`, and every row there is fulfilled by something."""
    if pack.spec is None:
        return
    file = pack.folder.files[PACK_FILE]
    told = {row for one in pack.definitions if one.spec is not None for row in getattr(one.spec, "rows", ())}
    for part_file in (one for files in pack.folder.parts.values() for one in files):
        for row in part_file.body.get("rows") or ():
            told.add(row)
            if row not in pack.spec.rows:
                yield part_file.placed(Finding("rows", _("pack.yaml 的 rows 里没有 %(row)s 的名称。") % {"row": row}))
    for one in pack.definitions:
        for row in getattr(one.spec, "rows", ()):
            if row not in pack.spec.rows:
                yield one.file.placed(Finding("rows", _("pack.yaml 的 rows 里没有 %(row)s 的名称。") % {"row": row}))
    for row in sorted(pack.spec.rows.keys() - told):
        finding = Finding(
            f"rows.{row}", _("没有定义说自己做到了 %(row)s。") % {"row": row}, _("在定义里写 rows。"), is_error=False
        )
        yield file.placed(finding)


def _samples(pack: ReadPack) -> Iterator[Finding]:
    """Samples may be missing in a region's own pack; one that belongs to nothing is a slip."""
    names = {Path(one.file.relative).stem: one for one in pack.definitions if one.kind in _SAMPLED}
    for one in names.values():
        relative = f"samples/{Path(one.file.relative).stem}.{_SAMPLED[one.kind]}"
        path = pack.folder.path_of(relative)
        if path is None and one.kind is not DefinitionKind.FLOW:
            yield one.file.placed(Finding("", _("没有样例 %(file)s。") % {"file": relative}, is_error=False))
        elif path is not None and path.suffix == ".csv" and one.spec is not None:
            with path.open(encoding="utf-8-sig", newline="") as file:
                header = next(reader(file), [])
            fields = {field.key for field in one.spec.fields}
            for column in header:
                if column.partition(".")[0] not in fields | {"org", "state"}:
                    reason = _("样例里的“%(key)s”不是台账的字段。") % {"key": column}
                    # The region may have taken the field out: its change is not kept back by rows that nobody imports.
                    yield Finding(column, reason, nearest(column, fields), is_error=False, file=str(path), line=1)
