"""One question of an XLSForm as a field of ours, its conditions said in the language of forms."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.rules.expressions import ExpressionFault, compile_expression
from shuren.casework.rules.patterns import pattern_fault
from shuren.casework.rules.specs.form import FieldType
from shuren.casework.rules.values import TEXT_LENGTH
from shuren.casework.rules.xlsform.questions import CALCULATE, Node
from shuren.casework.rules.xlsform.sheets import Book, Line
from shuren.casework.rules.xpath import Ref, XPathFault, expression_of

_NUMBERS = (FieldType.INTEGER, FieldType.DECIMAL)
_YES = frozenset({"yes", "true", "true()", "1"})
_NO = frozenset({"", "no", "false", "false()", "0"})
_BOUND = re.compile(r"\.\s*(>=|<=)\s*(-?\d+(?:\.\d+)?)")
_PATTERN = re.compile(r"regex\(\s*\.\s*,\s*('[^']*'|\"[^\"]*\")\s*\)")
_CALLS = {"count": FieldType.INTEGER, "len": FieldType.INTEGER, "filled": FieldType.BOOLEAN}
_TRUTHS = frozenset({"compare", "and", "or", "not", "in", "truth"})


@dataclass(slots=True)
class Scope:
    """What may be named where a field lies; `rules` are what the form checks. In a `table` the row comes first."""

    book: Book
    names: Mapping[str, Ref]
    options: Mapping[str, list[dict[str, Any]]]
    rules: list[dict[str, Any]] = field(default_factory=list)
    table: str = ""

    def inside(self, table: str) -> "Scope":
        """The same within a row of a table."""
        start = f"{table}."
        names = {name: replace(ref, text=ref.text.removeprefix(start)) for name, ref in self.names.items()}
        return replace(self, names=names, table=table)

    def expression(self, line: Line, column: str, own: Ref | None = None) -> str:
        """The expression of a cell; empty where there is none, or where it cannot be said (which is found)."""
        text = line.text(column)
        if not text:
            return ""
        try:
            found = expression_of(text, self.names, own=own)
            compile_expression(found)
        except (XPathFault, ExpressionFault) as fault:
            self.book.refuse(line, column, str(fault), _("改成平台能算的写法，或者清空这一格，建好以后在页面上设。"))
            return ""
        return found


def field_of(node: Node, scope: Scope) -> dict[str, Any]:
    """The field of a question, as a body says it."""
    line, book = node.line, scope.book
    title = book.words(line, "label")
    if title is None and node.kind != CALCULATE:
        book.refuse(line, "label", _("没有写题目。"), _("在 label 列写上题目。"))
    if title and "${" in title["zh"]:
        book.leave_out(line, "label", _("题目里引用了别的答案，平台会照原样显示，不会替换。"), _("建好以后改一下题目。"))
    found: dict[str, Any] = {"key": node.key, "title": title or {"zh": node.name}, "type": node.type.value}
    if hint := book.words(line, "hint"):
        found["help"] = hint
    if node.options:
        found["options"] = _options(node, scope)
    if shown_if := scope.expression(line, "relevant"):
        found["shown_if"] = shown_if
    if line.text("calculation") or node.kind == CALCULATE:
        found |= _calculated(node, scope)
    else:
        found |= _required(line, scope) | _default(node, book)
    if line.text("constraint"):
        found |= _constrained(node, scope, found["title"])
    for column in ("choice_filter", "trigger"):
        if line.text(column):
            book.refuse(line, column, _("平台的表单没有这种联动。"), _("清空这一格，用 relevant 分成几道题。"))
    return found


def _options(node: Node, scope: Scope) -> list[dict[str, Any]]:
    found = scope.options.get(node.options)
    if not found:
        scope.book.refuse(node.line, "type", _("choices 表里没有这一组选项。"), _("在 choices 表里补上，或改正组名。"))
    return found or []


def _required(line: Line, scope: Scope) -> dict[str, Any]:
    told = line.text("required").casefold()
    if told in _NO:
        return {}
    required = True if told in _YES else scope.expression(line, "required")
    return {"required": required} if required else {}


def _default(node: Node, book: Book) -> dict[str, Any]:
    text = node.line.text("default")
    if not text:
        return {}
    if "(" in text or "${" in text or node.type in (FieldType.PLACE, FieldType.FILE, FieldType.TABLE):
        book.leave_out(node.line, "default", _("算出来的默认值带不进来。"))
        return {}
    if node.type in _NUMBERS:
        try:
            return {"default": int(text) if node.type is FieldType.INTEGER else float(text)}
        except ValueError:
            book.refuse(node.line, "default", _("默认值不是数字。"), _("改成数字，或清空。"))
            return {}
    if node.type is FieldType.BOOLEAN:
        return {"default": text.casefold() in _YES | {"ok"}}
    return {"default": text.split() if node.type is FieldType.CODES else text}


def _calculated(node: Node, scope: Scope) -> dict[str, Any]:
    text = scope.expression(node.line, "calculation")
    if not text:
        if not node.line.text("calculation"):
            scope.book.refuse(node.line, "calculation", _("没有写公式。"), _("在 calculation 列写上公式。"))
        return {}
    types = {ref.text: ref.type for ref in scope.names.values()}
    kind = kind_of(compile_expression(text).tree, types) if node.kind == CALCULATE else node.type
    return {"calculated": text, "type": kind.value}


def kind_of(tree: Any, types: Mapping[str, FieldType]) -> FieldType:
    """What kind of value an expression answers."""
    name = tree[0]
    if name in ("name", "part"):
        found = types.get(".".join(tree[1:]), FieldType.DECIMAL)
        return FieldType.TEXT if found in (FieldType.CODE, FieldType.CODES, FieldType.PARAGRAPH) else found
    if name == "if":
        return kind_of(tree[2], types)
    if name == "call":
        return _CALLS.get(tree[1], FieldType.DECIMAL)
    if name == "act":
        is_text = FieldType.TEXT in (kind_of(tree[2], types), kind_of(tree[3], types))
        return FieldType.TEXT if is_text else FieldType.DECIMAL
    if name in _TRUTHS:
        return FieldType.BOOLEAN
    return {"text": FieldType.TEXT, "today": FieldType.DATE}.get(name, FieldType.DECIMAL)


def _constrained(node: Node, scope: Scope, title: Mapping[str, str]) -> dict[str, Any]:
    """Limits and patterns lie in the field itself, all else is a rule of the form."""
    line, book = node.line, scope.book
    message = book.words(line, "constraint_message")
    text = " ".join(line.text("constraint").split())
    if (pattern := _PATTERN.fullmatch(text)) and node.type is FieldType.TEXT:
        return _pattern(pattern[1][1:-1], line, book) | ({"pattern_help": message} if message else {})
    bounds = [_BOUND.fullmatch(part.strip(" ()")) for part in text.split(" and ")]
    if node.type in _NUMBERS and all(bounds) and (message is None or scope.table):
        if message:
            book.leave_out(line, "constraint_message", _("表格里的数字按上下限检查，提示用平台的说法。"))
        return {("minimum" if bound[1] == ">=" else "maximum"): float(bound[2]) for bound in bounds if bound}
    if scope.table:
        book.refuse(line, "constraint", _("表格里的一格只能限上下限或写法（regex）。"), _("改写限制，或清空这一格。"))
        return {}
    if check := scope.expression(line, "constraint", own=Ref(node.key, node.type)):
        told = message or {"zh": _("“%(title)s”不符合要求。") % {"title": title["zh"]}}
        scope.rules.append({"check": check, "message": told, "at": node.key})
    return {}


def _pattern(pattern: str, line: Line, book: Book) -> dict[str, Any]:
    if fault := pattern_fault(pattern, TEXT_LENGTH):
        book.refuse(line, "constraint", *fault)
        return {}
    return {"pattern": pattern}
