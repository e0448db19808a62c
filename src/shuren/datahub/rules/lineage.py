"""Which column of a question comes from which column of a dataset, read off the SQL that ran.

The ready-made walk of sqlglot is repeated from the top for every column, which takes minutes where there are thousands; here
every scope's columns are traced once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

DIALECT = "duckdb"


@dataclass(frozen=True, slots=True)
class Derived:
    """A result column and one column of a table that it is computed from; `table` is the name in the text."""

    column: str
    table: str
    source_column: str


class UnreadSql(ValueError):
    """The text could not be read; nothing is known of its columns."""


def columns_of_question(sql: str, tables: Mapping[str, Sequence[str]]) -> tuple[Derived, ...]:
    """Where every result column of a SELECT comes from; `tables` names the columns of each table that it may read.

    Conditions and joins choose rows and are no source of a column. Raises `UnreadSql`.
    """
    return _columns(sql, tuple((name, tuple(columns)) for name, columns in sorted(tables.items())))


def tables_of_question(sql: str) -> frozenset[str]:
    """The names of tables that a text reads, without those it defines itself. Raises `UnreadSql`."""
    try:
        parsed = parse_one(sql, dialect=DIALECT)
    except SqlglotError as error:
        raise UnreadSql(str(error)) from error
    own = {cte.alias for cte in parsed.find_all(exp.CTE)}
    return frozenset(table.name for table in parsed.find_all(exp.Table)) - own


@lru_cache(maxsize=256)
def _columns(sql: str, tables: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[Derived, ...]:
    known = {name: frozenset(column.lower() for column in columns) for name, columns in tables}
    schema: dict[str, object] = {name: dict.fromkeys(columns, "TEXT") for name, columns in tables}
    spelled = {(name, column.lower()): column for name, columns in tables for column in columns}
    try:
        question = qualify(parse_one(sql, dialect=DIALECT), dialect=DIALECT, schema=schema, validate_qualify_columns=False)
        scope = build_scope(question)
        if scope is None or not isinstance(question, exp.Query):
            raise UnreadSql("not a question")
        trace = _Trace(known)
        return tuple(
            Derived(column, table, spelled[table, source])
            for place, column in enumerate(question.named_selects)
            for table, source in trace.of(scope, place)
        )
    except (SqlglotError, ValueError, RecursionError) as error:
        raise UnreadSql(str(error)) from error


Leaf = tuple[str, str]


@dataclass
class _Trace:
    """What was traced so far, by scope and place in its list of columns."""

    tables: Mapping[str, frozenset[str]]
    _found: dict[tuple[int, int], tuple[Leaf, ...]] = field(default_factory=dict)
    _places: dict[int, dict[str, int]] = field(default_factory=dict)

    def of(self, scope: Scope, place: int) -> tuple[Leaf, ...]:
        key = (id(scope), place)
        if key not in self._found:
            # A recursive table reads itself: while it is being traced it adds nothing.
            self._found[key] = ()
            self._found[key] = tuple(dict.fromkeys(self._leaves(scope, place)))
        return self._found[key]

    def _leaves(self, scope: Scope, place: int) -> Iterator[Leaf]:
        if scope.set_operation_scopes:
            for branch in scope.set_operation_scopes:
                yield from self.of(branch, place)
            return
        if not isinstance(scope.expression, exp.Query):
            yield from self._of_expression(scope.parent or scope, scope.expression)
            return
        selects = scope.expression.selects
        if place < len(selects):
            yield from self._of_expression(scope, selects[place])

    def _of_expression(self, scope: Scope, expression: exp.Expr) -> Iterator[Leaf]:
        for node in expression.walk(prune=lambda node: isinstance(node, exp.Query) and not isinstance(node, exp.Subquery)):
            if isinstance(node, exp.Column):
                yield from self._of_column(scope, node)
            elif isinstance(node, exp.Query) and not isinstance(node, exp.Subquery):
                inner = next((found for found in scope.subquery_scopes if found.expression is node), None)
                for place in range(len(node.named_selects) if inner else 0):
                    assert inner is not None
                    yield from self.of(inner, place)

    def _of_column(self, scope: Scope, column: exp.Column) -> Iterator[Leaf]:
        outer: Scope | None = scope
        while outer is not None and column.table not in outer.sources:
            outer = outer.parent
        source = outer.sources[column.table] if outer is not None else None
        name = column.name.lower()
        if isinstance(source, Scope):
            place = self._place_in(source, name)
            if place is not None:
                yield from self.of(source, place)
        elif isinstance(source, exp.Table) and name in self.tables.get(source.name, ()):
            yield source.name, name

    def _place_in(self, scope: Scope, name: str) -> int | None:
        if not isinstance(scope.expression, exp.Query):
            return 0
        if id(scope) not in self._places:
            names = scope.expression.named_selects
            self._places[id(scope)] = {each.lower(): place for place, each in reversed(list(enumerate(names)))}
        return self._places[id(scope)].get(name)
