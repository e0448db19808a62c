"""A small simulated test on the cast's province, measured: what report and assessment pages need to show."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from django.apps import apps

from shuren.datahub.api import write_partition
from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole
from shuren.evaluation.api import declare_run, start_run
from shuren.kernel import clock, ids
from shuren.kernel.data import SYSTEM
from shuren.work.api import run_pending
from tests.cast import Cast

ITEMS = 20
FILLERS = 14


@dataclass(frozen=True)
class Measured:
    """One test with a finished run."""

    assessment_id: int
    run_id: int

    @property
    def assessment(self) -> str:
        return ids.encode("assessment", self.assessment_id)

    @property
    def run(self) -> str:
        return ids.encode("run", self.run_id)


def measure(cast: Cast, code: str, top: str, classes: dict[str, tuple[str, str]], pupils: dict[str, str]) -> Measured:
    """Let the pupils of `classes` (class: school, county) sit a test of the org `top`, and finish a run over it.

    `pupils` are people of the cast by class; fillers join them so that no group is too small to report.
    """
    places: list[tuple[int, int, int, int]] = []
    for class_key, (school, county) in classes.items():
        orgs = (cast.orgs[class_key].id, cast.orgs[school].id, cast.orgs[county].id)
        members = [cast.people[key].id for key, home in pupils.items() if home == class_key]
        places += [(person_id, *orgs) for person_id in [*members, *_fillers(cast, code, class_key)]]
    assessment_id = _assessment(cast, code, top, places)
    run_id = declare_run(actor=SYSTEM, assessment_id=assessment_id, options={"programme": code}, now=cast.now)
    start_run(actor=SYSTEM, run_id=run_id, now=cast.now)
    run_pending()
    return Measured(assessment_id, run_id)


def _fillers(cast: Cast, code: str, class_key: str) -> list[int]:
    person_model, enrollment_model = apps.get_model("directory.Person"), apps.get_model("directory.Enrollment")
    org = cast.orgs[class_key]
    first = person_model.objects.count()
    people = person_model.objects.bulk_create(
        person_model(
            sourced_id=f"{code}-{first + at}", number=f"9{first + at:013d}", name=f"学生{first + at:03d}", is_synthetic=True
        )
        for at in range(FILLERS)
    )
    enrollment_model.objects.bulk_create(
        enrollment_model(
            sourced_id=f"{code}-place-{person.pk}",
            person=person,
            class_org_id=org.id,
            org_path=org.path,
            role=EnrollmentRole.STUDENT.value,
            is_primary=True,
            begin_date=clock.day_of(cast.now) - timedelta(days=60),
        )
        for person in people
    )
    return [person.pk for person in people]


def _assessment(cast: Cast, code: str, top: str, places: list[tuple[int, int, int, int]]) -> int:
    assessment_model, item_model = apps.get_model("assessment.Assessment"), apps.get_model("assessment.Item")
    assessment = assessment_model.objects.create(
        code=code,
        name=f"四年级数学监测 {code}",
        subjects=["数学"],
        grade="四年级",
        held_date=date(2026, 6, 18),
        org_id=cast.orgs[top].id,
        org_path=cast.orgs[top].path,
        is_simulated=True,
        source_note="模拟作答，机构与人名均为虚构",
        population_note="",
        report_scale={"mean": 500, "sd": 100, "cuts": [400, 475, 550, 625]},
        booklets=[],
        context=[],
        references=[],
        imported_at=cast.now,
        status="ready",
    )
    item_model.objects.bulk_create(
        item_model(
            assessment=assessment,
            code=f"M{at + 1:02d}",
            position=at + 1,
            label=f"第{at + 1}题",
            subject="数学",
            content_domain=("数与代数", "图形与几何")[at % 2],
            cognitive_domain=("知道", "应用", "推理")[at % 3],
            knowledge_units=["分数"],
            max_score=1,
        )
        for at in range(ITEMS)
    )
    snapshot = write_partition(
        "assessment.responses", {"assessment": assessment.pk}, _responses(places, seed=len(code)), actor=SYSTEM, now=cast.now
    )
    counted = {org_id: sum(org_id in place for place in places) for place in places for org_id in place[1:]}
    units = directory.orgs_by_ids(counted)
    participation = apps.get_model("assessment.Participation")
    participation.objects.bulk_create(
        participation(assessment=assessment, org_id=org.id, org_path=org.path, level=org.type.value, pupils=counted[org.id])
        for org in units.values()
    )
    assessment.snapshot_id = snapshot.id
    assessment.pupils = len(places)
    assessment.save()
    return int(assessment.pk)


def _responses(places: list[tuple[int, int, int, int]], *, seed: int) -> pa.Table:
    """Answers of a Rasch model."""
    rng = np.random.default_rng(seed)
    people, classes, schools, counties = (np.array(column, dtype=np.int64) for column in zip(*places, strict=True))
    ability = rng.normal(size=len(people))
    columns: dict[str, object] = {
        "person_id": people,
        "class_id": classes,
        "school_id": schools,
        "district_id": counties,
        "org_path": [""] * len(people),
        "booklet": [""] * len(people),
        "weight": np.ones(len(people)),
        "zone": np.zeros(len(people), dtype=np.int16),
        "rep": np.zeros(len(people), dtype=np.int8),
    }
    for at, difficulty in enumerate(np.linspace(-1.5, 1.5, ITEMS)):
        chance = 1 / (1 + np.exp(difficulty - ability))
        columns[f"r{at + 1}"] = (rng.random(len(people)) < chance).astype(np.int8)
    return pa.table(columns)
