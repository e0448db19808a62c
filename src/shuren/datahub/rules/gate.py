"""What a reader finds under a dataset's name: the rows of their branches, the columns granted, the others masked.

The reader's text never meets the table itself. Its names are views made here, and no name of the text may hide one.
"""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _
from sqlglot import exp

from shuren.datahub.data import ColumnSpec, DatasetSpec, Reader
from shuren.datahub.rules.dialect import DIALECT, parsed, refusal, tables_in
from shuren.kernel.errors import Invalid, NotFound, Refused
from shuren.kernel.scope import next_path, outermost
from shuren.standards.data import Grade, MaskStyle

ORGS = "directory.org"
_OPEN = Grade.PUBLIC.value
# Tables that DuckDB has of its own; a name of the text that is like one could hide that another place reads the real one.
_SYSTEM = ("sqlite_", "duckdb_", "pg_", "pragma_", "information_schema", "orgs_of_the_reader", "whole_")
MOST_READ = 100


def gated(sql: str, views: Mapping[str, str], reader: Reader) -> tuple[exp.Query, tuple[str, ...]]:
    """The reader's question as it may run, and the datasets it reads; `views` maps view names to datasets."""
    if not reader.purpose.strip():
        raise Invalid(_("请写明查询的用途。"))
    tree = parsed(sql)
    for cte in tree.find_all(exp.CTE):
        if cte.alias.lower() in views or cte.alias.lower().startswith(_SYSTEM):
            raise refusal(cte.args["alias"], _("与数据集或系统表同名。"))
    read, tables = tables_in(tree), list(tree.find_all(exp.Table))
    # An engine that is still making out what is asked looks at no clock.
    if len(tables) > MOST_READ:
        raise Invalid(_("查询太大：最多写 %(most)d 次数据集的名称。") % {"most": MOST_READ})
    for table in tables:
        name = table.name.lower()
        if name in read and (name not in views or not _may_read(views[name], reader)):
            raise NotFound(_("数据湖中没有这份数据：%(dataset)s。") % {"dataset": table.name[:80]})
    return _limited(tree, reader.most_rows), tuple(sorted(views[name] for name in read))


def needs_orgs(spec: DatasetSpec, reader: Reader) -> bool:
    """Whether the rows of the reader's branches are found only through the orgs they belong to."""
    return not reader.is_region and bool(spec.org_column) and not spec.scope_column


def may_find_rows(spec: DatasetSpec, *, is_region: bool) -> bool:
    """Whether somebody finds rows there by their branches alone: it says whose they are, is open, or they run the region."""
    return is_region or bool(spec.scope_column or spec.org_column) or spec.grade == _OPEN


def reading(spec: DatasetSpec, columns: Mapping[str, str], reader: Reader, *, source: exp.Expr, orgs: exp.Expr | None) -> str:
    """The view's query over `source`, whose `columns` have these Arrow types; `orgs` is where the orgs are read."""
    granted = reader.columns.get(spec.name)
    shown = [name for name in columns if granted is None or name in granted]
    if not shown:
        raise NotFound(_("数据湖中没有这份数据：%(dataset)s。") % {"dataset": spec.name})
    rows = _rows(spec, columns, reader, orgs)
    # The rows are chosen before anything is masked.
    chosen = source if rows is None else exp.select("*").from_(source).where(rows).subquery("chosen")
    return exp.select(*(_shown(spec, name, columns[name], reader) for name in shown)).from_(chosen).sql(dialect=DIALECT)


def _may_read(dataset: str, reader: Reader) -> bool:
    return reader.datasets is None or dataset in reader.datasets


def _limited(tree: exp.Query, most: int) -> exp.Query:
    asked = tree.args.get("limit")
    if asked is None:
        return tree.limit(most, copy=False)
    if not isinstance(asked.expression, exp.Literal):
        raise refusal(asked, _("的行数必须是数。"))
    return tree.limit(min(most, int(asked.expression.name)), copy=False)


def _rows(spec: DatasetSpec, columns: Mapping[str, str], reader: Reader, orgs: exp.Expr | None) -> exp.Expr | None:
    if reader.is_region:
        return None
    if spec.scope_column:
        if spec.scope_column not in columns:
            raise Refused(_("数据集 %(dataset)s 没有机构范围，只有管理全区的人可以查询。") % {"dataset": spec.name})
        return _within(spec.scope_column, reader.scope)
    if spec.org_column and orgs is not None:
        inside = exp.select(exp.column("id", quoted=True)).from_(orgs).where(_within("org_path", reader.scope))
        return exp.In(this=exp.column(spec.org_column, quoted=True), query=exp.Subquery(this=inside))
    if spec.grade == _OPEN:
        return None
    raise Refused(_("数据集 %(dataset)s 没有机构范围，只有管理全区的人可以查询。") % {"dataset": spec.name})


def _within(column: str, paths: Sequence[str]) -> exp.Expr:
    """The branches as ranges; nobody's branch, no row."""
    named = exp.column(column, quoted=True)
    ranges = [
        exp.and_(
            exp.GTE(this=named.copy(), expression=exp.Literal.string(path)),
            exp.LT(this=named.copy(), expression=exp.Literal.string(next_path(path))),
        )
        for path in outermost(paths)
    ]
    return exp.or_(*ranges) if ranges else exp.false()


def _shown(spec: DatasetSpec, name: str, kind: str, reader: Reader) -> exp.Expr:
    named = exp.column(name, quoted=True)
    known = spec.columns.get(name)
    grade = known.grade if known is not None and known.grade else spec.grade
    if _is_plain(spec, name, known, grade, reader):
        return named
    style = reader.masks.get(f"{spec.name}.{name}") or (known.mask if known is not None else "") or MaskStyle.ALL.value
    return exp.alias_(masked(named, kind, MaskStyle(style)), name, quoted=True)


def _is_plain(spec: DatasetSpec, name: str, known: ColumnSpec | None, grade: str, reader: Reader) -> bool:
    """A dataset that declares no columns is as careful as its grade; partition keys and the scope tell nothing of anybody."""
    if f"{spec.name}.{name}" in reader.masks:
        return reader.masks[f"{spec.name}.{name}"] == MaskStyle.NONE.value
    if (known is None or not known.is_kept) and name in {*spec.partition_keys, spec.scope_column, spec.org_column}:
        return True
    return grade <= reader.highest_grade


def masked(column: exp.Expr, kind: str, style: MaskStyle) -> exp.Expr:
    """What the column's mask leaves of a value, in the type of the column: text keeps its ends, a day its year."""
    if kind in {"string", "large_string"} and style not in {MaskStyle.ALL, MaskStyle.YEAR}:
        return _masked_text(column, style)
    if kind.startswith("date") and style is MaskStyle.YEAR:
        return exp.cast(
            exp.DPipe(this=exp.cast(exp.Year(this=column), "varchar"), expression=exp.Literal.string("-01-01")), "date"
        )
    if kind in {"string", "large_string"} and style is MaskStyle.YEAR:
        return exp.Left(this=column, expression=exp.Literal.number(4))
    return exp.cast(exp.null(), _SQL_TYPES.get(kind, "varchar"))


def _masked_text(column: exp.Expr, style: MaskStyle) -> exp.Expr:
    heads = {MaskStyle.NAME: (1, 0), MaskStyle.ID: (4, 4), MaskStyle.PHONE: (3, 4), MaskStyle.EMAIL: (1, 0)}
    head, tail = heads.get(style, (0, 0))
    text: exp.Expr = exp.DPipe(
        this=_left(column, head), expression=exp.Literal.string("**" if style is MaskStyle.NAME else "****")
    )
    if tail:
        text = exp.DPipe(this=text, expression=exp.Right(this=column.copy(), expression=exp.Literal.number(tail)))
    # Of a short value next to nothing is left.
    short = exp.LT(this=exp.Length(this=column.copy()), expression=exp.Literal.number(head + tail + 4))
    if style is MaskStyle.NAME:
        return text
    return exp.Case(
        ifs=[exp.If(this=short, true=exp.DPipe(this=_left(column, 1), expression=exp.Literal.string("****")))], default=text
    )


def _left(column: exp.Expr, count: int) -> exp.Expr:
    return exp.Left(this=column.copy(), expression=exp.Literal.number(count))


_SQL_TYPES = {
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "float": "double",
    "double": "double",
    "date32[day]": "date",
}
