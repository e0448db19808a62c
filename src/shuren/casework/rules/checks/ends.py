"""Ends of flows: every entry that they make or change fits its register, and none is written twice."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, Finding
from shuren.casework.rules.checks.known import Known, expression_findings, nearest
from shuren.casework.rules.specs.flow import EndSpec, EntrySpec
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.casework.rules.specs.register import RegisterSpec


def end_findings(end: EndSpec, names: Mapping[str, FieldSpec], form: FormSpec | None, known: Known) -> Iterator[Finding]:
    path = f"ends.{end.key}"
    yield from known.missing_function(end.function, f"{path}.function")
    written: set[str] = set()
    for number, entry in enumerate(end.entries):
        yield from _entry(entry, names, known, f"{path}.entries.{number}")
        if entry.each or entry.when or not _is_named(entry, form):
            continue
        if entry.register_key in written:
            reason = _("表单里选的那一条“%(key)s”在这个结果里写了两次。") % {"key": entry.register_key}
            yield Finding(f"{path}.entries.{number}", reason, _("合成一条，或用 when 说明各在什么时候写。"))
        written.add(entry.register_key)


def _is_named(entry: EntrySpec, form: FormSpec | None) -> bool:
    fields = form.fields if form else ()
    return any(field.type is FieldType.ENTRY and field.register_key == entry.register_key for field in fields)


def _entry(entry: EntrySpec, names: Mapping[str, FieldSpec], known: Known, path: str) -> Iterator[Finding]:
    yield from known.missing(DefinitionKind.REGISTER, entry.register_key, f"{path}.register")
    if entry.each:
        table = names.get(entry.each)
        if table is None or table.type is not FieldType.TABLE:
            tables = [key for key, field in names.items() if field.type is FieldType.TABLE]
            yield Finding(f"{path}.each", _("“%(key)s”不是表格。") % {"key": entry.each}, nearest(entry.each, tables))
            return
        names = {**names, **{column.key: column for column in table.columns}}
    yield from expression_findings(entry.when, names, f"{path}.when")
    field = names.get(entry.org)
    if entry.org and (field is None or field.type is not FieldType.ORG):
        orgs = [key for key, field in names.items() if field.type is FieldType.ORG]
        yield Finding(f"{path}.org", _("“%(key)s”不是机构字段。") % {"key": entry.org}, nearest(entry.org, orgs))
    register = known.spec(DefinitionKind.REGISTER, entry.register_key)
    for key, text in entry.set.items():
        yield from expression_findings(text, names, f"{path}.set.{key}")
        if isinstance(register, RegisterSpec) and register.field_named(key) is None:
            remedy = nearest(key, [field.key for field in register.fields])
            yield Finding(f"{path}.set.{key}", _("台账里没有字段“%(key)s”。") % {"key": key}, remedy)
    if isinstance(register, RegisterSpec):
        states = {state.key for state in register.states}
        if entry.state and entry.state not in states:
            yield Finding(f"{path}.state", _("没有状态“%(key)s”。") % {"key": entry.state}, nearest(entry.state, states))
