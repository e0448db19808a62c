"""What a definition may name: elements, code sets, other definitions, functions."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, Finding
from shuren.casework.rules.expressions import ExpressionFault, compile_expression
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.datahub.data import SharedSource
from shuren.standards.data import CodeSetData, ElementData


@dataclass(frozen=True, slots=True)
class Known:
    """`specs` hold every other definition by kind and key; `functions` is None where nobody can tell which are registered.

    `shared` has the datasets that already hold an element and may be applied for, by element; none where a pack is checked.
    """

    elements: Mapping[str, ElementData]
    code_sets: Mapping[str, CodeSetData]
    specs: Mapping[tuple[DefinitionKind, str], Any] = field(default_factory=dict)
    functions: frozenset[str] | None = None
    shared: Mapping[str, SharedSource] = field(default_factory=dict)

    def spec(self, kind: DefinitionKind, key: str) -> Any | None:
        return self.specs.get((kind, key))

    def missing(self, kind: DefinitionKind, key: str, path: str) -> Iterator[Finding]:
        """The finding where there is no such definition."""
        if (kind, key) not in self.specs:
            near = nearest(key, (other for known, other in self.specs if known == kind))
            yield Finding(path, _("没有“%(key)s”。") % {"key": key}, near)

    def missing_function(self, name: str, path: str) -> Iterator[Finding]:
        if name and self.functions is not None and name not in self.functions:
            yield Finding(path, _("没有登记名为“%(key)s”的函数。") % {"key": name}, nearest(name, self.functions))


def nearest(told: str, names: Iterable[str]) -> str:
    """The remedy that offers what was probably meant."""
    found = sorted({name for name in names if _alike(told, name)})[:3]
    return _("是不是 %(names)s？") % {"names": "、".join(found)} if found else ""


def _alike(one: str, other: str) -> bool:
    one, other = one.rpartition(".")[2], other.rpartition(".")[2]
    return one == other or (min(len(one), len(other)) > 3 and (one in other or other in one or one[:4] == other[:4]))


def fields_by_name(form: FormSpec | None, prefix: str = "") -> dict[str, FieldSpec]:
    """Every name that an expression over the form may use: `seats`, and `rooms.seats` in a table."""
    found: dict[str, FieldSpec] = {}
    for one in form.fields if form else ():
        found[f"{prefix}{one.key}"] = one
        found |= {f"{prefix}{one.key}.{column.key}": column for column in one.columns}
    return found


def expression_findings(text: str, names: Mapping[str, FieldSpec], path: str) -> Iterator[Finding]:
    """Whether an expression can be read, knows every name, and compares only what can be compared."""
    if not text:
        return
    try:
        expression = compile_expression(text)
    except ExpressionFault as fault:
        yield Finding(path, str(fault))
        return
    for name in sorted(expression.names - names.keys()):
        yield Finding(path, _("公式里的“%(name)s”不是这里的字段。") % {"name": name}, nearest(name, names))
    yield from _comparisons(expression.tree, names, path)


_NUMBERS = (FieldType.INTEGER, FieldType.DECIMAL)
_TEXTS = (FieldType.TEXT, FieldType.PARAGRAPH, FieldType.CODE, FieldType.DATE)


def _comparisons(tree: Any, names: Mapping[str, FieldSpec], path: str) -> Iterator[Finding]:
    if not isinstance(tree, list):
        return
    if tree and tree[0] == "compare":
        for one, other in ((tree[2], tree[3]), (tree[3], tree[2])):
            yield from _compared(one, other, names, path)
    if tree and tree[0] == "in" and tree[2][0] == "list":
        for item in tree[2][1:]:
            yield from _compared(tree[1], item, names, path)
    for inner in tree[1:]:
        yield from _comparisons(inner, names, path)


def _compared(one: Any, other: Any, names: Mapping[str, FieldSpec], path: str) -> Iterator[Finding]:
    known = names.get(".".join(one[1:])) if one[0] in ("name", "part") else None
    if known is None:
        return
    said = {"name": known.key, "value": str(other[1])[:40] if len(other) > 1 else ""}
    if known.type in _NUMBERS and other[0] == "text":
        yield Finding(path, _("“%(name)s”是数字，不能和文字“%(value)s”比较。") % said, _("去掉引号。"))
    elif known.type in _TEXTS and other[0] == "number":
        yield Finding(path, _("“%(name)s”不是数字，不能和 %(value)s 比较。") % said, _("给它加上引号。"))
    elif known.type == FieldType.CODE and other[0] == "text" and known.options:
        codes = [option.code for option in known.options]
        if other[1] not in codes:
            remedy = _("可选的是 %(names)s。") % {"names": "、".join(codes[:20])}
            yield Finding(path, _("“%(name)s”没有“%(value)s”这个选项。") % said, remedy)


Check = Callable[[Any, Known], Iterator[Finding]]
