"""Steps of `python -m bench statements`: a year of statements that lie there already, and sums over them in the lake."""

import time
from datetime import UTC, datetime, timedelta

import duckdb
from django.db import connection

from shuren.datahub.services.write import write_partition
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.records.data import StatementFilter
from shuren.records.models import Statement, StatementKey
from shuren.records.rules.lake import SCHEMA
from shuren.records.selectors.lake import DATASET, counts_by_day
from shuren.records.services.open_months import open_months
from shuren.records.services.write_lake import write_day

DAYS, AIM = 360, 2.0
COLUMNS = "statement_id, timestamp, actor, verb, activity, registration, authority, person_id, is_voided, body"
# Copies of the newest statements, each with an id of its own, a moment of the past year and a number after all others.
COPIED = f"""
CREATE TEMP TABLE bench_copy ON COMMIT DROP AS
SELECT now() - make_interval(days => (row_number() OVER () %% {DAYS})::int) AS stored, nextval('records_statement_order') AS seq,
       gen_random_uuid() AS statement_id, kept.stored AS was_stored, kept.seq AS was_seq,
       timestamp, actor, verb, activity, registration, authority, person_id, is_voided, body
FROM (SELECT * FROM records_statement ORDER BY stored DESC, seq DESC LIMIT %s) AS kept
"""
INTO = (
    f"INSERT INTO records_statement (stored, seq, {COLUMNS}) SELECT stored, seq, {COLUMNS} FROM bench_copy",
    "INSERT INTO records_statementkey (statement_id, stored, seq, digest) SELECT statement_id, stored, seq, '' FROM bench_copy",
    """INSERT INTO records_mention (key, stored, seq) SELECT m.key, c.stored, c.seq FROM bench_copy c
    JOIN records_mention m ON m.stored = c.was_stored AND m.seq = c.was_seq""",
)
AT_ONCE = 200_000
MADE = """
SELECT $begin + to_microseconds(n * 10) AS stored, n AS seq, 'client' || (n % 5) AS client, hash(n) % 200000 AS person_id,
       '1/' || (hash(n) % 21) || '/' || (hash(n) % 210) || '/' AS org_path,
       'http://adlnet.gov/expapi/verbs/' || ['answered', 'completed', 'passed'][1 + n % 3] AS verb,
       'https://lessons.example.org/activities/' || (hash(n + 1) % 2000) AS activity, '' AS activity_name, '' AS activity_type,
       n % 4 > 0 AS success, NULL::BOOLEAN AS completion, (hash(n) % 100) / 100.0 AS score, 42.0 AS seconds
FROM range($first, $first + $rows) r(n)
"""


def fill(rows: int) -> None:
    """Until there are `rows`; the copies are of the newest, so that people and activities stay as spread as they were."""
    now = clock.now()
    open_months(now=now - timedelta(days=DAYS), ahead=13)
    begun, have = time.perf_counter(), StatementKey.objects.count()
    while have < rows:
        some = min(AT_ONCE, have, rows - have)
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(COPIED, [some])
            for statement in INTO:
                cursor.execute(statement)
            cursor.execute("COMMIT")
        have += some
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE records_statement; ANALYZE records_statementkey; ANALYZE records_mention")
    print(f"filled up to {have:,} in {time.perf_counter() - begun:,.0f} s", flush=True)


def show_sums(rows: int) -> None:
    """One day out of the tables into the lake, then `rows` over a year summed by day and client."""
    day = clock.day_of(clock.now())
    count = Statement.objects.filter(stored__date=day).count()
    begun = time.perf_counter()
    write_day(day=day, now=clock.now())
    took = time.perf_counter() - begun
    print(f"{'a day into the lake':<44} {count / took:10,.0f} /s  {count:,} statements in {took:.1f} s", flush=True)
    first = datetime.now(UTC) - timedelta(days=DAYS)
    for number in range(DAYS - 1):
        begin = first + timedelta(days=number)
        values = {"begin": begin, "first": number * rows // DAYS, "rows": rows // DAYS}
        reader = duckdb.connect().sql(MADE, params=values).to_arrow_reader(100_000)
        batches = (batch.cast(SCHEMA) for batch in reader)
        write_partition(DATASET, {"day": begin.date().isoformat()}, batches, actor=SYSTEM, now=clock.now(), schema=SCHEMA)
    for label, asked in (("all branches", None), ("one county", ("1/7/7/",))):
        begun = time.perf_counter()
        lines = counts_by_day(StatementFilter(paths=asked))
        took = time.perf_counter() - begun
        told = sum(one.statements for one in lines)
        print(f"{f'{told:,} summed by day and client, {label}':<60} {took:6.2f} s  asked for {AIM:.0f} s", flush=True)
