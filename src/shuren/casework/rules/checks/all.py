"""One door to all checks of a definition."""

from collections.abc import Callable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, Finding
from shuren.casework.rules.checks.flows import flow_findings
from shuren.casework.rules.checks.forms import form_findings
from shuren.casework.rules.checks.indicators import indicator_findings
from shuren.casework.rules.checks.known import Known
from shuren.casework.rules.checks.works import collection_findings, draw_findings, item_findings
from shuren.casework.rules.pack_files import joined, name_of
from shuren.casework.rules.specs.words import Spec, Words

_CHECKS: dict[DefinitionKind, Callable[[Any, Known], Iterator[Finding]]] = {
    DefinitionKind.FORM: form_findings,
    DefinitionKind.REGISTER: form_findings,
    DefinitionKind.FLOW: flow_findings,
    DefinitionKind.COLLECTION: collection_findings,
    DefinitionKind.ITEM: item_findings,
    DefinitionKind.DRAW: draw_findings,
    DefinitionKind.INDICATOR: indicator_findings,
}


def definition_findings(kind: DefinitionKind, spec: Any, known: Known) -> list[Finding]:
    """Everything that is wrong with a definition that was read and bound; `known.specs` may or may not hold it already."""
    return list(_CHECKS[kind](spec, known))


def untranslated(spec: Any, path: str = "") -> Iterator[Finding]:
    """Texts that say nothing in English: no error, for a region may do without."""
    if isinstance(spec, Words):
        if not spec.en:
            yield Finding(path, _("没有英文。"), _("写成 {zh: …, en: …}。"), is_error=False)
    elif isinstance(spec, Spec):
        for name in type(spec).model_fields:
            yield from untranslated(getattr(spec, name), joined(path, name))
    elif isinstance(spec, tuple):
        for number, item in enumerate(spec):
            key = getattr(item, "key", "") or getattr(item, "code", "") or name_of(item)
            yield from untranslated(item, joined(path, key or str(number)))
    elif isinstance(spec, dict):
        for key, item in spec.items():
            yield from untranslated(item, joined(path, str(key)))
