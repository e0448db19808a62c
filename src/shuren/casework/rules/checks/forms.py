"""Forms and registers: everything that a field names exists, and formulas do not run in circles."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, Finding
from shuren.casework.rules.checks.circles import circle_findings
from shuren.casework.rules.checks.known import Known, expression_findings, fields_by_name, nearest
from shuren.casework.rules.checks.sources import source_findings
from shuren.casework.rules.patterns import pattern_fault
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.rules.values import longest_of
from shuren.standards.data import ElementType

_FITTING = {
    ElementType.TEXT: {FieldType.TEXT, FieldType.PARAGRAPH, FieldType.PERSON, FieldType.ORG, FieldType.ENTRY, FieldType.PLACE},
    ElementType.CODE: {FieldType.CODE, FieldType.CODES},
    ElementType.DATE: {FieldType.DATE},
    ElementType.INTEGER: {FieldType.INTEGER, FieldType.DECIMAL},
    ElementType.DECIMAL: {FieldType.DECIMAL, FieldType.INTEGER},
    ElementType.BOOLEAN: {FieldType.BOOLEAN},
}


def form_findings(form: FormSpec, known: Known) -> Iterator[Finding]:
    names = fields_by_name(form)
    for section in form.sections:
        path = f"sections.{section.key}"
        yield from expression_findings(section.shown_if, names, f"{path}.shown_if")
        for field in section.fields:
            yield from field_findings(field, names, known, f"{path}.fields.{field.key}")
    for number, rule in enumerate(form.rules):
        yield from expression_findings(rule.check, names, f"rules.{number}.check")
        yield from _at(rule.at, names, f"rules.{number}.at")
    for number, called in enumerate(form.functions):
        yield from known.missing_function(called.function, f"functions.{number}.function")
        yield from _at(called.at, names, f"functions.{number}.at")
    yield from expression_findings(form.label, names, "label")
    yield from circle_findings(form)
    yield from source_findings(form, known)
    if isinstance(form, RegisterSpec):
        yield from _register_findings(form, names, known)


def field_findings(field: FieldSpec, names: Mapping[str, FieldSpec], known: Known, path: str) -> Iterator[Finding]:
    """What one field names; a column may name the others of its row first."""
    for attribute, text in (("shown_if", field.shown_if), ("calculated", field.calculated), ("required", field.required)):
        if isinstance(text, str):
            yield from expression_findings(text, names, f"{path}.{attribute}")
    row = {**names, **{column.key: column for column in field.columns}}
    for column in field.columns:
        yield from field_findings(column, row, known, f"{path}.columns.{column.key}")
    if field.register_key:
        yield from known.missing(DefinitionKind.REGISTER, field.register_key, f"{path}.register")
    yield from _codes(field, known, path)
    yield from _limits(field, path)
    element = known.elements.get(field.element)
    if element is not None and field.type is not None and field.type not in _FITTING[element.type]:
        said = {"name": element.name_zh, "type": element.type.value}
        yield Finding(f"{path}.type", _("数据元“%(name)s”的类型是 %(type)s，这里不能另定类型。") % said, _("去掉 type。"))


def _codes(field: FieldSpec, known: Known, path: str) -> Iterator[Finding]:
    if field.code_set and field.code_set not in known.code_sets:
        remedy = nearest(field.code_set, known.code_sets)
        yield Finding(f"{path}.code_set", _("没有代码集“%(key)s”。") % {"key": field.code_set}, remedy)
        return
    codes = [option.code for option in field.options] or list(known.code_sets[field.code_set].codes if field.code_set else ())
    if field.type in (FieldType.CODE, FieldType.CODES) and not codes:
        yield Finding(path, _("选择题没有选项。"), _("写上 code_set，或用 options 列出选项。"))
    if field.type not in (FieldType.CODE, FieldType.CODES) and field.options:
        yield Finding(f"{path}.options", _("只有 code 和 codes 类型的字段有选项。"))
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        yield Finding(f"{path}.options", _("选项代码重复：%(codes)s。") % {"codes": "、".join(twice)})
    if field.type == FieldType.CODE and field.default is not None and codes and str(field.default) not in codes:
        yield Finding(f"{path}.default", _("默认值“%(code)s”不在选项里。") % {"code": field.default})


def _limits(field: FieldSpec, path: str) -> Iterator[Finding]:
    if field.minimum is not None and field.maximum is not None and field.minimum > field.maximum:
        yield Finding(f"{path}.minimum", _("最小值比最大值还大。"))
    if field.minimum_rows > field.maximum_rows:
        yield Finding(f"{path}.minimum_rows", _("最少行数比最多行数还多。"))
    if field.pattern and (fault := pattern_fault(field.pattern, longest_of(field))):
        yield Finding(f"{path}.pattern", *fault)


def _at(key: str, names: Mapping[str, FieldSpec], path: str) -> Iterator[Finding]:
    if key not in names:
        yield Finding(path, _("没有字段“%(key)s”。") % {"key": key}, nearest(key, names))


def _register_findings(register: RegisterSpec, names: Mapping[str, FieldSpec], known: Known) -> Iterator[Finding]:
    for key in register.identity:
        yield from _at(key, names, "identity")
    states = {state.key for state in register.states}
    for state in register.states:
        for to in state.to:
            if to not in states:
                yield Finding(f"states.{state.key}.to", _("没有状态“%(key)s”。") % {"key": to}, nearest(to, states))
    yield from _unreached(register)
    if register.change_by:
        yield from known.missing(DefinitionKind.FLOW, register.change_by, "change_by")
    if register.place and getattr(names.get(register.place), "type", None) != FieldType.PLACE:
        yield Finding("place", _("“%(key)s”不是 place 类型的字段。") % {"key": register.place})
    for view in register.views:
        for key in (*view.filters, *([view.sort.lstrip("-")] if view.sort else ())):
            if key not in names and key not in ("state", "label", "changed_at", "org"):
                yield Finding(f"views.{view.key}", _("没有字段“%(key)s”。") % {"key": key}, nearest(key, names))


def _unreached(register: RegisterSpec) -> Iterator[Finding]:
    if not register.states:
        return
    ways = {state.key: state.to for state in register.states}
    reached, waiting = set(), [register.states[0].key]
    while waiting:
        key = waiting.pop()
        if key not in reached:
            reached.add(key)
            waiting += ways.get(key, ())
    for state in register.states:
        if state.key not in reached:
            yield Finding(f"states.{state.key}", _("从第一个状态到不了这个状态。"), _("在某个状态的 to 里写上它。"))
