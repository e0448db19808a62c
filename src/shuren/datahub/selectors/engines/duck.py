"""DuckDB, a connection for each question.

It sees the files of the datasets that are asked about and nothing else: every other file, the network, extensions,
settings and the objects of this process are shut before the caller's text is read.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa
from django.utils.translation import gettext as _
from fsspec.implementations.arrow import ArrowFSWrapper  # type: ignore[import-untyped]
from sqlglot import exp

from shuren.datahub.rules.dialect import DIALECT
from shuren.datahub.rules.names import quoted
from shuren.datahub.selectors.engines.failures import ValueFailure, failure_of
from shuren.datahub.selectors.engines.question import Part, Question
from shuren.datahub.selectors.storage import Bucket, store
from shuren.kernel.errors import Invalid

MEMORY_LIMIT = "1GB"
_AT_ONCE = 65_536
_SCHEME = "lake://"
# No condition is tried below a limit, as it might change which rows are counted.
_WALL = f"LIMIT {2**63 - 1}"


class BucketFiles(ArrowFSWrapper):  # type: ignore[misc]  # the library has no types
    """The bucket as DuckDB reads it: its own S3 reader is an extension, and those cannot be fetched everywhere."""

    protocol = "lake"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path.removeprefix(_SCHEME)

    def unstrip_protocol(self, name: str) -> str:
        return name if name.startswith(_SCHEME) else _SCHEME + name


def answer(question: Question) -> pa.Table:
    """The whole answer.

    DuckDB may try the text's own conditions on rows before it leaves out those of other branches. Where a value fails, the
    question is asked again behind a wall, so that it fails over the asker's own rows or not at all.
    """
    try:
        with _asked(question, is_walled=False) as found:
            return found.to_arrow_table()
    except ValueFailure:
        if not question.is_scoped:
            raise
    with _asked(question, is_walled=True) as found:
        return found.to_arrow_table()


def stream(question: Question) -> Iterator[pa.RecordBatch]:
    """The answer batch by batch, the first empty; the time allowed runs until the last is taken.

    What was taken cannot be asked again: the rows of branches stand behind their wall from the beginning.
    """
    with _asked(question, is_walled=question.is_scoped) as found, found.to_arrow_reader(_AT_ONCE) as reader:
        yield pa.RecordBatch.from_pylist([], schema=reader.schema)
        try:
            yield from reader
        except (pa.ArrowException, OSError) as error:
            # Arrow hands on what DuckDB says, as an error of its own.
            raise failure_of(error) from error


@contextmanager
def _asked(question: Question, *, is_walled: bool) -> Iterator[duckdb.DuckDBPyRelation]:
    """The answer as DuckDB holds it, while its connection is open."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "threads": str(os.cpu_count() or 1),
        "python_enable_replacements": "false",
    }
    connection = duckdb.connect(":memory:", config=config)
    watch = threading.Timer(question.seconds, connection.interrupt)
    watch.daemon = True
    try:
        _open_views(connection, question.parts, is_walled=is_walled)
        watch.start()
        params = question.params
        yield connection.sql(question.sql, params=params) if params else connection.sql(question.sql)
    except duckdb.InterruptException as error:
        raise Invalid(_("查询超过 %(seconds)d 秒，已停止。") % {"seconds": question.seconds}) from error
    except duckdb.Error as error:
        raise failure_of(error) from error
    finally:
        watch.cancel()
        connection.close()


def _open_views(connection: duckdb.DuckDBPyConnection, parts: tuple[Part, ...], *, is_walled: bool) -> None:
    lake = store()
    scheme = ""
    if isinstance(lake, Bucket):
        connection.register_filesystem(BucketFiles(lake.filesystem))
        scheme = _SCHEME
    paths = {part.view: [quoted(scheme + lake.key(file)) for file in part.files] for part in parts}
    everything = ", ".join(path for group in paths.values() for path in group)
    connection.execute(f"SET allowed_paths = [{everything}]")
    connection.execute("SET enable_external_access = false")
    for part in parts:
        types = ", ".join(f"{quoted(key)}: {kind}" for key, kind in part.keys.items())
        options = f"union_by_name = true, hive_partitioning = true, hive_types = {{{types}}}"
        reading = f"SELECT * FROM read_parquet([{', '.join(paths[part.view])}], {options})"  # noqa: S608  # paths are quoted
        source: exp.Expr = exp.maybe_parse(reading, dialect=DIALECT).args["from_"].this
        shown = part.shown(source)
        if is_walled:
            shown = f"SELECT * FROM ({shown}) {_WALL}"  # noqa: S608  # the gate wrote it
        connection.execute(f"CREATE VIEW {part.view} AS {shown}")
    connection.execute("SET lock_configuration = true")
