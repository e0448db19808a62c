"""Conditions that a rule may state: one expression over the columns of one row, of functions that every engine has.

A rule comes from a file of the region or a pack, and its text becomes part of a query over everybody. So it is parsed, and
whatever is no comparison, arithmetic or listed function is refused: no query inside, no table, no file, no setting.
"""

import sqlglot
from sqlglot import exp

_DIALECT = "duckdb"
_ALLOWED = (
    exp.And,
    exp.Or,
    exp.Not,
    exp.Paren,
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.Between,
    exp.In,
    exp.Is,
    exp.Null,
    exp.Boolean,
    exp.Literal,
    exp.Column,
    exp.Identifier,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Neg,
    exp.Case,
    exp.If,
    exp.Cast,
    exp.DataType,
    exp.Coalesce,
    exp.Trim,
    exp.Length,
    exp.Lower,
    exp.Upper,
    exp.Substring,
    exp.Left,
    exp.Right,
    exp.StartsWith,
    exp.RegexpFullMatch,
    exp.Abs,
    exp.Year,
    exp.Month,
    exp.Day,
    exp.Cast,
    exp.DateDiff,
    exp.Var,
)
_MEASURES = (exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Star)


def check_condition(text: str) -> exp.Expr:
    """The condition, parsed; a `ValueError` says what in it may not stand there."""
    return _checked(text, _ALLOWED)


def check_measure(text: str) -> exp.Expr:
    """A count, sum, mean, least or largest value over the rows of a unit."""
    found = _checked(text, (*_ALLOWED, *_MEASURES))
    if not isinstance(found, _MEASURES):
        raise ValueError(f"{text} is no count, sum, mean, least or largest value")
    return found


def columns_in(text: str) -> frozenset[str]:
    """The columns that a condition or measure reads; `today` is the day of the run and no column."""
    return frozenset(column.name for column in sqlglot.parse_one(text, read=_DIALECT).find_all(exp.Column)) - {"today"}


def _checked(text: str, allowed: tuple[type[exp.Expr], ...]) -> exp.Expr:
    try:
        found = sqlglot.parse(text, read=_DIALECT)
    except sqlglot.ParseError as error:
        raise ValueError(f"{text!r} is no condition: {error.errors[0]['description'] if error.errors else error}") from error
    if len(found) != 1 or found[0] is None:
        raise ValueError(f"{text!r} is not one condition")
    for node in found[0].walk():
        if not isinstance(node, allowed):
            raise ValueError(f"{node.sql(dialect=_DIALECT)[:80]} may not stand in a condition")
        if isinstance(node, exp.Column) and node.table:
            raise ValueError(f"{node.sql(dialect=_DIALECT)} names a table; a condition reads the columns of its own row")
    return found[0]
