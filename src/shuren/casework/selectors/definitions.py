"""What is defined, read once: a version never changes, so its spec is kept for as long as the process lives."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Definition, DefinitionVersion
from shuren.casework.rules.binding import UnknownElement, bound_fields, bound_form
from shuren.casework.rules.specs.flow import FlowSpec
from shuren.casework.rules.specs.form import FormSpec
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.rules.specs.words import Spec
from shuren.casework.rules.specs.work import CollectionSpec, DrawSpec, IndicatorSpec, ItemSpec
from shuren.kernel.errors import NotFound
from shuren.standards import api as standards
from shuren.standards.data import ElementData

SPECS: dict[DefinitionKind, type[Spec]] = {
    DefinitionKind.FORM: FormSpec,
    DefinitionKind.FLOW: FlowSpec,
    DefinitionKind.REGISTER: RegisterSpec,
    DefinitionKind.COLLECTION: CollectionSpec,
    DefinitionKind.ITEM: ItemSpec,
    DefinitionKind.DRAW: DrawSpec,
    DefinitionKind.INDICATOR: IndicatorSpec,
}


def definition_named(kind: DefinitionKind, key: str) -> Definition:
    """The definition with its current version; `NotFound` where there is none, or none yet in force."""
    found = Definition.objects.select_related("current").filter(kind=kind.value, key=key, current__isnull=False).first()
    if found is None:
        raise NotFound(_("没有名为“%(key)s”的定义。") % {"key": key[:100]})
    return found


def spec_of(definition: Definition) -> Any:
    """The current spec of a definition, of the type its kind says."""
    if definition.current_id is None:
        raise NotFound(_("没有名为“%(key)s”的定义。") % {"key": definition.key})
    return read_version(definition.current_id)


def form_of(version_id: int) -> FormSpec:
    """The form behind a version of a form or a register, its fields bound to their elements."""
    spec = read_version(version_id)
    assert isinstance(spec, FormSpec)
    return spec


def register_of(version_id: int) -> RegisterSpec:
    spec = read_version(version_id)
    assert isinstance(spec, RegisterSpec)
    return spec


def flow_of(version_id: int) -> FlowSpec:
    """The flow, what deciders fill in at its stages bound to elements too."""
    spec = read_version(version_id)
    assert isinstance(spec, FlowSpec)
    return spec


@lru_cache(maxsize=4096)
def read_version(version_id: int) -> Any:
    """The spec of a version, of the type its kind says."""
    version = DefinitionVersion.objects.select_related("definition").get(pk=version_id)
    return read_spec(DefinitionKind(version.definition.kind), version.body)


def read_spec(kind: DefinitionKind, body: dict[str, Any]) -> Any:
    """A body as it is written, read and bound; raises pydantic's `ValidationError` or `UnknownElement`.

    An element that is not known may have come with a pack installed by another process: the words are then read once more.
    """
    spec = SPECS[kind].model_validate(body)
    try:
        return bound_spec(spec, standards.known_element)
    except UnknownElement:
        standards.forget_registry()
        return bound_spec(spec, standards.known_element)


def bound_spec(spec: Any, element: Callable[[str], ElementData | None]) -> Any:
    """The spec with the fields of forms, registers and stages bound to their elements; raises `UnknownElement`."""
    if isinstance(spec, FormSpec):
        return bound_form(spec, element)
    if isinstance(spec, FlowSpec):
        stages = tuple(stage.model_copy(update={"fields": bound_fields(stage.fields, element)}) for stage in spec.stages)
        return spec.model_copy(update={"stages": stages})
    return spec
