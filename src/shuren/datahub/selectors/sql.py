"""Questions in SQL over the lake: one gate for all of them, whoever asks and whatever answers.

The text is parsed and kept to the subset of `rules/dialect.py`. For a reader the views show their rows and masks, and
what runs is written anew from the parsed text. `SHUREN_LAKE_ENGINE` says who answers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa
from django.conf import settings
from django.utils.translation import gettext as _
from sqlglot import exp

from shuren.datahub.data import DatasetSpec, Reader
from shuren.datahub.models import StoredSnapshot
from shuren.datahub.rules import dialect
from shuren.datahub.rules.gate import ORGS, gated, needs_orgs, reading
from shuren.datahub.rules.names import datasets_named_in, view_name
from shuren.datahub.selectors.catalogue import known_datasets, spec_named
from shuren.datahub.selectors.engines import duck, spark
from shuren.datahub.selectors.engines.question import Part, Question, key_types
from shuren.datahub.selectors.snapshots import AsOf, state_of_datasets
from shuren.kernel.errors import NotFound
from shuren.standards import api as standards

SECONDS_ALLOWED = 120.0


def query(
    sql: str,
    *,
    params: Mapping[str, object] | Sequence[object] | None = None,
    datasets: Sequence[str] | None = None,
    partitions: Mapping[str, object] | None = None,
    reader: Reader | None = None,
    as_of: AsOf | None = None,
) -> pa.Table:
    """Answer one SELECT; each dataset is a view named like it with `_` for `.`, partition keys are columns.

    `datasets` defaults to those whose view name stands in the text. `partitions` keeps only partitions with these
    key values (of datasets that have such a key). Values go in through `params`, never into the text. A `reader` sees the
    rows of their branches, masked, and no more rows and seconds than are theirs. `as_of` a moment, or just after a
    snapshot's id.
    """
    if reader is not None:
        return _answer(_asked_by(sql, params, partitions, reader, as_of))
    tree = dialect.parsed(sql)
    names = tuple(datasets) if datasets is not None else datasets_named_in(sql, [spec.name for spec in known_datasets()])
    files = _files([spec_named(name).name for name in names], partitions, as_of)
    parts = tuple(
        _part(name, rows, lambda source: exp.select("*").from_(source).sql(dialect=dialect.DIALECT))
        for name, rows in files.items()
    )
    return _answer(Question(sql, tree, params, parts, SECONDS_ALLOWED))


def stream(sql: str, *, reader: Reader, partitions: Mapping[str, object] | None = None) -> Iterator[pa.RecordBatch]:
    """A reader's question answered batch by batch, the first empty, so that its columns are known; Spark answers at once."""
    question = _asked_by(sql, None, partitions, reader, None)
    engine = settings.SHUREN_LAKE_ENGINE
    if engine == "duckdb":
        yield from duck.stream(question)
    else:
        table = spark.answer(question, master=engine)
        yield from [pa.RecordBatch.from_pylist([], schema=table.schema), *table.to_batches()]


def check_question(sql: str) -> None:
    """Raises `Invalid` with the place where a text does not keep to the lake's dialect; which datasets there are is not asked."""
    dialect.check(sql)


def datasets_read(sql: str, reader: Reader) -> tuple[str, ...]:
    """The datasets that a reader's question reads; refused like the question itself."""
    return gated(sql, _views(), reader)[1]


def _asked_by(
    sql: str,
    params: Mapping[str, object] | Sequence[object] | None,
    partitions: Mapping[str, object] | None,
    reader: Reader,
    as_of: AsOf | None,
) -> Question:
    tree, names = gated(sql, _views(), reader)
    specs = {name: with_elements(spec_named(name)) for name in names}
    behind = [ORGS] if any(needs_orgs(spec, reader) for spec in specs.values()) else []
    files = _files([*names, *(name for name in behind if name not in names)], partitions, as_of)
    parts = []
    if behind:
        parts.append(_behind(files[ORGS]))
    for name, spec in specs.items():
        orgs = exp.to_table(_BEHIND) if needs_orgs(spec, reader) else None
        parts.append(_part(name, files[name], _shown_to(spec, files[name], reader, orgs)))
    text = tree.sql(dialect=dialect.DIALECT, comments=False)
    seconds = min(reader.seconds, SECONDS_ALLOWED)
    return Question(text, tree, params, tuple(parts), seconds, is_scoped=not reader.is_region)


_BEHIND = "orgs_of_the_reader"


def _behind(rows: list[StoredSnapshot]) -> Part:
    """Where a view looks up the orgs of its rows; the reader's own text may not name it, for it is no dataset."""
    part = _part(ORGS, rows, lambda source: exp.select("id", "org_path").from_(source).sql(dialect=dialect.DIALECT))
    return Part(_BEHIND, part.dataset, part.files, part.keys, part.shown)


def _shown_to(spec: DatasetSpec, rows: list[StoredSnapshot], reader: Reader, orgs: exp.Expr | None) -> Callable[[exp.Expr], str]:
    columns = dict.fromkeys(spec.partition_keys, "string")
    for row in rows:
        columns |= row.columns
    return lambda source: reading(spec, columns, reader, source=source, orgs=orgs)


def _views() -> dict[str, str]:
    return {view_name(spec.name): spec.name for spec in known_datasets()}


def with_elements(spec: DatasetSpec) -> DatasetSpec:
    """The spec with grade and mask of each column's element, where it says none of its own."""
    known = dict(spec.columns)
    for name, column in spec.columns.items():
        if column.element and standards.known_element(column.element) is not None:
            element = standards.meaning_of(column.element)
            known[name] = column.with_defaults(grade=element.grade.value, mask=element.mask.value)
    return spec.with_columns(known)


def _files(names: Sequence[str], partitions: Mapping[str, object] | None, as_of: AsOf | None) -> dict[str, list[StoredSnapshot]]:
    wanted = {key: str(value) for key, value in (partitions or {}).items()}
    found = {}
    for name, rows in state_of_datasets(names, as_of).items():
        found[name] = [row for row in rows if all(row.partition_values.get(key, value) == value for key, value in wanted.items())]
        if not found[name]:
            raise NotFound(_("数据湖中没有这份数据：%(dataset)s。") % {"dataset": name})
    return found


def _part(name: str, rows: list[StoredSnapshot], shown: Callable[[exp.Expr], str]) -> Part:
    keys = key_types(row.partition_values for row in rows)
    return Part(view_name(name), name, tuple(row.file for row in rows), keys, shown)


def _answer(question: Question) -> pa.Table:
    engine = settings.SHUREN_LAKE_ENGINE
    return duck.answer(question) if engine == "duckdb" else spark.answer(question, master=engine)
