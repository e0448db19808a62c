"""The lake's gate and its compaction: how much slower than SQL written by hand, and than copying.

`python -m bench lake --rows 100000000`. Answers are made by SQL, none is anybody's. The peer of the gate is DuckDB over
the same files with the reader's rows and levels written into the text by hand; the peer of compaction is `cp` of the same pieces.
"""

import argparse
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import duckdb
from django.conf import settings
from django.core.management import call_command

from bench.frame import peak
from shuren.datahub.data import ColumnSpec, DatasetSpec, Reader
from shuren.datahub.rules.catalogue import declare
from shuren.datahub.selectors.sql import query
from shuren.datahub.services.compact import compact_partition
from shuren.datahub.services.write import append_partition, write_partition
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM

_OPEN = {name: ColumnSpec(grade="L1") for name in ("org_path", "city", "county", "school", "class", "item", "score")}
ANSWERS = DatasetSpec("bench.answers", ("part",), "answers", "L3", "bench", columns=_OPEN, scope_column="org_path")
PIECES = DatasetSpec("bench.pieces", ("part",), "pieces", "L2", "bench", sort_by=("person_id",))
MADE = """
SELECT p AS person_id, '1/' || c || '/' || k || '/' || s || '/' AS org_path, 1::SMALLINT AS province, c::SMALLINT AS city,
       k::SMALLINT AS county, s::INTEGER AS school, (s * 10 + p % 10)::INTEGER AS class, i::SMALLINT AS item,
       (hash(p, i) % 5)::TINYINT AS score
FROM (SELECT $first + n // 50 AS p, n % 50 AS i, ($first + n // 50) * $schools // $people AS s FROM range($rows) r(n)) t,
     LATERAL (SELECT s // 100 AS c, s // 10 AS k) o
"""
ROLLUP = (
    "SELECT province, city, county, school, class, count(*) AS n, sum(score) AS total, avg(score) AS mean "
    "FROM {source} GROUP BY ROLLUP (province, city, county, school, class)"
)
PART_ROWS = 10_000_000


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--schools", type=int, default=1_200)
    parser.add_argument("--pieces", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args(arguments)
    call_command("migrate", verbosity=0)
    for spec in (ANSWERS, PIECES):
        declare(spec)
    write_answers(asked.rows, asked.schools)
    reader = Reader(scope=("1/",), purpose="bench", most_rows=1_000_000)
    files = sorted(str(path) for path in (Path(settings.DATA_DIR) / "lake" / ANSWERS.name).rglob("*.parquet"))
    by_hand = ROLLUP.format(source=f"read_parquet({files}, hive_partitioning = true) WHERE org_path >= '1/' AND org_path < '10'")
    groups, reached = query(ROLLUP.format(source="bench_answers"), reader=reader).num_rows, peak()
    gated, hand = [], []
    for _round in range(asked.rounds):
        hand.append(timed(lambda: run_by_hand(by_hand)))
        gated.append(timed(lambda: query(ROLLUP.format(source="bench_answers"), reader=reader).num_rows))
    print(f"{asked.rows:,} answers rolled up to five levels, {groups:,} groups")
    print(f"gate     {median(gated):8.2f} s")
    print(f"by hand  {median(hand):8.2f} s  {median(gated) / median(hand):8.2f} times")
    print(f"peak     {reached:8.0f} MiB, what wrote the answers in it")
    compaction(asked.pieces)
    return 0


def write_answers(rows: int, schools: int) -> None:
    people = max(rows // 50, 1)
    for number, first in enumerate(range(0, rows, PART_ROWS)):
        values = {"first": first // 50, "rows": min(PART_ROWS, rows - first), "schools": schools, "people": people}
        reader = duckdb.connect(config={"memory_limit": "300MB"}).sql(MADE, params=values).to_arrow_reader(100_000)
        write_partition(ANSWERS.name, {"part": number}, iter(reader), actor=SYSTEM, now=clock.now(), schema=reader.schema)


def run_by_hand(sql: str) -> int:
    with duckdb.connect(config={"memory_limit": "1GB", "threads": str(os.cpu_count() or 1)}) as connection:
        return int(connection.sql(sql).to_arrow_table().num_rows)


def compaction(pieces: int) -> None:
    """Pieces of 100,000 rows become one sorted file; the peer copies their bytes to the disk."""
    for number in range(pieces):
        values = {"first": number * 2_000, "rows": 100_000, "schools": 1_200, "people": pieces * 2_000}
        table = duckdb.connect().sql(MADE, params=values).to_arrow_table()
        append_partition(PIECES.name, {"part": 1}, table, actor=SYSTEM, now=clock.now())
    files = list((Path(settings.DATA_DIR) / "lake" / PIECES.name).rglob("*.parquet"))
    size = sum(path.stat().st_size for path in files) / 1e6
    target = Path(settings.DATA_DIR) / "copied"
    copying = timed(lambda: copied(files, target))
    shutil.rmtree(target)
    taken = timed(lambda: compact_partition(PIECES.name, {"part": 1}, now=clock.now()))
    print(f"{pieces} pieces, {pieces * 100_000:,} rows, {size:,.0f} MB")
    print(f"compact  {taken:8.2f} s  {size / taken:8.0f} MB/s  {pieces * 100_000 / taken / 1e6:8.2f} M rows/s")
    print(f"copy     {copying:8.2f} s  {size / copying:8.0f} MB/s  {taken / copying:8.1f} times one copy")


def copied(files: list[Path], target: Path) -> None:
    target.mkdir()
    for path in files:
        with (target / path.name).open("wb") as file, path.open("rb") as source:
            shutil.copyfileobj(source, file)
            os.fsync(file.fileno())


def timed(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun
