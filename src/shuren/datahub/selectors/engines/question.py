"""A question as an engine gets it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from re import compile as pattern

from sqlglot import exp

_WHOLE = pattern(r"-?[0-9]{1,18}")
_DAY = pattern(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")


@dataclass(frozen=True, slots=True)
class Part:
    """The files of one dataset, the types of its partition keys, and what its view shows of the source it is given."""

    view: str
    dataset: str
    files: tuple[str, ...]
    keys: Mapping[str, str]
    shown: Callable[[exp.Expr], str]


@dataclass(frozen=True, slots=True)
class Question:
    """`tree` is the text, parsed; `sql` is what DuckDB runs: the caller's own words, or the tree's for a reader.

    It `is_scoped` where the asker finds the rows of some branches alone.
    """

    sql: str
    tree: exp.Query
    params: Mapping[str, object] | Sequence[object] | None
    parts: tuple[Part, ...]
    seconds: float
    is_scoped: bool = False


def key_types(partitions: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The types of partition keys by their values: whole numbers, days, or text."""
    values: dict[str, list[str]] = {}
    for partition in partitions:
        for key, value in partition.items():
            values.setdefault(key, []).append(value)
    return {key: _type_of(told) for key, told in values.items()}


def _type_of(values: list[str]) -> str:
    if all(_WHOLE.fullmatch(value) for value in values):
        return "BIGINT"
    return "DATE" if all(_DAY.fullmatch(value) for value in values) else "VARCHAR"
