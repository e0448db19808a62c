"""The one question that is asked of the lake for an open dataset: the declared columns, coarse where that was declared."""

from collections.abc import Mapping
from datetime import date

from shuren.datahub.data import OpenColumn, OpenDeclaration, OpenFacts, OpenShape, OpenTreatment
from shuren.datahub.rules.names import view_name
from shuren.datahub.rules.open_data.columns import is_number
from shuren.kernel.errors import Invalid

BAND = 10
AGES = 5


def question_of(declaration: OpenDeclaration, facts: Mapping[str, OpenFacts], *, day: date) -> tuple[str, list[object]]:
    """The text and its parameters. Groups come with `n` and, for each mean, count, sum, least and greatest."""
    keys = [_key(column, day) for column in declaration.grouped]
    chosen = [f"{key} AS g{place}" for place, key in enumerate(keys)]
    if declaration.shape is OpenShape.GROUPS:
        chosen.append("count(*) AS n")
        for place, column in enumerate(declaration.measured):
            value = f'CAST("{column.name}" AS DOUBLE)'
            chosen += [
                f"{how}({value if how != 'count' else _quoted(column.name)}) AS m{place}_{how}"
                for how in ("count", "sum", "min", "max")
            ]
    rows = " AND ".join(f"{_quoted(name)} = ?" for name in declaration.where)
    sql = f"SELECT {', '.join(chosen)} FROM {view_name(declaration.dataset)}"  # noqa: S608  # names of declared columns
    if rows:
        sql += f" WHERE {rows}"
    if declaration.shape is OpenShape.GROUPS:
        sql += f" GROUP BY {', '.join(keys)}"
    return sql, [_typed(value, facts[name].kind) for name, value in declaration.where.items()]


def _quoted(name: str) -> str:
    return f'"{name}"'


def _key(column: OpenColumn, day: date) -> str:
    named = _quoted(column.name)
    match column.treatment:
        case OpenTreatment.YEAR:
            return f"YEAR({named})"
        case OpenTreatment.AGE_BAND:
            return f"FLOOR(({day.year} - YEAR({named})) / {AGES}) * {AGES}"
        case OpenTreatment.BAND:
            return f"FLOOR({named} / {BAND}) * {BAND}"
        case _:
            return named


def _typed(value: str, kind: str) -> object:
    if kind == "bool":
        return value.lower() in {"1", "true", "yes", "是"}
    if is_number(kind):
        try:
            return int(value) if kind.startswith(("int", "uint")) else float(value)
        except ValueError as error:
            raise Invalid(value[:80]) from error
    return value


def label_of(value: object, column: OpenColumn) -> str:
    """A value of a group as the file shows it; empty where it is not known."""
    if value is None:
        return ""
    if column.treatment in (OpenTreatment.AGE_BAND, OpenTreatment.BAND):
        low = int(float(str(value)))
        return f"{low}–{low + (AGES if column.treatment is OpenTreatment.AGE_BAND else BAND) - 1}"
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)
