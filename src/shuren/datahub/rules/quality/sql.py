"""From rules to SQL: all rules that judge single rows become one pass over the dataset, each unique rule one more.

The answers have the columns `unit`, then per rule the rows looked at and those that failed. Rules that look at the same rows
share one counter, so that two hundred rules over ten million rows stay one reading of the columns they name.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import sqlglot
from sqlglot import exp

from shuren.datahub.data import DatasetSpec, QualityDimension, QualityRule
from shuren.datahub.rules.names import view_name
from shuren.datahub.rules.quality.conditions import columns_in

_DIALECT = "duckdb"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in a dataset stands whose a row is, in which order rows are shown, and whom a row is about, if anybody."""

    unit: str = "org_path"
    order: tuple[str, ...] = ("id",)
    person: str = ""


ROSTER = Layout()


def layout_of(spec: DatasetSpec, columns: Collection[str]) -> Layout | None:
    """The layout of a dataset with these columns; None where no row says whose it is."""
    unit = spec.scope_column or "org_path"
    if unit not in columns:
        return None
    order = [name for name in ("id", "seq", *spec.partition_keys, "person_id", unit) if name in columns]
    return Layout(unit, tuple(order[:1] if order[0] == "id" else order), "person_id" if "person_id" in columns else "")


def columns_read(rule: QualityRule) -> frozenset[str]:
    """The columns without which a rule cannot be asked."""
    texts = [text for text in (rule.when, rule.holds, rule.measured) if text]
    if rule.dimension is QualityDimension.UNIQUE:
        texts += [rule.subject, *rule.columns]
    return frozenset[str]().union(*map(columns_in, texts))


@dataclass(frozen=True, slots=True)
class RowPass:
    """One reading of the dataset: `sql` answers `unit` and `rows`, and the columns named here per rule."""

    sql: str
    checked: dict[str, str]
    failed: dict[str, str]
    measured: dict[str, str]


def row_pass(dataset: str, rules: Sequence[QualityRule], *, today: date, layout: Layout = ROSTER) -> RowPass:
    """The one query that counts, per unit, what every rule but the unique ones finds."""
    counters: dict[str, str] = {}
    columns = [f"{layout.unit} AS unit", "count(*) AS rows"]
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
    # What no rule looks at is not read.
    wheres = {rule.where for rule in rules}
    looked_at = f"({on_day(wheres.pop(), today)}) AND " if len(wheres) == 1 and wheres != {""} else ""
    chosen = f"{looked_at}{_placed(layout)} GROUP BY {layout.unit}"
    sql = f"SELECT {', '.join(columns)} FROM {view_name(dataset)} WHERE {chosen}"  # noqa: S608  # conditions are checked on reading
    return RowPass(sql=sql, checked=checked, failed=failed, measured=measured)


def unique_pass(rule: QualityRule, *, today: date, layout: Layout = ROSTER) -> str:
    """The query that counts, per unit, the rows whose value belongs to another subject too."""
    filled, named = _filled(rule, today), ", ".join(rule.columns)
    same = " AND ".join(f"t.{name} = w.{name}" for name in rule.columns)
    return (
        f"WITH twice AS ({_twice(rule, today)}) "  # noqa: S608  # conditions are checked on reading
        f"SELECT t.{layout.unit} AS unit, count(*) AS checked, count(w.{rule.columns[0]}) AS failed "
        f"FROM (SELECT {layout.unit}, {named} FROM {view_name(rule.dataset)} WHERE {filled} AND {_placed(layout)}) t "
        f"LEFT JOIN twice w ON {same} GROUP BY t.{layout.unit}"
    )


def failing_rows(rule: QualityRule, columns: Sequence[str], *, today: date, layout: Layout = ROSTER) -> str:
    """The rows of one branch that fail, in order.

    Parameters are the branch's path, the path after it, how many, and after how many.
    """
    if rule.dimension is QualityDimension.UNIQUE:
        fails = f"{_filled(rule, today)} AND ({', '.join(rule.columns)}) IN ({_twice(rule, today)})"
    else:
        fails = f"({_when(rule, today)}) AND NOT coalesce({on_day(rule.holds, today)}, false)"
    return (
        f"SELECT {', '.join(columns)} FROM {view_name(rule.dataset)} "  # noqa: S608  # conditions are checked on reading
        f"WHERE {layout.unit} >= ? AND {layout.unit} < ? AND {fails} ORDER BY {', '.join(layout.order)} LIMIT ? OFFSET ?"
    )


def _placed(layout: Layout) -> str:
    """Rows that belong to nobody are nobody's to mend."""
    return f"coalesce({layout.unit}, '') <> ''"


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
