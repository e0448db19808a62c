"""Spark: the same text, transpiled, over the same files.

One Spark session stands for the process; every question has views of its own in a session beside it.
"""

import os
import sys
import threading
import uuid
from typing import Any

import pyarrow as pa
from django.utils.translation import gettext as _
from sqlglot import exp, parse_one

from shuren.datahub.rules.dialect import DIALECT, bound, to_spark
from shuren.datahub.selectors.engines._optional import load
from shuren.datahub.selectors.engines.failures import ValueFailure, failure_of
from shuren.datahub.selectors.engines.question import Part, Question
from shuren.datahub.selectors.storage import store
from shuren.kernel.errors import Invalid

_TYPES = {"BIGINT": "bigint", "DATE": "date", "VARCHAR": "string"}
_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
# No condition is tried below a limit; this is the largest that Spark knows.
_WALL = f"LIMIT {2**31 - 1}"
_start = threading.Lock()


def session(master: str) -> Any:
    """The process's Spark, started when it is first needed."""
    sql = load("pyspark.sql")
    if sql is None:
        raise Invalid(_("没有安装 Spark。"), remedy=_("安装 spark 这一组依赖，或把 SHUREN_LAKE_ENGINE 设为 duckdb。"))
    with _start:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = sql.SparkSession.builder.appName("shuren lake").master(master)
        for name, value in (_SETTINGS | _of_master(master)).items():
            builder = builder.config(name, value)
        return builder.getOrCreate()


def answer(question: Question, *, master: str) -> pa.Table:
    """The whole answer; asked again behind a wall where a value fails, as DuckDB is (`duck.answer`)."""
    try:
        return _answered(question, master, is_walled=False)
    except ValueFailure:
        if not question.is_scoped:
            raise
    return _answered(question, master, is_walled=True)


def _answered(question: Question, master: str, *, is_walled: bool) -> pa.Table:
    own = session(master).newSession()
    group = uuid.uuid4().hex
    context = own.sparkContext
    watch = threading.Timer(question.seconds, context.cancelJobGroup, args=[group])
    watch.daemon = True
    has_run_out = threading.Event()
    late = threading.Timer(question.seconds, has_run_out.set)
    late.daemon = True
    try:
        context.setJobGroup(group, "a question to the lake", interruptOnCancel=True)
        for part in question.parts:
            _open_view(own, part, is_walled=is_walled)
        late.start()
        watch.start()
        return own.sql(to_spark(bound(question.tree.copy(), question.params))).toArrow()
    except _failures() as error:
        if has_run_out.is_set():
            raise Invalid(_("查询超过 %(seconds)d 秒，已停止。") % {"seconds": question.seconds}) from error
        raise failure_of(error) from error
    finally:
        watch.cancel()
        late.cancel()


def _open_view(own: Any, part: Part, *, is_walled: bool) -> None:
    lake = store()
    base = lake.address(part.dataset)
    reader = own.read.option("basePath", base).option("mergeSchema", "true")
    frame = reader.parquet(*(lake.address(file) for file in part.files))
    for key, kind in part.keys.items():
        frame = frame.withColumn(key, frame[key].cast(_TYPES[kind]))
    whole = f"whole_{uuid.uuid4().hex}"
    frame.createOrReplaceTempView(whole)
    shown = part.shown(exp.to_table(whole))
    shown = to_spark(parse_one(shown, read=DIALECT))
    if is_walled:
        shown = f"SELECT * FROM ({shown}) {_WALL}"  # noqa: S608  # the gate wrote it
    own.sql(f"CREATE TEMPORARY VIEW {part.view} AS {shown}")


def _of_master(master: str) -> dict[str, str]:
    if not master.startswith("local"):
        return {}
    loopback = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    return loopback | {"spark.sql.shuffle.partitions": "2", "spark.default.parallelism": "2"}


def _failures() -> tuple[type[Exception], ...]:
    errors, bridge = load("pyspark.errors"), load("py4j.protocol")
    return (errors.PySparkException, bridge.Py4JError) if errors is not None and bridge is not None else ()
