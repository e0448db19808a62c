"""Forms and flows as builders see them: what is in force, what is being built, and what may be named in them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, DefinitionStatus, Finding
from shuren.casework.models import Definition, DefinitionDraft, DefinitionVersion
from shuren.casework.rules.changes import Change, form_changes
from shuren.casework.rules.checks.flows import lists_people
from shuren.casework.rules.flow_changes import flow_changes
from shuren.casework.rules.functions import function_names
from shuren.casework.rules.specs.flow import FlowSpec
from shuren.casework.rules.specs.form import FormSpec
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.selectors.definitions import form_of, read_version
from shuren.casework.selectors.known import body_findings, known_now, specs_in_force
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import path_q
from shuren.standards import api as standards
from shuren.standards.data import ElementData

BUILT = (DefinitionKind.FORM.value, DefinitionKind.FLOW.value)
_OFFERED = 8


@dataclass(frozen=True, slots=True)
class Checked:
    """A body read: the spec where it can be, and everything that is wrong with it."""

    spec: Any | None
    findings: list[Finding]

    @property
    def is_sound(self) -> bool:
        return self.spec is not None and not any(finding.is_error for finding in self.findings)


def paths_built(*, actor: Actor, now: datetime) -> tuple[str, ...]:
    """The branches in which the actor may define; empty for everybody else."""
    return directory.scope_of(actor=actor, permission=Permission.DEFINE_CASEWORK, now=now).paths


def definitions_built(*, actor: Actor, now: datetime) -> QuerySet[Definition]:
    """Forms and flows of the actor's orgs, and those of packs, which everybody who builds may look at and copy."""
    paths = paths_built(actor=actor, now=now)
    rows = Definition.objects.filter(kind__in=BUILT, current__isnull=False).select_related("pack", "org", "current")
    if not paths:
        return rows.none()
    return rows.filter(Q(pack__isnull=False) | path_q("org_path", paths)).order_by("pack_id", "kind", "key")


def access_definition(*, actor: Actor, id: int, now: datetime) -> Definition:
    """A form or flow that the actor may look at as a builder."""
    found = definitions_built(actor=actor, now=now).filter(pk=id).first()
    if found is None:
        raise NotFound(_("没有找到这个定义。"))
    return found


def may_change(definition: Definition, *, actor: Actor, now: datetime) -> bool:
    """Packs are changed in the region's folder; what was built here by whoever may define where it belongs."""
    paths = paths_built(actor=actor, now=now)
    return definition.pack_id is None and any(definition.org_path.startswith(path) for path in paths)


def drafts_of(*, actor: Actor, now: datetime) -> QuerySet[DefinitionDraft]:
    paths = paths_built(actor=actor, now=now)
    return DefinitionDraft.objects.filter(path_q("org_path", paths)).select_related("org", "definition").order_by("-changed_at")


def access_draft(*, actor: Actor, id: int, now: datetime) -> DefinitionDraft:
    found = drafts_of(actor=actor, now=now).filter(pk=id).first()
    if found is None:
        raise NotFound(_("没有找到这份草稿。"))
    return found


def checked_body(kind: DefinitionKind, body: Any) -> Checked:
    """What would be said of a body if it were put into force now."""
    spec, findings = body_findings(kind, body, known_now(specs_in_force(), functions=function_names()))
    return Checked(spec, findings)


def elements_like(text: str, *, language: str) -> list[ElementData]:
    """Data elements whose name or code holds what was typed, those that begin with it first; a few."""
    wanted = text.strip().casefold()
    if not wanted:
        return []
    found = []
    for element in standards.known_elements().values():
        names = [name.casefold() for name in (element.name_zh, element.name_en, element.code)]
        # Typing on beyond the name of an element still finds it: 学校名称（全称）.
        if any(wanted in name for name in names) or (len(element.name_zh) > 1 and element.name_zh.casefold() in wanted):
            found.append((not any(name == wanted for name in names), not any(name.startswith(wanted) for name in names), element))
    found.sort(key=lambda told: (told[0], told[1], len(told[2].name(language)), told[2].code))
    return [element for _exact, _begins, element in found[:_OFFERED]]


def version_changes(definition: Definition) -> list[tuple[DefinitionVersion, list[Change] | None]]:
    """Every version, newest first, with what changed against the one before; None for the first."""
    versions = list(definition.versions.order_by("number"))
    found: list[tuple[DefinitionVersion, list[Change] | None]] = []
    for place, version in enumerate(versions):
        before = read_version(versions[place - 1].pk) if place else None
        found.append((version, changes_between(before, read_version(version.pk)) if before is not None else None))
    return found[::-1]


def changes_between(before: Any, after: Any) -> list[Change]:
    if isinstance(before, FormSpec) and isinstance(after, FormSpec):
        return form_changes(before, after)
    if isinstance(before, FlowSpec) and isinstance(after, FlowSpec):
        return flow_changes(before, after)
    return []


def choices_for(kind: DefinitionKind) -> dict[str, list[tuple[str, str]]]:
    """What a builder may choose from: code sets, registers, forms in force; for flows whatever else a stage or an end names."""
    language = get_language() or ""
    in_force = Definition.objects.filter(status=DefinitionStatus.IN_FORCE.value, current__isnull=False).order_by("key")
    kinds = {"registers": DefinitionKind.REGISTER, "forms": DefinitionKind.FORM}
    found = {name: [(row.key, row.title) for row in in_force.filter(kind=one.value)] for name, one in kinds.items()}
    found["code_sets"] = [(key, one.name(language)) for key, one in sorted(standards.known_code_sets().items())]
    specs = specs_in_force() if kind == DefinitionKind.FLOW else {}
    people = {key for (_kind, key), spec in specs.items() if isinstance(spec, RegisterSpec) and lists_people(spec)}
    flows = [spec for spec in specs.values() if isinstance(spec, FlowSpec)]
    found["pools"] = [pair for pair in found["registers"] if pair[0] in people]
    found["certificates"] = [(name, "") for name in sorted({end.certificate for flow in flows for end in flow.ends} - {""})]
    found["elementCodes"] = [(code, element.name(language)) for code, element in sorted(standards.known_elements().items())]
    return found


def form_around(body: Any) -> FormSpec | None:
    """The form in force that a body of a flow runs over."""
    return _in_force(DefinitionKind.FORM, body.get("form"))


def registers_around(body: Any) -> dict[str, RegisterSpec]:
    """The registers in force that the ends of a body write into."""
    keys = [entry.get("register") for end in _parts(body, "ends") for entry in _parts(end, "entries")]
    found = {key: _in_force(DefinitionKind.REGISTER, key) for key in keys if isinstance(key, str)}
    return {key: spec for key, spec in found.items() if isinstance(spec, RegisterSpec)}


def _parts(whole: Any, name: str) -> list[dict[str, Any]]:
    """The things in a list of a body that may still be as wrong as it likes."""
    found = whole.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _in_force(kind: DefinitionKind, key: Any) -> FormSpec | None:
    version_id = current_version_id(kind, key) if isinstance(key, str) else None
    return form_of(version_id) if version_id else None


def current_version_id(kind: DefinitionKind, key: str) -> int | None:
    """The version in force of a definition, where there is one."""
    rows = Definition.objects.filter(kind=kind.value, key=key, status=DefinitionStatus.IN_FORCE.value)
    return rows.values_list("current_id", flat=True).first()
