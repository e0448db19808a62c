"""The SQL that the lake understands: the part of DuckDB's dialect that means the same on Spark.

What may stand in a question is listed, everything else is refused by name and place. Refused too is what both engines
have but answer differently: a division whose divisor may be zero, a cast that rounds here and cuts off there.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

import sqlglot
from django.utils.translation import gettext as _
from sqlglot import exp
from sqlglot.errors import SqlglotError

from shuren.kernel.errors import Invalid

DIALECT = "duckdb"
_LONGEST = 200_000
_WORD = re.compile(r"\w+")

_FRAME: tuple[type[exp.Expr], ...] = (
    exp.Select,
    exp.From,
    exp.Join,
    exp.Where,
    exp.Group,
    exp.Rollup,
    exp.Cube,
    exp.GroupingSets,
    exp.Having,
    exp.Order,
    exp.Ordered,
    exp.Limit,
    exp.Offset,
    exp.With,
    exp.CTE,
    exp.TableAlias,
    exp.Table,
    exp.Subquery,
    exp.Union,
    exp.Intersect,
    exp.Except,
    exp.Distinct,
    exp.Alias,
    exp.Column,
    exp.Identifier,
    exp.Star,
    exp.Window,
    exp.WindowSpec,
    exp.Filter,
)
_VALUES: tuple[type[exp.Expr], ...] = (
    exp.Literal,
    exp.Null,
    exp.Boolean,
    exp.Placeholder,
    exp.Paren,
    exp.Tuple,
    exp.And,
    exp.Or,
    exp.Not,
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
    exp.Between,
    exp.In,
    exp.Exists,
    exp.Is,
    exp.Like,
    exp.ILike,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.Mod,
    exp.Neg,
    exp.DPipe,
    exp.Case,
    exp.If,
    exp.Cast,
    exp.DataType,
    exp.DataTypeParam,
    exp.Var,
)
_FUNCTIONS: tuple[type[exp.Expr], ...] = (
    exp.Coalesce,
    exp.Nullif,
    exp.Greatest,
    exp.Least,
    exp.Abs,
    exp.Sign,
    exp.Floor,
    exp.Ceil,
    exp.Round,
    exp.Trim,
    exp.Length,
    exp.Lower,
    exp.Upper,
    exp.Substring,
    exp.Left,
    exp.Right,
    exp.Replace,
    exp.StartsWith,
    exp.Contains,
    exp.RegexpFullMatch,
    exp.Year,
    exp.Quarter,
    exp.Month,
    exp.Day,
    exp.DateDiff,
    exp.Count,
    exp.Sum,
    exp.Avg,
    exp.Min,
    exp.Max,
    exp.Median,
    exp.Stddev,
    exp.StddevSamp,
    exp.StddevPop,
    exp.Variance,
    exp.VariancePop,
    exp.LogicalAnd,
    exp.LogicalOr,
    exp.RowNumber,
    exp.Rank,
    exp.DenseRank,
    exp.Lag,
    exp.Lead,
)
ALLOWED = frozenset((*_FRAME, *_VALUES, *_FUNCTIONS))

_WHOLE = frozenset({exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT})
_TYPES = _WHOLE | {
    exp.DType.DOUBLE,
    exp.DType.DECIMAL,
    exp.DType.VARCHAR,
    exp.DType.TEXT,
    exp.DType.DATE,
    exp.DType.TIMESTAMP,
    exp.DType.BOOLEAN,
}
# Casting these to a whole number loses nothing: text is read, the others are whole already.
_WHOLE_ALREADY = (exp.Floor, exp.Ceil, exp.Round, exp.Count, exp.Substring, exp.Left, exp.Right, exp.Trim, exp.Year, exp.DateDiff)


@lru_cache(maxsize=256)
def _parsed(sql: str) -> exp.Query:
    if len(sql) > _LONGEST:
        raise Invalid(_("查询太长：最多 %(most)s 个字符。") % {"most": _LONGEST})
    try:
        found = [tree for tree in sqlglot.parse(sql, read=DIALECT) if tree is not None]
    except (SqlglotError, RecursionError) as error:
        raise Invalid(_("查询无法执行：%(reason)s") % {"reason": _reason(error)}) from error
    if len(found) != 1 or not isinstance(found[0], exp.Select | exp.SetOperation):
        raise Invalid(_("只接受一条 SELECT 查询。"))
    for node in found[0].walk():
        fault = _fault(node)
        if fault:
            raise refusal(node, fault)
    return found[0]


def parsed(sql: str) -> exp.Query:
    """The question as a tree of its own, or `Invalid` with the first construct that may not stand in it, and where."""
    return _parsed(sql).copy()


def check(sql: str) -> None:
    _parsed(sql)


def tables_in(tree: exp.Query) -> frozenset[str]:
    """The names that the question reads and does not define itself, in lower case.

    A name is the question's own only where its definition is seen from: one that is defined elsewhere in the text hides
    nothing, and an engine would look for the table outside.
    """
    defined = {id(each): _defined_by(each) for each in tree.find_all(exp.With)}
    return frozenset(table.name.lower() for table in tree.find_all(exp.Table) if not _is_own(table, defined))


def _defined_by(clause: exp.With) -> dict[str, int]:
    """The names of a WITH and their places in it."""
    return {cte.alias.lower(): place for place, cte in enumerate(clause.expressions)}


def _is_own(table: exp.Table, defined: Mapping[int, Mapping[str, int]]) -> bool:
    """Whether a WITH around the table defines its name: in the query it stands before all names, in a definition those before."""
    name = table.name.lower()
    inner: exp.Expr = table
    outer = table.parent
    while outer is not None:
        clause = outer if isinstance(outer, exp.With) else outer.args.get("with_")
        place = defined[id(clause)].get(name) if clause is not None and clause is not inner else None
        if place is not None and (clause is not outer or place < (inner.index or 0)):
            return True
        inner, outer = outer, outer.parent
    return False


def refusal(node: exp.Expr, words: str) -> Invalid:
    line, column = _place(node)
    text = node.sql(dialect=DIALECT, comments=False)
    return Invalid(
        _("第 %(line)d 行第 %(column)d 列：“%(what)s”%(why)s")
        % {"line": line, "column": column, "what": text if len(text) <= 60 else f"{text[:57]}…", "why": words}
    )


def bound(tree: exp.Query, params: Mapping[str, object] | Sequence[object] | None) -> exp.Query:
    """The question with its parameters written in as literals, for an engine that is handed a text."""
    places = list(params) if params is not None and not isinstance(params, Mapping) else []
    named = dict(params) if isinstance(params, Mapping) else {}
    # `find_all` goes breadth first; question marks count in the order of the text.
    marks = [node for node in tree.dfs() if isinstance(node, exp.Placeholder)]
    for mark in marks:
        # A question mark's own `name` is "?".
        name = str(mark.this or "")
        if (name and name not in named) or not (name or places):
            raise Invalid(_("缺少参数 %(name)s。") % {"name": name or "?"})
        mark.replace(exp.convert(named[name] if name else places.pop(0)))
    return tree


def to_spark(tree: exp.Expr) -> str:
    """The same question in Spark's SQL."""

    def translated(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.RegexpFullMatch):
            whole = exp.DPipe(
                this=exp.DPipe(this=exp.Literal.string("^(?:"), expression=node.expression), expression=exp.Literal.string(")$")
            )
            return exp.RegexpLike(this=node.this, expression=whole)
        return node

    return tree.transform(translated).sql(dialect="spark", comments=False)


def _reason(error: Exception) -> str:
    details = getattr(error, "errors", None)
    if details:
        return f"{details[0].get('description', '')} ({details[0].get('line')}:{details[0].get('col')})"[:300]
    return str(error)[:300]


def _place(node: exp.Expr) -> tuple[int, int]:
    """Where the construct stands; what has no place of its own stands where its first part does."""
    for part in node.dfs():
        if "line" in part.meta:
            return part.meta["line"], part.meta["col"] - (part.meta["end"] - part.meta["start"])
    return 1, 1


def _fault(node: exp.Expr) -> str:
    """Why the construct is refused; empty where it may stand."""
    if type(node) not in ALLOWED:
        return _("不在可用的语句之列。")
    check = _CHECKS.get(type(node))
    return check(node) if check else ""


def _of_table(node: exp.Expr) -> str:
    if not isinstance(node.this, exp.Identifier):
        return _("不是数据集。")
    if node.args.get("db") or node.args.get("catalog"):
        return _("不能带库名。")
    return _given(node, ("pivots", "joins_", "sample", "version", "when", "ordinality", "changes", "hints"))


def _of_select(node: exp.Expr) -> str:
    return _given(node, ("qualify", "sample", "laterals", "windows", "distribute", "sort", "cluster", "into", "kind", "hint"))


def _of_join(node: exp.Expr) -> str:
    words = {str(node.args.get(key) or "").upper() for key in ("method", "kind", "side")}
    return "" if words <= {"", "INNER", "OUTER", "CROSS", "LEFT", "RIGHT", "FULL"} else _("不是可用的连接方式。")


def _of_group(node: exp.Expr) -> str:
    return _given(node, ("all", "totals"))


def _of_with(node: exp.Expr) -> str:
    return _given(node, ("recursive",))


def _of_cte(node: exp.Expr) -> str:
    # What is no plain word may be the name of a file to an engine that does not find the definition.
    return "" if _WORD.fullmatch(node.alias) else _("不是可用的名称；只用字母、数字和下划线。")


def _of_star(node: exp.Expr) -> str:
    return _given(node, ("except_", "except", "replace", "rename"))


def _of_distinct(node: exp.Expr) -> str:
    return _given(node, ("on",))


def _of_set(node: exp.Expr) -> str:
    return _given(node, ("by_name", "side", "kind", "on"))


def _of_division(node: exp.Expr) -> str:
    divisor = node.expression.unnest()
    if isinstance(divisor, exp.Nullif) and divisor.expression.is_number and float(divisor.expression.name) == 0:
        return ""
    if isinstance(divisor, exp.Literal) and divisor.is_number and float(divisor.name) != 0:
        return ""
    return _("的除数可能为零；写成 nullif(…, 0)。")


def _of_cast(node: exp.Expr) -> str:
    kind = node.args["to"]
    if kind.this not in _TYPES or kind.args.get("nested"):
        return _("不是可用的类型。")
    inner = node.this.unnest()
    if kind.this in _WHOLE and not isinstance(inner, (*_WHOLE_ALREADY, exp.Literal, exp.Placeholder)):
        return _("取整的方式不确定；先写 floor、ceil 或 round，文本先写 trim。")
    return ""


def _of_round(node: exp.Expr) -> str:
    return _("只能取整到个位。") if node.args.get("decimals") is not None else ""


def _of_substring(node: exp.Expr) -> str:
    start = node.args.get("start")
    if isinstance(start, exp.Literal) and start.is_int and int(start.name) >= 1:
        return ""
    return _("的起点必须是从 1 起的数。")


def _of_like(node: exp.Expr) -> str:
    pattern = node.expression
    if not isinstance(pattern, exp.Literal | exp.Placeholder) or "\\" in pattern.name:
        return _("的样式必须是不含反斜线的文本。")
    return ""


def _of_limit(node: exp.Expr) -> str:
    count = node.expression
    if isinstance(count, exp.Placeholder) or (isinstance(count, exp.Literal) and count.is_int):
        return ""
    return _("的行数必须是数。")


def _of_null_handling(node: exp.Expr) -> str:
    return _given(node, ("ignore_nulls",))


def _given(node: exp.Expr, names: Iterable[str]) -> str:
    return _("不在可用的语句之列。") if any(node.args.get(name) for name in names) else ""


_CHECKS: dict[type[exp.Expr], Callable[[exp.Expr], str]] = {
    exp.Table: _of_table,
    exp.Select: _of_select,
    exp.Join: _of_join,
    exp.Group: _of_group,
    exp.With: _of_with,
    exp.CTE: _of_cte,
    exp.Star: _of_star,
    exp.Distinct: _of_distinct,
    exp.Union: _of_set,
    exp.Intersect: _of_set,
    exp.Except: _of_set,
    exp.Div: _of_division,
    exp.Mod: _of_division,
    exp.Cast: _of_cast,
    exp.Round: _of_round,
    exp.Substring: _of_substring,
    exp.Like: _of_like,
    exp.ILike: _of_like,
    exp.Limit: _of_limit,
    exp.Offset: _of_limit,
    exp.Lag: _of_null_handling,
    exp.Lead: _of_null_handling,
}
