"""Definitions that are described to programs: those of packs to everybody, what was built here to those whom it serves."""

from datetime import datetime

from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, DefinitionStatus
from shuren.casework.models import Definition
from shuren.casework.selectors.cases import startable_flows
from shuren.casework.selectors.definitions import definition_named, spec_of
from shuren.casework.selectors.drafts import definitions_built
from shuren.casework.selectors.entries import register_access
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound

_DESCRIBED = (DefinitionKind.FORM, DefinitionKind.FLOW, DefinitionKind.REGISTER)


def access_described(*, actor: Actor, kind: DefinitionKind, key: str, now: datetime) -> Definition:
    """A form, flow or register in force; without a pack only for those who start it, build there or read the register."""
    found = definition_named(kind, key)
    is_described = kind in _DESCRIBED and found.status == DefinitionStatus.IN_FORCE.value
    if is_described and (found.pack_id is not None or _serves(found, actor, now)):
        return found
    raise NotFound(_("没有名为“%(key)s”的定义。") % {"key": key[:100]})


def _serves(definition: Definition, actor: Actor, now: datetime) -> bool:
    if definition.kind == DefinitionKind.REGISTER.value:
        return not register_access(actor, definition, now).is_empty
    if definitions_built(actor=actor, now=now).filter(pk=definition.pk).exists():
        return True
    flows = startable_flows(actor=actor, now=now)
    if definition.kind == DefinitionKind.FLOW.value:
        return definition in flows
    return any(spec_of(flow).form == definition.key for flow in flows)
