"""The small language of forms: what is shown, required, calculated and checked, over the other fields.

It is a part of Python's syntax: names, `table.column`, numbers, texts, `+ - * / // %`, comparisons, `and or not`,
`in [..]`, `a if c else b` and the functions of `rules/answers.py`. It is parsed by `ast` and never run as Python: what is not
named here is a fault. `Expression.tree` is what the browser answers by (`frontend/src/forms/answers.ts`).
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.rules import answers
from shuren.casework.rules.answers import FUNCTIONS, Given, Lookup

LONGEST = 2000
Tree = list[Any]
Answer = Callable[[Lookup, date], Any]

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_TRUTHS = {"true": True, "false": False}


class ExpressionFault(ValueError):
    """An expression cannot be read; the text says why, in the words of whoever writes forms."""


@dataclass(frozen=True, slots=True)
class Expression:
    """`names` are those it reads, as written: `seats` or `rooms.seats`."""

    text: str
    tree: Tree
    names: frozenset[str]
    _answer: Answer

    def value(self, data: Mapping[str, Any], *, today: date) -> Any | None:
        """The answer over plain data: bool, int, Decimal, str or list; `None` where it cannot be told yet."""
        return answers.given_out(self._answer(Given(data), today))

    def answer(self, lookup: Lookup, *, today: date) -> Any | None:
        """The same over names that are worked out when they are asked for."""
        return answers.given_out(self._answer(lookup, today))

    def holds(self, lookup: Lookup, *, today: date) -> bool | None:
        return answers.is_true(self._answer(lookup, today))


@lru_cache(maxsize=8192)
def compile_expression(text: str) -> Expression:
    """Raises `ExpressionFault` for what is not in the language."""
    if len(text) > LONGEST:
        raise ExpressionFault(_("公式太长，请不要超过 %(count)d 个字符。") % {"count": LONGEST})
    try:
        parsed = ast.parse(text.strip(), mode="eval")
        tree = _tree(parsed.body)
        return Expression(text, tree, frozenset(_names(tree)), _answering(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, ExpressionFault):
            raise
        raise ExpressionFault(_("公式“%(text)s”写得不对，请检查括号、引号和运算符。") % {"text": text[:100]}) from error


def _tree(node: ast.expr) -> Tree:
    if isinstance(node, ast.Constant):
        return _constant(node)
    if isinstance(node, ast.Name):
        return ["truth", _TRUTHS[node.id]] if node.id in _TRUTHS else ["name", node.id]
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return ["part", node.value.id, node.attr]
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return ["act", _OPERATORS[type(node.op)], _tree(node.left), _tree(node.right)]
    if isinstance(node, ast.UnaryOp):
        return _unary(node)
    if isinstance(node, ast.BoolOp):
        return ["and" if isinstance(node.op, ast.And) else "or", *map(_tree, node.values)]
    if isinstance(node, ast.Compare):
        return _comparison(node)
    if isinstance(node, ast.IfExp):
        return ["if", _tree(node.test), _tree(node.body), _tree(node.orelse)]
    if isinstance(node, ast.Call):
        return _call(node)
    if isinstance(node, ast.List | ast.Tuple):
        return ["list", *map(_tree, node.elts)]
    raise ExpressionFault(_("公式里不能用“%(part)s”。") % {"part": ast.unparse(node)[:60]})


def _constant(node: ast.Constant) -> Tree:
    value = node.value
    if isinstance(value, bool):
        return ["truth", value]
    if isinstance(value, int) or (isinstance(value, float) and Decimal(repr(value)).is_finite()):
        return ["number", f"{Decimal(repr(value)):f}"]
    if isinstance(value, str):
        return ["text", value]
    if value is None:
        raise ExpressionFault(_("公式里没有 None；要看一个字段填了没有，请写 filled(字段)。"))
    raise ExpressionFault(_("公式里不能用“%(part)s”。") % {"part": str(value)[:60]})


def _unary(node: ast.UnaryOp) -> Tree:
    inner = _tree(node.operand)
    if isinstance(node.op, ast.Not):
        return ["not", inner]
    if isinstance(node.op, ast.USub):
        return ["act", "-", ["number", "0"], inner]
    if isinstance(node.op, ast.UAdd):
        return ["act", "+", ["number", "0"], inner]
    raise ExpressionFault(_("公式里不能用“%(part)s”。") % {"part": "~"})


def _comparison(node: ast.Compare) -> Tree:
    sides = [_tree(side) for side in [node.left, *node.comparators]]
    pairs = [_pair(act, left, right) for act, left, right in zip(node.ops, sides, sides[1:], strict=False)]
    return pairs[0] if len(pairs) == 1 else ["and", *pairs]


def _pair(act: ast.cmpop, left: Tree, right: Tree) -> Tree:
    if isinstance(act, ast.In | ast.NotIn):
        if right[0] not in ("list", "name", "part"):
            raise ExpressionFault(_("in 的后面要写方括号列出的几个值，如 in ['小学', '初中']。"))
        found = ["in", left, right]
        return found if isinstance(act, ast.In) else ["not", found]
    if type(act) not in _COMPARISONS:
        raise ExpressionFault(_("公式里不能用 is，请用 == 比较。"))
    return ["compare", _COMPARISONS[type(act)], left, right]


def _call(node: ast.Call) -> Tree:
    if not isinstance(node.func, ast.Name) or node.keywords:
        raise ExpressionFault(_("公式里不能用“%(part)s”。") % {"part": ast.unparse(node)[:60]})
    name, count = node.func.id, len(node.args)
    if name == "today" and count == 0:
        return ["today"]
    if name not in FUNCTIONS:
        known = "、".join(["today", *FUNCTIONS])
        raise ExpressionFault(_("没有函数“%(name)s”，可以用的是：%(known)s。") % {"name": name[:40], "known": known})
    fewest, most, _act = FUNCTIONS[name]
    if not fewest <= count <= most:
        raise ExpressionFault(_("函数“%(name)s”后面括号里的个数不对。") % {"name": name})
    return ["call", name, *map(_tree, node.args)]


def _names(tree: Tree) -> set[str]:
    if tree[0] == "name":
        return {tree[1]}
    if tree[0] == "part":
        return {f"{tree[1]}.{tree[2]}"}
    return {name for part in tree[1:] if isinstance(part, list) for name in _names(part)}


def _answering(tree: Tree) -> Answer:
    kind, rest = tree[0], tree[1:]
    if kind in ("number", "text", "truth"):
        fixed = answers.plain(Fraction(rest[0])) if kind == "number" else rest[0]
        return lambda lookup, today: fixed
    if kind == "today":
        return lambda lookup, today: today.isoformat()
    if kind == "name":
        return _named(rest[0])
    if kind == "part":
        return _parted(rest[0], rest[1])
    return _composed(kind, rest)


def _named(name: str) -> Answer:
    return lambda lookup, today: answers.taken_in(lookup.value(name))


def _parted(name: str, part: str) -> Answer:
    return lambda lookup, today: answers.taken_in(lookup.part(name, part))


def _composed(kind: str, rest: Tree) -> Answer:
    if kind in ("act", "compare"):
        act = answers.OPERATIONS[rest[0]] if kind == "act" else answers.COMPARISONS[rest[0]]
        left, right = _answering(rest[1]), _answering(rest[2])
        return lambda lookup, today: act(left(lookup, today), right(lookup, today))
    if kind == "call":
        function = FUNCTIONS[rest[0]][2]
        told = [_answering(part) for part in rest[1:]]
        return lambda lookup, today: function(*(one(lookup, today) for one in told))
    parts = [_answering(part) for part in rest]
    if kind in ("and", "or"):
        join = answers.all_true if kind == "and" else answers.any_true
        return lambda lookup, today: join([answers.is_true(part(lookup, today)) for part in parts])
    if kind == "not":
        return lambda lookup, today: _opposite(answers.is_true(parts[0](lookup, today)))
    if kind == "in":
        return lambda lookup, today: answers.among(parts[0](lookup, today), parts[1](lookup, today))
    if kind == "if":
        return lambda lookup, today: _chosen(parts, lookup, today)
    assert kind == "list"
    return lambda lookup, today: [part(lookup, today) for part in parts]


def _opposite(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


def _chosen(parts: list[Answer], lookup: Lookup, today: date) -> Any:
    truth = answers.is_true(parts[0](lookup, today))
    return None if truth is None else parts[1 if truth else 2](lookup, today)
