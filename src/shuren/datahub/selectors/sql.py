"""Questions in SQL (DuckDB's dialect) over the current snapshots.

A connection lives for one question. It sees the files of the datasets it names and nothing else: every other file,
the network, extensions and settings are shut before the caller's text is read, and only one SELECT is accepted.
"""

import os
import threading
from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa
from django.utils.translation import gettext as _

from shuren.datahub.models import StoredSnapshot
from shuren.datahub.rules.catalogue import declared, spec_of
from shuren.datahub.rules.names import datasets_named_in, quoted, view_name
from shuren.datahub.selectors.snapshots import current_of_datasets, path_of
from shuren.kernel.errors import Invalid, NotFound

MEMORY_LIMIT = "1GB"
SECONDS_ALLOWED = 120.0


def query(
    sql: str,
    *,
    params: Mapping[str, object] | Sequence[object] | None = None,
    datasets: Sequence[str] | None = None,
    partitions: Mapping[str, object] | None = None,
) -> pa.Table:
    """Answer one SELECT; each dataset is a view named like it with `_` for `.`, partition keys are columns.

    `datasets` defaults to those whose view name stands in the text. `partitions` keeps only partitions with these
    key values (of datasets that have such a key). Values go in through `params`, never into the text.
    """
    names = tuple(datasets) if datasets is not None else datasets_named_in(sql, [spec.name for spec in declared()])
    files = {name: _chosen(rows, partitions) for name, rows in current_of_datasets(spec_of(name).name for name in names).items()}
    for name, rows in files.items():
        if not rows:
            raise NotFound(_("数据湖中没有这份数据：%(dataset)s。") % {"dataset": name})
    _check_is_question(sql)
    connection = duckdb.connect(":memory:", config={"memory_limit": MEMORY_LIMIT, "threads": str(os.cpu_count() or 1)})
    watch = threading.Timer(SECONDS_ALLOWED, connection.interrupt)
    watch.daemon = True
    try:
        _open_views(connection, files)
        watch.start()
        answer = connection.sql(sql, params=params) if params else connection.sql(sql)
        return answer.to_arrow_table()
    except duckdb.InterruptException as error:
        raise Invalid(_("查询超过 %(seconds)d 秒，已停止。") % {"seconds": SECONDS_ALLOWED}) from error
    except duckdb.Error as error:
        raise Invalid(_("查询无法执行：%(reason)s") % {"reason": str(error)[:500]}) from error
    finally:
        watch.cancel()
        connection.close()


def _chosen(rows: list[StoredSnapshot], partitions: Mapping[str, object] | None) -> list[StoredSnapshot]:
    wanted = {key: str(value) for key, value in (partitions or {}).items()}
    return [row for row in rows if all(row.partition_values.get(key, value) == value for key, value in wanted.items())]


def _check_is_question(sql: str) -> None:
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise Invalid(_("查询无法执行：%(reason)s") % {"reason": str(error)[:500]}) from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise Invalid(_("只接受一条 SELECT 查询。"))


def _open_views(connection: duckdb.DuckDBPyConnection, files: Mapping[str, list[StoredSnapshot]]) -> None:
    paths = {name: [quoted(str(path_of(row))) for row in rows] for name, rows in files.items()}
    everything = ", ".join(path for group in paths.values() for path in group)
    connection.execute(f"SET allowed_paths = [{everything}]")
    connection.execute("SET enable_external_access = false")
    for name, group in paths.items():
        source = f"read_parquet([{', '.join(group)}], union_by_name = true, hive_partitioning = true)"
        connection.execute(f"CREATE VIEW {view_name(name)} AS SELECT * FROM {source}")  # noqa: S608  # names are checked, paths quoted
    connection.execute("SET lock_configuration = true")
