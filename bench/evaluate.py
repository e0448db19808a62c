"""Evaluation figures: a simulated region measured, and the reports of all five levels built and stored.

`python -m bench evaluate --pupils 1000000`. Orgs and answers are made here and go straight into the tables and the lake;
what is timed is what a run does: read the lake, calibrate, score, draw plausible values, write scores, build and store
unit reports, and open pupils' reports from the lake.
"""

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
from django.core.management import call_command

from bench.frame import peak
from shuren.assessment.models import Assessment, Item
from shuren.datahub.api import write_partition
from shuren.directory.models import Org
from shuren.evaluation.api import declare_run, scores_of
from shuren.evaluation.models import UnitReport
from shuren.evaluation.services.carry_out import carry_out
from shuren.kernel.data import SYSTEM

NOW = datetime(2026, 6, 20, 1, 0, tzinfo=UTC)
PUPILS_PER_SCHOOL, CLASSES_PER_SCHOOL, SCHOOLS_PER_DISTRICT = 125, 3, 50
LIMIT_SECONDS, LIMIT_MIB = 600, 4096
BLOCK = 65_536


def add_orgs(pupils: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A city, its districts, schools and classes; the school, district and first class of every school."""
    schools = max(1, pupils // PUPILS_PER_SCHOOL)
    districts = max(1, -(-schools // SCHOOLS_PER_DISTRICT))
    made = [org(1, None, "city", "1/")]
    made += [org(2 + at, 1, "county", f"1/{2 + at}/") for at in range(districts)]
    first_school = 2 + districts
    district_of = 2 + np.arange(schools) // SCHOOLS_PER_DISTRICT
    first_class = first_school + schools
    for at in range(schools):
        path = f"1/{district_of[at]}/{first_school + at}/"
        made.append(org(first_school + at, int(district_of[at]), "school", path))
    for at in range(schools * CLASSES_PER_SCHOOL):
        school = at // CLASSES_PER_SCHOOL
        parent = first_school + school
        made.append(org(first_class + at, parent, "class", f"1/{district_of[school]}/{parent}/{first_class + at}/"))
    Org.objects.bulk_create(made, batch_size=5000)
    return first_school + np.arange(schools), district_of, first_class + np.arange(schools) * CLASSES_PER_SCHOOL


def org(pk: int, parent: int | None, kind: str, path: str) -> Org:
    name = f"{kind} {pk}"
    return Org(pk=pk, sourced_id=name, name=name, type=kind, parent_id=parent, path=path, depth=path.count("/"))


def batches(pupils: int, items: int, orgs: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Iterator[pa.RecordBatch]:
    """Answers of a two-parameter model, a fifth of the variance between schools."""
    schools, districts, classes = orgs
    rng = np.random.default_rng(20260620)
    school_effect = rng.normal(size=schools.size) * 0.45
    slopes, difficulties = rng.lognormal(0, 0.3, items), rng.normal(size=items)
    for start in range(0, pupils, BLOCK):
        person = np.arange(start, min(start + BLOCK, pupils))
        school = np.minimum(person // PUPILS_PER_SCHOOL, schools.size - 1)
        theta = rng.normal(size=person.size) * 0.9 + school_effect[school]
        columns = {
            "person_id": person + 1,
            "class_id": classes[school] + person % CLASSES_PER_SCHOOL,
            "school_id": schools[school],
            "district_id": districts[school],
            "org_path": pa.array([""] * person.size),
            "booklet": pa.array([""] * person.size),
            "weight": np.ones(person.size),
            "zone": np.zeros(person.size, np.int16),
            "rep": np.zeros(person.size, np.int8),
        }
        chance = 1 / (1 + np.exp(-slopes * (theta[:, None] - difficulties)))
        answers = (rng.random((person.size, items)) < chance).astype(np.int8)
        columns |= {f"r{at + 1}": np.ascontiguousarray(answers[:, at]) for at in range(items)}
        yield pa.RecordBatch.from_pydict({name: pa.array(values) for name, values in columns.items()})


def add_test(pupils: int, items: int) -> int:
    orgs = add_orgs(pupils)
    test = Assessment.objects.create(
        code="bench",
        name="bench",
        subjects=["数学"],
        held_date=date(2026, 6, 18),
        org_id=1,
        org_path="1/",
        is_simulated=True,
        imported_at=NOW,
        status="ready",
    )
    Item.objects.bulk_create(
        Item(
            assessment=test,
            code=f"M{at + 1}",
            position=at + 1,
            content_domain=("数与代数", "图形与几何", "统计与概率")[at % 3],
            cognitive_domain=("知道", "应用", "推理")[at // 3 % 3],
        )
        for at in range(items)
    )
    answers = batches(pupils, items, orgs)
    test.snapshot_id = write_partition("assessment.responses", {"assessment": test.pk}, answers, actor=SYSTEM, now=NOW).id
    test.save()
    return int(test.pk)


def measure(assessment_id: int, pupils: int) -> float:
    """Carry a run out, print its steps, and return its seconds."""
    run_id = declare_run(actor=SYSTEM, assessment_id=assessment_id, now=NOW)
    began = last = time.perf_counter()
    step = "read the lake"

    def tell(_at: int, note: str) -> None:
        nonlocal last, step
        now = time.perf_counter()
        print(f"  {step:<20} {now - last:8.1f} s   peak {peak():6.0f} MiB", flush=True)
        last, step = now, note

    found = carry_out(run_id=run_id, now=NOW, progress=tell)
    took = time.perf_counter() - began
    size = sum(len(body) for body in UnitReport.objects.filter(run_id=run_id).values_list("body", flat=True))
    print(f"  {found['reports']:,} unit reports, {size / 2**20:.0f} MiB")
    looks = []
    for person_id in np.random.default_rng(1).integers(1, pupils, 50).tolist():
        start = time.perf_counter()
        assert scores_of(run_id, person_ids=[person_id]).num_rows == 1
        looks.append((time.perf_counter() - start) * 1000)
    print(f"  one pupil's scores from the lake: median {np.median(looks):.1f} ms, p95 {np.percentile(looks, 95):.1f} ms")
    return took


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench evaluate", description=__doc__)
    parser.add_argument("--pupils", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=40)
    chosen = parser.parse_args(options)
    call_command("migrate", verbosity=0)
    assessment_id = add_test(chosen.pupils, chosen.items)
    print(f"{chosen.pupils:,} pupils × {chosen.items} items (peak {peak():.0f} MiB after simulating)")
    took = measure(assessment_id, chosen.pupils)
    print(f"all five levels in {took:.1f} s (limit {LIMIT_SECONDS}), peak {peak():.0f} MiB (limit {LIMIT_MIB})")
