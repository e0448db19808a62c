"""From rules to SQL: all rules that judge single rows become one pass over the dataset, each unique rule one more.

The answers have the columns `unit`, then per rule the rows looked at and those that failed. Rules that look at the same rows
share one counter, so that two hundred rules over ten million rows stay one reading of the columns they name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlglot
from sqlglot import exp

from shuren.datahub.data import QualityDimension, QualityRule
from shuren.datahub.rules.names import view_name

UNIT = "org_path"
_DIALECT = "duckdb"


@dataclass(frozen=True, slots=True)
class RowPass:
    """One reading of the dataset: `sql` answers `unit` and `rows`, and the columns named here per rule."""

    sql: str
    checked: dict[str, str]
    failed: dict[str, str]
    measured: dict[str, str]


def row_pass(dataset: str, rules: Sequence[QualityRule], *, today: date) -> RowPass:
    """The one query that counts, per unit, what every rule but the unique ones finds."""
    counters: dict[str, str] = {}
    columns = [f"{UNIT} AS unit", "count(*) AS rows"]
    checked: dict[str, str] = {}
    failed: dict[str, str] = {}
    measured: dict[str, str] = {}
    for number, rule in enumerate(rule for rule in rules if rule.dimension is not QualityDimension.UNIQUE):
        when = _when(rule, today)
        if when not in counters:
            counters[when] = f"c{len(counters)}"
            columns.append(f"{_count(when)} AS {counters[when]}")
        checked[rule.code] = counters[when]
        if rule.measured:
            measured[rule.code] = f"m{number}"
            columns.append(f"CAST({on_day(rule.measured, today)} AS DOUBLE) AS m{number}")
        else:
            failed[rule.code] = f"f{number}"
            fails = f"({when}) AND NOT coalesce({on_day(rule.holds, today)}, false)"
            columns.append(f"{_count(fails)} AS f{number}")
    sql = f"SELECT {', '.join(columns)} FROM {view_name(dataset)} GROUP BY {UNIT}"  # noqa: S608  # conditions are checked on reading
    return RowPass(sql=sql, checked=checked, failed=failed, measured=measured)


def unique_pass(rule: QualityRule, *, today: date) -> str:
    """The query that counts, per unit, the rows whose value belongs to another subject too."""
    filled, named = _filled(rule, today), ", ".join(rule.columns)
    same = " AND ".join(f"t.{name} = w.{name}" for name in rule.columns)
    return (
        f"WITH twice AS ({_twice(rule, today)}) "  # noqa: S608  # conditions are checked on reading
        f"SELECT t.{UNIT} AS unit, count(*) AS checked, count(w.{rule.columns[0]}) AS failed "
        f"FROM (SELECT {UNIT}, {named} FROM {view_name(rule.dataset)} WHERE {filled}) t "
        f"LEFT JOIN twice w ON {same} GROUP BY t.{UNIT}"
    )


def failing_rows(rule: QualityRule, columns: Sequence[str], *, today: date) -> str:
    """The rows of one branch that fail, in order of id; parameters are the branch's path, the path after it, and the least id."""
    if rule.dimension is QualityDimension.UNIQUE:
        fails = f"{_filled(rule, today)} AND ({', '.join(rule.columns)}) IN ({_twice(rule, today)})"
    else:
        fails = f"({_when(rule, today)}) AND NOT coalesce({on_day(rule.holds, today)}, false)"
    return (
        f"SELECT {', '.join(columns)} FROM {view_name(rule.dataset)} "  # noqa: S608  # conditions are checked on reading
        f"WHERE {UNIT} >= ? AND {UNIT} < ? AND id > ? AND {fails} ORDER BY id LIMIT ?"
    )


def _when(rule: QualityRule, today: date) -> str:
    return on_day(rule.when, today) if rule.when else "true"


def _filled(rule: QualityRule, today: date) -> str:
    """Which rows a unique rule looks at."""
    cells = (f"coalesce(CAST({name} AS VARCHAR), '') <> ''" for name in rule.columns)
    return " AND ".join([f"({_when(rule, today)})", *cells])


def _twice(rule: QualityRule, today: date) -> str:
    """The values that belong to more than one subject."""
    named = ", ".join(rule.columns)
    return (
        f"SELECT {named} FROM {view_name(rule.dataset)} WHERE {_filled(rule, today)} "  # noqa: S608  # conditions are checked on reading
        f"GROUP BY {named} HAVING min({rule.subject}) <> max({rule.subject})"
    )


def _count(condition: str) -> str:
    """Not `count_if`, which answers nothing at all where no row can tell."""
    return f"count(CASE WHEN {condition} THEN 1 END)"


def on_day(condition: str, today: date) -> str:
    """The condition with the day of the run for `today`."""

    def named(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and node.name == "today":
            return exp.cast(exp.Literal.string(today.isoformat()), "date")
        return node

    return sqlglot.parse_one(condition, read=_DIALECT).transform(named).sql(dialect=_DIALECT)
