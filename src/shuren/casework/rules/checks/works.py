"""Collections, service items and draws: what they name exists and fits together."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, Finding
from shuren.casework.rules.checks.flows import may_be_held
from shuren.casework.rules.checks.known import Known, expression_findings, fields_by_name, nearest
from shuren.casework.rules.specs.flow import FlowSpec
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.rules.specs.work import CollectionSpec, DrawSpec, ItemSpec


def collection_findings(collection: CollectionSpec, known: Known) -> Iterator[Finding]:
    yield from known.missing(DefinitionKind.FORM, collection.form, "form")
    if collection.flow:
        yield from known.missing(DefinitionKind.FLOW, collection.flow, "flow")
        flow = known.spec(DefinitionKind.FLOW, collection.flow)
        if isinstance(flow, FlowSpec) and flow.form != collection.form:
            said = {"flow": collection.flow, "form": flow.form}
            yield Finding("flow", _("流程 %(flow)s 审的是另一张表：%(form)s。") % said)
    for kind in collection.to:
        if not any(may_be_held(role, kind) for role in collection.filled_by):
            yield Finding("filled_by", _("在 %(kind)s 没有人能填。") % {"kind": kind.value}, _("在 filled_by 里加上那里的角色。"))


def item_findings(item: ItemSpec, known: Known) -> Iterator[Finding]:
    yield from known.missing(DefinitionKind.FLOW, item.flow, "flow")
    for material in item.materials:
        path = f"materials.{material.key}"
        if material.element and material.element not in known.elements:
            remedy = nearest(material.element, known.elements)
            yield Finding(f"{path}.element", _("没有数据元“%(key)s”。") % {"key": material.element}, remedy)
        if material.register_key:
            yield from known.missing(DefinitionKind.REGISTER, material.register_key, f"{path}.register")
            register = known.spec(DefinitionKind.REGISTER, material.register_key)
            if isinstance(register, RegisterSpec) and material.field and register.field_named(material.field) is None:
                remedy = nearest(material.field, [field.key for field in register.fields])
                yield Finding(f"{path}.field", _("台账里没有字段“%(key)s”。") % {"key": material.field}, remedy)


def draw_findings(draw: DrawSpec, known: Known) -> Iterator[Finding]:
    for name, key, text in (
        ("objects", draw.objects, draw.object_filter),
        ("inspectors", draw.inspectors, draw.inspector_filter),
    ):
        yield from known.missing(DefinitionKind.REGISTER, key, name)
        names = fields_by_name(known.spec(DefinitionKind.REGISTER, key))
        if names:
            yield from expression_findings(text, names, f"{name[:-1]}_filter")
    objects = fields_by_name(known.spec(DefinitionKind.REGISTER, draw.objects))
    inspectors = fields_by_name(known.spec(DefinitionKind.REGISTER, draw.inspectors))
    if draw.strata and objects and draw.strata not in objects:
        yield Finding("strata", _("没有字段“%(key)s”。") % {"key": draw.strata}, nearest(draw.strata, objects))
    both = {f"object.{key}": field for key, field in objects.items()}
    both |= {f"inspector.{key}": field for key, field in inspectors.items()}
    for number, conflict in enumerate(draw.conflicts):
        if objects and inspectors:
            yield from expression_findings(conflict.when, both, f"conflicts.{number}.when")
    if draw.flow:
        yield from known.missing(DefinitionKind.FLOW, draw.flow, "flow")
