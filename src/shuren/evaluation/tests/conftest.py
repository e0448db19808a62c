"""The cast of these tests: a city with three districts, ten schools and a few hundred simulated pupils who sat a test."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.utils import translation

from shuren.datahub.api import write_partition
from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, NewOrg, NewPerson, OrgType, Role
from shuren.evaluation.api import declare_run, start_run
from shuren.identity import api as identity
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM, Actor
from shuren.work.api import run_pending

NOW = datetime(2026, 6, 20, 1, 0, tzinfo=UTC)
BEGUN = date(2025, 9, 1)
PASSWORD = "kavu-mite-tane-4827"
ITEMS = 24
SOURCE = "模拟作答，机构与人名均为虚构"
# district: pupils of each class of each school
PLAN: dict[str, list[list[int]]] = {
    "east": [[16, 14], [15, 12], [13], [14], [12]],
    "west": [[20, 18], [22]],
    "north": [[17, 6], [15, 13], [4]],
}


@dataclass
class Region:
    """Orgs and people by short names, and the tests they sat."""

    orgs: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    pupils: list[int] = field(default_factory=list)
    places: list[tuple[int, int, int]] = field(default_factory=list)
    assessments: dict[str, int] = field(default_factory=dict)

    def add_org(self, key: str, parent: str | None, kind: OrgType, name: str) -> None:
        new = NewOrg(parent_id=self.orgs[parent] if parent else None, type=kind, name=name)
        self.orgs[key] = directory.add_org(actor=SYSTEM, org=new, now=NOW).id

    def add_person(self, key: str, name: str) -> int:
        new = NewPerson(name=name, is_synthetic=True)
        self.people[key] = directory.add_person(actor=SYSTEM, person=new, now=NOW).id
        return self.people[key]

    def actor(self, key: str, role: Role | None = None) -> Actor:
        return Actor(person_id=self.people[key], account_id=None, name=key, role=role)

    def public(self, key: str) -> str:
        return ids.encode("org", self.orgs[key])

    def client(self, key: str, language: str = "zh-hans") -> Client:
        """A browser in which this person is signed in."""
        person_id = self.people[key]
        if not identity.accounts_of_people([person_id]):
            identity.create_accounts(actor=SYSTEM, person_ids=[person_id], usernames={person_id: key}, now=NOW)
            identity.set_password(actor=SYSTEM, person_id=person_id, password=PASSWORD, must_change=False, now=NOW)
        client = Client(headers={"accept-language": language})
        assert client.post("/sign-in/", {"username": key, "password": PASSWORD}).status_code == 302
        return client


def add_pupils(region: Region, class_key: str, school_key: str, district_key: str, count: int) -> None:
    """Pupils and their enrollments in one go; the services would take a second per class."""
    person_model, enrollment_model = apps.get_model("directory.Person"), apps.get_model("directory.Enrollment")
    class_id = region.orgs[class_key]
    path = directory.orgs_by_ids([class_id])[class_id].path
    start = len(region.pupils)
    made = person_model.objects.bulk_create(
        person_model(
            sourced_id=f"pupil-{start + at}", number=f"9{start + at:013d}", name=f"学生{start + at:03d}", is_synthetic=True
        )
        for at in range(count)
    )
    enrollment_model.objects.bulk_create(
        enrollment_model(
            sourced_id=f"place-{person.pk}",
            person=person,
            class_org_id=class_id,
            org_path=path,
            role=EnrollmentRole.STUDENT.value,
            is_primary=True,
            begin_date=BEGUN,
        )
        for person in made
    )
    region.pupils += [person.pk for person in made]
    region.places += [(class_id, region.orgs[school_key], region.orgs[district_key])] * count


def add_assessment(region: Region, code: str, *, held: date, seed: int, shift: float = 0.0) -> int:
    """A simulated test of every pupil, written as an import would leave it."""
    assessment_model, item_model = apps.get_model("assessment.Assessment"), apps.get_model("assessment.Item")
    root = directory.root_org()
    assert root is not None
    assessment = assessment_model.objects.create(
        code=code,
        name=f"四年级数学监测{held.year}",
        subjects=["数学"],
        grade="四年级",
        held_date=held,
        org_id=root.id,
        org_path=root.path,
        is_simulated=True,
        source_note=SOURCE,
        population_note="全体四年级学生",
        report_scale={"mean": 500, "sd": 100, "cuts": [400, 475, 550, 625]},
        booklets=[],
        context=[{"name": "female", "label": "性别", "values": "0=男;1=女"}],
        references=[],
        imported_at=NOW,
        status="ready",
    )
    item_model.objects.bulk_create(
        item_model(
            assessment=assessment,
            code=f"M{at + 1:02d}",
            position=at + 1,
            label=f"第{at + 1}题",
            subject="数学",
            content_domain=("数与代数", "图形与几何", "统计与概率")[at % 3],
            cognitive_domain=("知道", "应用", "推理")[at // 3 % 3],
            knowledge_units=[("分数", "面积", "统计图")[at % 3]],
            max_score=2 if at % 8 == 7 else 1,
        )
        for at in range(ITEMS)
    )
    snapshot = write_partition(
        "assessment.responses", {"assessment": assessment.pk}, responses(region, seed, shift), actor=SYSTEM, now=NOW
    )
    participation = apps.get_model("assessment.Participation")
    units = directory.orgs_by_ids(region.orgs.values())
    participation.objects.bulk_create(
        participation(assessment=assessment, org_id=org.id, org_path=org.path, level=org.type.value, pupils=1)
        for org in units.values()
    )
    assessment.snapshot_id = snapshot.id
    assessment.pupils = len(region.pupils)
    assessment.save()
    region.assessments[code] = assessment.pk
    return int(assessment.pk)


def responses(region: Region, seed: int, shift: float) -> pa.Table:
    """Answers of a two-parameter model with true differences between schools; some omitted, some not reached."""
    rng = np.random.default_rng(seed)
    n = len(region.pupils)
    class_ids, school_ids, district_ids = (np.array(column, dtype=np.int64) for column in zip(*region.places, strict=True))
    _, school = np.unique(school_ids, return_inverse=True)
    theta = rng.normal(size=n) * 0.85 + rng.normal(size=school.max() + 1)[school] * 0.5 + shift
    items = np.random.default_rng(99)
    slopes, difficulties = items.lognormal(0.1, 0.25, ITEMS), items.normal(size=ITEMS)
    columns: dict[str, object] = {
        "person_id": np.array(region.pupils, dtype=np.int64),
        "class_id": class_ids,
        "school_id": school_ids,
        "district_id": district_ids,
        "org_path": [""] * n,
        "booklet": [""] * n,
        "weight": np.ones(n),
        "zone": np.zeros(n, dtype=np.int16),
        "rep": np.zeros(n, dtype=np.int8),
    }
    for at in range(ITEMS):
        chance = 1 / (1 + np.exp(-slopes[at] * (theta - difficulties[at])))
        marks = (rng.random(n) < chance).astype(np.int8)
        if at % 8 == 7:
            marks += (rng.random(n) < chance) & (marks > 0)
        marks[rng.random(n) < 0.02] = -2
        if at == ITEMS - 1:
            marks[rng.random(n) < 0.05] = -3
        columns[f"r{at + 1}"] = marks.astype(np.int8)
    female = (rng.random(n) < 0.5).astype(np.float32)
    columns["x_female"] = female
    return pa.table(columns)


@pytest.fixture(autouse=True)
def chinese() -> None:
    translation.activate("zh-hans")


LABELS = (
    "directory.Org",
    "directory.Person",
    "directory.Affiliation",
    "directory.Enrollment",
    "directory.GuardianLink",
    "assessment.Assessment",
    "assessment.Item",
    "assessment.Participation",
    "datahub.Dataset",
    "datahub.StoredSnapshot",
    "evaluation.EvaluationRun",
    "evaluation.UnitReport",
)
_remembered: dict[str, tuple[object, list[list[Model]]]] = {}


def remembered(name: str, build: Callable[[], object]) -> object:
    """Build once per session and lay the same rows down again for every other test; files of the lake stay."""
    models = [apps.get_model(label) for label in LABELS]
    if name not in _remembered:
        made = build()
        _remembered[name] = (copy.deepcopy(made), [list(model.objects.all()) for model in models])
        return made
    made, rows = _remembered[name]
    for model in reversed(models):
        model.objects.all()._raw_delete(connection.alias)
    for model, kept in zip(models, rows, strict=True):
        model.objects.bulk_create(kept)
    return copy.deepcopy(made)


@pytest.fixture
def region(db: None) -> Region:
    made = remembered("region", build_region)
    assert isinstance(made, Region)
    return made


def build_region() -> Region:
    region = Region()
    region.add_org("city", None, OrgType.CITY, "云岭市")
    for district, schools in PLAN.items():
        region.add_org(district, "city", OrgType.COUNTY, f"{district}区")
        for at, classes in enumerate(schools, start=1):
            school = f"{district}{at}"
            region.add_org(school, district, OrgType.SCHOOL, f"{district}区第{at}小学")
            for number, count in enumerate(classes, start=1):
                class_key = f"{school}c{number}"
                region.add_org(class_key, school, OrgType.CLASS, f"四（{number}）班")
                add_pupils(region, class_key, school, district, count)
    for key, role, org in (
        ("city_officer", Role.CITY_OFFICER, "city"),
        ("county_officer", Role.COUNTY_OFFICER, "east"),
        ("head", Role.HEAD, "east1"),
    ):
        person_id = region.add_person(key, key)
        directory.affiliate(actor=SYSTEM, person_id=person_id, org_id=region.orgs[org], role=role, now=NOW, begin_date=BEGUN)
    for key, is_primary in (("class_teacher", True), ("teacher", False)):
        directory.enrol(
            actor=SYSTEM,
            person_id=region.add_person(key, key),
            class_id=region.orgs["east1c1"],
            role=EnrollmentRole.TEACHER,
            is_primary=is_primary,
            begin_date=BEGUN,
            now=NOW,
        )
    region.people["pupil"] = region.pupils[0]
    region.people["far_pupil"] = region.pupils[-1]
    parent = region.add_person("parent", "parent")
    directory.link_guardian(actor=SYSTEM, guardian_id=parent, ward_id=region.people["pupil"], relation="母亲", now=NOW)
    add_assessment(region, "math-2026", held=date(2026, 6, 18), seed=7)
    return region


def finished_run(region: Region, code: str = "math-2026", **options: object) -> int:
    """Declare a run, start it and let the worker do it."""
    chosen = {"contrasts": ["female"], "programme": "math", **options}
    run_id = declare_run(actor=SYSTEM, assessment_id=region.assessments[code], options=chosen, now=NOW)
    start_run(actor=SYSTEM, run_id=run_id, now=NOW)
    run_pending()
    return run_id


@pytest.fixture
def run_id(region: Region) -> int:
    made = remembered("run", lambda: finished_run(region))
    assert isinstance(made, int)
    return made
