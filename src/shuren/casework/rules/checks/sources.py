"""One source for every fact (一数一源): nothing is asked again, and nothing has two producers."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, Finding
from shuren.casework.rules.checks.known import Known
from shuren.casework.rules.collections import dataset_name
from shuren.casework.rules.one_source import Place, is_filled_in, place_of
from shuren.casework.rules.specs.form import About, FieldSpec, FormSpec
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.standards.data import ElementData

# Facts of people stand in many lists, for many people; their one source is the directory, whoever lists them.
_OF_PEOPLE = "person."


def source_findings(form: FormSpec, known: Known) -> Iterator[Finding]:
    by_name = {element.name_zh: element for element in known.elements.values()}
    by_code = {element.code.replace(".", "_"): element for element in known.elements.values()}
    for section in form.sections:
        for field in section.fields:
            path = f"sections.{section.key}.fields.{field.key}"
            yield from _unbound(field, by_name, by_code, path)
            yield from _asked_again(form, field, known, path)
            yield from _shared_already(form, field, known, path)
            if isinstance(form, RegisterSpec):
                yield from _second_producer(form, field, known, path)
            for column in field.columns:
                inner = f"{path}.columns.{column.key}"
                yield from _unbound(column, by_name, by_code, inner)
                yield from _asked_in_rows(form, column, known, inner)
                yield from _shared_already(form, column, known, inner)


def _unbound(field: FieldSpec, by_name: dict[str, ElementData], by_code: dict[str, ElementData], path: str) -> Iterator[Finding]:
    if field.element or field.calculated:
        return
    found = by_name.get(field.title.zh if field.title else "") or by_code.get(field.key)
    if found is not None:
        said = {"name": found.name_zh, "code": found.code}
        reason = _("已有数据元“%(name)s”，不能另设一个同样的字段。") % said
        yield Finding(path, reason, _("改为 element: %(code)s；如果说的是另一回事，换一个名称。") % said)


def _asked_again(form: FormSpec, field: FieldSpec, known: Known, path: str) -> Iterator[Finding]:
    element = known.elements.get(field.element)
    if element is None or not element.source or field.calculated or is_filled_in(form, field, element):
        return
    place, where = place_of(element.source)
    if place in (Place.REGISTER, Place.LAKE) and not _is_here(form, where):
        said = {"name": element.name_zh, "department": element.department, "source": element.source}
        reason = _("“%(name)s”由%(department)s统一提供（%(source)s），不能在这里再问一遍。") % said
        held = known.shared.get(field.element)
        link = held.url if held else ""
        yield Finding(path, reason, _("写上 about: org 让它自动填入，或去掉这个字段。"), link=link)


def _asked_in_rows(form: FormSpec, column: FieldSpec, known: Known, path: str) -> Iterator[Finding]:
    element = known.elements.get(column.element)
    if element is None or column.calculated:
        return
    place, where = place_of(element.source)
    if place == Place.REGISTER and not _is_here(form, where):
        said = {"name": element.name_zh, "register": where.rpartition(".")[0]}
        reason = _("“%(name)s”在台账“%(register)s”里，不能在表格里再问一遍。") % said
        yield Finding(path, reason, _("改用 type: entry、register: %(register)s 来选。") % said)


def _shared_already(form: FormSpec, field: FieldSpec, known: Known, path: str) -> Iterator[Finding]:
    """What a shared dataset holds is applied for before it is collected once more; whoever needs it anew still may ask."""
    element, held = known.elements.get(field.element), known.shared.get(field.element)
    if element is None or held is None or element.source or field.calculated or is_filled_in(form, field, element):
        return
    if held.dataset == dataset_name(form.key) or held.dataset.startswith(f"{dataset_name(form.key)}__"):
        return
    said = {"name": element.name_zh, "dataset": held.title}
    reason = _("“%(name)s”在数据集“%(dataset)s”里已经有了，能通过共享得到。") % said
    yield Finding(path, reason, _("先申请共享；确实要重新采集的，可以照样启用。"), is_error=False, link=held.url)


def _second_producer(register: RegisterSpec, field: FieldSpec, known: Known, path: str) -> Iterator[Finding]:
    element = known.elements.get(field.element)
    if element is None or element.source or field.calculated or element.code.startswith(_OF_PEOPLE):
        return
    if register.about == About.NOTHING:
        return
    for (kind, key), other in known.specs.items():
        if kind != DefinitionKind.REGISTER or key == register.key or other.about == About.NOTHING:
            continue
        if any(asked.element == element.code for asked in other.fields):
            said = {"name": element.name_zh, "code": element.code, "one": register.key, "other": key}
            reason = _("“%(name)s”在两本台账里各问一遍：%(one)s 和 %(other)s。") % said
            yield Finding(path, reason, _("在数据元 %(code)s 上用 source 指定其中一本，另一本自动填入。") % said)


def source_place_findings(element: ElementData, known: Known) -> Iterator[Finding]:
    """Whether the place that an element names as its source exists and asks for just this element."""
    place, where = place_of(element.source)
    if place == Place.REGISTER:
        key, _dot, name = where.rpartition(".")
        register = known.spec(DefinitionKind.REGISTER, key)
        asked = register.field_named(name) if isinstance(register, RegisterSpec) else None
        if asked is None or asked.element != element.code:
            said = {"where": where, "code": element.code}
            reason = _("来源 %(where)s 不存在，或者那个字段没有绑定 %(code)s。") % said
            yield Finding(element.code, reason, _("在台账的字段上写 element: %(code)s。") % said)


def _is_here(form: FormSpec, where: str) -> bool:
    return where.rpartition(".")[0] == form.key
