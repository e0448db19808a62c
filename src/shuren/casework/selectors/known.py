"""What a new definition may name now: everything in force, and the region's words."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from shuren.casework.data import DefinitionKind, DefinitionStatus, Finding
from shuren.casework.models import Definition
from shuren.casework.rules.binding import UnknownElement
from shuren.casework.rules.checks.all import definition_findings
from shuren.casework.rules.checks.known import Known
from shuren.casework.rules.checks.reading import spec_findings, unknown_elements
from shuren.casework.selectors.definitions import SPECS, bound_spec, read_version
from shuren.datahub import api as datahub
from shuren.standards import api as standards
from shuren.standards.data import CodeSetData, ElementData

Words = tuple[Mapping[str, ElementData], Mapping[str, CodeSetData]]
Specs = dict[tuple[DefinitionKind, str], Any]


def specs_in_force(*, without_packs: Iterable[str] = ()) -> Specs:
    """Every current spec by kind and key; one that cannot be read any more is left out."""
    rows = Definition.objects.filter(status=DefinitionStatus.IN_FORCE.value, current__isnull=False)
    found: Specs = {}
    for kind, key, version_id in rows.exclude(pack_id__in=list(without_packs)).values_list("kind", "key", "current_id"):
        try:
            found[DefinitionKind(kind), key] = read_version(version_id)
        except (ValidationError, UnknownElement):
            continue
    return found


def known_now(specs: Specs, *, functions: frozenset[str] | None, words: Words | None = None) -> Known:
    """With `words` of its own a pack is read, which knows nothing of what this region shares."""
    elements, code_sets = words or (standards.known_elements(), standards.known_code_sets())
    return Known(elements, code_sets, specs, functions, {} if words else datahub.shared_sources())


def read_body(kind: DefinitionKind, body: Any, elements: Mapping[str, ElementData]) -> tuple[Any | None, list[Finding]]:
    """The bound spec of a body, or else what keeps it from being read."""
    try:
        spec = SPECS[kind].model_validate(body)
    except ValidationError as error:
        return None, list(spec_findings(error, body))
    findings = list(unknown_elements(spec, elements))
    return (None, findings) if findings else (bound_spec(spec, elements.get), [])


def body_findings(kind: DefinitionKind, body: Any, known: Known) -> tuple[Any | None, list[Finding]]:
    """The spec, and everything that is wrong with it among what is `known`; the spec itself need not be."""
    spec, findings = read_body(kind, body, known.elements)
    if spec is not None:
        findings = definition_findings(kind, spec, known)
    return spec, findings
