"""A whole XLSForm as the body of a form: groups are sections, repeats are tables."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.rules.expressions import compile_expression
from shuren.casework.rules.specs.form import FieldType
from shuren.casework.rules.xlsform.fields import Scope, field_of, kind_of
from shuren.casework.rules.xlsform.questions import CALCULATE, GROUP, NOTE, REPEAT, Node, names_of, questions_in, tree_of
from shuren.casework.rules.xlsform.sheets import MOST_REFUSED, Book, TooManyRefused, options_by_list
from shuren.casework.rules.xpath import Ref, expression_of
from shuren.intake.data import Finding


@dataclass(frozen=True, slots=True)
class FormRead:
    """What came of a file: `title` and `parts` of a body, and everything that cannot be taken over."""

    title: str
    parts: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_refused(self) -> bool:
        return any(finding.is_error for finding in self.findings)


def read_form(book: Book) -> FormRead:
    """The sections and rules of a form; with errors among its findings they are not to be used."""
    try:
        parts = _parts(book)
    except TooManyRefused:
        reason = _("错误超过 %(count)d 处，后面的没有再查。") % {"count": MOST_REFUSED}
        book.findings.append(Finding("", "", 0, "", "", reason, _("请先改好这些，再选一次文件。")))
        parts = {}
    title = (book.settings[0].text("form_title") if book.settings else "")[:120]
    return FormRead(title, parts, sorted(book.findings, key=lambda one: (one.sheet, one.row)))


def _parts(book: Book) -> dict[str, Any]:
    nodes = tree_of(book)
    scope = Scope(book, _with_kinds(nodes, names_of(book, nodes)), options_by_list(book))
    sections = _Sections(scope)
    sections.walk(nodes, {"zh": _("基本情况")}, "")
    _columns_left_out(book)
    if not sections.found and not any(finding.is_error for finding in book.findings):
        book.findings.append(Finding("", "survey", 0, "", "", _("没有一道题。"), _("在 survey 表里写上题目。")))
    parts: dict[str, Any] = {"sections": sections.found}
    if scope.rules:
        parts["rules"] = scope.rules
    return parts


def _with_kinds(nodes: list[Node], names: dict[str, Ref]) -> dict[str, Ref]:
    """What is calculated is of the kind that its formula answers; a formula that cannot be said is found where it is written."""
    for node, _repeat in questions_in(nodes):
        if node.kind == CALCULATE:
            try:
                tree = compile_expression(expression_of(node.line.text("calculation"), names)).tree
            except ValueError:
                continue
            kind = kind_of(tree, {ref.text: ref.type for ref in names.values()})
            names[node.name] = Ref(names[node.name].text, kind)
    return names


class _Sections:
    """Sections in their order: a group is one, and what goes on after it is one again."""

    def __init__(self, scope: Scope) -> None:
        self.found: list[dict[str, Any]] = []
        self._scope = scope

    def walk(self, nodes: list[Node], title: dict[str, str], shown_if: str) -> None:
        section: dict[str, Any] | None = None
        for node in nodes:
            if node.kind == GROUP:
                own = self._scope.book.words(node.line, "label") or title
                self.walk(node.nodes, own, both(shown_if, self._scope.expression(node.line, "relevant")))
                section = None
                continue
            section = section or self._begin(title, shown_if)
            if node.kind == NOTE:
                self._note(node, section)
            else:
                section["fields"].append(self._table(node) if node.kind == REPEAT else field_of(node, self._scope))

    def _begin(self, title: dict[str, str], shown_if: str) -> dict[str, Any]:
        section: dict[str, Any] = {"key": f"s{len(self.found) + 1}", "title": title, "fields": []}
        if shown_if:
            section["shown_if"] = shown_if
        self.found.append(section)
        return section

    def _note(self, node: Node, section: dict[str, Any]) -> None:
        book = self._scope.book
        words = book.words(node.line, "label")
        if words is None:
            return
        if node.line.text("relevant"):
            book.leave_out(node.line, "relevant", _("说明不能带条件，这条说明没有带入。"), _("可以写进题目的填写提示。"))
            return
        if section["fields"]:
            book.leave_out(node.line, "label", _("说明放到了这一组的开头。"))
        noted = section.get("note", {"zh": ""})
        section["note"] = {key: f"{noted.get(key, noted['zh'])}\n{text}".strip() for key, text in words.items()}

    def _table(self, node: Node) -> dict[str, Any]:
        book = self._scope.book
        title = book.words(node.line, "label") or {"zh": node.name}
        found: dict[str, Any] = {"key": node.key, "title": title, "type": FieldType.TABLE.value}
        found["columns"] = self._columns(node.nodes, self._scope.inside(node.key), "")
        if not found["columns"]:
            book.refuse(node.line, "type", _("重复的一组里没有题。"), _("在里面加题，或删掉这一组。"))
        if shown_if := self._scope.expression(node.line, "relevant"):
            found["shown_if"] = shown_if
        count = node.line.text("repeat_count")
        if count.isdecimal() and 1 <= int(count) <= 5000:
            found |= {"minimum_rows": int(count), "maximum_rows": int(count)}
        elif count:
            book.refuse(node.line, "repeat_count", _("重复的次数只能是固定的数。"), _("写成数字，或清空让填的人自己加行。"))
        return found

    def _columns(self, nodes: list[Node], scope: Scope, shown_if: str) -> list[dict[str, Any]]:
        """The columns of a table; a group within says when its columns are shown."""
        found: list[dict[str, Any]] = []
        for node in nodes:
            if node.kind == GROUP:
                found += self._columns(node.nodes, scope, both(shown_if, scope.expression(node.line, "relevant")))
            elif node.kind == REPEAT:
                scope.book.refuse(node.line, "type", _("重复的一组里不能再套重复的一组。"), _("拆成两张表格，或改成几道题。"))
            elif node.kind == NOTE:
                scope.book.leave_out(node.line, "type", _("表格里没有说明，这一行没有带入。"))
            else:
                column = field_of(node, scope)
                shown = both(shown_if, column.get("shown_if", ""))
                found.append({**column, "shown_if": shown} if shown else column)
        return found


def both(one: str, other: str) -> str:
    """A condition that holds where both do."""
    return f"({one}) and ({other})" if one and other else one or other


def _columns_left_out(book: Book) -> None:
    """Columns that say how others' programs show or send a form, each told once."""
    for column, row in book.left_out.items():
        book.findings.append(Finding("", "survey", row, column, "", _("这一列没有带入。"), "", is_error=False))
    shown = [line for line in book.survey if line.text("appearance") not in ("", "multiline", "minimal", "field-list")]
    if shown:
        row, told = shown[0].number, shown[0].text("appearance")
        book.findings.append(Finding("", "survey", row, "appearance", told, _("外观设置没有带入。"), "", is_error=False))
