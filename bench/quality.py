"""Rules of quality over a province: how long, beside one bare reading of the same columns in the same run.

`python -m bench quality --people 10000000 --rules 200 --schools 20000`. People are made by SQL, no row is true of anybody.
The rules are those that ship, then variants of them until there are enough; the peer is DuckDB counting the filled cells
of every column by school, the least that any rule must read.
"""

import argparse
import time
from dataclasses import replace
from datetime import date
from itertools import cycle, islice

import duckdb
from django.core.management import call_command

from bench.frame import peak
from shuren.datahub.data import QualityDimension, QualityRule
from shuren.datahub.selectors.quality_rules import quality_rules
from shuren.datahub.selectors.sql import query
from shuren.datahub.services.quality.measure import measure_dataset
from shuren.datahub.services.quality.mirror import MEMBER, PARTITION
from shuren.datahub.services.write import write_partition
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM

_ROLES = "CASE WHEN i % 10 < 6 THEN 'pupil' WHEN i % 10 < 9 THEN 'parent' ELSE 'teacher' END"
PEOPLE = f"""
SELECT i AS id, i AS person_id, (i * 2654435761) % $schools AS org_id,
       '1/' || ((i * 2654435761) % $schools) // 50 || '/' || (i * 2654435761) % $schools || '/' AS org_path,
       {_ROLES} AS role, DATE '2022-09-01' AS begin_date, 'P' || lpad(i::VARCHAR, 13, '0') AS number,
       CASE WHEN i % 997 = 0 THEN '' ELSE '测' || i % 5000 END AS name, (1 + i % 2)::VARCHAR AS sex,
       CASE WHEN i % 501 = 0 THEN NULL ELSE DATE '2012-01-01' + (i % 2500)::INTEGER END AS birth_date,
       'g' || i % 9 AS grade,
       CASE WHEN i % 313 = 0 THEN '' ELSE 'G' || lpad((i - i % 2003)::VARCHAR, 18, '9') END AS pupil_number,
       '' AS staff_number, CASE WHEN i % 7 = 0 THEN '' ELSE '138' || lpad((i % 100000000)::VARCHAR, 8, '0') END AS phone,
       '' AS email, md5(i::VARCHAR) AS national_id_index, CASE WHEN i % 101 = 0 THEN NULL ELSE i % 400000 END AS class_id,
       true AS is_synthetic
FROM range(1, $people + 1) r(i)
"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--rules", type=int, default=200)
    parser.add_argument("--schools", type=int, default=20_000)
    asked = parser.parse_args(arguments)
    call_command("migrate", verbosity=0)
    made = duckdb.connect().sql(PEOPLE, params={"people": asked.people, "schools": asked.schools})
    reader = made.to_arrow_reader(100_000)
    write_partition(MEMBER, PARTITION, iter(reader), actor=SYSTEM, now=clock.now(), schema=reader.schema)
    rules = enough_rules(asked.rules)
    took = {}
    for _round in range(2):
        begun = time.perf_counter()
        filled = ", ".join(f"count({column})" for column in reader.schema.names if column != "org_path")
        query(f"SELECT org_path, {filled} FROM directory_member GROUP BY org_path", datasets=[MEMBER])
        took["reading"] = time.perf_counter() - begun
        begun = time.perf_counter()
        found = measure_dataset(MEMBER, rules, {}, today=date(2026, 11, 30))
        took["rules"] = time.perf_counter() - begun
    unique = sum(rule.dimension is QualityDimension.UNIQUE for rule in rules)
    print(f"{asked.people:,} people in {len(found.units):,} schools, {len(rules)} rules of which {unique} unique")
    print(f"rules    {took['rules']:8.1f} s  {asked.people * len(rules) / took['rules'] / 1e6:8.0f} M rows x rules a second")
    print(f"reading  {took['reading']:8.1f} s  {took['rules'] / took['reading']:8.1f} times one bare reading")
    print(f"peak     {peak():8.0f} MiB")
    return 0


def enough_rules(number: int) -> list[QualityRule]:
    """The shipped rules, then the same conditions on shifted values, so that no two are one to the engine."""
    shipped = quality_rules(MEMBER)
    single = [rule for rule in shipped if rule.holds]
    more = [
        replace(rule, code=f"{rule.code}.{turn}", holds=f"({rule.holds}) AND id > {turn}")
        for turn, rule in enumerate(islice(cycle(single), max(0, number - len(shipped))))
    ]
    return [*shipped, *more][:number]
