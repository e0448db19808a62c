"""Install packs: as a whole or not at all, again without changing anything, and upgraded under the region's changes."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, DefinitionStatus, Finding, PackCounts
from shuren.casework.models import Definition, Pack
from shuren.casework.rules.pack_parts import part_of
from shuren.casework.selectors.packs import ReadPack, in_order, pack_folder, read_pack, read_packs
from shuren.casework.services.define import DefinitionRefused, retire_definition, write_definition
from shuren.casework.services.packs.check import findings_of, words_of
from shuren.kernel import audit, events
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Invalid, Refused, ShurenError
from shuren.standards import api as standards

# Forms and registers before what names them: nothing depends on it, but a reader of the audit trail finds them in order.
_ORDER = list(DefinitionKind)


def install_pack(*, actor: Actor, key: str, now: datetime) -> PackCounts:
    """Put everything of a pack into force, take out of force what left it; publishes `casework.pack_installed` where it changed.

    Only the house itself installs packs. Raises `DefinitionRefused` with all findings, before anything is written.
    """
    standards.forget_registry()
    pack_folder(key)
    return _install(actor, key, read_packs(standards.known_elements()), now)


def install_all(*, actor: Actor, now: datetime) -> tuple[list[PackCounts], list[Finding]]:
    """Every pack on disk, each in a transaction of its own, after those it needs.

    One that is refused keeps back only those that need it; the findings say which, and why.
    """
    standards.forget_registry()
    packs = read_packs(standards.known_elements())
    counts, findings = [], []
    for pack in in_order(packs.values()):
        try:
            counts.append(_install(actor, pack.key, packs, now))
        except DefinitionRefused as refused:
            findings += refused.findings
        except ShurenError as error:
            findings.append(Finding(pack.key, error.message, error.remedy))
    return counts, findings


@transaction.atomic
def ensure_pack(key: str, *, now: datetime) -> None:
    """Install a pack that an app itself rests on, unless it is there; only this pack and those it needs are read."""
    if Pack.objects.filter(pk=key).exists():
        return
    pack = read_pack(pack_folder(key), standards.known_elements())
    if findings := [*pack.findings, *(finding for one in pack.definitions for finding in one.findings)]:
        raise DefinitionRefused(findings)
    for needed in pack.needs:
        ensure_pack(needed, now=now)
    _write(SYSTEM, pack, pack.folder.digest, now)


@transaction.atomic
def _install(actor: Actor, key: str, packs: Mapping[str, ReadPack], now: datetime) -> PackCounts:
    if not actor.is_system:
        raise Refused(_("功能包由平台安装。"))
    pack = packs[key]
    words, findings = words_of(pack.folder)
    findings = [finding for finding in findings + findings_of(pack, packs, words) if finding.is_error]
    if findings:
        raise DefinitionRefused(findings)
    standards.load_registry()
    return _write(actor, pack, pack.folder.digest, now)


def _write(actor: Actor, pack: ReadPack, digest: str, now: datetime) -> PackCounts:
    assert pack.spec is not None
    _refuse_without(pack)
    before = Pack.objects.filter(pk=pack.key).first()
    row, _made = Pack.objects.update_or_create(
        key=pack.key,
        defaults={
            "title_zh": pack.spec.title.zh,
            "title_en": pack.spec.title.en,
            "version": pack.spec.version,
            "digest": digest,
            "overridden": list(pack.folder.overridden),
            "rows": {key: title.model_dump() for key, title in pack.spec.rows.items()},
            "installed_at": now if before is None or before.digest != digest else before.installed_at,
        },
    )
    added = changed = same = 0
    for one in sorted(pack.definitions, key=lambda one: (_ORDER.index(one.kind), one.key)):
        known = Definition.objects.filter(kind=one.kind.value, key=one.key).first()
        if known is not None and known.pack_id not in (None, pack.key):
            raise Invalid(_("“%(key)s”已经由功能包 %(pack)s 定义。") % {"key": one.key, "pack": known.pack_id})
        written = write_definition(actor=actor, kind=one.kind, body=one.file.body, spec=one.spec, org=None, pack=row, now=now)
        if known is None:
            added += 1
        elif known.current_id != written.current_id or known.status != written.status:
            changed += 1
        else:
            same += 1
    retired = _retire_rest(actor, pack, row, now)
    for folder, files in pack.folder.parts.items():
        part = part_of(folder).install(pack.key, [file.body for file in files], actor, now)
        added, changed, same, retired = added + part.added, changed + part.changed, same + part.same, retired + part.retired
    counts = PackCounts(pack.key, pack.spec.version, added, changed, same, retired)
    if before is None or before.digest != digest:
        said = {"version": counts.version, "added": added, "changed": changed, "retired": retired}
        audit.record(actor=actor, action="casework.pack_installed", target=f"pack:{pack.key}", details=said, now=now)
        events.publish("casework.pack_installed", {"pack": pack.key, **said}, now=now)
    return counts


def _refuse_without(pack: ReadPack) -> None:
    installed = set(Pack.objects.values_list("key", flat=True))
    if missing := [key for key in pack.needs if key not in installed]:
        names = "、".join(missing)
        reason = _("“%(key)s”要先装上 %(names)s。") % {"key": pack.key, "names": names}
        raise Invalid(reason, remedy=_("先运行 shuren packs install %(key)s，或用 --all。") % {"key": missing[0]})


def _retire_rest(actor: Actor, pack: ReadPack, row: Pack, now: datetime) -> int:
    kept = {(one.kind.value, one.key) for one in pack.definitions}
    retired = 0
    for definition in row.definitions.exclude(status=DefinitionStatus.RETIRED.value):
        if (definition.kind, definition.key) not in kept:
            retire_definition(actor=actor, definition=definition, now=now)
            retired += 1
    return retired
