"""Certificates that cases end with: which are named, which packs bring along, and which the region cannot give yet.

Templates belong to an app above. It announces in its configuration (`case_certificates`, a dotted path) a function of
(names, actor, now) that tells for each name without a template, in the branch where the actor gives certificates, the
address at which one is made.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.utils.module_loading import import_string

from shuren.casework.data import BroughtCertificate, DefinitionKind, DefinitionStatus
from shuren.casework.models import Definition, Pack
from shuren.casework.rules.specs.certificate import OF_HOLDER, CertificateSpec
from shuren.casework.selectors.definitions import spec_of
from shuren.casework.selectors.packs import pack_folder, pack_keys, read_certificates
from shuren.kernel.data import Actor


@dataclass(frozen=True, slots=True)
class CertificateNamed:
    """A certificate that ends name: titles of the flows that give it, and where its template is made if it is missing."""

    name: str
    flows: tuple[str, ...]
    make_url: str = ""


def certificates_named(*, actor: Actor, pack: str = "", now: datetime) -> list[CertificateNamed]:
    """Every certificate that a flow in force, of that pack if one is named, may end with; by name."""
    rows = Definition.objects.filter(
        kind=DefinitionKind.FLOW.value, status=DefinitionStatus.IN_FORCE.value, current__isnull=False
    ).order_by("key")
    if pack:
        rows = rows.filter(pack_id=pack)
    flows: dict[str, list[str]] = {}
    for row in rows:
        for name in dict.fromkeys(end.certificate for end in spec_of(row).ends if end.certificate):
            flows.setdefault(name, []).append(row.title)
    missing = certificates_missing(flows, actor=actor, now=now)
    return [CertificateNamed(name, tuple(titles), missing.get(name, "")) for name, titles in sorted(flows.items())]


def certificates_missing(names: Collection[str], *, actor: Actor, now: datetime) -> Mapping[str, str]:
    """The names without a template, each with the address at which the actor makes one."""
    if not names:
        return {}
    paths = (getattr(config, "case_certificates", "") for config in apps.get_app_configs())
    found: dict[str, str] = {}
    for path in filter(None, paths):
        found |= import_string(path)(names, actor=actor, now=now)
    return found


def certificates_brought(pack: str = "") -> list[BroughtCertificate]:
    """The certificates of the installed packs, or of one of them, with the region's changes; unreadable ones are left out."""
    installed = Pack.objects.filter(pk=pack) if pack else Pack.objects.all()
    keys = set(installed.values_list("key", flat=True)) & set(pack_keys())
    unread: list[Any] = []
    return [_brought(one.spec) for key in sorted(keys) for one in read_certificates(pack_folder(key), unread)]


def _brought(spec: CertificateSpec) -> BroughtCertificate:
    return BroughtCertificate(
        name=spec.name,
        name_en=spec.name_en,
        kind=spec.kind,
        criteria=spec.criteria,
        wording=spec.wording,
        layout=spec.layout,
        seal_text=spec.seal_text,
        valid_months=spec.valid_months,
        levels=tuple(level.value for level in spec.levels),
        fields=tuple(place for place in spec.places if place not in OF_HOLDER),
    )
