"""Results import: a million pupils × 40 items, checked and applied, against writing the same matrix plainly as Parquet.

`python -m bench results --pupils 1000000`; `SHUREN_DATABASE_URL` chooses the database (empty: SQLite). Prints times, the
ratio to the plain write, peak memory, and how fast one pupil is found.
"""

import argparse
import time
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Model

from bench.frame import peak, timed
from shuren.assessment import api
from shuren.datahub import api as datahub
from shuren.directory import api as directory
from shuren.directory.data import NewOrg, OrgType
from shuren.directory.models import Enrollment, Org, Person
from shuren.intake import api as intake
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.work.api import run_pending

CLASS_SIZE = 40
SCHOOL_CLASSES = 24


def populate(pupils: int) -> list[str]:
    """Schools, classes and pupils, written straight into the tables: the roster import has a bench of its own."""
    now = clock.now()
    city = directory.add_org(actor=SYSTEM, org=NewOrg(None, OrgType.CITY, "测试市", sourced_id="city"), now=now).id
    county = directory.add_org(actor=SYSTEM, org=NewOrg(city, OrgType.COUNTY, "测试区", sourced_id="d1"), now=now).id
    base, classes = county + 1, -(-pupils // CLASS_SIZE)
    schools = -(-classes // SCHOOL_CLASSES)
    rows = []
    for place in range(schools):
        pk = base + place
        rows.append(
            Org(
                id=pk,
                sourced_id=f"s{place}",
                name=f"学校{place}",
                type="school",
                parent_id=county,
                depth=3,
                path=f"{city}/{county}/{pk}/",
            )
        )
    first_class = base + schools
    for place in range(classes):
        pk, school = first_class + place, base + place // SCHOOL_CLASSES
        path = f"{city}/{county}/{school}/{pk}/"
        rows.append(Org(id=pk, sourced_id=f"c{place}", name=f"班{place}", type="class", parent_id=school, depth=4, path=path))
    Org.objects.bulk_create(rows, batch_size=2_000)
    kind = Person.objects.create(sourced_id="kind", number="kind", name="甲", is_synthetic=True)
    seat = Enrollment.objects.create(
        sourced_id="kind", person=kind, class_org_id=first_class, org_path="0/", role="student", is_primary=True
    )
    place = f"{first_class} + (n.i - 1) / {CLASS_SIZE}"
    multiply(Person, kind.pk, pupils, {"id": f"{kind.pk} + n.i", "sourced_id": ID, "number": NUMBER})
    own = {"id": f"{seat.pk} + n.i", "sourced_id": ID, "person_id": f"{kind.pk} + n.i", "class_org_id": place}
    multiply(Enrollment, seat.pk, pupils, {**own, "org_path": f"(SELECT o.path FROM directory_org o WHERE o.id = {place})"})
    return [f"p{number:08d}" for number in range(1, pupils + 1)]


ID = "'p' || substr(CAST(100000000 + n.i AS varchar(20)), 2)"
NUMBER = "'B' || substr(CAST(10000000000000 + n.i AS varchar(20)), 2)"


def multiply(model: type[Model], pk: int, times: int, own: dict[str, str]) -> None:
    """Copy row `pk` with columns of its own, inside the database: a million rows in seconds."""
    columns = [column.column for column in model._meta.concrete_fields]
    values = ", ".join(own.get(column, f"t.{column}") for column in columns)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        series = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {times})"
        source = f"{series} SELECT {values} FROM n CROSS JOIN {table} t WHERE t.id = {pk}"
        cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) {source}")


def run(pupils: int, items: int) -> None:
    call_command("migrate", verbosity=0)
    folder = Path(settings.DATA_DIR)
    names: list[str] = []
    timed(f"{pupils:,} pupils and their classes", lambda: names.extend(populate(pupils)))
    file = folder / "results.zip"
    test = api.SimulatedTest(code="bench", name="bench", org="city", held_date=date(2026, 6, 18), seed=1, items=items)
    timed("simulated results file", lambda: api.simulate_results(file, test, pupils=names))
    names.clear()
    import_id = intake.start_import(actor=SYSTEM, kind="results", file_name=file.name, content=file, options={}, now=clock.now())
    check = timed("check, staged", run_pending)
    state = intake.import_state(import_id)
    assert state.status == "ready", (state, intake.findings(import_id).rows[:3])
    intake.request_apply(actor=SYSTEM, import_id=import_id, now=clock.now())
    apply = timed("apply", run_pending)
    assessment = api.assessment_id_of_code("bench") or 0
    timed("responses as arrays", lambda: api.responses_of(assessment))
    data = api.responses_of(assessment)
    assert data.scores.shape == (pupils, items)
    table = pa.table({f"r{place + 1}": pa.array(np.ascontiguousarray(data.scores[:, place])) for place in range(items)})
    plain = timed("the same matrix as plain Parquet", lambda: pq.write_table(table, folder / "plain.parquet", compression="zstd"))
    waits = []
    for person in data.person_ids[:: max(1, pupils // 50)]:
        begun = time.perf_counter()
        datahub.read_partition("assessment.responses", {"assessment": assessment}, filters=[("person_id", "==", int(person))])
        waits.append(time.perf_counter() - begun)
    again = intake.start_import(actor=SYSTEM, kind="results", file_name=file.name, content=file, options={}, now=clock.now())
    timed("the same file again, checked", run_pending)
    assert intake.import_state(again).difference["changed"] == 0
    print(f"check and apply take {(check + apply) / plain:.0f} times the plain write; import {check + apply:.1f} s")
    print(f"one pupil among {pupils:,}: median {1000 * float(np.median(waits)):.1f} ms, slowest {1000 * max(waits):.1f} ms")
    print(f"peak memory {peak():.0f} MiB")


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench results", description=__doc__)
    parser.add_argument("--pupils", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=40)
    chosen = parser.parse_args(options)
    run(chosen.pupils, chosen.items)
